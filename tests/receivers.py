"""Real receivers of what is sent: an SMTP server that asks for a password, and one for HTTP."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "pw-of-me"


class Mailbox:
    """The mails that have come: title and text of each."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str]] = []
        self.address = ""

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if not session.authenticated:
            return "530 Authentication required"
        mail = message_from_bytes(envelope.content, policy=policy.default)
        text = mail.get_body(("plain",)).get_content()
        self.mails.append((mail["Subject"], text.replace("\r\n", "\n")))
        return "250 OK"


def _authenticate(*args: Any) -> AuthResult:
    login = args[-1]
    return AuthResult(success=login.password == PASSWORD.encode(), handled=True)


class _AnyPort(Controller):
    """Serves on a port that is free, and then knows it."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    box = Mailbox()
    controller = _AnyPort(
        box,
        hostname="127.0.0.1",
        port=0,
        authenticator=_authenticate,
        auth_require_tls=False,
    )
    controller.start()
    box.address = (
        f"mailto://me:{PASSWORD}@127.0.0.1:{controller.port}/?from=me@example.org&to=you@example.org"
        "&mode=insecure&format=text"
    )
    try:
        yield box
    finally:
        controller.stop()


class Posts(ThreadingHTTPServer):
    """What was posted: title and text of each; `status` is its answer, None lets all wait."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.posts: list[tuple[str, str]] = []
        self.status: int | None = 200
        self.asked, self.done = threading.Event(), threading.Event()
        self.address = f"json://me:{PASSWORD}@127.0.0.1:{self.server_port}/{PASSWORD}/"


class _Handler(BaseHTTPRequestHandler):
    server: Posts

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.set()
        if self.server.status is None:
            self.server.done.wait()
            return
        if self.server.status == 200:
            self.server.posts.append((body["title"], body["message"]))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def http_receiver() -> Iterator[Posts]:
    with Posts() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.done.set()
            server.shutdown()
            thread.join()
