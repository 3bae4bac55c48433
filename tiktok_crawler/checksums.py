"""Checksums of files: SHA-256, hexadecimal."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def sha256_of(path: Path) -> str:
    """Return the checksum of what a file has."""
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_all(paths: Iterable[Path]) -> str:
    """Return the checksum of a file; of several, that of their checksums, one after another."""
    found = list(map(sha256_of, paths))
    return found[0] if len(found) == 1 else hashlib.sha256("".join(found).encode()).hexdigest()
