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
from typing import TYPE_CHECKING, NoReturn, Self

from tiktok_crawler import own_files
from tiktok_crawler.exceptions import ExportError, UsageError
from tiktok_crawler.export.description import DESCRIPTION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

RENAME_EXCHANGE = 2
AT_FDCWD = -100


class Staging:
    """A new folder beside the one that it replaces; nobody else can make one meanwhile."""

    def __init__(self, target: Path) -> None:
        self.target = Path(os.path.realpath(target))
        self._named = target
        self.folder = self.target.with_name(f".{self.target.name}.partial")
        self._before = self.target.with_name(f".{self.target.name}.before")
        self._locks: list[int] = []
        self._has_folder = False

    def __enter__(self) -> Self:
        """Make the folder, which a killed export may have left.

        Raises:
            UsageError: there can be none there.
            ExportError: another export is at work there.
        """
        if not self.target.parent.is_dir():
            raise UsageError(f"there is no folder {self.target.parent} for {self.target.name}")
        try:
            own_files.check_link(self._named)
            self._take()
        except OSError as exc:
            self._release()
            raise UsageError(f"{exc.filename or self.folder}: {exc.strerror}") from None
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        if self._has_folder:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._release()

    def keep(self, names: Sequence[str]) -> None:
        """Take files of the earlier export over as they are."""
        for folder in {os.path.dirname(name) for name in names}:  # noqa: PTH120 - thousands of files
            (self.folder / folder).mkdir(parents=True, exist_ok=True)
        for name in names:
            _link(f"{self.target}/{name}", f"{self.folder}/{name}")

    def commit(self, *, replaced: frozenset[str]) -> None:
        """Let the folder take its place.

        Of the earlier one `replaced` are files of the export, which go; others stay.

        Raises:
            UsageError: the export has a file under the name of one of the others.
        """
        is_new = not self.target.exists()
        if not is_new:
            self._keep_others(replaced)
            self.folder.chmod(self.target.stat().st_mode & 0o777)
        for folder, _, _ in os.walk(self.folder):
            own_files.flush(Path(folder))
        if is_new:
            self.folder.rename(self.target)
            self._has_folder = False
        else:
            # Nobody takes it for one that a killed export has left, where it is to be removed.
            self._locks.append(os.open(self.target, os.O_RDONLY | os.O_DIRECTORY))
            fcntl.flock(self._locks[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._has_folder = _exchange(self.folder, self.target, self._before)
            if not self._has_folder:
                shutil.rmtree(self._before, ignore_errors=True)
        own_files.flush(self.target.parent)

    def _take(self) -> None:
        with suppress(FileExistsError):
            self.folder.mkdir(mode=0o700)
        lock = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        self._locks.append(lock)
        if not own_files.is_own(lock):
            self._refuse(f"{self.folder} belongs to somebody else: let them remove it")
        if not own_files.try_lock(lock):
            self._refuse(f"another export to {self.target} is at work: wait until it has ended")
        if not own_files.is_at(lock, self.folder):
            self._refuse(f"another export to {self.target} has just ended: run the command again")
        self._has_folder = True
        self.empty()
        self._restore()

    def _restore(self) -> None:
        """Put back what an export has put aside that was killed in between.

        That can be only where names cannot be exchanged at once.
        """
        is_own = self._before.is_dir() and self._before.lstat().st_uid == os.geteuid()
        if not is_own or not (self._before / DESCRIPTION).is_file() or self._before.is_symlink():
            return
        if self.target.exists():
            shutil.rmtree(self._before)
        else:
            self._before.rename(self.target)

    def empty(self) -> None:
        """Remove what is in the folder so far."""
        for left in self.folder.iterdir():
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left)
            else:
                left.unlink()
        with os.fdopen(own_files.make(self.folder / own_files.IGNORED), "w") as file:
            file.write("*\n")

    def _refuse(self, message: str) -> NoReturn:
        self._release()
        raise ExportError(message)

    def _release(self) -> None:
        while self._locks:
            os.close(self._locks.pop())

    def _keep_others(self, replaced: frozenset[str]) -> None:
        """Take over what somebody else has put into the earlier folder."""
        others = [path for path in files_in(self.target) if str(path) not in replaced]
        for path in others:
            if os.path.lexists(self.folder / path):
                raise UsageError(
                    f"{self.target / path} is there already, and not of the export: move it away, "
                    "or name another folder"
                )
        self.keep(list(map(str, others)))
        for path in _empty_folders(self.target):
            if not os.path.lexists(self.folder / path):
                (self.folder / path).mkdir(parents=True)


def files_in(folder: Path) -> Iterator[Path]:
    """Name the files in a folder, and links, in order, as seen from it."""
    for root, folders, names in os.walk(folder):
        folders.sort()
        here = Path(root)
        links = [name for name in folders if (here / name).is_symlink()]
        seen = here.relative_to(folder)
        yield from (seen / name for name in sorted([*names, *links]))


def _empty_folders(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        if not folders and not names:
            yield Path(root).relative_to(folder)


def _link(source: str, target: str) -> None:
    """Give a file a second name, or make a copy where a file can have one only."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _exchange(new: Path, old: Path, before: Path) -> bool:
    """Let `new` be where `old` is, which is in the place of `new` then, or else in `before`.

    Returns:
        Whether it is in the place of `new`.
    """
    if _exchange_at_once(new, old):
        return True
    old.rename(before)
    try:
        new.rename(old)
    except OSError:
        before.rename(old)
        raise
    return False


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
