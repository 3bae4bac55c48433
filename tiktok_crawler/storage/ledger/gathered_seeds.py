"""The seeds of a stage as they are at a time, found in the database or kept in temporary tables.

So a run needs no more memory for a million seeds than for one.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    Table,
    Text,
    case,
    cast,
    func,
    insert,
    select,
    union_all,
)

from tiktok_crawler.batches import batched
from tiktok_crawler.planning.seeds import GivenSeeds
from tiktok_crawler.storage.engine.statements import PostgresqlStatements, statements_for
from tiktok_crawler.storage.engine.text import clean_text
from tiktok_crawler.storage.ledger.seeds import SeedSources
from tiktok_crawler.storage.ledger.standings import STANDINGS, Standing, begins, standing_of
from tiktok_crawler.storage.ledger.tallies import REASONS, each_seed, sums, with_totals
from tiktok_crawler.storage.models.column_types import INT64, NAME, UtcDateTime
from tiktok_crawler.storage.models.ledger import SeedRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Dialect, Join, Select, Subquery
    from sqlalchemy.sql.selectable import FromClause

    from tiktok_crawler.planning.seeds import Stage

    Rows = Select[*tuple[Any, ...]]

SEED = SeedRow.__table__

DUE = STANDINGS.index(Standing.DUE)

AT_ONCE = 10_000
"""Seeds that the user names, in one statement."""


class GatheredSeeds:
    """The seeds of a stage, in tables or as subqueries, and what is read of them.

    `gathered` has all of them, with their standings and, as far as there are some, their rows;
    `due` those that are due, numbered in the order of all; `given` those that the user names.
    """

    def __init__(self, stage: Stage, now: datetime) -> None:
        self._stage = stage
        self._now = now
        self._key = stage.listing.seed_key
        key = INT64 if self._key.is_number else NAME
        self._tables = MetaData()
        self._given: Any = self._table(
            "given_seed", Column("seed_key", key), Column("weight", INT64)
        )
        self._gathered: Any = self._table(
            "gathered_seed",
            Column("seed_key", key),
            Column("weight", INT64),
            Column("place", Integer),
            Column("seed_id", INT64),
            Column("retry_at", UtcDateTime()),
        )
        self._due: Any = self._table(
            "due_seed",
            Column("number", Integer, primary_key=True),
            Column("seed_key", key),
            Column("seed_id", INT64),
        )

    def fill(self, connection: Connection) -> None:
        """Gather the seeds into new tables."""
        self._tables.create_all(connection, checkfirst=False)
        self._fill_given(connection)
        seeds = self._seeds(connection.dialect)
        connection.execute(insert(self._gathered).from_select(list(self._gathered.c.keys()), seeds))
        c = self._gathered.c
        in_order = self._due_seeds(c.seed_key, c.seed_id).order_by(*self._order)
        connection.execute(insert(self._due).from_select(["seed_key", "seed_id"], in_order))

    def find_each_time(self, dialect: Dialect) -> None:
        """Let each statement find the seeds in PostgreSQL anew, without tables.

        Temporary ones would be those of a session, which behind a pooler is that of others, too.
        """
        source = self._stage.source
        if isinstance(source, GivenSeeds):
            rows = list(self._given_rows(source))
            given = PostgresqlStatements(dialect).rows_of(self._given.c, rows)
            self._given = given.cte("given_seed")
        found = self._seeds(dialect).cte("gathered_seed")
        self._gathered = found
        number = func.row_number().over(order_by=self._order).label("number")
        # Numbered with those that are not due, they keep their numbers when some have ended.
        numbered = select(number, found.c.seed_key, found.c.seed_id, found.c.place).subquery()
        due = select(numbered.c.number, numbered.c.seed_key, numbered.c.seed_id)
        self._due = due.where(numbered.c.place == DUE).cte("due_seed")

    def by_standing(self) -> Rows:
        """Count the seeds of each standing, by its name; `next_retry_at` is that of the waiting."""
        c = self._gathered.c
        is_in = {each: c.place == place for place, each in enumerate(STANDINGS)}
        counts = (func.count().filter(is_there).label(each) for each, is_there in is_in.items())
        next_retry_at = func.min(c.retry_at).filter(is_in[Standing.WAITING])
        return select(*counts, next_retry_at.label("next_retry_at")).select_from(self._gathered)

    def due_after(self, number: int, count: int) -> Rows:
        """The next due seeds with their `place` by now, and whether each `begins`, and their rows.

        A seed that has no row is NULL but for its key.
        """
        c = self._due.c
        part = select(c.number, c.seed_key).where(c.number > number).order_by(c.number).limit(count)
        due = part.subquery()
        seeds = select(
            due.c.number,
            due.c.seed_key,
            standing_of(self._stage, self._now).label("place"),
            begins(self._stage, self._now).label("begins"),
            SEED,
        )
        return seeds.select_from(self._with_rows(due)).order_by(due.c.number)

    def by_outcome(self) -> Rows:
        """Count the `seeds` that have rows by now, in each `place` and `state`, with their sums."""
        rows = self._rows_by_now()
        joined = rows.join(SEED, SEED.c.id == rows.c.seed_id)
        known = with_totals(self._stage.listing, joined, rows.c.seed_key)
        place = standing_of(self._stage, self._now).label("place")
        each = each_seed(known, place, SEED.c.state, SEED.c.retry_at).subquery()
        groups = [each.c[name] for name in ("place", "state", *REASONS)]
        retry_at = func.min(each.c.retry_at).label("retry_at")
        return select(*groups, retry_at, *sums(each)).group_by(*groups)

    def due_by_size(self) -> Rows:
        """Count the due `seeds` by `cursor` and `record_count` to go on at, and `total` of records.

        The total is NULL where the database does not know it.
        """
        begun = begins(self._stage, self._now)
        rows = self._due.outerjoin(SEED, SEED.c.id == self._due.c.seed_id)
        known = with_totals(self._stage.listing, rows, self._due.c.seed_key)
        each = select(
            known.total.label("total"),
            case((begun, 0), else_=SEED.c.cursor).label("cursor"),
            case((begun, 0), else_=SEED.c.record_count).label("record_count"),
        )
        c = each.select_from(known.seeds).subquery().c
        sizes = select(c.total, c.cursor, c.record_count, func.count().label("seeds"))
        return sizes.group_by(c.total, c.cursor, c.record_count)

    def _table(self, name: str, *columns: Column[Any]) -> Table:
        return Table(name, self._tables, *columns, prefixes=["TEMPORARY"])

    def _fill_given(self, connection: Connection) -> None:
        source = self._stage.source
        if not isinstance(source, GivenSeeds):
            return
        statements = statements_for(connection.dialect)
        for part in batched(self._given_rows(source), AT_ONCE):
            statements.insert(connection, tuple(self._given.c), part)

    def _given_rows(self, source: GivenSeeds) -> Iterator[tuple[int | str, int]]:
        """The seeds that the user names, each once, as rows of the table."""
        read = int if self._key.is_number else str
        seeds = dict.fromkeys(clean_text(seed) or "" for seed in source.values)
        return zip(map(read, seeds), count(0, -1))

    def _found(self, dialect: Dialect) -> Rows:
        """The seeds with their weights: the heavier comes first, of equal ones the lower key."""
        source = self._stage.source
        if isinstance(source, GivenSeeds):
            return select(self._given)
        return SeedSources(statements_for(dialect)).find(source, self._key)

    def _seeds(self, dialect: Dialect) -> Rows:
        """All seeds, with the columns of `gathered`."""
        found = self._found(dialect).subquery()
        return select(
            found.c.seed_key,
            found.c.weight,
            standing_of(self._stage, self._now).label("place"),
            SEED.c.id.label("seed_id"),
            SEED.c.retry_at,
        ).select_from(self._with_rows(found))

    @property
    def _order(self) -> tuple[Any, ...]:
        c = self._gathered.c
        return c.weight.desc(), c.seed_key

    def _due_seeds(self, *columns: Any) -> Rows:
        return select(*columns).where(self._gathered.c.place == DUE)

    def _with_rows(self, seeds: FromClause) -> Join:
        return seeds.outerjoin(SEED, self._is_row_of(seeds))

    def _is_row_of(self, seeds: FromClause) -> ColumnElement[bool]:
        key: ColumnElement[Any] = seeds.c.seed_key
        name = cast(key, Text) if self._key.is_number else key
        return (SEED.c.listing == self._stage.listing.name) & (SEED.c.seed == name)

    def _rows_by_now(self) -> Subquery:
        """Select the seeds that had rows when they were gathered, or have got one since."""
        had, due = self._gathered.c, self._due
        before = select(had.seed_key, had.seed_id).where(had.seed_id.is_not(None))
        joined = due.join(SEED, self._is_row_of(due))
        since = select(due.c.seed_key, SEED.c.id).select_from(joined).where(due.c.seed_id.is_(None))
        return union_all(before, since).subquery()
