"""The endpoints of the Research API, and what is listed with them: each is declared here once.

A listing asks an endpoint about one seed - a video, a comment, a user, a playlist, a shop, a
product - and follows its pages to the end.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from tiktok_crawler.research_api.paging import PAGING_KEYS, Paging
from tiktok_crawler.spelling import visible

if TYPE_CHECKING:
    from collections.abc import Mapping


DEFAULT_URL = "https://open.tiktokapis.com"
"""Base of every endpoint (api_facts.md 1.1)."""

TOKEN_PATH = "/v2/oauth/token/"  # noqa: S105 - a path
"""The path for getting a client access token with a form POST (api_facts.md 2)."""


class Pool(StrEnum):
    """Requests that share a daily quota (api_facts.md 12)."""

    RESEARCH = "research"
    FOLLOW = "follow"


MOST_PAGES_IN_ONE = 10
"""A page with more records than so many of the largest is none."""

REMOVED = "removed"
"""The key of what this program has put in the place of a record that was deleted."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint; `max_count` is the largest page.

    `fields` are those that can be asked for; none if the endpoint takes no such parameter.
    `unasked` are other keys that its records may have; `fields_in_body` says that fields stand in
    the body as well, since documentation shows them in both places (api_facts.md 1.7). `count_key`
    says in a body how large a page is wanted. `withholds_with_403`: a refusal with that status is
    an answer. `records_keys` are the names under which `data` may have its records. Where there are
    none, `data` itself is the record, and has at least one of `object_keys`; those in `list_keys`
    are lists. `answers_with_file`: what goes well is answered with text in place of JSON.
    """

    path: str
    fields: tuple[str, ...]
    max_count: int
    records_keys: tuple[str, ...] = ()
    object_keys: frozenset[str] = frozenset()
    list_keys: tuple[str, ...] = ()
    pool: Pool = Pool.RESEARCH
    paging: Paging = Paging.INDEX
    unasked: tuple[str, ...] = ()
    count_key: str | None = "max_count"
    fields_in_body: bool = False
    withholds_with_403: bool = False
    answers_with_file: bool = False

    @property
    def record_keys(self) -> tuple[str, ...]:
        """The keys that its records are documented, or were seen, to have."""
        return (*self.fields, *self.unasked)

    def url(self, base: str, fields: tuple[str, ...]) -> str:
        """The URL to post to; fields go into the URL's query string (api_facts.md 1.7)."""
        query = f"?{urlencode({'fields': ','.join(fields)}, safe=',')}" if fields else ""
        return f"{base.rstrip('/')}{self.path}{query}"

    def mistyped(self, data: object) -> str:
        """Say in words what of `data` is neither missing nor what it has to be; empty if nothing.

        An empty list in place of the object is what some servers make of one without keys.
        """
        if not isinstance(data, dict):
            return f"data is {_type_words(data)}, not an object" if data not in (None, []) else ""
        wrong = (
            f"{key} is {_type_words(data[key])}, not a list"
            for key in (*self.records_keys, *self.list_keys)
            if not isinstance(data.get(key), list | None)
        )
        return next(wrong, "") or self._overfull(data)

    def _overfull(self, data: Mapping[str, Any]) -> str:
        """Say that there is more than ten times what a page can have; of unpaged lists nothing."""
        most = MOST_PAGES_IN_ONE * self.max_count
        found = max((len(data.get(key) or ()) for key in self.records_keys), default=0)
        if self.paging is Paging.SINGLE or found <= most:
            return ""
        return f"a page of {found:,} records, where at most {self.max_count} were asked for"

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
            return (record,) if (self.object_keys | {REMOVED}) & record.keys() else ()
        lists = (data.get(key) for key in self.records_keys)
        return tuple(next((r for r in lists if isinstance(r, list) and r), ()))

    def is_answered_by(self, data: Mapping[str, Any] | None) -> bool:
        """Tell whether a usable `data` object says all it must, including whether there is more."""
        if data is None:
            return False
        if self.paging in (Paging.SINGLE, Paging.NUMBERED):
            return bool(self.records_keys or self.records_of(data))
        return isinstance(data.get("has_more"), bool)


def _type_words(value: object) -> str:
    """The type of a JSON value, in words."""
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
    return "a list" if isinstance(value, list) else "an object"


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
    def is_id(self) -> bool:
        return self.endswith("_id")

    @property
    def is_number(self) -> bool:
        """True if it is sent as a number; a product's id is text (api_facts.md 10.2)."""
        return self.is_id and self is not SeedKey.PRODUCT_ID

    @property
    def is_told_by_videos(self) -> bool:
        """True if stored videos name such seeds, or are such seeds."""
        return self is SeedKey.VIDEO_ID or self in VIDEO_QUERY.fields

    @property
    def argument(self) -> str:
        """The argument of a spider that names seeds."""
        return f"{self}s"

    @property
    def noun(self) -> str:
        """What such seeds are, in the plural."""
        name = self.removesuffix("_id").replace("_", " ")
        return "users" if self is SeedKey.USERNAME else f"{name}s"

    @property
    def limit_argument(self) -> str:
        """The argument for how many records of a seed are wanted."""
        return f"max_per_{self.removesuffix('name').removesuffix('id').removesuffix('_')}"


