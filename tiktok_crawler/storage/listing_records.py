"""Reads the records on the pages of listings (api_facts.md 4 to 10). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tiktok_crawler.research_api import endpoints
from tiktok_crawler.research_api.paging import PAGING_KEYS
from tiktok_crawler.storage.engine.text import clean_text
from tiktok_crawler.storage.models.base import UserStatus
from tiktok_crawler.storage.models.column_types import dump_json
from tiktok_crawler.storage.records.field_readers import positive_id
from tiktok_crawler.storage.records.record_type import (
    ACCOUNT,
    COMMENT,
    PLAYLIST,
    PRODUCT,
    REVIEW,
    SHOP,
    USER,
    RecordType,
)
from tiktok_crawler.storage.records.shape import Record, Records, read_records

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tiktok_crawler.research_api.pages import Page

VIDEO_IDS = "playlist_video_ids"
REVIEW_KEYS = ("product_id", "display_name", "create_time", "review_rating", "review_text")
"""What tells reviews of a product apart; only the number of likes is expected to change."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What a listing brings: a kind of record.

    `seed_column` holds the seed, where a record does not say it itself; `identify` gives the id of
    a record that may have none, from the record and the seed.
    """

    kind: RecordType
    seed_column: str | None = None
    identify: Callable[[Any, dict[str, Any]], Any] | None = None


def _review_id(seed: Any, record: Mapping[str, Any]) -> int:
    """63 bits of a fingerprint."""
    identity = dump_json([seed, *map(record.get, REVIEW_KEYS)])
    return int.from_bytes(sha256(identity.encode()).digest()[:8]) >> 1


def _seed_or_own_id(seed: Any, record: dict[str, Any]) -> Any:
    return PLAYLIST.shape.id_of(record) or seed


LISTED = {
    endpoints.COMMENTS.name: Listed(COMMENT, seed_column="video_id"),
    endpoints.REPLIES.name: Listed(COMMENT, seed_column="parent_comment_id"),
    endpoints.USERS.name: Listed(USER, identify=lambda seed, _record: seed),
    endpoints.FOLLOWERS.name: Listed(ACCOUNT),
    endpoints.FOLLOWING.name: Listed(ACCOUNT),
    endpoints.PLAYLISTS.name: Listed(PLAYLIST, identify=_seed_or_own_id),
    endpoints.SHOPS.name: Listed(SHOP),
    endpoints.PRODUCTS.name: Listed(PRODUCT, seed_column="shop_id"),
    endpoints.REVIEWS.name: Listed(REVIEW, seed_column="product_id", identify=_review_id),
}


def read_listing(page: Page) -> Records:
    """Read the records of a page whose records are no videos."""
    listed = LISTED[page.request.seed.listing.name]
    seed = seed_value(page)
    identify = partial(listed.identify, seed) if listed.identify else None
    records = page.records
    if listed.kind is PLAYLIST:
        records = tuple(map(_playlist, records))
    read = read_records(records, listed.kind.shape, identify)
    for record in read.by_id.values():
        if listed.seed_column:
            record.values.setdefault(listed.seed_column, seed)
        if listed.kind is USER:
            record.values["status"] = UserStatus.FOUND.value
    return read


def refused_user(username: str, status: UserStatus) -> Record:
    """What is known of a user whose profile the API does not give."""
    return Record(clean_text(username), {"status": status.value})


def seed_value(page: Page) -> Any:
    """The seed of a page, as columns hold it."""
    seed = page.request.seed
    is_number = seed.listing.seed_key.is_number
    return int(seed.key) if is_number else clean_text(seed.key)


def playlist_video_ids(page: Page) -> list[int]:
    """The videos on a page of a playlist, in their order."""
    lists = (r.get(VIDEO_IDS) for r in page.records if isinstance(r, dict))
    ids = (positive_id(item) for items in lists if isinstance(items, list) for item in items)
    return list(dict.fromkeys(id_ for id_ in ids if id_ is not None))


def _playlist(record: Any) -> Any:
    """A record of a playlist without what belongs to its page: cursors, and usable video ids."""
    if not isinstance(record, dict):
        return record
    kept = {key: value for key, value in record.items() if key not in PAGING_KEYS}
    items = kept.get(VIDEO_IDS)
    if isinstance(items, list):
        kept[VIDEO_IDS] = [item for item in items if positive_id(item) is None] or None
    return kept
