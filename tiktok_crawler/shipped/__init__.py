"""Finds what stands beside the package in a checkout; in the wheel it is in this folder."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def shipped(name: str) -> Path:
    """Return the path of a file or folder, by its name in a checkout's root."""
    packed = FOLDER / name
    return packed if packed.exists() else FOLDER.parents[1] / name
