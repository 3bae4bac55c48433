"""Takes deleted names and ids out of what the ledger says of runs, queries and imports."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy import JSON, Text, delete, func, select, update

from tiktok_crawler.planning.checks import RecordKind
from tiktok_crawler.research_api.query import Field, Query
from tiktok_crawler.storage.deletion.mentions import CHANGED, may_name
from tiktok_crawler.storage.ledger.unnaming import Words, query_without
from tiktok_crawler.storage.ledger.value_batches import accept_query
from tiktok_crawler.storage.models.existence import ComplianceCheck
from tiktok_crawler.storage.models.ledger import (
    CrawlWindow,
    ImportRow,
    QueryRow,
    QueryTag,
    QueryValueRow,
    RunRow,
    SeedRow,
    ValueBatchRow,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

    from tiktok_crawler.storage.engine.statements import Statements
    from tiktok_crawler.storage.records.leaving_out import Key

TEXTS: dict[Table, tuple[str, ...]] = {
    RunRow.__table__: ("arguments", "job", "feeds", "exports"),
    ImportRow.__table__: ("file", "queries"),
    CrawlWindow.__table__: ("error",),
    SeedRow.__table__: ("error",),
    ComplianceCheck.__table__: ("error",),
}
"""The texts of users and of the API that can name somebody."""

STAYS = ".stays"
"""Behind the name of a table: rows that stay, although they have a name or an id."""

VALUES: dict[RecordKind, Field] = {
    RecordKind.USER: Field.USERNAME,
    RecordKind.VIDEO: Field.VIDEO_ID,
}


@dataclass(frozen=True)
class Texts:
    """The names and ids that go."""

    statements: Statements
    keys: frozenset[Key]

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(key.text for key in self.keys)

    @cached_property
    def _words(self) -> Words:
        return Words(self._names)

    def forget(self, connection: Connection) -> Counter[str]:
        """Take them out of all texts and queries; count the rows that were changed.

        Tags stay: they are the user's own words, by which runs are told apart, and two of them
        could become one. Those that have a name are counted.
        """
        counts = Counter[str]()
        for table, columns in TEXTS.items():
            counts[f"{table.name}{CHANGED}"] += self._rewrite(connection, table, columns)
        counts[f"{QueryRow.__tablename__}{CHANGED}"] += self._rewrite_queries(connection)
        counts.update(self._drop_values(connection))
        counts[f"{QueryTag.__tablename__}{STAYS}"] = self._count_tags(connection)
        return counts

    def _rewrite(self, connection: Connection, table: Table, columns: tuple[str, ...]) -> int:
        count = 0
        texts = [self.statements.as_text(table.c[name]) for name in columns]
        named = select(table.c.id, *texts).where(may_name(texts, self._names))
        for id_, *values in connection.execute(named.order_by(table.c.id)).all():
            changed = {}
            for name, text in zip(columns, values, strict=True):
                if text is None:
                    continue
                is_json = isinstance(table.c[name].type, JSON)
                before = json.loads(text) if is_json else text
                if (after := self._words.without_in(before)) != before:
                    changed[name] = after
            if changed:
                connection.execute(update(table).where(table.c.id == id_).values(changed))
                count += 1
        return count

    def _count_tags(self, connection: Connection) -> int:
        name = QueryTag.__table__.c.name
        tags = connection.scalars(select(name).where(may_name([name], self._names)))
        return sum(self._words.without(tag) != tag for tag in tags)

    def _rewrite_queries(self, connection: Connection) -> int:
        """Let queries ask for nobody who was deleted; what they have found otherwise stays theirs.

        Where another query is like that already, this one says so by its number.
        """
        count, table = 0, QueryRow.__table__
        rows = connection.execute(select(table.c.id, table.c.canonical_json).order_by(table.c.id))
        for id_, canonical in rows.all():
            query = Query.from_json(json.loads(canonical))
            kept = query_without(query, self.keys)
            if kept == query:
                continue
            taken = select(table.c.id).where(table.c.fingerprint == kept.fingerprint)
            is_taken = connection.scalar(taken) is not None
            values = {
                "canonical_json": kept.canonical(),
                "fingerprint": f"{kept.fingerprint}-{id_}" if is_taken else kept.fingerprint,
            }
            connection.execute(update(table).where(table.c.id == id_).values(values))
            count += 1
        return count

    def _drop_values(self, connection: Connection) -> Counter[str]:
        """Forget what became of the values that queries had.

        That they were refused together with others says nothing of these.
        """
        counts, batches = Counter[str](), set[int]()
        for table in (QueryValueRow.__table__, ValueBatchRow.__table__):
            for kind, field in VALUES.items():
                texts = sorted(key.text for key in self.keys if key.kind is kind)
                if texts:
                    is_field = table.c.field_name == field.value
                    is_gone = self.statements.among(func.lower(table.c.value, type_=Text()), texts)
                    drop = delete(table).where(is_field, is_gone).returning(table.c.query_id)
                    queries = connection.scalars(drop).all()
                    counts[table.name] += len(queries)
                    batches.update(queries if table is ValueBatchRow.__table__ else ())
        for query_id in sorted(batches):
            accept_query(connection, query_id)
        errors = select(ValueBatchRow.query_id, ValueBatchRow.value, ValueBatchRow.error)
        for query_id, value, error in connection.execute(
            errors.where(ValueBatchRow.error.is_not(None))
        ).all():
            if (after := self._words.without(error or "")) != error:
                is_row = (ValueBatchRow.query_id == query_id, ValueBatchRow.value == value)
                connection.execute(update(ValueBatchRow).where(*is_row).values(error=after))
        return counts
