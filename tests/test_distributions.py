"""What `python -m build` makes of a checkout to be published: a source distribution, a wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

if TYPE_CHECKING:
    from email.message import Message

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
BY_BUILD = "PKG-INFO"
"""What building adds."""


def built(folder: Path, *options: str) -> Path:
    command = [sys.executable, "-m", "build", "--no-isolation", *options, "--outdir", folder, ROOT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@dataclass(frozen=True, slots=True)
class Distributions:
    """The two files of a release, the wheel made from the other one."""

    folder: Path

    @property
    def source(self) -> Path:
        (found,) = self.folder.glob("*.tar.gz")
        return found

    @property
    def wheel(self) -> Path:
        (found,) = self.folder.glob("*.whl")
        return found

    def metadata(self) -> Message:
        with ZipFile(self.wheel) as packed:
            (name,) = [name for name in packed.namelist() if name.endswith(".dist-info/METADATA")]
            return message_from_bytes(packed.read(name))


@pytest.fixture(scope="module")
def release(tmp_path_factory) -> Distributions:
    return Distributions(built(tmp_path_factory.mktemp("dist")))


def listed_by_git(*options: str) -> set[str]:
    done = subprocess.run(
        ["git", "ls-files", "-z", *options], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {name for name in done.stdout.split("\0") if name and (ROOT / name).exists()}


@pytest.mark.skipif(not shutil.which("git"), reason="there is no git")
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no clone")
def test_the_source_distribution_has_what_git_has_and_nothing_stray(release):
    with tarfile.open(release.source) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()} - {BY_BUILD}
    assert listed_by_git() <= names
    assert names <= listed_by_git("--cached", "--others", "--exclude-standard")


def test_the_wheel_is_the_same_from_the_source_distribution_and_from_the_checkout(
    release, tmp_path
):
    directly = Distributions(built(tmp_path, "--wheel"))
    assert directly.wheel.name == release.wheel.name
    assert directly.wheel.read_bytes() == release.wheel.read_bytes()


def test_a_package_index_takes_both(release):
    check = [sys.executable, "-m", "twine", "check", "--strict", release.source, release.wheel]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("PASSED") == 2


def test_the_page_of_a_package_index_has_no_link_that_leads_nowhere(release):
    page = release.metadata().get_payload(decode=True).decode()
    assert "# tiktok_crawler\n" in page
    assert "## The query file\n" in page
    assert {link for link in re.findall(r"\]\(([^)]*)\)", page) if ":" not in link} == set()
    assert "![" not in page


def test_the_metadata_say_what_one_looks_for(release):
    metadata = release.metadata()
    for field in ("Summary", "Author", "Keywords", "License-File", "Requires-Python"):
        assert metadata[field], field
    assert metadata["License-Expression"] == "MIT"
    classifiers = metadata.get_all("Classifier")
    minimum = metadata["Requires-Python"].removeprefix(">=")
    assert f"Programming Language :: Python :: {minimum}" in classifiers
    assert not any(each.startswith("License ::") for each in classifiers)
