"""The sandbox on a socket of this machine: the only part that knows HTTP."""

from __future__ import annotations

import asyncio
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from email.utils import format_datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from aiohttp import BodyPartReader, web

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.sandbox.protocol.answers import NO_ANSWER
from tiktok_crawler.sandbox.protocol.calls import Call, FormPart

if TYPE_CHECKING:
    from tiktok_crawler.sandbox.sandbox import Sandbox

STATISTICS_PATH = "/sandbox/stats"

_OPTIONS: dict[str, Any] = {
    "access_log": None,
    "handler_cancellation": True,
    # Answers that hang are given up after this time when the server stops.
    "shutdown_timeout": 0.5,
}

_MULTIPART = "multipart/form-data"

_LINGER_NOT = struct.pack("ii", 1, 0)


async def start(sandbox: Sandbox, sock: socket.socket) -> web.AppRunner:
    """Serve in the running loop, on a bound loopback socket, until `cleanup()` of the result."""
    _check_loopback(sock)
    runner = web.AppRunner(application(sandbox), **_OPTIONS)
    await runner.setup()
    await web.SockSite(runner, sock).start()
    return runner


def serve(sandbox: Sandbox, sock: socket.socket) -> None:
    """Serve on a bound loopback socket until SIGINT or SIGTERM."""
    _check_loopback(sock)
    web.run_app(application(sandbox), sock=sock, print=None, **_OPTIONS)


def application(sandbox: Sandbox) -> web.Application:
    """The sandbox as an application; a sandbox has at most one."""
    handlers = _Handlers(sandbox)
    app = web.Application()
    for path in sandbox.paths:
        app.router.add_post(path, handlers.answer)
    app.router.add_get(STATISTICS_PATH, handlers.statistics)
    app.on_cleanup.append(handlers.close)
    return app


class _Handlers:
    """Answers are made one after another in a thread, so that a long search blocks no loop."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sandbox")

    async def answer(self, request: web.Request) -> web.Response:
        is_form = request.content_type == _MULTIPART
        call = Call(
            path=request.path,
            fields=request.query.get("fields"),
            authorization=request.headers.get("Authorization"),
            body=b"" if is_form else await request.read(),
            parts=await _read_parts(request) if is_form else (),
        )
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._thread, self._sandbox.answer, call)
        await asyncio.sleep(answer.delay_seconds)
        if answer.status == NO_ANSWER.status:
            _cut_off(request)
            return web.Response()
        return web.Response(
            status=answer.status,
            body=answer.body,
            content_type=answer.content_type,
            headers={
                "Date": format_datetime(self._sandbox.answers_at(), usegmt=True),
                **answer.headers,
            },
        )

    async def statistics(self, _: web.Request) -> web.Response:
        return web.json_response(self._sandbox.statistics())

    async def close(self, _: web.Application) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


async def _read_parts(request: web.Request) -> tuple[FormPart, ...]:
    """The parts of a multipart form; what is no form has none."""
    parts = []
    try:
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader):
                content = bytes(await part.read(decode=True))
                parts.append(FormPart(part.name or "", content, part.filename))
    except (ValueError, RuntimeError):
        return ()
    return tuple(parts)


def _cut_off(request: web.Request) -> None:
    """End the connection with a reset, not with a proper close."""
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        request.transport.abort()


def _check_loopback(sock: socket.socket) -> None:
    address = str(sock.getsockname()[0])
    if not ip_address(address).is_loopback:
        raise ConfigurationError(f"the sandbox is served on loopback only, not on {address}")
