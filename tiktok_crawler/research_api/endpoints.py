"""The endpoints of the Research API: paths, fields, limits and the quota that they draw on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from tiktok_crawler.research_api.paging import PAGING_KEYS, Paging

if TYPE_CHECKING:
    from collections.abc import Mapping


DEFAULT_URL = "https://open.tiktokapis.com"
"""Base of every endpoint (api_facts.md 1.1)."""

TOKEN_PATH = "/v2/oauth/token/"  # noqa: S105
"""Where a client access token is got with a form POST (api_facts.md 2)."""


class Pool(StrEnum):
    """Requests that share a daily quota (api_facts.md 12)."""

    RESEARCH = "research"
    FOLLOW = "follow"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint; `max_count` is the largest page.

    `fields` are those that can be asked for; none if the endpoint takes no such parameter.
    `unasked` are other keys that its records may have.
    `records_keys` are the names under which `data` may have its records. Where there are none,
    `data` itself is the record, and has at least one of `object_keys`.
    """

    path: str
    fields: tuple[str, ...]
    max_count: int
    records_keys: tuple[str, ...] = ()
    object_keys: frozenset[str] = frozenset()
    pool: Pool = Pool.RESEARCH
    paging: Paging = Paging.INDEX
    unasked: tuple[str, ...] = ()

    @property
    def record_keys(self) -> tuple[str, ...]:
        """The keys that its records are documented, or were seen, to have."""
        return (*self.fields, *self.unasked)

    def url(self, base: str, fields: tuple[str, ...]) -> str:
        """The URL to post to; fields go into the URL's query string (api_facts.md 1.7)."""
        query = f"?{urlencode({'fields': ','.join(fields)}, safe=',')}" if fields else ""
        return f"{base.rstrip('/')}{self.path}{query}"

    def usable(self, data: object) -> dict[str, Any] | None:
        """The `data` object of an answer, unless it has no list where its records should be."""
        if not isinstance(data, dict):
            return None
        has_lists = all(isinstance(data.get(key), list | None) for key in self.records_keys)
        return data if has_lists else None

    def misnamed(self, data: Mapping[str, Any] | None) -> list[str]:
        """The keys of lists that stand in `data` where none of its own records do."""
        if not data or not self.records_keys or not data.keys().isdisjoint(self.records_keys):
            return []
        return sorted(key for key, value in data.items() if isinstance(value, list) and value)

    def records_of(self, data: Mapping[str, Any] | None) -> tuple[Any, ...]:
        """The records in a `data` object, as they came; a list that is missing is empty."""
        if not data:
            return ()
        if not self.records_keys:
            record = {key: value for key, value in data.items() if key not in PAGING_KEYS}
            return (record,) if self.object_keys & record.keys() else ()
        lists = (data.get(key) for key in self.records_keys)
        return tuple(next((r for r in lists if isinstance(r, list) and r), ()))

    def is_answered_by(self, data: Mapping[str, Any] | None) -> bool:
        """Whether a usable `data` object says all that it must: also whether there is more."""
        if data is None:
            return False
        if self.paging in (Paging.SINGLE, Paging.NUMBERED):
            return bool(self.records_keys or self.records_of(data))
        return isinstance(data.get("has_more"), bool)


VIDEO_QUERY = Endpoint(
    path="/v2/research/video/query/",
    fields=(
        "id",
        "video_description",
        "create_time",
        "region_code",
        "share_count",
        "view_count",
        "like_count",
        "comment_count",
        "music_id",
        "hashtag_names",
        "username",
        "effect_ids",
        "playlist_id",
        "voice_to_text",
        "is_stem_verified",
        "favorites_count",
        "video_duration",
        "hashtag_info_list",
        "sticker_info_list",
        "effect_info_list",
        "video_mention_list",
        "video_label",
        "video_tag",
    ),
    records_keys=("videos",),
    max_count=100,
)
"""Search of videos (api_facts.md 3)."""

COMMENT_LIST = Endpoint(
    path="/v2/research/video/comment/list/",
    fields=(
        "id",
        "video_id",
        "text",
        "like_count",
        "reply_count",
        "parent_comment_id",
        "create_time",
    ),
    records_keys=("comments",),
    max_count=100,
    unasked=("display_name",),
)
"""Comments of a video, or replies to a comment; `display_name` comes unasked (api_facts.md 4)."""

