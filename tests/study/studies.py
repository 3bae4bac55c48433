"""Makes studies as users do: a process of its own, without a project around it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from processes import environment

if TYPE_CHECKING:
    from pathlib import Path

INIT = (sys.executable, "-m", "tiktok_crawler", "init")


def outside(home: Path, **variables: str) -> dict[str, str]:
    """The environment of a shell in which no project is named."""
    found = environment(home, **variables)
    del found["SCRAPY_SETTINGS_MODULE"]
    return found


def init(
    folder: Path, *arguments: str, umask: int = -1, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Make a study from a folder, which is home too, without a terminal."""
    return subprocess.run(
        [*INIT, *arguments],
        cwd=folder,
        env=outside(folder, **variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        umask=umask,
        check=False,
    )
