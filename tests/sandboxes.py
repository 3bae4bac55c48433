"""A sandbox in a thread of the test's process, which remembers what it was asked."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tiktok_crawler.sandbox import Sandbox
from tiktok_crawler.sandbox.server import start

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def recording_sandbox(**options: Any) -> Iterator[tuple[Sandbox, str]]:
    """The sandbox and its URL; it is served until the end of the block."""
    sandbox = Sandbox(record=True, **options)
    with served_by_thread(sandbox) as url:
        yield sandbox, url


@contextmanager
def served_by_thread(sandbox: Sandbox) -> Iterator[str]:
    """Serve a sandbox until the end of the block; its URL."""
    listening = socket.create_server(("127.0.0.1", 0))
    loop, done = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=_serve, args=(loop, sandbox, listening, done))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()


def _serve(
    loop: asyncio.AbstractEventLoop,
    sandbox: Sandbox,
    listening: socket.socket,
    done: asyncio.Event,
) -> None:
    async def until_done() -> None:
        runner = await start(sandbox, listening)
        await done.wait()
        await runner.cleanup()

    with asyncio.Runner(loop_factory=lambda: loop) as runner, listening:
        runner.run(until_done())


def searches(sandbox: Sandbox) -> list[dict[str, Any]]:
    """The bodies of all search requests, in order."""
    return [request.body for request in sandbox.requests if "research" in request.path]
