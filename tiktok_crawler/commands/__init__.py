"""The commands that `scrapy` has inside this project."""

from __future__ import annotations

import sys
from typing import NoReturn


def fail(status: int, message: str) -> NoReturn:
    """End the command with one clear message."""
    print(f"error: {message}", file=sys.stderr)  # noqa: T201 - this is the command line
    raise SystemExit(status)
