"""Takes what was deleted from a database out of the files of its archive.

A file that has nothing of it is left alone. Others are written anew beside their place, and come to
it as a whole. A file that a crawl is writing is passed over: the database has a note of what the
files of a folder may still have, until a later call has found it in none of them.
"""

from __future__ import annotations

import os
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import delete, func, null, select, update

from tiktok_crawler import own_files
from tiktok_crawler.archive.reader import TornFileError, archives_in, texts_of
from tiktok_crawler.archive.stripping import Stripper
from tiktok_crawler.archive.writer import GZIP
from tiktok_crawler.planning.checks import RemovalReason
from tiktok_crawler.storage.engine.transactions import reading, transaction
from tiktok_crawler.storage.ledger.kept_out import digest_of
from tiktok_crawler.storage.models.existence import ArchiveRemoval, Removal
from tiktok_crawler.storage.records.leaving_out import LEAST, number_of_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection, Engine

    from tiktok_crawler.storage.records.leaving_out import Key

LEVEL = 6
"""How hard is tried to make files small, of 9, as crawls do."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A deletion that files of the archive may not know of yet: digests of its records."""

    removal_id: int
    salt: str
    is_asked: bool
    begun_at: datetime
    digests: frozenset[str]


@dataclass(frozen=True, slots=True)
class Gone:
    """The records of some deletions, as far as these concern what was written at a time.

    What nobody asked to delete may have come again since.
    """

    pending: tuple[Pending, ...]

    def __contains__(self, key: Key) -> bool:
        return self._of(key) is not None

    def stand_in(self, key: Key) -> int:
        digest = self._of(key)
        return number_of_digest(digest) if digest else LEAST

    def _of(self, key: Key) -> str | None:
        digests = ((digest_of(each.salt, key), each) for each in self.pending)
        return next((digest for digest, each in digests if digest in each.digests), None)


@dataclass(slots=True)
class Rewritten:
    """What became of the files of an archive.

    `records` were taken out, and `bodies` are the answers that were, as no page can be read from
    them. Of the files that have something of what was deleted, `running` are written by crawls,
    `damaged` cannot be read to the end, and `failed` cannot be written, with the reason. Of files
    that were written anew, `unreadable` are how many lines nobody could read, and `torn` end in the
    middle: these lines and ends are left out, since they may have something of it.
    """

    files: int = 0
    records: int = 0
    bodies: int = 0
    unreadable: dict[Path, int] = field(default_factory=dict)
    torn: list[Path] = field(default_factory=list)
    running: list[Path] = field(default_factory=list)
    damaged: list[Path] = field(default_factory=list)
    failed: list[tuple[Path, str]] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        return not (self.running or self.damaged or self.failed)


def pending_archives(engine: Engine) -> set[Path]:
    """Return the folders of which files may have something that was deleted."""
    with reading(engine) as connection:
        noted = connection.scalars(select(Removal.archives).where(Removal.salt.is_not(None)))
        return {Path(folder) for folders in noted for folder in folders or ()}


def rewrite_archive(engine: Engine, folders: Iterable[Path]) -> Rewritten:
    """Take what was deleted out of all files, and the note of each folder that is done."""
    with reading(engine) as connection:
        pending = tuple(_pending(connection))
    done = Rewritten()
    if not pending:
        return done
    is_without: dict[Path, bool] = {}
    for folder in folders:
        paths = archives_in([folder])
        for path in paths:
            if path not in is_without:
                is_without[path] = _see_to(path, pending, done)
        if all(is_without[path] for path in paths):
            transaction(engine, partial(_forget, pending=pending, folder=os.path.realpath(folder)))
    return done


def _see_to(path: Path, pending: tuple[Pending, ...], done: Rewritten) -> bool:
    """Take what was deleted out of a file; tell whether it has none of it now."""
    try:
        return _rewrite(path, pending, done)
    except OSError as exc:
        done.failed.append((path, exc.strerror or str(exc)))
    except (TornFileError, zlib.error):
        done.damaged.append(path)
    return False


def _pending(connection: Connection) -> Iterator[Pending]:
    rows = select(Removal.id, Removal.salt, Removal.why, Removal.begun_at)
    for id_, salt, why, begun_at in connection.execute(
        rows.where(Removal.salt.is_not(None)).order_by(Removal.id)
    ).all():
        digests = select(ArchiveRemoval.digest).where(ArchiveRemoval.removal_id == id_)
        found = frozenset(connection.scalars(digests))
        yield Pending(id_, salt or "", why is RemovalReason.ASKED, begun_at, found)


