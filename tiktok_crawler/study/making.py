"""Writes the files of a study: all of them, or none."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from tiktok_crawler import own_files
from tiktok_crawler.exceptions import StudyError, UsageError
from tiktok_crawler.spelling import named
from tiktok_crawler.study.files import SECRETS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def make(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make the folder, unless it is there, and the files in it; on failure, all of it goes again.

    They are the owner's alone; in a folder that a group shares, but for the secrets, the group's.

    Raises:
        UsageError: they cannot be made there.
        StudyError: they cannot be written to their end, such as on a full disk.
    """
    made: list[Path] = []
    try:
        for path in _with_folders(folder, files):
            made.append(path)
            _make(path, files.get(str(path.relative_to(folder))), folder)
    except BaseException as exc:
        # What has come under one of the names meanwhile is somebody else's.
        _remove(made[:-1] if isinstance(exc, FileExistsError) else made)
        if isinstance(exc, OSError):
            raise _refusal(folder, exc) from None
        raise


def _with_folders(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """What is to be made, each after the folder that it is in."""
    paths = [folder / name for name in files]
    above = [parent for path in paths for parent in reversed(path.parents) if not parent.exists()]
    return [*dict.fromkeys(above), *paths]


def _make(path: Path, content: bytes | None, folder: Path) -> None:
    if content is None:
        path.mkdir(mode=0o700)
        own_files.share_folder(path, like=folder)
        return
    file = own_files.make(path, like=None if path.name == SECRETS else folder)
    with os.fdopen(file, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(file)


def _remove(made: list[Path]) -> None:
    for path in reversed(made):
        with suppress(OSError):
            path.rmdir() if path.is_dir() else path.unlink()


def _refusal(folder: Path, exc: OSError) -> StudyError | UsageError:
    reason = f"{named(folder)} cannot be made, and nothing of it is there: {exc.strerror}"
    if exc.errno in _FULL:
        return StudyError(f"{reason}. Make room, and run the same command again")
    return UsageError(f"{reason}. Name a folder where you may write")
