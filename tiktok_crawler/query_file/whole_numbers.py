"""Whole numbers as users write them. Pure."""

from __future__ import annotations

MAX_DIGITS = 9


def parse_whole_number(text: str) -> int | None:
    """The number from 1 to 999,999,999 that a text is; None if it is something else."""
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
    return (int(text) or None) if is_number else None
