"""A server on a bare socket, which can send whatever bytes it likes, also none that are HTTP.

Behind it stands a sandbox, whose answers are what an honest API would say.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from tiktok_crawler.research_api.endpoints import TOKEN_PATH
from tiktok_crawler.sandbox.access.tokens import CLIENT_KEY, CLIENT_SECRET
from tiktok_crawler.sandbox.protocol.calls import Call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from urllib.parse import SplitResult

    from tiktok_crawler.sandbox import Sandbox
    from tiktok_crawler.sandbox.protocol.answers import SandboxAnswer

KEY = "aw7k2+q/9z=xv%5Z"
SECRET = "Qs4%&t<0>Rv=+/8~mN.zL"
"""Invented; they have characters that encodings write otherwise."""

TOKEN_TAIL = "!1+/=~."
"""Behind the tokens that are given."""

RESET, CLOSE = "reset", "close"
"""The steps that end a connection: as if the network broke, and in order."""

Steps = list[bytes | float | str]
"""What is sent: bytes, seconds to wait between them, and perhaps an end of the connection."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: its head as it came, and what it asks for."""

    head: bytes
    call: Call

    @property
    def gets_token(self) -> bool:
        return self.call.path == TOKEN_PATH

    @property
    def token(self) -> str:
        return (self.call.authorization or "").removeprefix("Bearer ")

    @property
    def key(self) -> str:
        """What tells it from other requests, whenever it is sent."""
        return f"{self.call.path} {'' if self.gets_token else self.call.body.decode()}"


@dataclass
class HostileServer:
    """Gives each request, and what the sandbox answers to it, to `answering`, and sends that."""

    sandbox: Sandbox
    answering: Callable[[Asked, SandboxAnswer], tuple[Steps, str]]
    url: str = ""
    requests: int = 0
    told: list[str] = field(default_factory=list)
    """What was sent, as far as it was no plain answer."""

    errors: list[Exception] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    """Those of the sandbox by those that the client has."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of a connection."""
        with suppress(OSError, EOFError):
            while asked := await _read(reader):
                self.requests += 1
                try:
                    steps, words = self.answering(asked, self._honest(asked))
                except Exception as exc:
                    self.errors.append(exc)
                    raise
                self.told += [words] if words else []
                if not await _send(writer, steps):
                    break
        writer.close()

    def _honest(self, asked: Asked) -> SandboxAnswer:
        if not asked.gets_token:
            token = self.tokens.get(asked.token, asked.token)
            return self.sandbox.answer(replace(asked.call, authorization=f"Bearer {token}"))
        form = asked.call.form()
        if (form.get("client_key"), form.get("client_secret")) == (KEY, SECRET):
            form |= {"client_key": CLIENT_KEY, "client_secret": CLIENT_SECRET}
        answer = self.sandbox.answer(replace(asked.call, body=urlencode(form).encode()))
        content = json.loads(answer.body)
        if token := content.get("access_token"):
            content["access_token"] = token + TOKEN_TAIL
            self.tokens[token + TOKEN_TAIL] = token
        return replace(answer, body=json.dumps(content).encode())


@contextmanager
def serving(server: HostileServer) -> Iterator[HostileServer]:
    """Serve in a thread until the end of the block; the address is in `url` then."""
    listening = socket.create_server(("127.0.0.1", 0))
    server.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    loop, done = asyncio.new_event_loop(), asyncio.Event()

    async def until_done() -> None:
        async with _listener(server, listening):
            await done.wait()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(until_done())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()


@asynccontextmanager
async def _listener(server: HostileServer, listening: socket.socket) -> AsyncIterator[None]:
    tasks: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        try:
            with suppress(asyncio.CancelledError):
                await server.serve(reader, writer)
        finally:
            tasks.discard(task)
            writer.transport.abort()

    listener = await asyncio.start_server(serve, sock=listening)
    try:
        yield
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    """Read a request of our own crawler, which is well formed."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value for name, _, value in (each.partition(": ") for each in lines[1:])
    }
    url: SplitResult = urlsplit(lines[0].split(" ")[1])
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    fields = url.query.removeprefix("fields=").replace("%2C", ",") or None
    return Asked(head, Call(url.path, fields, headers.get("authorization"), body))


async def _send(writer: asyncio.StreamWriter, steps: Steps) -> bool:
    """Take the steps; whether the connection is still of use."""
    for step in steps:
        if step == RESET:
            own = writer.get_extra_info("socket")
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return False
        if isinstance(step, float):
            await asyncio.sleep(step)
        elif isinstance(step, bytes):
            writer.write(step)
            await writer.drain()
    return CLOSE not in steps


def plainly(_: Asked, answer: SandboxAnswer) -> tuple[Steps, str]:
    """Answer as an honest API does."""
    return plain(answer), ""


def plain(answer: SandboxAnswer) -> Steps:
    """An answer as any server sends it."""
    head = (
        f"HTTP/1.1 {answer.status} Fine\r\nContent-Type: {answer.content_type}\r\n"
        f"Content-Length: {len(answer.body)}\r\n\r\n"
    )
    return [head.encode() + answer.body]
