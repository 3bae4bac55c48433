"""The wheel, in an empty environment elsewhere, is all that a study needs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from zipfile import ZipFile

import pytest
from marathon import first

ROOT = Path(__file__).parents[1]


def run(*command: object, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("PIP_", "SSL_", "REQUESTS_")) or name.lower().endswith("_proxy")
    }
    environment |= {"PATH": os.environ["PATH"], "HOME": str(cwd)} | variables
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    build = run(
        sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", folder, ROOT, cwd=folder
    )
    assert build.returncode == 0, build.stdout + build.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module", params=first(1, ["beside the tests", "alone"]))
def installed(request, wheel, tmp_path_factory) -> Path:
    """The bin folder of an environment with nothing but the wheel and what it depends on.

    To download and install dependencies takes a minute, so those of the tests serve most of the
    time.
    """
    folder = tmp_path_factory.mktemp("wheel")
    is_alone = request.param == "alone"
    options = [] if is_alone else ["--without-pip"]
    venv = run(sys.executable, "-m", "venv", *options, folder / "venv", cwd=folder)
    assert venv.returncode == 0, venv.stderr
    pip = (sys.executable, "-m", "pip", "--python", folder / "venv", "install", "--quiet")
    install = run(*pip, *([] if is_alone else ["--no-deps"]), wheel, cwd=folder)
    assert install.returncode == 0, install.stdout + install.stderr
    if not is_alone:
        use_dependencies(folder / "venv")
    return folder / "venv/bin"


def use_dependencies(venv: Path) -> None:
    """Let an environment use what is installed beside the tests, after what it has itself."""
    (packages,) = venv.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")


def test_the_wheel_crawls_the_sandbox_from_an_empty_folder(installed, tmp_path):
    (tmp_path / "query.yaml").write_bytes((ROOT / "query.yaml").read_bytes())
    settings = {"SCRAPY_SETTINGS_MODULE": "tiktok_crawler.settings"}
    crawl = ("crawl", "videos", "-a", "query=query.yaml", "-s", "TIKTOK_SANDBOX=True")
    done = run(installed / "python", "-m", "scrapy", *crawl, cwd=tmp_path, **settings)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "tiktok-sandbox.db").stat().st_size > 1_000_000
    profile = ("-s", "TIKTOK_SANDBOX_PROFILE=bad-day")
    again = run(installed / "python", "-m", "scrapy", *crawl, *profile, cwd=tmp_path, **settings)
    assert again.returncode == 0, again.stderr
    assert "Nothing to collect" in again.stderr
    migrate = run(installed / "python", "-m", "scrapy", "migrate", cwd=tmp_path, **settings)
    assert migrate.returncode == 0, migrate.stderr
    assert (tmp_path / "tiktok.db").exists()


def test_the_wheel_has_every_file_of_the_package(wheel):
    with ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}
    package = [
        path
        for path in (ROOT / "tiktok_crawler").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    assert {path.relative_to(ROOT).as_posix() for path in package} <= names


def test_documents_of_the_wheel_refer_to_what_it_has(wheel, tmp_path):
    with ZipFile(wheel) as packed:
        packed.extractall(tmp_path)
    root = tmp_path / "tiktok_crawler" / "shipped"
    documents = [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("docs/**/*.ipynb")]
    links = {
        (path, link)
        for path in documents
        for link in re.findall(r"\]\((?!http)([^)#]+)", path.read_text("utf-8"))
    }
    assert len(documents) > 20
    assert len(links) > 60
    lost = {link for path, link in links if not (path.parent / link).exists()}
    assert lost == {"../benchmarks/README.md"}, "benchmarks are run in a checkout"
