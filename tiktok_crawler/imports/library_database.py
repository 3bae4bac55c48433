"""Databases of tiktok-library, in each generation of its tables; they are only read.

Their times of creation are local ones of the machine that wrote them, in all generations but the
first, which has Unix seconds. When comments and profiles were collected they do not say.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import column, create_engine, func, inspect, select, table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from tiktok_crawler.batches import batched
from tiktok_crawler.checksums import sha256_of_all
from tiktok_crawler.exceptions import ImportFileError
from tiktok_crawler.imports import layouts, values
from tiktok_crawler.imports.found import Found, Notes, Source
from tiktok_crawler.imports.local_times import Clocks
from tiktok_crawler.imports.rows import NO_ZONE
from tiktok_crawler.spelling import listed, named, shortened, visible
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.open_files import raw
from tiktok_crawler.storage.records.imported import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import URL, Connection, Engine, Select, TableClause

ROWS_AT_ONCE = 1_000

OLDEST, BETWEEN, TODAY = (
    "with lists of hashtags in its table of videos, as until April 2024",
    "with query tags, as in April 2024",
    "with crawl tags, as since April 2024",
)
TAG_TABLES = {"crawl_tag": TODAY, "query_tag": BETWEEN}

COUNTERS = ("like_count", "comment_count", "share_count", "view_count")
OF_VIDEO = (
    *("id", "create_time", "username", "region_code", "video_description", "music_id"),
    *COUNTERS,
    *("playlist_id", "voice_to_text"),
)
OF_COMMENT = (
    *("id", "text", "video_id", "parent_comment_id", "like_count", "reply_count"),
    "create_time",
)
OF_USER = (
    *("username", "display_name", "bio_description", "avatar_url", "is_verified"),
    *("likes_count", "video_count", "follower_count", "following_count"),
)
NEEDED = {"id", "create_time", "username", "crawled_at"}
"""Columns of `video` in every generation."""

OURS = frozenset({"crawl_window", "database_origin"})
"""Tables that only this program has."""


class LibraryDatabase(Source):
    """Reads a database as one transaction sees it."""

    suggestion = "it was last written to"

    def __init__(self, name: str, connection: Connection, path: Path | None = None) -> None:
        self.name = name
        self._path = path
        self._connection = connection
        self._tables = _tables(connection)
        _check(name, self._tables)
        tags = [each for each in TAG_TABLES if each in self._tables]
        self._tag = tags[0] if tags else None
        self.kind = f"database of tiktok-library, {TAG_TABLES[tags[0]] if tags else OLDEST}"
        untimed = {Kind.COMMENTS: "comment", Kind.PROFILES: "user_info"}
        lacking = [kind.value for kind, table in untimed.items() if self._has_rows(table)]
        self.untimed = listed(lacking or [""], conjunction="and")
        self.suggested = self._last_time()
        self.queries = tuple(self._queries())

    def sha256(self) -> str:
        if self._path is None:
            return self._digest_of_rows()
        log = self._path.with_name(f"{self._path.name}-wal")
        has_log = log.exists() and log.stat().st_size
        return sha256_of_all([self._path, log] if has_log else [self._path])

    def records(self, collected_at: datetime | None, notes: Notes) -> Iterator[Found | None]:
        clocks = Clocks.of(self._naive_times())
        yield from self._videos(clocks, notes)
        for kind, name, columns in (
            (Kind.COMMENTS, "comment", OF_COMMENT),
            (Kind.PROFILES, "user_info", OF_USER),
        ):
            for row in self._rows(name, columns):
                notes.read += 1
                assert collected_at
                record = self._record(kind, row, clocks, notes)
                yield Found(kind, record, collected_at) if record else None

    def close(self) -> None:
        _end(self._connection)

    def _videos(self, clocks: Clocks, notes: Notes) -> Iterator[Found | None]:
        lists = ("hashtag_names", "effect_ids", "source")
        times = ("crawled_at", "crawled_updated_at")
        found = self._rows("video", (*OF_VIDEO, *lists, "extra_data", *times))
        for rows in batched(found, ROWS_AT_ONCE):
            linked = self._linked([row["id"] for row in rows])
            for row in rows:
                notes.read += 1
                yield self._video(row, linked, clocks, notes)

    def _video(
        self,
        row: dict[str, Any],
        linked: Mapping[str, Mapping[Any, list[str]]],
        clocks: Clocks,
        notes: Notes,
    ) -> Found | None:
        first_at = values.collected(row.pop("crawled_at"))
        updated_at = values.collected(row.pop("crawled_updated_at", None))
        tags = {*_list(row.pop("source", None)), *linked["tags"].get(row["id"], ())}
        for key in ("hashtag_names", "effect_ids"):
            row[key] = _list(row.get(key)) or linked[key].get(row["id"])
        record = self._record(Kind.VIDEOS, row, clocks, notes)
        if record is None:
            return None
        if first_at is None:
            notes.refuse(f"video {row['id']}", "does not say when it was collected (crawled_at)")
            return None
        found = tuple(sorted(map(str, tags)))
        return Found(Kind.VIDEOS, record, updated_at or first_at, first_at, found)

    def _record(
        self, kind: Kind, row: dict[str, Any], clocks: Clocks, notes: Notes
    ) -> dict[str, Any] | None:
        """A row as the API would have delivered it; what it says beside its columns counts, too."""
        aside = _document(row.pop("extra_data", None))
        record = {key: value for key, value in row.items() if value is not None}
        if isinstance(aside, dict):
            record = {key: each for key, each in aside.items() if each is not None} | record
        if "is_verified" in record:
            record["is_verified"] = bool(record["is_verified"])
        record_id = kind.type.shape.id_of(record)
        if record_id is None:
            notes.refuse(f"a row of {kind.value}", f"has no usable id: {shortened(str(row))}")
            return None
        if "create_time" in record:
            seconds = _seconds(record["create_time"], record_id, clocks)
            if seconds is None:
                notes.untold[NO_ZONE] += 1
            record["create_time"] = seconds
        return record

    def _naive_times(self) -> Iterator[tuple[int, datetime]]:
        """The times without a time zone, with the ids that can tell it."""
        for name in ("video", "comment"):
            for row in self._rows(name, ("id", "create_time")):
                naive = _naive(row["create_time"])
                if naive and isinstance(row["id"], int):
                    yield row["id"], naive

    def _rows(self, name: str, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Read a table in the order of its key, a block at a time."""
        there = [each for each in columns if each in self._tables.get(name, ())]
        if not there:
            return
        of = _table(name, there)
        key = of.c[there[0]]
        block = select(of).order_by(key).limit(ROWS_AT_ONCE)
        found = self._read(block)
        while found:
            yield from (dict(zip(there, row, strict=True)) for row in found)
            found = self._read(block.where(key > found[-1][0]))

    def _linked(self, ids: list[Any]) -> dict[str, dict[Any, list[str]]]:
        """The names of some videos, by what they are."""
        return {
            "hashtag_names": self._names("videos_to_hashtags", "hashtag", "name", ids),
            "effect_ids": self._names("videos_to_effect_ids", "effect", "effect_id", ids),
            "tags": self._names(f"videos_to_{self._tag}s", self._tag or "", "name", ids),
        }

    def _names(self, pairs: str, of: str, name: str, ids: list[Any]) -> dict[Any, list[str]]:
        if pairs not in self._tables or of not in self._tables:
            return {}
        links, names = _table(pairs, ("video_id", f"{of}_id")), _table(of, ("id", name))
        joined = links.join(names, names.c.id == links.c[f"{of}_id"])
        wanted = select(links.c.video_id, names.c[name]).select_from(joined)
        found: dict[Any, list[str]] = {}
        for video_id, each in self._read(wanted.where(links.c.video_id.in_(ids))):
            found.setdefault(video_id, []).append(each)
        return found

    def _has_rows(self, name: str) -> bool:
        return next(self._rows(name, ("id", "username")), None) is not None

    def _last_time(self) -> datetime | None:
        """The last time that the database knows."""
        found = []
        for name in ("video", "crawl", "Crawl"):
            for each in ("crawled_at", "crawled_updated_at", "crawl_started_at", "updated_at"):
                if each in self._tables.get(name, ()):
                    last = self._read(select(func.max(_table(name, [each]).c[each])))
                    found.append(values.collected(last[0][0]))
        return max(filter(None, found), default=None)

    def _queries(self) -> Iterator[Mapping[str, Any]]:
        """The queries by which it was collected, and how many of their crawls are at their end."""
        name = next((each for each in ("crawl", "Crawl") if each in self._tables), None)
        if name is None or not {"id", "query", "has_more"} <= self._tables[name]:
            return
        crawls = _table(name, ("id", "query", "has_more")).c
        unfinished = func.count().filter(crawls.has_more)
        grouped = select(crawls.query, func.count(), unfinished).group_by(crawls.query)
        for query, count, more in self._read(grouped.order_by(func.min(crawls.id))):
            yield {"query": str(query), "crawls": count, "unfinished": more}

    def _read(self, statement: Select[*tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
        try:
            return [tuple(row) for row in self._connection.execute(statement)]
        except DBAPIError as exc:
            raise unreadable(self.name, exc) from None

    def _digest_of_rows(self) -> str:
        digest = hashlib.sha256()
        for found in self.records(datetime.fromtimestamp(0, UTC), Notes()):
            digest.update(repr(found).encode(errors="backslashreplace"))
        return digest.hexdigest()


def sqlite_database(path: Path) -> LibraryDatabase:
    """Open a file, which is only read.

    Raises:
        ImportFileError: it is no database of tiktok-library.
    """

    def connect() -> sqlite3.Connection:
        uri = raw(path.absolute(), "")
        connection = sqlite3.connect(uri, uri=True, isolation_level=None)
        connection.text_factory = lambda text: text.decode(errors="replace")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)
    return _opened(str(path), engine, path)


def server_database(url: URL) -> LibraryDatabase:
    """Open a database on a server, which is only read.

    Raises:
        ConfigurationError: it cannot be reached.
        ImportFileError: it is no database of tiktok-library.
    """
    engine = database.create_engine_for(url).execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True
    )
    with database.explained(engine), engine.connect():
        pass
    return _opened(database.describe(url), engine, None)


