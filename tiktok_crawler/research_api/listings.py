"""What can be listed of something known: comments of a video, followers of a user, and the like.

A listing asks an endpoint about one seed - a video, a comment, a user, a playlist, a shop, a
product - and follows its pages to the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tiktok_crawler.research_api import endpoints
from tiktok_crawler.research_api.paging import Paging

if TYPE_CHECKING:
    from tiktok_crawler.research_api.endpoints import Endpoint


class SeedKey(StrEnum):
    """The key of the body that names the seed."""

    USERNAME = "username"
    VIDEO_ID = "video_id"
    COMMENT_ID = "comment_id"
    PLAYLIST_ID = "playlist_id"
    SHOP_NAME = "shop_name"
    SHOP_ID = "shop_id"
    PRODUCT_ID = "product_id"

    @property
    def is_number(self) -> bool:
        """Whether it is sent as a number; a product's id goes as text (api_facts.md 10.2, 16)."""
        return self in NUMBER_KEYS


NUMBER_KEYS = frozenset(
    {SeedKey.VIDEO_ID, SeedKey.COMMENT_ID, SeedKey.PLAYLIST_ID, SeedKey.SHOP_ID}
)


@dataclass(frozen=True, slots=True)
class Listing:
    """One kind of listing; `name` is what the ledger knows it by.

    The API may refuse cursors of `cap` and more, in place of saying that there is nothing there,
    and pages that reach across it.
    """

    name: str
    endpoint: Endpoint
    seed_key: SeedKey
    cap: int | None = None

    @property
    def has_pages(self) -> bool:
        """Whether a seed can have more records than come at once."""
        return self.endpoint.paging is not Paging.SINGLE

    def page_size(self, cursor: int) -> int:
        """How many records to ask for from a cursor on."""
        largest = self.endpoint.max_count
        if self.cap is None or cursor >= self.cap:
            return largest
        return min(largest, self.cap - cursor)

    def describe(self, seed: str) -> str:
        """A listing in words, such as `comments of video_id 7`."""
        return f"{self.name.replace('_', ' ')} of {self.seed_key} {seed}"


COMMENT_CAP = 1_000
"""Only the top comments of a video are listed (api_facts.md 4)."""

COMMENTS = Listing("comments", endpoints.COMMENT_LIST, SeedKey.VIDEO_ID, COMMENT_CAP)
REPLIES = Listing("replies", endpoints.COMMENT_LIST, SeedKey.COMMENT_ID, COMMENT_CAP)
USERS = Listing("users", endpoints.USER_INFO, SeedKey.USERNAME)
FOLLOWERS = Listing("followers", endpoints.FOLLOWERS, SeedKey.USERNAME)
FOLLOWING = Listing("following", endpoints.FOLLOWING, SeedKey.USERNAME)
LIKED_VIDEOS = Listing("liked_videos", endpoints.LIKED_VIDEOS, SeedKey.USERNAME)
PINNED_VIDEOS = Listing("pinned_videos", endpoints.PINNED_VIDEOS, SeedKey.USERNAME)
REPOSTED_VIDEOS = Listing("reposted_videos", endpoints.REPOSTED_VIDEOS, SeedKey.USERNAME)
PLAYLISTS = Listing("playlists", endpoints.PLAYLIST_INFO, SeedKey.PLAYLIST_ID)
SHOPS = Listing("shops", endpoints.SHOP, SeedKey.SHOP_NAME)
PRODUCTS = Listing("products", endpoints.PRODUCT, SeedKey.SHOP_ID)
REVIEWS = Listing("reviews", endpoints.REVIEW, SeedKey.PRODUCT_ID)

LISTINGS = {
    listing.name: listing
    for listing in (
        COMMENTS,
        REPLIES,
        USERS,
        FOLLOWERS,
        FOLLOWING,
        LIKED_VIDEOS,
        PINNED_VIDEOS,
        REPOSTED_VIDEOS,
        PLAYLISTS,
        SHOPS,
        PRODUCTS,
        REVIEWS,
    )
}
"""All listings by name."""

USER_VIDEO_LISTINGS = (LIKED_VIDEOS, PINNED_VIDEOS, REPOSTED_VIDEOS)
"""Those whose records are videos."""
