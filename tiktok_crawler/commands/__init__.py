"""The commands that `scrapy` has inside this project."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def show(text: str) -> None:
    """Print what a command was asked for; a reader that has seen enough, such as `head`, may go."""
    try:
        print(text, flush=True)  # noqa: T201 - this is the output
    except BrokenPipeError:
        # Nothing is left to be written when the process ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def fail(status: int, message: str) -> NoReturn:
    """End the command with one clear message."""
    print(f"error: {message}", file=sys.stderr)  # noqa: T201 - this is the command line
    raise SystemExit(status)
