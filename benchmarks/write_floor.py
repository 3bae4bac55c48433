"""Stores pages in our tables with as little as it takes. Command: DATABASE_URL PAGES [lean].

Hand-written SQL on the driver's own connection, opened as the project opens it: same tables and
indexes, same pragmas, same durability, the same rows in the end, one transaction a page. It checks,
cleans and counts nothing, keeps all names in memory, and leaves the links of a video that was there
before as they are.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

import orjson
from psycopg2.extras import execute_values
from sqlalchemy import JSON
from stored_pages import first_request
from turns import take_turns

from tiktok_crawler.storage.engine.database import create_engine_for, database_url, prepare
from tiktok_crawler.storage.models.records import Video

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Column, Engine
    from turns import Page, Write

    Row = tuple[Any, ...]

TAG = "benchmark"

API_COLUMNS = [
    column
    for column in Video.__table__.columns
    if column.name not in {"extra_data", "crawled_at", "crawled_updated_at"}
]
NAMES = [column.name for column in API_COLUMNS]
COUNTERS = ["like_count", "comment_count", "share_count", "view_count", "favorites_count"]
UPSERT_VIDEO = (
    f"INSERT INTO video ({', '.join(NAMES)}, crawled_at) VALUES %s ON CONFLICT (id) DO UPDATE"
    f" SET {', '.join(f'{n} = coalesce(excluded.{n}, video.{n})' for n in NAMES if n != 'id')},"
    " crawled_updated_at = excluded.crawled_at"
)


class Floor(ABC):
    """A driver's connection with what the two drivers do differently."""

    mark: str
    """How a parameter is written."""

    begin: str

    def __init__(self, engine: Engine) -> None:
        self.pooled = engine.raw_connection()
        self.cursor: Any = self.pooled.cursor()
        self.ids: dict[str, dict[str, int]] = {"hashtag": {}, "effect": {}}

    @abstractmethod
    def rows(self, sql: str, rows: list[Row]) -> None:
        """Insert rows; `%s` stands for their values."""

    @abstractmethod
    def time(self, value: datetime, precision: str = "microseconds") -> Any:
        """A time as the tables hold it."""

    def one(self, sql: str, *values: Any) -> Any:
        self.cursor.execute(sql.replace("?", self.mark), values)
        return self.cursor.fetchone()[0]

    def add(self, table: str, rows: Iterable[Row]) -> None:
        self.rows(f"INSERT INTO {table} VALUES %s", sorted(rows))

    def name_ids(self, table: str, column: str, names: Iterable[str]) -> dict[str, int]:
        known = self.ids[table]
        missing = sorted(set(names) - known.keys())
        if missing:
            self.rows(
                f"INSERT INTO {table} ({column}) VALUES %s ON CONFLICT DO NOTHING",
                [(name,) for name in missing],
            )
            known |= dict(self.among(f"SELECT {column}, id FROM {table} WHERE {column}", missing))
        return known

    def among(self, sql: str, values: list[Any]) -> list[Row]:
        """The rows in which what the statement ends with has one of the values."""
        self.cursor.execute(f"{sql} IN ({', '.join([self.mark] * len(values))})", values)
        rows: list[Row] = self.cursor.fetchall()
        return rows


class SqliteFloor(Floor):
    mark, begin = "?", "BEGIN IMMEDIATE"

    def rows(self, sql: str, rows: list[Row]) -> None:
        if rows:
            marks = f"({', '.join('?' * len(rows[0]))})"
            self.cursor.executemany(sql.replace("%s", marks), rows)

    def time(self, value: datetime, precision: str = "microseconds") -> str:
        return value.replace(tzinfo=None).isoformat(" ", precision)


class PostgresqlFloor(Floor):
    mark, begin = "%s", "BEGIN"

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.cursor.connection.autocommit = True

    def rows(self, sql: str, rows: list[Row]) -> None:
        if rows:
            execute_values(self.cursor, sql, rows, page_size=len(rows))

    def time(self, value: datetime, precision: str = "microseconds") -> datetime:
        del precision  # the column has one
        return value


