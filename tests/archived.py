"""Crawls with an archive, lines of archives, and what databases hold apart from their own ids."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tiktok_crawler.archive.answers import RawAnswer
from tiktok_crawler.archive.lines import Asked, Run, RunLine, Source, WindowLine, dump_line
from tiktok_crawler.archive.listing_lines import ListingSource, SeedAsked, SeedLine, StageLine
from tiktok_crawler.archive.reader import Archives, find_archives
from tiktok_crawler.archive.replay import Replay
from tiktok_crawler.date_range import DateRange
from tiktok_crawler.query_file.collection import Collection
from tiktok_crawler.research_api.listings import COMMENTS
from tiktok_crawler.research_api.query import Condition, Query
from tiktok_crawler.research_api.tasks import ListRequest, PageRequest
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.models.base import Base

if TYPE_CHECKING:
    from pathlib import Path

    from crawling import CrawlFolder
    from scrapy.crawler import Crawler

    from tiktok_crawler.archive.counts import Counts
    from tiktok_crawler.archive.lines import Event, Line
    from tiktok_crawler.archive.listing_lines import SeedEvent

NOT_ARCHIVED = {"api_quota", "api_quota_share", "database_origin"}
"""What was spent today, and when the database was made: facts of its own."""

KEYS = {
    "query": ("fingerprint",),
    "hashtag": ("name",),
    "effect": ("effect_id",),
    "query_tag": ("name",),
    "crawl_window": ("query_id", "start_date", "end_date", "created_at"),
    "seed": ("listing", "seed"),
    "crawl": ("crawl_window_id", "seed_id", "cursor", "crawl_started_at"),
    "account": ("username",),
}
"""What tells rows with surrogate ids apart; tables before those that refer to them."""

OWN_IDS = {"video", "comment", "playlist", "shop", "product", "review"}
"""Tables whose ids are the API's, or say what a record says."""

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)
QUERY = Query(and_=(Condition("region_code", "EQ", ("FR",)),))
JANUARY = DateRange(date(2024, 1, 1), date(2024, 1, 31))
SOURCE = Source("sandbox", QUERY, ("dairy",))
COMMENT_SOURCE = ListingSource("sandbox", COMMENTS, ("tea",))


async def archived_crawl(
    folder: CrawlFolder, url: str, settings: dict[str, Any] | None = None, **arguments: str
) -> Crawler:
    """A crawl that keeps its answers in the folder `archive`."""
    archive = {"TIKTOK_ARCHIVE": str(folder.path / "archive")}
    return await folder.crawl(url, archive | (settings or {}), **arguments)


def replay(url: str, *places: Path) -> Counts:
    """Replay archives into a database; nothing may be wrong with them."""
    archives = Archives(find_archives(places))
    counts = replay_lines(url, archives.lines(), origin=archives.origin())
    assert archives.damages == []
    return counts


def replay_lines(url: str, lines, *, origin: str = "sandbox") -> Counts:
    engine = database.create_engine_for(database.database_url(url))
    database.prepare(engine, origin)
    replay = Replay(engine)
    replay.run(lines)
    replay.close()
    engine.dispose()
    return replay.counts


def content(url: str) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, sorted; ids that a database gives are replaced by what they mean."""
    engine = database.create_engine_for(database.database_url(url))
    with engine.connect() as connection:
        tables = {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in Base.metadata.sorted_tables
            if table.name not in NOT_ARCHIVED
        }
    engine.dispose()
    meanings: dict[str, dict[int | None, tuple | None]] = {}
    for name in [*KEYS, *(name for name in tables if name not in KEYS)]:
        for row in tables[name]:
            for foreign in Base.metadata.tables[name].foreign_keys:
                target, column = foreign.column.table.name, foreign.parent.name
                row[column] = meanings[target][row[column]] if target in KEYS else row[column]
        if name in KEYS:
            meanings[name] = {None: None} | {
                row.pop("id"): tuple(row[key] for key in KEYS[name]) for row in tables[name]
            }
        elif name not in OWN_IDS:
            for row in tables[name]:
                row.pop("id", None)
    return {name: sorted(rows, key=repr) for name, rows in tables.items()}


def texts(folder: Path) -> list[dict[str, Any]]:
    """The lines of all archives in a folder, as others read them."""
    return [
        json.loads(text)
        for path in find_archives([folder])
        for text in gzip.decompress(path.read_bytes()).splitlines()
    ]


def body(*ids: int, cursor: int = 100, has_more: bool = False, **data: Any) -> bytes:
    """The body of a page with videos of these ids."""
    records = [{"id": id_, "username": "ann", "hashtag_names": ["butter"]} for id_ in ids]
    of_page = {"videos": records, "cursor": cursor, "has_more": has_more, "search_id": "77"}
    return json.dumps({"data": of_page | data, "error": {"code": "ok", "message": ""}}).encode()


def request(cursor: int = 0, *, days: DateRange = JANUARY) -> PageRequest:
    search_id = "77" if cursor else None
    return PageRequest(None, days, ("id", "username", "hashtag_names"), 100, cursor, search_id)


def run_line(at: datetime = NOON, *, tags: tuple[str, ...] = ("dairy",)) -> RunLine:
    source = Source("sandbox", QUERY, tags)
    collection = Collection(QUERY, JANUARY, "2024-01-01", "2024-01-31", tags)
    return RunLine(at, source, Run(at, collection))


def window_line(second: int, event: Event, of: PageRequest | None = None) -> WindowLine:
    """What happened so many seconds after noon, to a request that was sent a second before."""
    at = NOON + timedelta(seconds=second)
    asked = Asked(of or request(), NOON, at - timedelta(seconds=1))
    return WindowLine(at, SOURCE, asked, event)


def answer_line(second: int, text: bytes, of: PageRequest | None = None) -> WindowLine:
    return window_line(second, RawAnswer(200, {}, text), of)


def stage_line(*seeds: str, at: datetime = NOON) -> StageLine:
    return StageLine(at, COMMENT_SOURCE, at, seeds)


def seed_line(
    second: int, event: SeedEvent, *, cursor: int = 0, limit: int | None = None
) -> SeedLine:
    """What happened so many seconds after noon, to a request for comments of video 7.

    It was sent a second before; a listing that is beyond its first page began a second after noon.
    """
    at = NOON + timedelta(seconds=second)
    requested_at = at - timedelta(seconds=1)
    begun_at = NOON + timedelta(seconds=1) if cursor else requested_at
    position = cursor // 100 * 2
    request = ListRequest(COMMENTS, "7", 0, cursor, position, limit, begun_at)
    return SeedLine(at, COMMENT_SOURCE, SeedAsked(request, requested_at), event)


def comments_line(second: int, *ids: int, cursor: int = 0, has_more: bool = True) -> SeedLine:
    """A page with comments of these ids; with `has_more`, it must have two of them."""
    records = [{"id": id_, "text": str(id_)} for id_ in ids]
    data = {"comments": records, "cursor": cursor + 100, "has_more": has_more}
    text = json.dumps({"data": data, "error": {"code": "ok", "message": ""}}).encode()
    return seed_line(second, RawAnswer(200, {}, text), cursor=cursor)


def dump_lines(*lines: Line) -> bytes:
    return b"".join(map(dump_line, lines))
