"""The image: what can be known of it where no engine builds it."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FILE = ROOT / "Containerfile"
DOCUMENT = (ROOT / "docs" / "container.md").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))

INSTRUCTIONS = [
    line.partition(" ")[::2]
    for line in re.sub(r"^#.*\n|\\\n", "", FILE.read_text("utf-8"), flags=re.MULTILINE).splitlines()
    if line
]


def arguments(instruction: str) -> list[list[str]]:
    return [shlex.split(rest) for name, rest in INSTRUCTIONS if name == instruction]


def test_a_linter_of_container_files_finds_nothing():
    command = [Path(sys.executable).with_name("hadolint"), FILE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.slow
def test_what_it_copies_is_enough_for_the_same_wheel(tmp_path):
    copied, there, directly = (tmp_path / name for name in ("checkout", "copied", "directly"))
    copied.mkdir()
    for *names, target in arguments("COPY")[:-1]:
        for name in names:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, copied / target / (name if target == "./" else ""))
    for folder, source in ((there, copied), (directly, ROOT)):
        subprocess.run(
            [
                sys.executable,
                "-m",
                "build",
                "--no-isolation",
                "--wheel",
                "--outdir",
                folder,
                source,
            ],
            check=True,
            capture_output=True,
        )
    (wheel,) = there.iterdir()
    assert wheel.read_bytes() == (directly / wheel.name).read_bytes()


def test_no_secrets_and_no_data_get_into_it():
    names = {name for *names, _ in arguments("COPY")[:-1] for name in names}
    assert "." not in names
    assert names <= {path.name for path in ROOT.iterdir()}
    assert {name for name in names if "secret" in name} == {"secrets.example.yaml"}


def test_scrapy_runs_in_the_study_as_a_user_without_rights():
    (user,), *others = arguments("USER")
    assert others == []
    assert not user.startswith("0")
    assert [rest for name, rest in INSTRUCTIONS if name == "ENTRYPOINT"] == ['["scrapy"]']
    (volume,) = arguments("VOLUME")
    assert volume == arguments("WORKDIR")[-1] == ["/study"]
    assert f":{volume[0]}" in DOCUMENT


def test_the_compose_file_of_the_document_fits_to_that_of_the_project():
    (text,) = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
    (crawl,) = yaml.safe_load(text)["services"].values()
    assert (ROOT / crawl["build"]["dockerfile"]).is_file()
    assert set(crawl["depends_on"]) <= set(COMPOSE["services"])
    of_postgres = COMPOSE["services"]["postgres"]["environment"]
    url = crawl["environment"]["TIKTOK_DATABASE_URL"]
    assert f"//{of_postgres['POSTGRES_USER']}@postgres/{of_postgres['POSTGRES_DB']}?" in url
