"""What a command writes is its owner's alone, whichever it is, and what a shell writes of it."""

from __future__ import annotations

import re
import stat
import subprocess
from pathlib import Path

import pytest
from processes import SCRAPY, environment

ROOT = Path(__file__).parents[1]


def test_lines_that_are_told_to_type_write_files_of_their_owners_alone():
    texts = [path.read_text("utf-8") for path in (ROOT / "README.md", *ROOT.glob("docs/*.md"))]
    lines = [
        line
        for text in texts
        for line in text.splitlines()
        if re.search(r"(scrapy|sqlite3|psql|pg_dump) .*> ?[a-z./]+\.[a-z]+", line)
    ]
    assert len(lines) > 5
    assert [line for line in lines if "umask 077; " not in line] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("crawl", "videos", "-a", "query=query.yaml", "-O", "videos.jsonl", "--logfile", "log"),
        ("status", "--profile", "profile"),
    ],
    ids=lambda command: command[0],
)
def test_files_are_their_owners_alone(folder, command):
    before = set(folder.path.iterdir())
    run = subprocess.run(
        [SCRAPY, *command],
        cwd=folder.path,
        env=environment(folder.path, TIKTOK_SANDBOX="1"),
        umask=0o022,
        check=False,
    )
    assert run.returncode == 0
    made = set(folder.path.iterdir()) - before
    assert command[-1] in {path.name for path in made}
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}
