"""Runs the study's first crawl on the sandbox, as its user will run the next ones."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from typing import TYPE_CHECKING

from tiktok_crawler.output import show
from tiktok_crawler.study.files import CRAWL

if TYPE_CHECKING:
    from tiktok_crawler.study.place import Place

COMMAND = (*CRAWL.split(), "-a", "end_date=2024-01-31", "-s", "TIKTOK_SANDBOX=True")
"""A month of the query that the study begins with, in a few seconds."""

ELSEWHERE = ("TIKTOK_", "SCRAPY_")
"""Variables that begin so can name another database, or another project."""


def rehearse(place: Place) -> int:
    """Let the crawl say what it says; its exit status."""
    show("\nA rehearsal, with invented videos and without credentials:")
    show(f"$ scrapy {shlex.join(COMMAND)}")
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith(ELSEWHERE)
    }
    command = [str(place.scrapy), *COMMAND]
    with subprocess.Popen(command, cwd=place.folder, env=variables) as crawl:  # noqa: S603 - our own
        # Ctrl-C reaches the crawl as well, which ends in order; SIGTERM does not.
        signal.signal(signal.SIGTERM, lambda *_: crawl.terminate())
        return crawl.wait()
