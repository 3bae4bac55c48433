"""Scrapyd daemons as processes: nodes that are told by HTTP what to crawl."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from processes import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DOCUMENT = Path(__file__).parents[1] / "docs" / "nodes.md"
(CONF,) = re.findall(
    r"<!-- block: scrapyd.conf -->\n```ini\n(.*?)^```",
    DOCUMENT.read_text("utf-8"),
    re.MULTILINE | re.DOTALL,
)
"""The file of a node, as the docs have it."""

PROJECT = "default"
"""Its name in scrapy.cfg."""
SCRAPY_CFG = f"[settings]\n{PROJECT} = tiktok_crawler.settings\n"
QUICKLY = "[scrapyd]\npoll_interval = 0.1"
LOGIN = {"SCRAPYD_USERNAME": "ann", "SCRAPYD_PASSWORD": "secret-of-ann"}
LONGEST_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Node:
    """A daemon that runs in a folder."""

    folder: Path
    port: int

    def get(self, what: str, **parameters: str) -> Any:
        return self._ask(f"{what}?{urlencode(parameters)}", None)

    def post(self, what: str, *parameters: tuple[str, str]) -> Any:
        """As `curl -d name=value` does; a name may come more than once."""
        return self._ask(what, urlencode([("project", PROJECT), *parameters]).encode())

    def schedule(self, spider: str, *parameters: tuple[str, str]) -> str:
        """Schedule a crawl; the name of its job."""
        answer = self.post("schedule.json", ("spider", spider), *parameters)
        assert answer["status"] == "ok", answer
        return str(answer["jobid"])

    def cancel(self, job: str) -> None:
        assert self.post("cancel.json", ("job", job))["prevstate"] == "running"

    def state(self, job: str) -> str | None:
        state: str | None = self.get("status.json", job=job)["currstate"]
        return state

    def wait(self, job: str) -> None:
        until(lambda: self.state(job) == "finished")

    def log(self, spider: str, job: str) -> str:
        """What Scrapyd shows of a job."""
        path = self.folder / "scrapyd" / "logs" / PROJECT / spider / f"{job}.log"
        return path.read_text() if path.exists() else ""

    def kill_job(self, job: str) -> None:
        """End the process of a job, with all that it has started, without a word."""
        jobs = self.get("listjobs.json")["running"]
        (pid,) = (each["pid"] for each in jobs if each["id"] == job)
        os.kill(pid, signal.SIGKILL)

    def _ask(self, what: str, data: bytes | None) -> Any:
        login = ":".join(LOGIN.values()).encode()
        headers = {"Authorization": f"Basic {base64.b64encode(login).decode()}"}
        request = Request(f"http://127.0.0.1:{self.port}/{what}", data, headers)
        with build_opener(ProxyHandler({})).open(request, timeout=30) as answer:
            return json.load(answer)


def until(is_so: Callable[[], bool]) -> None:
    """Wait for something."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.05)


@contextmanager
def node(
    folder: Path, conf: str, *lines: str, is_project: bool = True, **variables: str
) -> Iterator[Node]:
    """A daemon in a folder, which is made a project's, for as long as the block.

    The lines go before those of the file.
    """
    if is_project:
        (folder / "scrapy.cfg").write_text(SCRAPY_CFG)
    (folder / "scrapyd.conf").write_text(conf)
    # HOME is the folder, too.
    (folder / ".scrapyd.conf").write_text("\n".join([QUICKLY, *lines]))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    surroundings = environment(folder)
    # scrapy.cfg has to be enough.
    del surroundings["SCRAPY_SETTINGS_MODULE"]
    surroundings |= {**LOGIN, "SCRAPYD_HTTP_PORT": str(port), **variables}
    with (folder / "daemon.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "scrapyd"],
            cwd=folder,
            env=surroundings,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    daemon = Node(folder, port)
    try:
        until(lambda: process.poll() is not None or _answers(daemon))
        yield daemon
    finally:
        # With the crawls that it has started.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(daemon: Node) -> bool:
    with suppress(URLError, ConnectionError):
        return bool(daemon.get("daemonstatus.json")["status"] == "ok")
    return False
