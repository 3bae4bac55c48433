"""A type of records: how its objects look, the table with a row for each, what is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, select

from tiktok_crawler.storage.models.column_types import UtcDateTime, dump_json, time_text
from tiktok_crawler.storage.models.records import EXISTENCE
from tiktok_crawler.storage.records.comparison import Comparison, State, same_document
from tiktok_crawler.storage.records.leaving_out import is_stand_in
from tiktok_crawler.storage.records.shape import read_records

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from sqlalchemy import Column, ColumnElement, Select, Table

    from tiktok_crawler.research_api.verdicts import SeedStatus
    from tiktok_crawler.storage.engine.statements import Statements, Values
    from tiktok_crawler.storage.records.comparison import Same
    from tiktok_crawler.storage.records.links import Link
    from tiktok_crawler.storage.records.shape import Record, Records, Shape

    Ids = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, eq=False)
class RecordType:
    """Records of one type.

    `key` is the column that tells them apart; `times` are the columns with the times of the first
    answer and of the last change or, with `marks_sightings`, of the last answer. `renamed` are
    fields whose column has another name, `always` values that every answer has; `same` compares
    values that are not simply equal or not. `value_history` is the table that keeps the values that
    were replaced, `counter_history` the one that keeps counters over time: those are all its
    columns behind the record, the time and the page. `names` are lists of names in tables of pairs;
    `pages` and `tags` are those that say which page brought a record, and with which tags.
    `identify` gives the key of a record that may have none, from the record and its seed, and
    `without_links` a record without what only links say. `when_refused` is what a refusal says.
    """

    shape: Shape
    table: Table
    key: str = "id"
    times: tuple[str, str] = ("crawled_at", "crawled_updated_at")
    marks_sightings: bool = False
    renamed: Mapping[str, str] = field(default_factory=dict)
    always: Mapping[str, Any] = field(default_factory=dict)
    same: Mapping[str, Same] = field(default_factory=dict)
    value_history: Table | None = None
    counter_history: Table | None = None
    names: Mapping[str, Table] = field(default_factory=dict)
    pages: Table | None = None
    tags: Table | None = None
    identify: Callable[..., Any] | None = None
    without_links: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    when_refused: Callable[[str, SeedStatus], Record] | None = None

    @cached_property
    def counters(self) -> tuple[str, ...]:
        """The columns whose values are kept over time: the first of a state's values."""
        table = self.counter_history
        return () if table is None else tuple(table.columns.keys()[3:])

    @cached_property
    def tells_missing(self) -> bool:
        """Tell whether a state says that its record is missing; else each return is noted."""
        return "missing_since" in self.table.columns and not self.notes_returns

    @cached_property
    def notes_returns(self) -> bool:
        """Tell whether it is stored when a record was last returned."""
        return "last_returned_at" in self.table.columns

    @cached_property
    def value_columns(self) -> tuple[Column[Any], ...]:
        """The columns in the order of a state's values: counters, others, and JSON at the end."""
        others = {"id", self.key, *self.times, "crawl_id", "extra_data", *self.counters, *EXISTENCE}
        columns = [column for column in self.table.columns if column.name not in others]
        columns.sort(key=lambda column: isinstance(column.type, JSON))
        return (*(self.table.c[name] for name in self.counters), *columns)

    @cached_property
    def columns(self) -> tuple[Column[Any], ...]:
        """The columns in the order of a state; the page is the last of them, if there is one."""
        head = (self.table.c[name] for name in (self.key, *self.times, "extra_data"))
        page = [column for column in self.table.columns if column.name == "crawl_id"]
        return (*head, *self.value_columns, *page)

    @cached_property
    def table_columns(self) -> tuple[Column[Any], ...]:
        """The same in the order of the table; the key is the first of them, too."""
        return tuple(column for column in self.table.columns if column in set(self.columns))

    @cached_property
    def comparison(self) -> Comparison:
        same = {
            place: same_document if isinstance(column.type, JSON) else self.same[column.name]
            for place, column in enumerate(self.value_columns)
            if isinstance(column.type, JSON) or column.name in self.same
        }
        return Comparison(same, self.marks_sightings)

    def read(
        self, records: Sequence[Any], id_of: Callable[[dict[str, Any]], Any] | None = None
    ) -> Records:
        """Read records, each of which should be an object but may be any JSON."""
        read = read_records(records, self.shape, id_of)
        for record in read.by_id.values():
            record.values.update(self.always)
        return read

    def by_column(self, record: Record) -> Mapping[str, Any]:
        """The values of a record by the names of their columns."""
        if not self.renamed:
            return record.values
        return {self.renamed.get(key, key): value for key, value in record.values.items()}

    def state(self, record: Record, at: str, crawl_id: int | None, ids: Ids) -> State:
        """A record as an answer has it, with the ids of its names."""
        values = list(map(self.by_column(record).get, self._value_names))
        for place, convert in self._converters:
            if values[place] is not None:
                values[place] = convert(values[place])
        return State(
            record.id,
            at,
            at if self.marks_sightings else None,
            dump_json(record.extra_data) if record.extra_data else None,
            tuple(values),
            crawl_id,
            tuple([_sorted_ids(record.names.get(key), ids[key]) for key in self.names]),
        )

    def stored_state(self, row: tuple[Any, ...], *, canonical: Callable[..., Any] | None) -> State:
        """A row of `states`; `canonical` makes of the database's JSON ours."""
        end = 4 + len(self.value_columns)
        key, first_at, updated_at, extra_data = row[:4]
        values = row[4:end]
        if canonical:
            extra_data = canonical(extra_data)
            values = (*row[4 : self._documents], *map(canonical, row[self._documents : end]))
        has_page = len(self.columns) > end
        behind = len(self.columns)
        links = tuple([_split(linked) for linked in row[behind : behind + len(self.names)]])
        crawl_id = row[end] if has_page else None
        is_missing = self.tells_missing and bool(row[-1])
        return State(key, first_at, updated_at, extra_data, values, crawl_id, links, is_missing)

    def row(self, state: State) -> Values:
        """A state as a row of the table."""
        row: Values = self._in_table_order((*state[:4], *state.values, state.crawl_id))
        return row

    def states(self, statements: Statements) -> Select[*tuple[Any, ...]]:
        """Select states by their keys, and the ids of their links as text such as `7,12`.

        The last column, if there is one, tells whether the record is missing.
        """
        columns = map(statements.as_text, self.columns)
        links = (self._linked_ids(statements, table) for table in self.names.values())
        missing = [self.table.c.missing_since.is_not(None)] if self.tells_missing else []
        return select(*columns, *links, *missing).where(statements.listed(self.columns[0]))

    def locks(self, statements: Statements) -> Select[Any]:
        """Lock records by their keys, in the order of the keys."""
        key = self.columns[0]
        rows = select(key).where(statements.listed(key)).order_by(key)
        return rows.with_for_update(key_share=True)

    @cached_property
    def _value_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.value_columns)

    @cached_property
    def _documents(self) -> int:
        """The place at which the JSON of a row begins."""
        return 4 + sum(not isinstance(column.type, JSON) for column in self.value_columns)

    @cached_property
    def _in_table_order(self) -> itemgetter[Any]:
        return itemgetter(*(self.columns.index(column) for column in self.table_columns))

    @cached_property
    def _converters(self) -> tuple[tuple[int, Callable[[Any], Any]], ...]:
        """The functions that make values what both databases take, by their places."""
        found: list[tuple[int, Callable[[Any], Any]]] = []
        for place, column in enumerate(self.value_columns):
            if isinstance(column.type, JSON):
                found.append((place, dump_json))
            elif isinstance(column.type, UtcDateTime):
                found.append((place, partial(time_text, precision=column.type.precision)))
        return tuple(found)

    def _linked_ids(self, statements: Statements, pairs: Table) -> ColumnElement[str | None]:
        key, linked_id = pairs.columns
        linked = select(linked_id).where(key == self.columns[0]).order_by(linked_id)
        linked = linked.correlate(self.table)
        return select(statements.joined(linked.subquery().c[0])).scalar_subquery()