def _opened(name: str, engine: Engine, path: Path | None) -> LibraryDatabase:
    try:
        connection = _begun(engine)
    except DBAPIError as exc:
        engine.dispose()
        raise unreadable(name, exc) from None
    try:
        return LibraryDatabase(name, connection, path)
    except DBAPIError as exc:
        _end(connection)
        raise unreadable(name, exc) from None
    except ImportFileError:
        _end(connection)
        raise


def unreadable(name: str, error: DBAPIError) -> ImportFileError:
    return ImportFileError(f"{named(name)} cannot be read: {visible(str(error.orig).strip())}")


def _begun(engine: Engine) -> Connection:
    """A connection in a transaction that sees one state."""
    connection = engine.connect()
    if engine.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN")
    return connection


def _end(connection: Connection) -> None:
    connection.close()
    connection.engine.dispose()


def _tables(connection: Connection) -> dict[str, set[str]]:
    inspector = inspect(connection)
    return {
        name: {str(each["name"]) for each in inspector.get_columns(name)}
        for name in inspector.get_table_names()
    }


def _check(name: str, tables: Mapping[str, set[str]]) -> None:
    """Refuse another program's database, and our own.

    Raises:
        ImportFileError: it is one.
    """
    if not OURS.isdisjoint(tables):
        raise ImportFileError(
            f"{named(name)} is a database of tiktok_crawler itself: export it (scrapy export FOLDER"
            " -s TIKTOK_DATABASE_URL=...), and import the folder"
        )
    if not tables.get("video", set()) >= NEEDED:
        has = listed([shortened(each) for each in sorted(tables)[:6]] or ["no"], conjunction="and")
        raise ImportFileError(
            f"{named(name)} is no database of tiktok-library: it has the tables {has}. What can be "
            f"imported: {layouts.ALLOWED}"
        )


def _table(name: str, columns: Sequence[str]) -> TableClause:
    """A table whose values come as the driver has them."""
    return table(name, *map(column, columns))


def _document(value: Any) -> Any:
    """A value of JSON, which the driver may have read already."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None


def _list(value: Any) -> list[Any]:
    """A list as the oldest generation has it: `{"list": [...]}`."""
    found = _document(value)
    found = found.get("list") if isinstance(found, dict) else found
    return found if isinstance(found, list) else []


def _naive(value: Any) -> datetime | None:
    """A time without a time zone, as far as it is one."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, datetime) and value.tzinfo is None else None


def _seconds(value: Any, record_id: Any, clocks: Clocks) -> int | None:
    if isinstance(value, int):
        return value
    naive = _naive(value)
    return clocks.utc_seconds(record_id, naive) if naive else None
