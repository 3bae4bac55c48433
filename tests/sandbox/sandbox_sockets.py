"""Serves a sandbox on a real socket of the running loop."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
from sandbox_client import FORM

from tiktok_crawler.research_api.endpoints import TOKEN_PATH
from tiktok_crawler.sandbox.server import start

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

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
        async with aiohttp.ClientSession(url(sock)) as client:
            async with client.post(TOKEN_PATH, data=FORM) as response:
                token = (await response.json())["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            yield client
    finally:
        await runner.cleanup()