@dataclass(frozen=True, slots=True)
class Listed:
    """The records of a type, and the links, that a listing brings.

    `seed_column` holds the seed where a record does not say it itself. With `with_seed`, the seed
    is a record of the type, too. `known_total` is the column that says how many records a seed has;
    the seeds are the keys of its table. Where it counts rows of a link, in place of the records,
    `counted_by` is their column with the seed.
    """

    type: RecordType
    links: tuple[Link, ...] = ()
    seed_column: str | None = None
    with_seed: bool = False
    known_total: Column[Any] | None = None
    counted_by: Column[Any] | None = None

    def read(self, records: Sequence[Any], seed: Any) -> Records:
        """Read the records of a page, each of which should be an object but may be any JSON."""
        identify, prepare = self.type.identify, self.type.without_links
        if prepare:
            records = [prepare(r) if isinstance(r, dict) else r for r in records]
        id_of = partial(identify, seed=seed) if identify else None
        read = self.type.read(records, id_of)
        for record in read.by_id.values():
            if self.seed_column:
                record.values.setdefault(self.seed_column, seed)
        if self.with_seed and not is_stand_in(seed):
            read.add(seed)
        return read


def _sorted_ids(names: Collection[str] | None, ids: Mapping[str, int]) -> tuple[int, ...] | None:
    return None if names is None else tuple(sorted([ids[name] for name in names]))


def _split(ids: str | None) -> tuple[int, ...]:
    return tuple(map(int, ids.split(","))) if ids else ()
