"""Opens files whose names this package chooses, in folders in which others may write, too.

Under such a name a colleague can have put a link to a file of the next user's. So what is opened is
a file, under its only name, or nothing: an `OSError` says why. What the user names is followed, and
told of where others can get at it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import shlex
import shutil
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

IGNORED = ".gitignore"


def make(path: Path, *, like: Path | None = None) -> int:
    """Make a file and open it, for its owner alone; whatever has the name already is kept.

    A group that shares `like`, which is there, may do the same with the new file.
    """
    shared = like.stat() if like else None
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
    _share(file, shared, 0o600)
    return file


def make_folder(path: Path, *, like: Path | None = None) -> None:
    """Make a folder of data, with those above it, unless it is there; git is to ignore it."""
    check_link(path)
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for new in made:
        share_folder(new, like=like)
    # The uppermost one speaks for those in it.
    for uppermost in made[-1:]:
        with (
            suppress(FileExistsError),
            os.fdopen(make(uppermost / IGNORED, like=like), "w") as file,
        ):
            file.write("*\n")


def share_folder(path: Path, *, like: Path | None) -> None:
    """Let a group that shares `like`, which is there, do the same with a new folder."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    _share(folder, like.stat() if like else None, 0o700)
    os.close(folder)


@contextmanager
def folder_beside(target: Path) -> Iterator[Path]:
    """Make a folder in which a file is made that comes to its place as a whole; none is left.

    Its name is known before it is there, so that it goes whenever a signal comes.
    """
    folder = target.with_name(f".{target.name}.{token_hex(4)}.partial")
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def flush(path: Path) -> None:
    """Have a file, or a folder, on the disk."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def open_existing(path: Path) -> int:
    """Open a file that is there, of whoever it is: to write, or else to read.

    Raises:
        OSError: it is no file, or a link to one, or has a second name.
    """
    flags = os.O_NOFOLLOW | os.O_NONBLOCK
    check(path)
    try:
        file = os.open(path, os.O_RDWR | flags)
    except PermissionError:
        file = os.open(path, os.O_RDONLY | flags)
    try:
        _check(path, os.fstat(file))
    except OSError:
        os.close(file)
        raise
    return file


def try_lock(file: int, *, shared: bool = False) -> bool:
    """Lock a file, or a folder, as long as it is open; tell whether nobody else had done so."""
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_at(file: int, path: Path) -> bool:
    """Tell whether an open file still has a name."""
    try:
        return os.path.samestat(os.fstat(file), path.lstat())
    except FileNotFoundError:
        return False


def is_own(file: int) -> bool:
    """Tell whether an open file is the user's."""
    return os.fstat(file).st_uid == os.geteuid()


def check(path: Path) -> None:
    """Check a name under which a file is about to be opened.

    Raises:
        OSError: it has something, and that is no file, or one with a second name.
    """
    with suppress(FileNotFoundError):
        _check(path, path.lstat())


def check_link(path: Path) -> None:
    """Check a name that the user has chosen, which can be a link to another one.

    Raises:
        OSError: it leads nowhere: whoever put it there has chosen where a new file would be.
    """
    if path.is_symlink() and not path.exists():
        words = f"it is a link to {str(path.readlink())!r}, which is not there"
        raise OSError(errno.ENOENT, words, str(path))


def exposure(paths: Iterable[Path | None]) -> str | None:
    """Say which of these files and folders others own, or everybody can use, and what to type."""
    found = filter(None, map(_exposed, dict.fromkeys(filter(None, paths))))
    told = "; ".join(found)
    return f"others can get at what is collected: {told}" if told else None


def redirected_log() -> Path | None:
    """Return the file into which a shell writes what goes to standard error, if Linux knows it."""
    with suppress(OSError):
        return Path("/proc/self/fd/2").readlink()
    return None


def _exposed(path: Path) -> str | None:
    try:
        state = path.stat()
    except OSError:
        return None
    open_to = [
        word
        for bit, word in ((stat.S_IROTH, "read"), (stat.S_IWOTH, "written"))
        if state.st_mode & bit
    ]
    if not (stat.S_ISREG(state.st_mode) or stat.S_ISDIR(state.st_mode)):
        return None
    is_own, owner = state.st_uid == os.geteuid(), _user(state.st_uid)
    mends = [] if is_own else [shlex.join(["sudo", "chown", _user(os.geteuid()), str(path)])]
    if open_to:
        whose = "o=" if state.st_mode & stat.S_IWGRP else "go="
        mends.append(shlex.join(["chmod", whose, str(path)]))
    if not mends:
        return None
    whom = f"can be {' and '.join(open_to)} by everybody" if open_to else "belongs to somebody else"
    mode = stat.filemode(state.st_mode)
    return f"{path} {whom} (owner {owner}, mode {mode}): {' && '.join(mends)}"


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _check(path: Path, found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        what = "a link"
    elif not stat.S_ISREG(found.st_mode):
        what = "no file"
    elif found.st_nlink > 1:
        what = "a file that has another name, too"
    else:
        return
    raise OSError(
        errno.ELOOP,
        f"somebody made it {what}: look at it (ls -li), remove it, and run the same command again",
        str(path),
    )


def _share(file: int, like: os.stat_result | None, own: int) -> None:
    """Let a group do with a file, or in a folder, what it may do with another one."""
    mode = like.st_mode if like else 0
    given = mode & (stat.S_IRGRP | stat.S_IWGRP)
    # What everybody may read is hardly meant for a group.
    is_shared = given & stat.S_IWGRP or (given and not mode & stat.S_IRWXO)
    if not like or not is_shared:
        return
    # Nobody can give a file to a group of which he is none; it stays his alone.
    with suppress(PermissionError):
        os.fchown(file, -1, like.st_gid)
        os.fchmod(file, own | given | (own & stat.S_IXUSR) >> 3)
