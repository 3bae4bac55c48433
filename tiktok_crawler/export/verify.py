"""Checks that an export is as it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tiktok_crawler.checksums import sha256_of
from tiktok_crawler.exceptions import ExportError, UsageError
from tiktok_crawler.export.changes import Basis
from tiktok_crawler.export.description import CHECKSUMS, DESCRIPTION, read_manifest
from tiktok_crawler.export.folder import files_in
from tiktok_crawler.own_files import IGNORED
from tiktok_crawler.spelling import named, visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

SHOWN = 10


class Verified(NamedTuple):
    """How many files an export has, and those that are no part of it: readers may read them."""

    files: int
    others: list[str]


def verify(folder: Path) -> Verified:
    """Check each file of an export against its checksum.

    Raises:
        UsageError: the folder has no export.
        ExportError: a file is missing, or is another one than was written.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise UsageError(
            f"{named(folder)} has no export in it: there is no {DESCRIPTION} of the program's"
        )
    written = {file.name: file.sha256 for file in manifest.files}
    listed = _written(folder)
    written[DESCRIPTION] = listed.get(DESCRIPTION, "")
    damages = list(_damages(folder, written))
    if listed != written:
        damages.append(f"{CHECKSUMS} is not that of these files")
    if damages:
        more = f", and {len(damages) - SHOWN:,} more" if len(damages) > SHOWN else ""
        raise ExportError(
            f"{named(folder)} is not as it was written: {'; '.join(damages[:SHOWN])}{more}. "
            "Export it once more; what somebody has changed on purpose is to be moved away first"
        )
    own = {*written, CHECKSUMS, IGNORED}
    others = [str(path) for path in files_in(folder) if str(path) not in own]
    return Verified(len(written), others)


def is_stale(connection: Connection, folder: Path) -> bool:
    """Tell whether something was deleted from the database since an export of it was made."""
    manifest = read_manifest(folder)
    basis = manifest and manifest.basis
    if not basis:
        return False
    now = Basis.of(connection, basis.options, basis.version)
    return basis.database == now.database and basis.removals != now.removals


def _written(folder: Path) -> dict[str, str]:
    """Return the checksums by file."""
    try:
        lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        raise ExportError(f"{named(folder)} has no {CHECKSUMS} that can be read") from None
    pairs = (line.partition("  ") for line in lines)
    return {name: digest for digest, _, name in pairs}


def _damages(folder: Path, written: dict[str, str]) -> Iterator[str]:
    for name, digest in written.items():
        try:
            if sha256_of(folder / name) != digest:
                yield f"{visible(name)} has changed"
        except FileNotFoundError:
            yield f"{visible(name)} is missing"
        except OSError as exc:
            yield f"{visible(name)} cannot be read: {exc.strerror}"
