"""What commands print, and how they end."""

from __future__ import annotations

import atexit
import codecs
import contextlib
import errno
import io
import json
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, NoReturn, TextIO

from tiktok_crawler.exceptions import CrawlerError
from tiktok_crawler.spelling import visible_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

GONE = (errno.EPIPE, errno.EIO)
"""Nobody reads any more: the reader of a pipe has seen enough, or the terminal is closed."""

TOLD_EVERY_SECONDS = 10

AS_IN_JSON = "as_in_json"
"""The name under which Python knows how characters are written that an encoding does not have."""


def show(text: str) -> None:
    """Print what a command was asked for."""
    with while_read():
        print(visible_lines(text), flush=True)  # noqa: T201 - this is the output


@contextlib.contextmanager
def while_read() -> Iterator[None]:
    """Write to the output for as long as somebody reads it; `head` may go when it has seen enough.

    An output that cannot be written for another reason, such as a full disk, ends the command.
    """
    try:
        yield
    except OSError as exc:
        drop(sys.stdout)
        if exc.errno not in GONE:
            fail(os.EX_SOFTWARE, f"the output cannot be written: {exc.strerror}")


def tell(text: str) -> None:
    """Print what the user should know, where anybody can read it."""
    try:
        print(visible_lines(text), file=sys.stderr, flush=True)  # noqa: T201 - this is the command line
    except OSError:
        drop(sys.stderr)


class NowAndThen:
    """Tells how far a command is, every ten seconds at most."""

    def __init__(self) -> None:
        self._told_at = time.monotonic()

    def tell(self, text: str) -> None:
        """Print this, unless something was told just before."""
        if time.monotonic() - self._told_at >= TOLD_EVERY_SECONDS:
            self._told_at = time.monotonic()
            tell(text)


def drop(stream: TextIO) -> None:
    """Write no more to a stream, also not what is left of it when the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def is_closed() -> bool:
    """Tell whether the process was started without a standard output (`>&-`)."""
    return sys.__stdout__ is None


def fail(status: int, message: str) -> NoReturn:
    """End the command with one clear message."""
    tell(f"error: {message}")
    raise SystemExit(status)


def open_streams() -> None:
    """Open the standard streams that were closed (`2>&-`), to nowhere.

    The next file that is opened, such as the database, would take the place of one. What the
    encoding of the output has no character for is written as in JSON.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))
    codecs.register_error(AS_IN_JSON, _as_in_json)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=AS_IN_JSON)


def _as_in_json(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def end_on_sigterm() -> None:
    """Let SIGTERM end the command as Ctrl-C does: half of what it makes must not stay."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@atexit.register
def _end_output() -> None:
    """Write what Scrapy's own commands have left to the end of the process."""
    with while_read():
        sys.stdout.flush()


def _end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """End Scrapy's own commands like ours where a setting is refused."""
    if isinstance(error, CrawlerError):
        fail(error.exit_status, str(error))
    sys.__excepthook__(kind, error, trace)


# Scrapy imports the commands before anything is opened.
open_streams()
sys.excepthook = _end
