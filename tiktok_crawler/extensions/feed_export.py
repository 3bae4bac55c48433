"""Feed exports (`-O videos.jsonl`) with one line a record, though an item is a page."""

from __future__ import annotations

import logging
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy.exceptions import NotConfigured
from scrapy.extensions.feedexport import FeedExporter, FeedSlot, apply_uri_params
from sqlalchemy import make_url

from tiktok_crawler.crawling.components import config_of, extension
from tiktok_crawler.crawling.hiding import hide_secrets, without_login
from tiktok_crawler.crawling.refusal import refusing
from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.extensions import feed_checks
from tiktok_crawler.extensions.outcome import Outcome
from tiktok_crawler.items import feed_items, line_of
from tiktok_crawler.query_file.argument_lists import named_file
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.pages import Page
from tiktok_crawler.spelling import named
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.open_files import NAMES_BESIDE
from tiktok_crawler.storage.records.all_types import LISTED
from tiktok_crawler.storage.records.video import SEARCHED

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from scrapy import Item, Spider
    from scrapy.crawler import Crawler
    from sqlalchemy import URL

    from tiktok_crawler.research_api.endpoints import Listing

logger = logging.getLogger(__name__)


class RecordFeedExporter(FeedExporter):
    """Scrapy's feed exporter, given the records of a page one by one, after the page is stored.

    Scrapy switches itself off where a feed cannot be written, or fails at the first record: here
    every feed is checked and tried before the first request.
    """

    def __init__(self, crawler: Crawler):
        self._told: set[str] = set()
        self._something_came = False
        hide_secrets(crawler.settings)
        if not (crawler.settings["FEEDS"] or crawler.settings["FEED_URI"]):
            raise NotConfigured
        feed_checks.check_setting(crawler.settings)
        with feed_checks.refused():
            super().__init__(crawler)
        self.files: list[Path] = []
        taken = _files_of(crawler)
        for template, options in self.feeds.items():
            with feed_checks.refused(template):
                self._check(template, options, taken)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        with refusing(crawler):
            return super().from_crawler(crawler)

    def item_scraped(self, item: Any, spider: Spider) -> None:
        try:
            for line in _lines(item, spider):
                self._something_came = True
                super().item_scraped(line, spider)
        except Exception as exc:  # noqa: BLE001 - feeds go to storages of many kinds
            self._failed(exc)

    async def _close_slot(self, slot: FeedSlot, spider: Spider) -> None:
        if not self._something_came and not slot.store_empty and slot.batch_id == 1:
            self._say_nothing_came(slot)
        # Only the log has a use for it now.
        slot.uri = without_login(slot.uri)
        try:
            await super()._close_slot(slot, spider)
        except Exception as exc:  # noqa: BLE001 - feeds go to storages of many kinds
            self._failed(exc)

    def _storage_supported(self, uri: str, feed_options: dict[str, Any]) -> bool:  # noqa: ARG002
        return True  # like the two below, Scrapy's check, in place of which is `_check`

    def _exporter_supported(self, format_: str) -> bool:  # noqa: ARG002
        return True

    def _settings_are_valid(self) -> bool:
        return True

    def _check(self, template: str, options: dict[str, Any], taken: dict[Path, str]) -> None:
        spider = self.crawler.spider
        assert spider
        columns = line_of(_listing(spider)).item_class
        feed_checks.check_address(template, self.storages)
        feed_checks.check_format(options, self.exporters)
        if config_of(self.crawler).csv_guard:
            feed_checks.guard(options, self.exporters)
        feed_checks.check_batches(template, options)
        feed_checks.check_columns(options["fields"], columns.fields)
        uri = self._first_uri(template, options)
        with feed_checks.library_needed(uri):
            slot = self._start_new_batch(1, uri, options, spider, template)
            feed_checks.check_storage(slot.storage, spider)
        path = feed_checks.local_path(slot.storage)
        trial = feed_checks.written_by(slot, columns)
        if path is None:
            return
        feed_checks.check_place(path)
        if other := taken.get(path.resolve()):
            raise ConfigurationError(f"{named(path)} is {other}")
        taken[path.resolve()] = "another feed"
        self.files.append(path)
        if not options.get("overwrite") and path.is_file() and path.stat().st_size:
            feed_checks.check_addition(slot, path, trial)

    def _first_uri(self, template: str, options: dict[str, Any]) -> str:
        assert self.crawler.spider
        params = self._get_uri_params(self.crawler.spider, options["uri_params"])
        try:
            return apply_uri_params(template, params)
        except KeyError as exc:
            raise ConfigurationError(
                f"nothing is known to put in place of %({exc.args[0]})s: time, batch_time, "
                "batch_id and attributes of the spider, such as name, can stand there"
            ) from None

    def _say_nothing_came(self, slot: FeedSlot) -> None:
        if extension(self.crawler, Outcome).error:
            return
        path = feed_checks.local_path(slot.storage)
        is_there = path is not None and path.is_file()
        listing = _listing(slot.spider)
        brought = LISTED[listing] if listing else SEARCHED
        url = database.database_url(config_of(self.crawler).database_url)
        logger.warning(
            "%(feed)s %(stays)s: this run collected nothing new, and a feed has what one run "
            "collected. All that is stored is in table %(table)s of the %(database)s "
            "(docs/operations.md, Feeds, says how it is written to a file)",
            {
                "feed": without_login(slot.uri),
                "stays": "stays as it is" if is_there else "was not written",
                "table": brought.type.table.name,
                "database": database.describe(url),
            },
        )

    def _failed(self, exc: Exception) -> None:
        """Scrapy would lose the exception; `extensions/outcome.py` looks at the statistic."""
        self.crawler.stats.inc_value("feedexport/failed_count/RecordFeedExporter")
        if str(exc) in self._told:
            return  # each further record fails on the same
        self._told.add(str(exc))
        reason = exc.strerror if isinstance(exc, OSError) else None
        logger.error(
            "A feed could not be written; the pages are in the database%(reason)s. Mend that, and "
            "write it from there, as docs/operations.md (Feeds) says",
            {"reason": f": {reason}" if reason else ""},
            exc_info=None if reason else exc,
        )