def _forget(connection: Connection, pending: Sequence[Pending], folder: str) -> None:
    """Note that a folder has nothing of some deletions; what no folder has is forgotten.

    A deletion that has gone on meanwhile is not forgotten.
    """
    digests = {each.removal_id: len(each.digests) for each in pending}
    noted = select(Removal.id, Removal.archives).where(Removal.id.in_(digests))
    for id_, folders in connection.execute(noted.order_by(Removal.id).with_for_update()).all():
        of_it = ArchiveRemoval.removal_id == id_
        if connection.scalar(select(func.count()).where(of_it)) != digests[id_]:
            continue
        left = [each for each in folders or () if each != folder]
        change = update(Removal).where(Removal.id == id_)
        if left:
            connection.execute(change.values(archives=left))
        else:
            connection.execute(delete(ArchiveRemoval).where(of_it))
            connection.execute(change.values(salt=None, archives=null()))


def _rewrite(path: Path, pending: tuple[Pending, ...], done: Rewritten) -> bool:
    """Write a file anew, if it has something of what was deleted and no crawl is writing it."""
    with _locked(path) as is_locked:
        if not is_locked:
            done.running.append(path)
            return False
        stripper = _Stripping(pending)
        if all(stripper.line(text) is text for text in _whole(path, [])):
            return True
        stripper, torn = _Stripping(pending), list[Path]()
        with own_files.folder_beside(path) as folder:
            new = folder / path.name
            _write(new, (stripper.line(text) for text in _whole(path, torn)))
            state = path.stat()
            new.chmod(state.st_mode & 0o777)
            if (state.st_uid, state.st_gid) != (os.geteuid(), os.getegid()):
                os.chown(new, state.st_uid, state.st_gid)
            new.replace(path)
        own_files.flush(path.parent)
        done.files += 1
        done.records += stripper.count
        done.bodies += stripper.bodies
        done.torn += torn
        if stripper.unreadable:
            done.unreadable[path] = stripper.unreadable
        return True


class _Stripping:
    """Strips the lines of a file, each of what was deleted when it was written."""

    def __init__(self, pending: tuple[Pending, ...]) -> None:
        self.unreadable = 0
        self._pending = pending
        asked = tuple(each for each in pending if each.is_asked)
        self._stripper = Stripper(Gone(pending), Gone(asked))
        self._asked = asked

    @property
    def count(self) -> int:
        return self._stripper.count

    @property
    def bodies(self) -> int:
        return self._stripper.bodies

    def line(self, text: bytes) -> bytes:
        """Return a line without what was deleted; one that cannot be read stays away."""
        if len(self._asked) < len(self._pending):
            written_at = _written_at(text)
            concerned = tuple(
                each
                for each in self._pending
                if each.is_asked or written_at is None or written_at <= each.begun_at
            )
            if not concerned:
                return text
            self._stripper.deleted = Gone(concerned)
        try:
            return self._stripper.line(text)
        except (ValueError, LookupError, TypeError):
            # One that is too long comes without its text.
            self.unreadable += 1
            return b"" if text else text


def _written_at(text: bytes) -> datetime | None:
    try:
        found: Any = orjson.loads(text)["at"]
        return datetime.fromisoformat(found)
    except (ValueError, LookupError, TypeError):
        return None


def _whole(path: Path, torn: list[Path]) -> Iterator[bytes]:
    """Read the lines of a file; it is `torn` if a crawl that was killed has left no end."""
    try:
        yield from texts_of(path)
    except TornFileError:
        torn.append(path)


def _write(path: Path, lines: Iterable[bytes]) -> None:
    deflate = zlib.compressobj(LEVEL, wbits=GZIP)
    with os.fdopen(own_files.make(path), "wb") as file:
        for line in lines:
            if line:
                file.write(deflate.compress(line + b"\n"))
        file.write(deflate.flush(zlib.Z_FINISH))
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Hold a file, unless a crawl is writing it."""
    with path.open("rb") as file:
        is_free = own_files.try_lock(file.fileno())
        yield is_free and own_files.is_at(file.fileno(), path)
