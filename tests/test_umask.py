"""What a command writes is its owner's alone, whichever it is."""

from __future__ import annotations

import stat
import subprocess

import pytest
from processes import SCRAPY, environment


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
