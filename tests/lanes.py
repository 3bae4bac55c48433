"""Crawls that are interrupted again and again, each with an API and a database of its own."""

from __future__ import annotations

import random
import signal
import time
from dataclasses import dataclass, field
from os import EX_OK
from typing import TYPE_CHECKING, Any, ClassVar

from processes import scrapy, started
from trials import asked_again

if TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess

SIDE_BY_SIDE = 4
"""How many windows or seeds a crawl works on at a time."""


@dataclass
class Lane:
    """A crawl in a folder that is made for it; its sandbox remembers what it was asked."""

    folder: Path
    database_url: str
    sandbox: Any
    api_url: str
    kills: int = 0
    answered: set[tuple[Any, int]] = field(default_factory=set)

    begins: ClassVar[str]
    """What the log says when a crawl has begun."""
    longest_seconds: ClassVar[float]
    """How much later it is killed at the latest."""

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.moments = random.Random(self.folder.name)
        sandbox = ("-s", "TIKTOK_SANDBOX=True", "-s", f"TIKTOK_SANDBOX_URL={self.api_url}")
        self.command = ("crawl", *self.prepare(), *sandbox)

    def prepare(self) -> tuple[str, ...]:
        """Write the files that the crawl needs; its arguments."""
        raise NotImplementedError

    def be_killed(self, times: int) -> None:
        while self.kills < times:
            seconds = self.moments.uniform(0, self.longest_seconds)
            self.kills += self.interrupt(signal.SIGKILL, seconds) == -signal.SIGKILL
            time.sleep(0.3)  # the sandbox still answers what was in flight
            self.check_requests()

    def interrupt(self, number: int, seconds: float) -> int:
        """Crawl, and send a signal so much later; the exit status."""
        with started(self.folder, *self.command, TIKTOK_DATABASE_URL=self.database_url) as process:
            output = []
            for line in process.stdout:
                output.append(line)
                if self.begins in line:
                    break
            else:
                raise AssertionError("".join(output))
            time.sleep(seconds)
            process.send_signal(number)
            process.stdout.read()
            return process.wait()

    def run(self) -> CompletedProcess[str]:
        """Crawl to the end."""
        run = scrapy(self.folder, *self.command, TIKTOK_DATABASE_URL=self.database_url)
        assert run.returncode == EX_OK, run.stderr
        return run

    def finish(self) -> None:
        self.run()
        self.check_requests()

    def check_requests(self) -> None:
        """A run asks for no page again, apart from those that were in flight before."""
        exchanges = self.sandbox.exchanges
        assert asked_again(exchanges) == []
        pages = {(each.task, each.cursor) for each in exchanges if each.moves_on}
        repeated = [task for task, _ in pages & self.answered]
        assert len(repeated) == len(set(repeated)) <= SIDE_BY_SIDE
        self.answered |= pages
        exchanges.clear()