@dataclass(frozen=True, slots=True)
class Listing:
    """One kind of listing; `name` is that of its spider, and what the ledger knows it by.

    The API may refuse cursors of `cap` and more, in place of saying that there is nothing there,
    and pages that reach across it; it lists no more than `most_records`, and has been seen to end
    lists that go on with `ends_from` of them, if that is less. Of videos with fewer comments than
    `min_comment_count` nothing is listed, unless an argument says otherwise. `records_noun` is what
    the records are called in the plural, where the name does not say it.
    `found_by` is the listing whose records are the seeds of this one; without a spider
    (`has_spider`) this one is a switch of that one's. In a feed, `seed_column` has the seed; the
    columns of an `edge` have the user that is the seed, and the user that is the record.
    """

    name: str
    endpoint: Endpoint
    seed_key: SeedKey
    _: KW_ONLY
    cap: int | None = None
    most_records: int | None = None
    ends_from: int | None = None
    records_noun: str | None = None
    min_comment_count: int | None = None
    found_by: Listing | None = None
    has_spider: bool = True
    seed_column: str | None = None
    edge: tuple[str, str] | None = None

    @property
    def words(self) -> str:
        return self.name.replace("_", " ")

    @property
    def noun(self) -> str:
        """What its records are, in the plural."""
        return self.records_noun or self.words

    @property
    def has_pages(self) -> bool:
        """True if a seed can have more records than come at once."""
        return self.endpoint.paging is not Paging.SINGLE

    @property
    def limit_argument(self) -> str | None:
        """The argument for how many records of a seed are wanted; None if all come at once."""
        return self.seed_key.limit_argument if self.has_pages else None

    @property
    def counts_by_cursor(self) -> bool:
        """True if cursors tell how many things came: a playlist's pages are records with ids."""
        return self.has_pages and not self.endpoint.records_keys

    @property
    def switches(self) -> dict[str, Listing]:
        """The listings of what this one lists that are collected with it if that is wanted."""
        listings = LISTINGS.values()
        return {one.name: one for one in listings if one.found_by is self and not one.has_spider}

    def page_size(self, cursor: int) -> int:
        """Return the number of records to ask for from a cursor on."""
        largest = self.endpoint.max_count
        if self.cap is None or cursor >= self.cap:
            return largest
        return min(largest, self.cap - cursor)

    def may_end_at_limit(self, cursor: int, received: int) -> bool:
        """Tell whether a list that ends here may have more than the API gives of it.

        Where the API refuses cursors from a cap on, the cursor is there; a list that goes beyond
        has been given to its end.
        """
        if self.cap is not None:
            return cursor == self.cap
        least = self.ends_from or self.most_records
        return least is not None and received >= least

    def describe(self, seed: str) -> str:
        """A listing in words, such as `comments of video_id 7`."""
        return f"{self.words} of {self.seed_key} {visible(seed)}"


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

LONGEST_WINDOW_DAYS = 31
"""The API takes at most 30 days between first and last day, both inclusive (api_facts.md 3.2)."""

COMMENT_CAP = 1_000
"""Only the top comments of a video are listed (api_facts.md 4)."""

COMMENTS = Listing(
    "comments",
    Endpoint(
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
    ),
    SeedKey.VIDEO_ID,
    cap=COMMENT_CAP,
    most_records=COMMENT_CAP,
    min_comment_count=1,
)
"""Comments of a video; `display_name` comes unasked (api_facts.md 4)."""

REPLIES = Listing(
    "replies",
    COMMENTS.endpoint,
    SeedKey.COMMENT_ID,
    cap=COMMENT_CAP,
    most_records=COMMENT_CAP,
    found_by=COMMENTS,
    has_spider=False,
)
"""Replies to a comment (api_facts.md 4)."""

USERS = Listing(
    "users",
    Endpoint(
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
        count_key=None,
    ),
    SeedKey.USERNAME,
    seed_column="username",
    records_noun="profiles",
)
"""The profile of a user, live (api_facts.md 5)."""

FOLLOWERS = Listing(
    "followers",
    Endpoint(
        path="/v2/research/user/followers/",
        fields=(),
        records_keys=("user_followers",),
        max_count=100,
        pool=Pool.FOLLOW,
        paging=Paging.FALLING,
        unasked=("username", "display_name"),
    ),
    SeedKey.USERNAME,
    most_records=5_000,
    ends_from=4_000,
    edge=("followed", "follower"),
)
"""The followers of a user, newest first; only the latest are listed (api_facts.md 9)."""

