"""Crawls with an archive, replays, and what databases hold apart from their own ids."""

from __future__ import annotations

import gzip
import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tiktok_crawler.archive.reader import Archives, find_archives
from tiktok_crawler.archive.replay import Replay, require_new
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.models.base import Base

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from crawling import CrawlFolder
    from scrapy.crawler import Crawler

    from tiktok_crawler.archive.lines import Line
    from tiktok_crawler.archive.replay import Counts
    from tiktok_crawler.archive.values import LineError

    Columns = Collection[tuple[str, str]]

NOT_ARCHIVED = {"api_quota", "api_quota_share", "database_origin", "journal_mark", "notice", "run"}
"""What was spent today, when the database was made, how far journals are, which crawls ran."""

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


async def archived_crawl(
    folder: CrawlFolder, url: str, settings: dict[str, Any] | None = None, **arguments: str
) -> Crawler:
    """Crawl, and keep the journal in the folder `archive`."""
    archive = {"TIKTOK_ARCHIVE": str(folder.path / "archive")}
    return await folder.crawl(url, archive | (settings or {}), **arguments)


def replay(url: str, *places: Path) -> Counts:
    """Replay archives into a new database; nothing may be wrong with them."""
    archives = Archives(find_archives(places))
    counts = replay_lines(url, archives.lines(), origin=archives.origin)
    assert (archives.troubles.damaged, archives.troubles.repeated) == (0, 0)
    return counts


def replay_lines(url: str, lines: Iterable[Line], *, origin: str = "sandbox") -> Counts:
    require_new(url)
    replayed = Replay(url, origin)
    with closing(replayed):
        replayed.run(lines, _refuse)
    return replayed.counts


def _refuse(line: Line, error: LineError) -> None:
    raise AssertionError(f"line {line.number} is left out: {error}")


def content(url: str) -> dict[str, list[dict[str, Any]]]:
    """Read all rows of all tables, sorted; ids that a database gives become what they mean."""
    engine = database.create_engine_for(database.database_url(url))
    with engine.connect() as connection:
        tables = {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in Base.metadata.sorted_tables
            if table.name not in NOT_ARCHIVED
        }
    engine.dispose()
    for page in tables["crawl"]:
        page["run_id"] = None  # A replay is no run.
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


def assert_same(
    made: str, crawled: str, *, besides: Columns = ()
) -> dict[str, list[dict[str, Any]]]:
    """Compare every table of two databases, some without a column; return what is in them."""
    found, expected = content(made), content(crawled)
    for name, column in besides:
        for row in (*found[name], *expected[name]):
            del row[column]
    for name, rows in expected.items():
        assert found[name] == rows, name
    return expected


def assert_replayed(folder: CrawlFolder, *, besides: Columns = ()) -> None:
    """Replay the archive of a folder: its tables are those of the crawls."""
    url = f"sqlite:///{folder.path / 'replayed.db'}"
    replay(url, folder.path / "archive")
    assert_same(url, folder.database_url, besides=besides)


def texts(folder: Path) -> list[dict[str, Any]]:
    """Read the lines of all archives in a folder, as others read them."""
    return [
        json.loads(line)
        for path in find_archives([folder])
        for line in gzip.decompress(path.read_bytes()).splitlines()
    ]
