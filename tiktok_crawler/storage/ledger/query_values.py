"""Keeps which values of a query's lists have brought a video, and reads which have not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from tiktok_crawler.planning.query_values import (
    SoughtValues,
    Unseen,
    UnseenValue,
    length_classes,
    named_values,
    unseen_values,
)
from tiktok_crawler.planning.task_states import WindowState
from tiktok_crawler.research_api.query import Field
from tiktok_crawler.research_api.tasks import Window
from tiktok_crawler.spelling import nearest
from tiktok_crawler.storage.models.ledger import (
    CrawlWindow,
    DatabaseOrigin,
    QueryValueRow,
)
from tiktok_crawler.storage.models.records import Hashtag

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from sqlalchemy import Connection, Row

    from tiktok_crawler.planning.query_values import QueryValue
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.research_api.query import Query
    from tiktok_crawler.storage.engine.statements import Statements
    from tiktok_crawler.storage.ledger.queries import Totals
    from tiktok_crawler.storage.records.shape import Record

    Reader = Callable[[Record], Iterable[str]]

LOOKED_UP = 10
"""So many hashtags without a video are compared with those of the database."""

FEWEST_EQUAL = 3
"""So many letters, or the first half of a longer hashtag, have to be the same in one like it."""

MOST_CANDIDATES = 1000
LENGTH_DIFFERENCE = 2
SIMILARITY = 0.8
"""Of 0 to 1, by difflib; `electons` is like `elections` by 0.94."""


class QueryValues:
    """Keeps what pages show of their queries' values; what is committed is not looked for again."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._sought: dict[Query, SoughtValues] = {}

    def found(self, page: Page, records: Collection[Record]) -> set[QueryValue]:
        """Find the values that the page's records have, and no page before them had."""
        sought = self._sought_by(page)
        return sought.found(lambda field: shown_of(field, records)) if sought else set()

    def write(self, connection: Connection, crawl: Row[Any], found: set[QueryValue]) -> None:
        """Write down what the page of a crawl's row has; of what is there, nothing changes."""
        if not found:
            return
        rows = [(crawl.query_id, field, value, crawl.id) for field, value in sorted(found)]
        columns = tuple(QueryValueRow.__table__.columns)
        self._statements.insert_missing(connection, columns, rows)

    def remember(self, page: Page, found: set[QueryValue]) -> None:
        """Look no more for what is committed."""
        sought = self._sought_by(page)
        if sought:
            sought.remember(found)

    def _sought_by(self, page: Page) -> SoughtValues | None:
        task = page.request.task
        if not isinstance(task, Window):
            return None
        if task.query not in self._sought:
            self._sought[task.query] = SoughtValues(task.query)
        return self._sought[task.query]


def shown_of(field: Field, records: Iterable[Record]) -> list[str]:
    """The texts that videos show of what a condition can be about."""
    read = _READERS[field]
    return [text for record in records for text in read(record)]


def unseen(connection: Connection, query_id: int, query: Query, totals: Totals) -> Unseen | None:
    """Read which values of a query brought no video; None as long as no window is complete."""
    if query.asks_for_nobody or not totals.windows.get(WindowState.COMPLETE):
        return None
    is_empty = totals.videos == 0
    values = list(
        named_values(query) if is_empty else _unseen_in_lists(connection, query_id, query)
    )
    similar = _Similar(connection, {value for _, value in named_values(query)})
    return Unseen(
        query,
        origin=connection.scalar(select(DatabaseOrigin.origin)) or "",
        is_empty=is_empty,
        values=tuple(
            UnseenValue(field, value, similar.to(field, value)) for field, value in values
        ),
    )


def _unseen_in_lists(
    connection: Connection, query_id: int, query: Query
) -> Iterator[tuple[Field, str]]:
    stored = select(QueryValueRow.field_name, QueryValueRow.value).where(
        QueryValueRow.query_id == query_id
    )
    searched = (
        select(CrawlWindow.fields)
        .where(CrawlWindow.query_id == query_id, CrawlWindow.record_count > 0)
        .distinct()
    )
    found = {(name, value) for name, value in connection.execute(stored)}
    return unseen_values(query, found, connection.scalars(searched).all())


class _Similar:
    """Finds names in the database that are like others; `known` ones are not what was meant."""

    def __init__(self, connection: Connection, known: Collection[str]) -> None:
        self._connection = connection
        self._known = known
        self._left = LOOKED_UP

    def to(self, field: Field, value: str) -> str | None:
        """Find the hashtag that is most like this one and begins like it, if there is one."""
        if field is not Field.HASHTAG_NAME or not self._left:
            return None
        self._left -= 1
        name, start = Hashtag.__table__.c.name, value[: max(FEWEST_EQUAL, len(value) // 2)]
        difference = func.abs(func.length(name) - len(value))
        candidates = (
            select(name)
            .where(name >= start, name < f"{start}\U0010ffff", difference <= LENGTH_DIFFERENCE)
            .order_by(difference, name)
            .limit(MOST_CANDIDATES)
        )
        names = set(self._connection.scalars(candidates)).difference(self._known)
        return next(iter(nearest(value, names, similarity=SIMILARITY)), None)


def _value(column: str) -> Reader:
    return lambda record: [str(record.values[column])] if column in record.values else []


def _either(names: str, objects: str, key: str) -> Reader:
    """Return what reads a list of names or, where there is none, the names in a list of objects."""

    def read(record: Record) -> Iterable[str]:
        return record.names.get(names) or _items(record.values.get(objects), key)

    return read


def _items(items: Any, key: str) -> Iterator[str]:
    """Read what the objects of a list have under a key, whatever else there is."""
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and item.get(key) is not None:
            yield str(item[key])


def _words(record: Record) -> list[str]:
    """Join the texts of a video that a keyword may be in."""
    description = record.values.get("video_description")
    spoken = record.values.get("voice_to_text", "")
    return [] if description is None else [f"{description} {spoken}"]


def _lengths(record: Record) -> list[str]:
    seconds = record.values.get("video_duration")
    return [] if seconds is None else length_classes(seconds)


_READERS: dict[Field, Reader] = {
    Field.HASHTAG_NAME: _either("hashtag_names", "hashtag_info_list", "hashtag_name"),
    Field.KEYWORD: _words,
    Field.USERNAME: _value("username"),
    Field.REGION_CODE: _value("region_code"),
    Field.VIDEO_LENGTH: _lengths,
    Field.VIDEO_ID: lambda record: [str(record.id)],
    Field.MUSIC_ID: _value("music_id"),
    Field.EFFECT_ID: _either("effect_ids", "effect_info_list", "effect_id"),
}
