"""`scrapy crawl`, with an exit status that tells how it ended, and a summary."""

from __future__ import annotations

import logging
import shlex
import sys
from os import EX_CONFIG, EX_OK, EX_SOFTWARE, EX_TEMPFAIL, EX_USAGE
from typing import TYPE_CHECKING, NoReturn

from scrapy.commands.crawl import Command as CrawlCommand
from scrapy.exceptions import UsageError
from scrapy.spiderloader import get_spider_loader
from scrapy.utils.conf import feed_process_params_from_cli

from tiktok_crawler.clock import utc_now
from tiktok_crawler.commands import Checked
from tiktok_crawler.config import Config
from tiktok_crawler.crawling.components import extension, item_pipeline
from tiktok_crawler.crawling.hiding import holds_secret
from tiktok_crawler.crawling.notice import NOTICE
from tiktok_crawler.crawling.refusal import crawl_refused
from tiktok_crawler.exceptions import CrawlerError
from tiktok_crawler.extensions.delay_queue import DelayQueue
from tiktok_crawler.extensions.feed_checks import check_setting
from tiktok_crawler.extensions.outcome import Outcome
from tiktok_crawler.output import fail, show, tell
from tiktok_crawler.spelling import did_you_mean, nearest, quoted, shortened
from tiktok_crawler.storage.engine.database import database_url, describe

if TYPE_CHECKING:
    import argparse
    import asyncio
    from collections.abc import Sequence
    from datetime import datetime

    from scrapy.crawler import Crawler

    from tiktok_crawler.query_file.collection import Collection

logger = logging.getLogger(__name__)


class Command(Checked, CrawlCommand):
    """Scrapy's own command exits 0 on nearly everything."""

    _refusal: CrawlerError | None = None

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "-h",
            "--help",
            action="store_true",
            help="show this, with the arguments of the spider that is named",
        )
        self._parser = parser

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        if opts.help:
            self._help(args)
        feeds, opts.output, opts.overwrite_output = (opts.output, opts.overwrite_output), None, None
        super().process_options(args, opts)
        self._name_database(args)
        if any(feeds):
            self._set_feeds(*feeds)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        assert self.crawler_process
        crawler = self._create_crawler(args[0])
        crawler.signals.connect(self._refused, signal=crawl_refused)
        task = self.crawler_process.crawl(crawler, **opts.spargs)
        self.crawler_process.start()
        self.exitcode = self._conclude(crawler, task)  # type: ignore[arg-type]

    def _set_feeds(self, added: list[str], replaced: list[str]) -> None:
        """Read -o and -O as Scrapy does; what is wrong with a feed has one exit status."""
        assert self.settings
        try:
            check_setting(self.settings)
            feeds = feed_process_params_from_cli(self.settings, added, overwrite_output=replaced)
        except (CrawlerError, UsageError) as exc:
            fail(EX_CONFIG, str(exc))
        self.settings.set("FEEDS", feeds, priority="cmdline")

    def _help(self, args: list[str]) -> NoReturn:
        from tiktok_crawler.arguments.spider_help import (  # noqa: PLC0415 - slow to load
            arguments_text,
            spiders_text,
        )

        assert self.settings
        spiders = get_spider_loader(self.settings).list()
        about = arguments_text(_spider_name(args, sorted(spiders))) if args else spiders_text()
        show(f"{about}\n\n{self._parser.format_help()}")
        raise SystemExit(EX_OK)

    def _name_database(self, args: list[str]) -> None:
        """Say first where the data goes, and refuse what no crawl could work with."""
        assert self.settings
        loader = get_spider_loader(self.settings)
        spider = loader.load(_spider_name(args, sorted(loader.list())))
        settings = self.settings.copy()
        spider.update_settings(settings)
        try:
            location = describe(database_url(Config.of(settings).database_url))
        except CrawlerError as exc:
            fail(exc.exit_status, str(exc))
        tell(location)

    def _refused(self, error: CrawlerError) -> None:
        self._refusal = error

    def _conclude(self, crawler: Crawler, task: asyncio.Task[None]) -> int:
        if not task.done():  # a second Ctrl-C
            self._say("Ended at once; what was stored is safe. Run again to go on", NOTICE)
            return EX_TEMPFAIL
        error = task.exception() or self._refusal
        if isinstance(error, CrawlerError):
            self._say(f"error: {error}", logging.ERROR)
            return error.exit_status
        if error is not None:
            logger.critical("The crawl could not start", exc_info=error)
            return EX_SOFTWARE
        return self._summarize(crawler)

    def _summarize(self, crawler: Crawler) -> int:
        from tiktok_crawler.pipelines.storage import StoragePipeline  # noqa: PLC0415 - slow to load
        from tiktok_crawler.reports.summary import Summary  # noqa: PLC0415 - slow to load

        pipeline, spider = item_pipeline(crawler, StoragePipeline), crawler.spider
        storage, searches = pipeline.storage, tuple(pipeline.search_ends())
        # Without any result the database could not be read any more: the log has the error.
        if storage.results or not searches:
            stages = getattr(spider, "stages", ())
            listed = tuple((stage, storage.stage_results.get(stage)) for stage in stages)
            stats, waits_until = crawler.stats.get_stats(), _waits_until(crawler)
            summary = Summary(
                searches,
                listed,
                stats,
                storage.location,
                waits_until,
                storage.checks_result,
                extension(crawler, Outcome).spent_shares,
            )
            command = _command(getattr(spider, "collections", ()))
            self._say(summary.text(command=command, now=utc_now()), NOTICE)
        return extension(crawler, Outcome).exit_status

    def _say(self, text: str, level: int) -> None:
        """The last words, where the user looks: the terminal, and the log if that is a file."""
        tell(text)
        assert self.settings
        if self.settings["LOG_FILE"]:
            logger.log(level, "%(text)s", {"text": text})


def _spider_name(args: list[str], spiders: list[str]) -> str:
    if files := [arg for arg in args if arg.endswith((".yaml", ".yml", ".json"))]:
        file = shortened(files[0].removeprefix("query="))
        way = f"scrapy crawl videos -a query={shlex.quote(file)}"
        fail(EX_USAGE, f"a query file goes behind -a: {way}")
    if len(args) != 1:
        fail(EX_USAGE, f"name one spider to crawl, of: {', '.join(spiders)}")
    if args[0] not in spiders:
        hint = did_you_mean(nearest(args[0], spiders)) or "."
        fail(
            EX_USAGE,
            f"there is no spider {quoted(args[0])}{hint} Spiders: {', '.join(spiders)}",
        )
    return args[0]


def _waits_until(crawler: Crawler) -> datetime | None:
    return extension(crawler, DelayQueue).would_wait_until


def _command(collections: Sequence[Collection]) -> str | None:
    """The command that goes on, with the same days on any day, unless it holds a password."""
    if any(holds_secret(argument) for argument in sys.argv):
        return None
    words = _without(sys.argv[1:], ("probes=",))
    if len(collections) == 1 and collections[0].begins_relative:
        [collection] = collections
        words = _without(words, ("start_date=", "end_date="))
        words += ["-a", f"start_date={collection.dates.start}"]
        words += ["-a", f"end_date={collection.dates.end}"]
    return shlex.join(["scrapy", "crawl", *words])


def _without(words: list[str], arguments: tuple[str, ...]) -> list[str]:
    """The words without `-a NAME=VALUE`, or `-aNAME=VALUE`, of these names."""
    kept: list[str] = []
    for word in words:
        if not word.removeprefix("-a").startswith(arguments):
            kept.append(word)
        elif kept[-1:] == ["-a"]:
            kept.pop()
    return kept