def main() -> None:
    engine = create_engine_for(database_url(sys.argv[1]))
    prepare(engine, "sandbox")
    floor = (SqliteFloor if engine.dialect.name == "sqlite" else PostgresqlFloor)(engine)
    floor.rows("INSERT INTO query_tag (name) VALUES %s ON CONFLICT DO NOTHING", [(TAG,)])

    def begin() -> Write:
        window_id = first_request(engine).task.row_id
        query_id = floor.one("SELECT query_id FROM crawl_window WHERE id = ?", window_id)
        pages = 0

        def write(records: Page) -> None:
            nonlocal pages
            floor.cursor.execute(floor.begin)
            write_page(floor, records, (window_id, query_id, pages * 100))
            floor.cursor.execute("COMMIT")
            pages += 1

        return write

    take_turns(begin)


def write_page(floor: Floor, records: Page, place: tuple[int | None, int, int]) -> None:
    """Write a page; its place is the ids of window and query, and the cursor."""
    now = floor.time(datetime.now(UTC))
    crawl_id = add_crawl(floor, records, place, now)
    stored = stored_counters(floor, records)
    new = [record for record in records if record["id"] not in stored]
    readings = [(crawl_id, now, *reading) for reading in changed_counters(records, stored)]
    floor.rows(UPSERT_VIDEO, [video_row(floor, record, now) for record in records])
    columns = ["crawl_id", "observed_at", "video_id", *COUNTERS]
    floor.rows(f"INSERT INTO video_statistics ({', '.join(columns)}) VALUES %s", readings)
    link(floor, new, "videos_to_hashtags", ("hashtag", "name", "hashtag_names"))
    link(floor, new, "videos_to_effect_ids", ("effect", "effect_id", "effect_ids"))
    tag_id = floor.one("SELECT id FROM query_tag WHERE name = ?", TAG)
    floor.add("videos_to_crawls", [(crawl_id, record["id"]) for record in records])
    floor.add("crawls_to_query_tags", [(crawl_id, tag_id)])
    floor.add("videos_to_query_tags", [(tag_id, record["id"]) for record in new])


def stored_counters(floor: Floor, records: Page) -> dict[int, Row]:
    """The counters of the videos that are there, by id."""
    read = f"SELECT id, {', '.join(COUNTERS)} FROM video WHERE id"
    return {row[0]: row[1:] for row in floor.among(read, [record["id"] for record in records])}


def changed_counters(records: Page, stored: dict[int, Row]) -> list[Row]:
    """The ids and counters of videos that are new or had other counters."""
    delivered = {record["id"]: tuple(record[name] for name in COUNTERS) for record in records}
    changed = (id_ for id_, counters in delivered.items() if stored.get(id_) != counters)
    return [(id_, *delivered[id_]) for id_ in sorted(changed)]


def add_crawl(floor: Floor, records: Page, place: tuple[int | None, int, int], now: Any) -> int:
    """Write the page's row, and move its window on."""
    window_id, query_id, cursor = place
    crawl_id: int = floor.one(
        "INSERT INTO crawl (crawl_window_id, query_id, cursor, next_cursor, search_id, has_more,"
        " max_count, record_count, log_id, crawl_started_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        *(window_id, query_id, cursor, cursor + 100, "7001", True, 100, len(records), "1", now),
    )
    update = (
        "UPDATE crawl_window SET cursor = ?, search_id = ?, pages = pages + 1,"
        " videos = videos + ?, last_page_at = ?, updated_at = ? WHERE id = ?"
    )
    values = (cursor + 100, "7001", len(records), now, now, window_id)
    floor.cursor.execute(update.replace("?", floor.mark), values)
    return crawl_id


def video_row(floor: Floor, record: dict[str, Any], now: Any) -> Row:
    return (*(value(floor, column, record.get(column.name)) for column in API_COLUMNS), now)


def value(floor: Floor, column: Column[Any], delivered: Any) -> Any:
    if delivered is None:
        return None
    if isinstance(column.type, JSON):
        return orjson.dumps(delivered).decode()
    if column.name == "create_time":
        return floor.time(datetime.fromtimestamp(delivered, UTC), "seconds")
    return delivered


def link(floor: Floor, records: Page, table: str, kind: tuple[str, str, str]) -> None:
    name_table, column, key = kind
    names = chain.from_iterable(record.get(key, ()) for record in records)
    ids = floor.name_ids(name_table, column, names)
    floor.add(table, {(video["id"], ids[name]) for video in records for name in video.get(key, ())})


if __name__ == "__main__":
    main()
