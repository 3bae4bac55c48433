"""The project's own components in a crawl."""

from __future__ import annotations

import pytest
from scrapy.utils.defer import deferred_f_from_coro_f
from scrapy.utils.test import get_crawler

from tiktok_crawler.crawling.components import extension, item_pipeline
from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.extensions.delay_queue import DelayQueue


class Keeps:
    def process_item(self, item):
        return item


async def crawled(**overrides):
    """A crawl that asked for nothing, with what Scrapy built for it."""
    crawler = get_crawler(settings_dict=overrides)
    await crawler.crawl_async()
    return crawler


@deferred_f_from_coro_f
async def test_components_are_those_that_scrapy_built():
    crawler = await crawled(EXTENSIONS={DelayQueue: 0}, ITEM_PIPELINES={Keeps: 0})

    assert extension(crawler, DelayQueue) is crawler.get_extension(DelayQueue)
    assert item_pipeline(crawler, Keeps) is crawler.get_item_pipeline(Keeps)


@deferred_f_from_coro_f
async def test_a_component_that_is_switched_off_is_named_with_its_setting():
    crawler = await crawled(EXTENSIONS={DelayQueue: None}, ITEM_PIPELINES={Keeps: None})

    with pytest.raises(ConfigurationError, match=r"delay_queue\.DelayQueue .* EXTENSIONS"):
        extension(crawler, DelayQueue)
    with pytest.raises(ConfigurationError, match=r"\.Keeps .* ITEM_PIPELINES"):
        item_pipeline(crawler, Keeps)
