"""Collects what the API lists of users, videos, playlists, shops and products."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tiktok_crawler.arguments import listing_arguments
from tiktok_crawler.clock import utc_now
from tiktok_crawler.config import Config
from tiktok_crawler.research_api import listings
from tiktok_crawler.spiders.research import ResearchSpider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import ClassVar, Self

    from scrapy import Request
    from scrapy.crawler import Crawler

    from tiktok_crawler.arguments.listing_arguments import GivenStages
    from tiktok_crawler.research_api.listings import Listing


class ListingSpider(ResearchSpider):
    """Works off one listing of many seeds; `listing_arguments` knows the arguments of each."""

    listing: ClassVar[Listing]

    def __init__(self, config: Config, given: GivenStages):
        super().__init__(config, max_requests=given.max_requests)
        self.stages = given.stages
        self.tags = given.tags

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:  # noqa: ARG003
        """Build the spider from its `-a` arguments.

        Raises:
            UsageError: an argument is unknown, missing or malformed.
            ConfigurationError: a query file or a setting cannot be used.
        """
        config = Config.of_crawl(crawler.settings)
        given = listing_arguments.read(cls.listing, kwargs, today=utc_now().date())
        return super().from_crawler(crawler, config, given)

    async def requests(self) -> AsyncIterator[Request]:
        for stage in self.stages:
            async for request in self.list_stage(stage):
                yield request


class CommentsSpider(ListingSpider):
    """Comments of videos; with replies=1 also the replies to comments that have some."""

    name = "comments"
    listing = listings.COMMENTS


class UsersSpider(ListingSpider):
    """Profiles of users, as they are now."""

    name = "users"
    listing = listings.USERS


class FollowersSpider(ListingSpider):
    """Who follows users."""

    name = "followers"
    listing = listings.FOLLOWERS


class FollowingSpider(ListingSpider):
    """Whom users follow."""

    name = "following"
    listing = listings.FOLLOWING


class LikedVideosSpider(ListingSpider):
    """Videos that users like, where they let everybody see that."""

    name = "liked_videos"
    listing = listings.LIKED_VIDEOS


class PinnedVideosSpider(ListingSpider):
    """Videos that users have pinned."""

    name = "pinned_videos"
    listing = listings.PINNED_VIDEOS


class RepostedVideosSpider(ListingSpider):
    """Videos that users have reposted."""

    name = "reposted_videos"
    listing = listings.REPOSTED_VIDEOS


class PlaylistsSpider(ListingSpider):
    """Playlists, and which videos are in them."""

    name = "playlists"
    listing = listings.PLAYLISTS


class ShopsSpider(ListingSpider):
    """Shops by name."""

    name = "shops"
    listing = listings.SHOPS


class ProductsSpider(ListingSpider):
    """Products of shops."""

    name = "products"
    listing = listings.PRODUCTS


class ReviewsSpider(ListingSpider):
    """Reviews of products."""

    name = "reviews"
    listing = listings.REVIEWS
