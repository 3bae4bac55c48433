"""The folder of an export: made beside the place where it comes to as a whole.

Whatever ends an export, under the final name is the earlier one or the new one, never half of one.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tiktok_crawler import own_files
from tiktok_crawler.exceptions import ExportError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

RENAME_EXCHANGE = 2
AT_FDCWD = -100

IGNORED = own_files.IGNORED


class Staging:
    """A new folder beside the one that it replaces; nobody else can make one meanwhile."""

    def __init__(self, target: Path) -> None:
        self.target = Path(os.path.realpath(target))
        self.folder = self.target.with_name(f".{self.target.name}.partial")
        self._before = self.target.with_name(f".{self.target.name}.before")
        self._lock: int | None = None

    def __enter__(self) -> Self:
        """Make the folder, which a killed export may have left.

        Raises:
            UsageError: there can be none there.
            ExportError: another export is at work there.
        """
        if not self.target.parent.is_dir():
            raise UsageError(f"there is no folder {self.target.parent} for {self.target.name}")
        try:
            self._take()
        except OSError as exc:
            raise UsageError(f"{self.folder} cannot be made: {exc.strerror}") from None
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)

    def keep(self, name: str) -> None:
        """Take a file of the earlier export over as it is."""
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        _link(self.target / name, target)

    def commit(self, *, replaced: frozenset[str]) -> None:
        """Let the folder take its place.

        Of the earlier one `replaced` are files of the export, which go; others stay.
        """
        for path in self._others(replaced):
            self.keep(str(path))
        own_files.flush(self.folder)
        if self.target.exists():
            _exchange(self.folder, self.target, self._before)
            shutil.rmtree(self._before, ignore_errors=True)
        else:
            self.folder.rename(self.target)
        own_files.flush(self.target.parent)

    def _take(self) -> None:
        if self._before.is_dir() and not self.target.exists():
            # The only moment at which nothing has the name, where names cannot be exchanged.
            self._before.rename(self.target)
        with suppress(FileExistsError):
            self.folder.mkdir(mode=0o700)
        self._lock = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        if not own_files.is_own(self._lock):
            raise ExportError(f"{self.folder} belongs to somebody else: let them remove it")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._forget()
            raise ExportError(
                f"another export to {self.target} is at work: wait until it has ended"
            ) from None
        self.empty()

    def empty(self) -> None:
        """Remove what is in the folder so far."""
        for left in self.folder.iterdir():
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left)
            else:
                left.unlink()
        with os.fdopen(own_files.make(self.folder / IGNORED), "w") as file:
            file.write("*\n")

    def _forget(self) -> None:
        """Leave the folder, which is another export's, alone."""
        assert self._lock is not None
        os.close(self._lock)
        self._lock = None

    def _others(self, replaced: frozenset[str]) -> Iterator[Path]:
        """Name what somebody else has put into the earlier folder."""
        for path in files_in(self.target):
            if str(path) not in replaced and not (self.folder / path).exists():
                yield path


def files_in(folder: Path) -> Iterator[Path]:
    """Name the files in a folder, in order, as seen from it."""
    for root, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(root, name).relative_to(folder) for name in sorted(names))


def _link(source: Path, target: Path) -> None:
    """Give a file a second name, or make a copy where a file can have one only."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _exchange(new: Path, old: Path, before: Path) -> None:
    """Let `new` be where `old` is, which is in `before` then."""
    if not _exchange_at_once(new, old):
        old.rename(before)
        new.rename(old)
        return
    new.rename(before)


def _exchange_at_once(one: Path, other: Path) -> bool:
    """Exchange two names in one step, as Linux can on most file systems."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(number, os.strerror(number), str(other))
