"""An FTP server that lets everybody in who knows the password, and takes no file."""

from __future__ import annotations

import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWERS = {b"USER": b"331 Password", b"QUIT": b"221 Bye"}


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self._say(b"220 Welcome")
        for line in self.rfile:
            word, _, rest = line.strip().partition(b" ")
            if word == b"PASS":
                self._say(b"230 In" if rest == b"s3cr3t" else b"530 Login incorrect: " + rest)
            else:
                self._say(ANSWERS.get(word, b"452 No space left"))

    def _say(self, answer: bytes) -> None:
        self.wfile.write(answer + b"\r\n")


@contextmanager
def full_ftp_server() -> Iterator[str]:
    """Host and port of the server."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Session) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