def _files_of(crawler: Crawler) -> dict[Path, str]:
    """The files that a feed would destroy, and what they are."""
    config, arguments = config_of(crawler), getattr(crawler.spider, "arguments", {})
    collections = getattr(crawler.spider, "collections", ())
    url = make_url(config.database_url)
    lists = (
        *map(named_file, arguments.values()),
        *chain.from_iterable(each.lists for each in collections),
    )
    files = (
        (config.secrets_file, "the secrets file"),
        *((path, "the database") for path in _files_of_database(url)),
        (arguments.get("query"), "the query file"),
        *((each.path, "the query file") for each in collections),
        *((path, "a list that is read") for path in lists),
        (crawler.settings["LOG_FILE"], "the log"),
    )
    return {Path(path).expanduser().resolve(): what for path, what in files if path}


def _files_of_database(url: URL) -> list[str]:
    """The file of SQLite, and what it has beside; of PostgreSQL nothing."""
    if url.get_backend_name() != "sqlite":
        return []
    return [f"{url.database}{ending}" for ending in ("", *NAMES_BESIDE)]


def _listing(spider: Spider) -> Listing | None:
    """What the spider is for, if that is not to search."""
    return getattr(spider, "listing", None)


def _lines(item: object, spider: Spider) -> Iterable[Item]:
    """Yield the records of what the spider is for: what it also collects has other columns."""
    endpoint = getattr(_listing(spider), "endpoint", VIDEO_QUERY)
    if isinstance(item, Page) and item.request.endpoint is endpoint:
        return feed_items(item)
    return ()
