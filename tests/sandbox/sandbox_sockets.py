"""Serves a sandbox on a real socket of the running loop."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from check_client import signed_in

from tiktok_crawler.sandbox.server import start

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

    from tiktok_crawler.sandbox import Sandbox


def loopback() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def url(sock: socket.socket) -> str:
    return f"http://127.0.0.1:{sock.getsockname()[1]}"


@asynccontextmanager
async def session(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a sandbox that is served in the running loop, with a token."""
    sock = loopback()
    runner = await start(sandbox, sock)
    try:
        async with signed_in(url(sock)) as client:
            yield client
    finally:
        await runner.cleanup()
