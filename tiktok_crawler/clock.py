"""The current time, for the whole crawler; the sandbox has a clock of its own."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)