FOLLOWING = Listing(
    "following",
    Endpoint(
        path="/v2/research/user/following/",
        fields=(),
        records_keys=("user_following",),
        max_count=100,
        pool=Pool.FOLLOW,
        paging=Paging.FALLING,
        unasked=("username", "display_name"),
    ),
    SeedKey.USERNAME,
    edge=("follower", "followed"),
    records_noun="accounts",
)
"""Whom a user follows, newest first (api_facts.md 9)."""

USER_VIDEO_FIELDS = tuple(
    name
    for name in VIDEO_QUERY.fields
    if name not in ("effect_ids", "playlist_id", "voice_to_text")
)
"""Video fields that the lists of a user's videos can have (api_facts.md 6); spelled as in 3.1."""

LIKED_VIDEOS = Listing(
    "liked_videos",
    Endpoint(
        path="/v2/research/user/liked_videos/",
        fields=USER_VIDEO_FIELDS,
        records_keys=("user_liked_videos",),
        max_count=100,
        paging=Paging.OPAQUE,
        withholds_with_403=True,
    ),
    SeedKey.USERNAME,
    seed_column="listed_by",
    records_noun="videos",
)
"""The videos that a user likes, where that is public; with which body 403 comes is not known
(api_facts.md 6)."""

PINNED_VIDEOS = Listing(
    "pinned_videos",
    Endpoint(
        path="/v2/research/user/pinned_videos/",
        fields=USER_VIDEO_FIELDS,
        records_keys=("pinned_videos_list",),
        max_count=100,
        paging=Paging.SINGLE,
        count_key=None,
    ),
    SeedKey.USERNAME,
    seed_column="listed_by",
    records_noun="videos",
)
"""The videos that a user has pinned (api_facts.md 7)."""

REPOSTED_VIDEOS = Listing(
    "reposted_videos",
    Endpoint(
        path="/v2/research/user/reposted_videos/",
        fields=USER_VIDEO_FIELDS,
        records_keys=("reposted_videos", "user_reposted_videos"),
        max_count=100,
    ),
    SeedKey.USERNAME,
    seed_column="listed_by",
    records_noun="videos",
)
"""The videos that a user has reposted; its key is spelled in two ways (api_facts.md 8)."""

PLAYLISTS = Listing(
    "playlists",
    Endpoint(
        path="/v2/research/playlist/info/",
        fields=(),
        object_keys=frozenset({"playlist_id", "playlist_name", "playlist_video_ids"}),
        list_keys=("playlist_video_ids",),
        max_count=100,
        unasked=(
            "playlist_id",
            "playlist_name",
            "playlist_item_total",
            "playlist_last_updated",
            "playlist_video_ids",
        ),
    ),
    SeedKey.PLAYLIST_ID,
    records_noun="videos",
)
"""A playlist and the ids of its videos; the status may be 500 all the same (api_facts.md 10.1)."""

SHOPS = Listing(
    "shops",
    Endpoint(
        path="/v2/research/tts/shop/",
        fields=("shop_name", "shop_rating", "shop_review_count", "item_sold_count", "shop_id"),
        records_keys=("shop_data",),
        max_count=10,
        paging=Paging.SINGLE,
        unasked=("shop_performance_value",),
        count_key="limit",
        fields_in_body=True,
    ),
    SeedKey.SHOP_NAME,
    most_records=10,
)
"""Shops by name, ten at most: there are no pages (api_facts.md 10.2)."""

PRODUCTS = Listing(
    "products",
    Endpoint(
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
        count_key="page_size",
        fields_in_body=True,
    ),
    SeedKey.SHOP_ID,
    found_by=SHOPS,
    seed_column="shop_id",
)
"""The products of a shop (api_facts.md 10.2)."""

REVIEWS = Listing(
    "reviews",
    Endpoint(
        path="/v2/research/tts/review/",
        fields=(
            "product_name",
            "review_text",
            "review_like_count",
            "create_time",
            "review_rating",
        ),
        records_keys=("review_data",),
        max_count=10,
        paging=Paging.NUMBERED,
        unasked=("display_name",),
        count_key="page_size",
        fields_in_body=True,
    ),
    SeedKey.PRODUCT_ID,
    found_by=PRODUCTS,
    seed_column="product_id",
)
"""The reviews of a product (api_facts.md 10.2)."""

LISTINGS = {one.name: one for one in tuple(globals().values()) if isinstance(one, Listing)}
"""All listings by name, as they are declared above."""


def _of_checks(path: str, **values: Any) -> Endpoint:
    return Endpoint(
        f"/v2/research/{path}/",
        fields=(),
        max_count=1,
        paging=Paging.SINGLE,
        count_key=None,
        **values,
    )


CREATE_CHECK = _of_checks("validation_task/create", object_keys=frozenset({"task_id"}))
CHECK_STATUS = _of_checks("validation_task_status/get", object_keys=frozenset({"task_status"}))
CHECK_FILE = _of_checks("validation_task/download", answers_with_file=True)
"""The steps of a check of existence (api_facts.md 10.3)."""
