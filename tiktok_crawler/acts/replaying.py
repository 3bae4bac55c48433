"""Builds a database from archives, without a request."""

from __future__ import annotations

from os import EX_OK, EX_SOFTWARE
from pathlib import Path
from typing import TYPE_CHECKING

from tiktok_crawler.archive.reader import MOST_NAMED, Archives, find_archives
from tiktok_crawler.archive.replay import Replay, read_kept_out, require_new, take_along
from tiktok_crawler.archive.stripping import Stripper
from tiktok_crawler.config import SANDBOX_ORIGIN, Config
from tiktok_crawler.config.paths import database_in_project
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.output import show, tell
from tiktok_crawler.spelling import named, number_of
from tiktok_crawler.storage.engine import database, sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scrapy.settings import BaseSettings
    from sqlalchemy import URL

    from tiktok_crawler.archive.reader import Troubles
    from tiktok_crawler.archive.replay import Counts
    from tiktok_crawler.storage.ledger.kept_out import KeptOutList


def replay(folders: list[str], settings: BaseSettings, deleted_from: str | None) -> int:
    """Build the database from the archives in folders, and return the exit status.

    What the database at the URL `deleted_from` keeps out is kept out of the new one, too.

    Raises:
        UsageError: no folder is named.
    """
    if not folders:
        raise UsageError("name the folders of the archives, such as: scrapy replay archive")
    kept_out = _kept_out(deleted_from)
    strippers: list[Stripper] = []

    def strip() -> Callable[[bytes], bytes]:
        assert kept_out
        strippers.append(Stripper(kept_out, kept_out))
        return strippers[-1].line

    archives = Archives(find_archives(map(Path, folders)), strip if kept_out else None)
    # The archives say whose data it is: rehearsals go to the sandbox's database.
    settings.set("TIKTOK_SANDBOX", archives.origin == SANDBOX_ORIGIN, priority="cmdline")
    url = Config.of(settings).database_url
    require_new(url)
    if kept_out:
        take_along(url, archives.origin, kept_out)
    counts = _replay_into(url, archives)
    counts.left_out += sum(each.count for each in strippers)
    parsed = database.database_url(url)
    for warning in _warnings(archives, sqlite.network_file_system_warning(parsed)):
        tell(f"WARNING: {warning}")
    show("\n".join(_lines(archives, counts, parsed)))
    return EX_SOFTWARE if archives.troubles.damaged else EX_OK


def _kept_out(deleted_from: str | None) -> KeptOutList | None:
    """Read what is kept out of a database, if one is named."""
    if not deleted_from:
        return None
    url = database_in_project(deleted_from.strip())
    kept_out = read_kept_out(url)
    if kept_out is None:
        place = database.describe(database.database_url(url))
        tell(f"WARNING: --deleted-from: {place} keeps nothing out; all of the archive is replayed")
    return kept_out


def _replay_into(url: str, archives: Archives) -> Counts:
    replayed = Replay(url, archives.origin)
    try:
        replayed.run(archives.lines(), archives.troubles.leave_out)
    finally:
        replayed.close()
    return replayed.counts


def _warnings(archives: Archives, of_database: str | None) -> Iterator[str]:
    if of_database:
        yield of_database
    troubles = archives.troubles
    for damage in troubles.damages:
        yield f"{damage}; what it held is not in the database"
    if more := troubles.damaged - len(troubles.damages):
        yield f"so it is with {more:,} more, which are not named"


def _lines(archives: Archives, counts: Counts, url: URL) -> Iterator[str]:
    yield database.describe(url)
    yield f"Replayed {number_of(len(archives.paths), 'files')}, {number_of(counts.lines, 'lines')}"
    yield f"  answers    {counts.answers:,}, of which {counts.pages:,} are pages"
    yield f"  videos     {counts.videos:,} new, {counts.updated_videos:,} updated"
    if counts.records or counts.updated_records:
        yield (
            f"  records    {counts.records:,} new, {counts.updated_records:,} updated (of listings)"
        )
    if counts.left_out:
        left_out = number_of(counts.left_out, "records")
        yield f"  left out   {left_out}, as persons have asked (`scrapy delete`)"
    if counts.stray_pages:
        pages = number_of(counts.stray_pages, "pages")
        yield (
            f"  stray      {pages} before which others are missing; their windows and seeds are "
            "postponed"
        )
    if counts.lost_pages:
        pages = number_of(counts.lost_pages, "pages")
        yield f"  lost       {pages} whose answers are missing"
    yield from _of_files(archives.troubles)


def _of_files(troubles: Troubles) -> Iterator[str]:
    for path in troubles.torn[:MOST_NAMED]:
        yield f"  torn       {named(path)} has no end: its crawl was killed, or is still running"
    if (more := len(troubles.torn) - MOST_NAMED) > 0:
        yield f"  torn       {number_of(more, 'more files')}"
    if troubles.repeated:
        lines = number_of(troubles.repeated, "lines")
        yield f"  repeated   {lines} that were there before, as in copies of files"
    if troubles.damaged:
        yield f"  damaged    {number_of(troubles.damaged, 'places')}; see the warnings"
