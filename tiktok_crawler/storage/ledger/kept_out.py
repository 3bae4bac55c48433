"""Keeps out what persons asked to delete: salted digests of it, and of all that comes the look-up.

Whoever stores records passes the gate first, in the same transaction. On PostgreSQL those who
delete have it to themselves meanwhile: what they delete, nobody is just storing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import literal_column, select, update

from tiktok_crawler.planning.checks import RecordKind
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.models.existence import KeptOut
from tiktok_crawler.storage.models.ledger import DatabaseOrigin
from tiktok_crawler.storage.records.leaving_out import Asked, number_of_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import date

    from sqlalchemy import Connection, Executable

    from tiktok_crawler.storage.engine.statements import Statements
    from tiktok_crawler.storage.records.imported import ImportedPage
    from tiktok_crawler.storage.records.leaving_out import Deleted, Key

GATE = 0x7469_6B74_6F6B_6174
"""PostgreSQL's number for the lock of the gate: storing shares it, deleting does not."""

SALT_BYTES = 16

_PASSED = "SELECT deletions, salt, EXISTS (SELECT 1 FROM kept_out) FROM database_origin"


def digest_of(salt: str, key: Key) -> str:
    """The digest of a record that stands in the place of its id or name."""
    return sha256(f"{salt} {key.kind.value} {key.text}".encode()).hexdigest()


def new_salt() -> str:
    return secrets.token_hex(SALT_BYTES)


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate as a transaction has passed it.

    `deletions` grows when names are deleted that crawls may remember. Without a salt, nothing is
    kept out.
    """

    deletions: int = 0
    salt: str | None = None

    def found(self, connection: Connection, look: Callable[[Deleted], object]) -> KeptOutOf | None:
        """Find out which of the records are kept out that `look` asks about; None if none is."""
        if self.salt is None:
            return None
        asked = Asked()
        look(asked)
        digests = {digest_of(self.salt, key): key for key in asked.keys}
        if not digests:
            return None
        read = statements_for(connection.dialect).read
        stored = read(connection, _among_kept_out, tuple(digests))
        keys = {digests[digest] for _, digest in stored if digest in digests}
        return KeptOutOf(self.salt, keys) if keys else None


@dataclass(frozen=True, slots=True)
class KeptOutOf:
    """The records among some that are kept out."""

    salt: str
    keys: AbstractSet[Key] = field(default_factory=frozenset)

    def __contains__(self, key: Key) -> bool:
        return key in self.keys

    def stand_in(self, key: Key) -> int:
        """A number that is not the digest, and is none of another record."""
        return number_of_digest(sha256(f"{self.salt} {key.text} place".encode()).hexdigest())


def passed_gate(connection: Connection) -> Gate:
    """Pass the gate to store something, which is not deleted before this transaction ends."""
    shared = f"SELECT pg_advisory_xact_lock_shared({GATE}); "
    # In one message: the second statement sees what was committed while the first has waited.
    return read_gate(connection, shared if connection.dialect.name == "postgresql" else "")


def read_gate(connection: Connection, before: str = "") -> Gate:
    """Look at the gate, without passing it."""
    found = connection.exec_driver_sql(before + _PASSED).first()
    if found is None:
        return Gate()
    deletions, salt, has_any = found
    return Gate(deletions, salt if has_any else None)


def admitted(
    connection: Connection, gate: Gate, pages: Sequence[ImportedPage]
) -> tuple[Sequence[ImportedPage], int]:
    """Leave out of imported records what is kept out; tell how many of them."""

    def look(deleted: Deleted) -> None:
        for page in pages:
            page.without(deleted)

    found = gate.found(connection, look)
    if found is None:
        return pages, 0
    kept = [page.without(found) for page in pages]
    count = sum(len(page.records) for page in pages) - sum(len(page.records) for page in kept)
    return [page for page in kept if page.records], count


def close_gate(connection: Connection) -> None:
    """Keep others from storing records until this transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({GATE})")


def salt_of(connection: Connection) -> str:
    """Return the database's salt, which is made when it is first needed."""
    made = update(DatabaseOrigin).where(DatabaseOrigin.salt.is_(None)).values(salt=new_salt())
    connection.execute(made)
    return connection.scalars(select(DatabaseOrigin.salt)).one() or ""


def keep_out(connection: Connection, keys: Iterable[Key], day: date) -> None:
    """Keep records out from now on."""
    salt = salt_of(connection)
    rows = sorted((key.kind.value, digest_of(salt, key), day.isoformat()) for key in keys)
    columns = tuple(KeptOut.__table__.columns)
    statements_for(connection.dialect).insert_missing(connection, columns, rows)


@dataclass(frozen=True)
class KeptOutList:
    """The list of a database, to be taken along into another one."""

    salt: str
    rows: tuple[tuple[str, str, str], ...]

    @cached_property
    def _digests(self) -> frozenset[str]:
        return frozenset(digest for _, digest, _ in self.rows)

    def __contains__(self, key: Key) -> bool:
        return digest_of(self.salt, key) in self._digests

    def stand_in(self, key: Key) -> int:
        return KeptOutOf(self.salt).stand_in(key)


def read_list(connection: Connection) -> KeptOutList | None:
    """Read the list of what is kept out; None if nothing is."""
    salt = connection.scalar(select(DatabaseOrigin.salt))
    rows = connection.execute(select(KeptOut.__table__).order_by(KeptOut.kind, KeptOut.digest))
    found = tuple((kind.value, digest, day.isoformat()) for kind, digest, day in rows)
    return KeptOutList(salt, found) if salt and found else None


def take_list(connection: Connection, kept_out: KeptOutList) -> None:
    """Keep out of a new database what is kept out of another one."""
    connection.execute(update(DatabaseOrigin).values(salt=kept_out.salt))
    columns = tuple(KeptOut.__table__.columns)
    statements_for(connection.dialect).insert_missing(connection, columns, list(kept_out.rows))


def note_deleted_names(connection: Connection) -> None:
    """Let crawls look up anew what they remember."""
    connection.execute(update(DatabaseOrigin).values(deletions=DatabaseOrigin.deletions + 1))


def _among_kept_out(statements: Statements) -> Executable:
    table = KeptOut.__table__
    # By all kinds, since the key begins with the kind.
    is_kind = table.c.kind.in_([literal_column(f"'{kind.value}'") for kind in RecordKind])
    return select(table.c.kind, table.c.digest).where(is_kind, statements.listed(table.c.digest))
