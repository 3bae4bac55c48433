"""Checks which stored videos and comments still exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tiktok_crawler.arguments import check_arguments
from tiktok_crawler.spiders.check_runner import CheckRunner
from tiktok_crawler.spiders.research import ResearchSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from datetime import timedelta

    from scrapy import Request

    from tiktok_crawler.config import Config


class ComplianceSpider(ResearchSpider):
    """Asks TikTok's Batch Compliance API about videos and comments: first those that are missing.

    What was not confirmed for `max_age` is checked again, spread over the nights.

    Arguments: max_age, max_requests.
    """

    name = check_arguments.SPIDER

    def __init__(
        self,
        config: Config,
        arguments: Mapping[str, str],
        max_age: timedelta | None,
        max_requests: int | None,
    ):
        super().__init__(config, arguments, max_requests=max_requests)
        self.max_age = max_age

    @classmethod
    def read(cls, config: Config, given: dict[str, str]) -> tuple[Any, ...]:  # noqa: ARG003
        return given, *check_arguments.read(given)

    async def requests(self) -> AsyncIterator[Request]:
        async for request in CheckRunner(self.crawler).requests(self.max_age):
            yield request
