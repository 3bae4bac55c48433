"""The wheel, in an empty environment elsewhere, is all that a crawl needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
def installed(tmp_path_factory) -> Path:
    """The bin folder of an environment with nothing but the wheel and what it depends on."""
    folder = tmp_path_factory.mktemp("wheel")
    build = run(
        sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", folder, ROOT, cwd=folder
    )
    assert build.returncode == 0, build.stdout + build.stderr
    (wheel,) = folder.glob("*.whl")
    venv = run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    assert venv.returncode == 0, venv.stderr
    install = run(folder / "venv/bin/pip", "install", "--quiet", wheel, cwd=folder)
    assert install.returncode == 0, install.stdout + install.stderr
    return folder / "venv/bin"


def test_the_wheel_crawls_the_sandbox_from_an_empty_folder(installed, tmp_path):
    (tmp_path / "query.yaml").write_bytes((ROOT / "query.yaml").read_bytes())
    settings = {"SCRAPY_SETTINGS_MODULE": "tiktok_crawler.settings"}
    crawl = ("crawl", "videos", "-a", "query=query.yaml", "-s", "TIKTOK_SANDBOX=True")
    done = run(installed / "scrapy", *crawl, cwd=tmp_path, **settings)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "tiktok-sandbox.db").stat().st_size > 1_000_000
    profile = ("-s", "TIKTOK_SANDBOX_PROFILE=bad-day")
    again = run(installed / "scrapy", *crawl, *profile, cwd=tmp_path, **settings)
    assert again.returncode == 0, again.stderr
    assert "Nothing to collect" in again.stderr
    migrate = run(installed / "scrapy", "migrate", cwd=tmp_path, **settings)
    assert migrate.returncode == 0, migrate.stderr
    assert (tmp_path / "tiktok.db").exists()
