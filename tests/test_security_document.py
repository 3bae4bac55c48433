"""SECURITY.md names what there is, and its commands find a secret that got out."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tiktok_crawler.config.names import SETTINGS
from tiktok_crawler.crawling.masking import SHORTEST

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_files_that_it_names_are_there():
    named = re.findall(r"`((?:tests|\.ci)/[\w/.]+)`|\]\(([\w/.]+)(?:#[\w-]+)?\)", DOCUMENT)
    paths = [path for pair in named for path in pair if path]
    assert len(paths) > 10
    assert [path for path in paths if not (ROOT / path).is_file()] == []


def test_the_settings_that_it_names_are_there():
    named = set(re.findall(r"\bTIKTOK_\w+", DOCUMENT))
    assert named
    assert named - set(SETTINGS) == set()


def test_it_says_which_secrets_are_too_short():
    assert SHORTEST == 8
    assert "**Secrets of fewer than eight characters**" in DOCUMENT


def test_the_readme_leads_to_it():
    assert "(SECURITY.md)" in README
    assert "(docs/privacy.md)" in README


@pytest.mark.skipif(not shutil.which("git"), reason="there is no git")
def test_a_secret_that_got_out_is_found(tmp_path):
    def git(*arguments: str) -> None:
        own = ("-c", "user.name=zoe", "-c", "user.email=zoe@example.org")
        subprocess.run(["git", *own, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    for text in ("client_secret: s3cr3t-of-zoe\n", "nothing\n"):
        (tmp_path / "notes.txt").write_text(text)
        git("add", "notes.txt")
        git("commit", "--message", f"Note {len(text)} letters")
    (tmp_path / "crawl.log").write_text("s3cr3t-of-zoe")
    (commands,) = re.findall(r"^ *```sh\n(.*?)^ *```", DOCUMENT, re.MULTILINE | re.DOTALL)
    found = subprocess.run(
        ["bash", "-euc", commands],
        cwd=tmp_path,
        input="s3cr3t-of-zoe\n",
        capture_output=True,
        text=True,
        check=True,
    )
    lines = found.stdout.splitlines()
    assert lines[0] == "./crawl.log"
    assert [line.partition(" ")[2] for line in lines[1:]] == ["Note 8 letters", "Note 29 letters"]
