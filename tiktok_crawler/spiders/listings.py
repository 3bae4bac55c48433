"""Collects what the API lists of users, videos, playlists, shops and products."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from tiktok_crawler.arguments import listing_arguments
from tiktok_crawler.arguments.tag_argument import queries_with
from tiktok_crawler.clock import utc_now
from tiktok_crawler.config import Config
from tiktok_crawler.crawling.notice import NOTICE
from tiktok_crawler.reports.tag_report import shared_tag
from tiktok_crawler.spiders.research import ResearchSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from typing import ClassVar

    from scrapy import Request

    from tiktok_crawler.arguments.listing_arguments import GivenStages
    from tiktok_crawler.config import Config
    from tiktok_crawler.research_api.endpoints import Listing
    from tiktok_crawler.storage.ledger.queries import UsedQuery


logger = logging.getLogger(__name__)


class ListingSpider(ResearchSpider):
    """Works off one listing of many seeds; `listing_arguments` knows the arguments of each."""

    listing: ClassVar[Listing]

    def __init__(
        self,
        config: Config,
        arguments: Mapping[str, str],
        given: GivenStages,
        queries: Sequence[UsedQuery] = (),
    ):
        super().__init__(config, arguments, max_requests=given.max_requests)
        self.stages = given.stages
        self.tags = given.tags
        shared = shared_tag(given.from_tag, queries)
        self._beginning = (*([shared] if shared else []), *given.notes)

    @classmethod
    def read(cls, config: Config, given: dict[str, str]) -> tuple[Any, ...]:
        asked = listing_arguments.read(cls.listing, given, today=utc_now().date())
        return given, asked, queries_with(asked.from_tag, config)

    async def requests(self) -> AsyncIterator[Request]:
        for beginning in self._beginning:
            logger.log(NOTICE, "%(beginning)s", {"beginning": beginning})
        for stage in self.stages:
            async for request in self.list_stage(stage):
                yield request


def spider_of(listing: Listing) -> type[ListingSpider]:
    """The spider of a listing, by whose name `scrapy crawl` finds it."""
    about = f"Collects {listing.words} by {listing.seed_key.argument}."
    about += "".join(f" With {name}=1 also their {name}." for name in listing.switches)
    attributes = {"name": listing.name, "listing": listing, "__doc__": about}
    return type(
        f"{listing.words.title().replace(' ', '')}Spider",
        (ListingSpider,),
        attributes | {"__module__": __name__},
    )


SPIDERS = {name: spider_of(listing) for name, listing in listing_arguments.SPIDERS.items()}
globals().update({spider.__name__: spider for spider in SPIDERS.values()})
