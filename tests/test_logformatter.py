"""Log lines name pages; what people wrote is not in them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from asked import seed_request, window_request
from scrapy import Spider
from scrapy.exceptions import DropItem
from scrapy.utils.defer import deferred_f_from_coro_f
from scrapy.utils.log import (
    logformatter_adapter,
)
from scrapy.utils.test import get_crawler

from tiktok_crawler.logformatter import PageLogFormatter, describe
from tiktok_crawler.research_api.endpoints import COMMENTS
from tiktok_crawler.research_api.pages import Page
from tiktok_crawler.spelling import visible_lines

CAPTION = "a caption of ada's"
REQUEST = window_request(cursor=200)
PAGE = Page(
    request=REQUEST,
    records=({"id": 7, "video_description": CAPTION},),
    cursor=300,
    search_id=None,
    has_more=False,
    log_id=None,
    received_at=datetime(2024, 6, 1, tzinfo=UTC),
)


@dataclass
class Note:
    text: str


@pytest.mark.parametrize(
    ("item", "description"),
    [
        (PAGE, "page of 2024-01-01..2024-01-31 at cursor 200: 1 record"),
        (
            replace(PAGE, request=seed_request(COMMENTS, cursor=200)),
            "page of comments of video_id 7 at cursor 200: 1 record",
        ),
        (Note(CAPTION), "Note"),
        ({"video_description": CAPTION}, "dict"),
    ],
)
def test_an_item_is_named_without_what_is_in_it(item, description):
    assert describe(item) == description


def test_scrapy_uses_the_formatter_that_the_settings_name():
    crawler = get_crawler(
        settings_dict={"LOG_FORMATTER": "tiktok_crawler.logformatter.PageLogFormatter"}
    )

    assert isinstance(crawler.logformatter, PageLogFormatter)


def line(result):
    level, message, arguments = logformatter_adapter(result)
    return level, message % arguments


def test_each_event_has_a_line_of_its_level():
    formatter = PageLogFormatter()
    page = describe(PAGE)

    assert line(formatter.scraped(PAGE, None, None)) == (logging.DEBUG, f"Stored {page}")
    assert line(formatter.dropped(PAGE, DropItem(CAPTION), None, None)) == (
        logging.WARNING,
        f"Dropped {page}: DropItem",
    )
    assert line(formatter.item_error(PAGE, OSError(CAPTION), None, None)) == (
        logging.ERROR,
        f"Could not store {page}",
    )


class Keeps:
    def process_item(self, item):
        return item


class Drops:
    def process_item(self, item):
        raise DropItem(item)


class Fails:
    def process_item(self, item):  # noqa: ARG002 - Scrapy's signature
        raise OSError("the disk is full")


class OnePage(Spider):
    name = "one_page"

    async def start(self):
        yield PAGE


@pytest.mark.parametrize(
    ("pipeline", "words"),
    [(Keeps, "Stored page of"), (Drops, "Dropped page of"), (Fails, "Could not store page of")],
)
@deferred_f_from_coro_f
async def test_a_crawl_logs_no_record_at_debug_either(pipeline, words, caplog):
    caplog.set_level(logging.DEBUG)
    crawler = get_crawler(
        OnePage,
        {"LOG_FORMATTER": PageLogFormatter, "ITEM_PIPELINES": {pipeline: 1}},
    )

    await crawler.crawl_async()

    assert words in caplog.text
    assert CAPTION not in caplog.text


class ToldByOthers(Spider):
    name = "told_by_others"

    async def start(self):
        self.logger.warning("The API said: %(words)s", {"words": "no\x1b[2J more\x9b\u202e"})
        yield PAGE


class FailsWithTheirWords:
    def process_item(self, item):  # noqa: ARG002 - Scrapy's signature
        raise OSError("their words: \x1b]0;title\x07")


@deferred_f_from_coro_f
async def test_a_log_shows_the_words_of_others_without_control_characters(log):
    crawler = get_crawler(
        ToldByOthers,
        {
            "LOG_FORMATTER": PageLogFormatter,
            "LOG_FILE": str(log),
            "ITEM_PIPELINES": {FailsWithTheirWords: 1},
        },
    )

    await crawler.crawl_async()

    text = log.read_text()
    assert "WARNING: The API said: no�[2J more��\n" in text
    assert "OSError: their words: �]0;title�\n" in text
    assert text == visible_lines(text)