USER_INFO = Endpoint(
    path="/v2/research/user/info/",
    fields=(
        "display_name",
        "bio_description",
        "avatar_url",
        "is_verified",
        "follower_count",
        "following_count",
        "likes_count",
        "video_count",
        "bio_url",
    ),
    object_keys=frozenset({"display_name", "bio_description", "follower_count", "video_count"}),
    max_count=1,
    paging=Paging.SINGLE,
    unasked=("username",),
)
"""The profile of a user, live (api_facts.md 5)."""

USER_VIDEO_FIELDS = tuple(
    name
    for name in VIDEO_QUERY.fields
    if name not in ("effect_ids", "playlist_id", "voice_to_text")
)
"""What lists of a user's videos tell of a video; spelled as in searches (api_facts.md 3.1, 6)."""

LIKED_VIDEOS = Endpoint(
    path="/v2/research/user/liked_videos/",
    fields=USER_VIDEO_FIELDS,
    records_keys=("user_liked_videos",),
    max_count=100,
    paging=Paging.OPAQUE,
)
"""The videos that a user likes, where that is public (api_facts.md 6)."""

PINNED_VIDEOS = Endpoint(
    path="/v2/research/user/pinned_videos/",
    fields=USER_VIDEO_FIELDS,
    records_keys=("pinned_videos_list",),
    max_count=100,
    paging=Paging.SINGLE,
)
"""The videos that a user has pinned (api_facts.md 7)."""

REPOSTED_VIDEOS = Endpoint(
    path="/v2/research/user/reposted_videos/",
    fields=USER_VIDEO_FIELDS,
    records_keys=("reposted_videos", "user_reposted_videos"),
    max_count=100,
)
"""The videos that a user has reposted; its key is spelled in two ways (api_facts.md 8)."""

FOLLOWERS = Endpoint(
    path="/v2/research/user/followers/",
    fields=(),
    records_keys=("user_followers",),
    max_count=100,
    pool=Pool.FOLLOW,
    paging=Paging.FALLING,
    unasked=("username", "display_name"),
)
"""Who follows a user, newest first (api_facts.md 9)."""

FOLLOWING = Endpoint(
    path="/v2/research/user/following/",
    fields=(),
    records_keys=("user_following",),
    max_count=100,
    pool=Pool.FOLLOW,
    paging=Paging.FALLING,
    unasked=("username", "display_name"),
)
"""Whom a user follows, newest first (api_facts.md 9)."""

PLAYLIST_INFO = Endpoint(
    path="/v2/research/playlist/info/",
    fields=(),
    object_keys=frozenset({"playlist_id", "playlist_name", "playlist_video_ids"}),
    max_count=100,
    unasked=(
        "playlist_id",
        "playlist_name",
        "playlist_item_total",
        "playlist_last_updated",
        "playlist_video_ids",
    ),
)
"""A playlist and the ids of its videos; the status may be 500 all the same (api_facts.md 10.1)."""

SHOP = Endpoint(
    path="/v2/research/tts/shop/",
    fields=("shop_name", "shop_rating", "shop_review_count", "item_sold_count", "shop_id"),
    records_keys=("shop_data",),
    max_count=10,
    paging=Paging.SINGLE,
    unasked=("shop_performance_value",),
)
"""Shops by name (api_facts.md 10.2)."""

PRODUCT = Endpoint(
    path="/v2/research/tts/product/",
    fields=(
        "product_id",
        "product_sold_count",
        "product_description",
        "product_price",
        "product_review_count",
        "product_name",
        *(f"product_rating_{stars}_count" for stars in range(1, 6)),
    ),
    records_keys=("product_data",),
    max_count=10,
    paging=Paging.NUMBERED,
    unasked=("product_rating", "shop_name"),
)
"""The products of a shop (api_facts.md 10.2)."""

REVIEW = Endpoint(
    path="/v2/research/tts/review/",
    fields=("product_name", "review_text", "review_like_count", "create_time", "review_rating"),
    records_keys=("review_data",),
    max_count=10,
    paging=Paging.NUMBERED,
    unasked=("display_name",),
)
"""The reviews of a product (api_facts.md 10.2)."""


LONGEST_WINDOW_DAYS = 31
"""The API takes at most 30 days between first and last day, both inclusive (api_facts.md 3.2)."""
