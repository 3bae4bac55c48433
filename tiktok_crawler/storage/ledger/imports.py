"""Which imports there are, and how far each has come."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from tiktok_crawler.storage.engine.text import Cleaner
from tiktok_crawler.storage.ledger.runs import version
from tiktok_crawler.storage.models.ledger import ImportRow
from tiktok_crawler.storage.records.imported import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from tiktok_crawler.storage.records.imported import Kind

    Counts = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class ImportStart:
    """What is known of an import before its first record; `tags` are those of the user."""

    sha256: str
    file: str
    kind: str
    collected_at: datetime | None = None
    tags: tuple[str, ...] = ()
    queries: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Import:
    """An import as far as it has come.

    `counts` are numbers of records by kind and outcome, `batches` how many parts are stored.
    """

    file: str
    kind: str
    begun_at: datetime
    sha256: str = ""
    id: int = 0
    ended_at: datetime | None = None
    batches: int = 0
    counts: Counts = field(default_factory=dict)
    refused: int = 0
    collected_at: datetime | None = None
    tags: Sequence[str] = ()

    def with_batch(self, outcomes: Mapping[tuple[Kind, Outcome], int]) -> Import:
        """Return it with one more batch."""
        counts = {kind: dict(of_kind) for kind, of_kind in self.counts.items()}
        for (kind, outcome), number in outcomes.items():
            of_kind = counts.setdefault(kind.value, dict.fromkeys(map(str, Outcome), 0))
            of_kind[outcome.value] += number
        return replace(self, batches=self.batches + 1, counts=counts)


_COLUMNS = tuple(getattr(ImportRow, each.name) for each in fields(Import))


def past_imports(connection: Connection) -> list[Import]:
    """Read the imports of a database, in the order in which they were begun."""
    rows = connection.execute(select(*_COLUMNS).order_by(ImportRow.id))
    return [Import(*row) for row in rows]


def find_import(connection: Connection, sha256: str) -> Import | None:
    """Read the import of a file, if there is one."""
    found = connection.execute(select(*_COLUMNS).where(ImportRow.sha256 == sha256)).first()
    return Import(*found) if found else None


def new_import(start: ImportStart, now: datetime) -> Import:
    """Return an import of which nothing is stored."""
    return Import(
        start.file,
        start.kind,
        now,
        start.sha256,
        collected_at=start.collected_at,
        tags=list(start.tags),
    )


def begin_import(connection: Connection, start: ImportStart, import_: Import) -> Import:
    """Write down that a file is imported."""
    clean = Cleaner().clean
    values = {
        "sha256": start.sha256,
        "file": clean(start.file),
        "kind": start.kind,
        "collected_at": start.collected_at,
        "tags": list(start.tags),
        "queries": clean(list(start.queries)),
        "version": version(),
        "begun_at": import_.begun_at,
    }
    row_id = connection.execute(insert(ImportRow).values(values).returning(ImportRow.id))
    return replace(import_, id=row_id.scalar_one())


def keep_progress(connection: Connection, import_: Import) -> None:
    """Write down how far an import has come."""
    values = {
        "batches": import_.batches,
        "counts": import_.counts,
        "ended_at": import_.ended_at,
        "refused": import_.refused,
    }
    connection.execute(update(ImportRow).where(ImportRow.id == import_.id).values(values))
