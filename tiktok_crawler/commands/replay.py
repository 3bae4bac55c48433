"""`scrapy replay FOLDER...`: a database from archives, without a request."""

from __future__ import annotations

import os
import sys
from os import EX_OK, EX_SOFTWARE, EX_TEMPFAIL
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand
from sqlalchemy.exc import DBAPIError

from tiktok_crawler import config
from tiktok_crawler.archive.reader import Archives, find_archives
from tiktok_crawler.archive.replay import Replay
from tiktok_crawler.commands import fail
from tiktok_crawler.exceptions import CrawlerError, UsageError
from tiktok_crawler.storage.engine import database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from datetime import timedelta

    from scrapy.settings import BaseSettings
    from sqlalchemy import URL

    from tiktok_crawler.archive.counts import Counts

AGAIN = "replay the same folders again to go on"


class Command(ScrapyCommand):
    """Needs neither credentials nor the API; what the database knows already is left as it is."""

    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        return "[options] <folder> ..."

    def short_desc(self) -> str:
        return "Build or complete a database from the archives that crawls have written"

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        # A database that is made here is its owner's alone.
        os.umask(0o077)
        super().process_options(args, opts)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:  # noqa: ARG002 - Scrapy's
        assert self.settings
        try:
            self.exitcode = _replay(args, self.settings)
        except CrawlerError as exc:
            fail(exc.exit_status, str(exc))
        except DBAPIError as exc:
            fail(EX_SOFTWARE, f"the database failed: {exc.orig}; {AGAIN}")
        except KeyboardInterrupt:
            fail(EX_TEMPFAIL, f"interrupted; {AGAIN}")


def _replay(folders: list[str], settings: BaseSettings) -> int:
    if not folders:
        raise UsageError("name the folders of the archives, such as: scrapy replay archive")
    archives = Archives(find_archives(map(Path, folders)))
    origin = archives.origin()
    # The archives say whose data it is: rehearsals go to the sandbox's database.
    is_sandbox = origin == config.SANDBOX_ORIGIN
    settings.set("TIKTOK_SANDBOX", is_sandbox, priority="cmdline")
    url = database.database_url(config.database_url(settings))
    counts = _replay_into(url, archives, origin, id_skew=config.id_skew(settings))
    for warning in _warnings(archives, database.network_file_system_warning(url)):
        print(f"WARNING: {warning}", file=sys.stderr)  # noqa: T201 - this is the command line
    print("\n".join(_lines(archives, counts, url)))  # noqa: T201 - this is the output
    return EX_SOFTWARE if archives.damages else EX_OK


def _replay_into(url: URL, archives: Archives, origin: str, *, id_skew: timedelta) -> Counts:
    engine = database.create_engine_for(url)
    try:
        database.prepare(engine, origin)
        replay = Replay(engine, id_skew=id_skew)
        try:
            replay.run(archives.lines())
        finally:
            replay.close()
    finally:
        engine.dispose()
    return replay.counts


def _warnings(archives: Archives, of_database: str | None) -> Iterator[str]:
    if of_database:
        yield of_database
    for damage in archives.damages:
        yield f"{damage}; what it held is not in the database"


def _lines(archives: Archives, counts: Counts, url: URL) -> Iterator[str]:
    yield f"Replayed {len(archives.paths):,} files, {counts.lines:,} lines"
    yield f"  answers    {counts.answers:,}, of which {counts.pages:,} are pages"
    yield f"  pages      {counts.new_pages:,} new, {counts.known_pages:,} known already"
    yield (
        f"  videos     {counts.new_videos:,} new, {counts.updated_videos:,} updated, "
        f"{counts.filled_videos:,} filled in"
    )
    if counts.new_records or counts.updated_records or counts.filled_records:
        yield (
            f"  records    {counts.new_records:,} new, {counts.updated_records:,} updated, "
            f"{counts.filled_records:,} filled in (of listings)"
        )
    if counts.outdated_pages:
        yield f"  left out   {counts.outdated_pages:,} pages that the crawl asked for once more"
    if counts.stray_pages:
        yield (
            f"  stray      {counts.stray_pages:,} pages before which others are missing; their "
            "windows are parked"
        )
    if counts.stray_list_pages:
        yield (
            f"  stray      {counts.stray_list_pages:,} pages of listings before which others are "
            "missing; their seeds stay where these are missing"
        )
    for path in archives.torn:
        yield f"  torn       {path} has no end: its crawl was killed, or is still running"
    if archives.damages:
        yield f"  damaged    {len(archives.damages):,} places; see the warnings"
    yield f"  data       {database.describe(url)}"
