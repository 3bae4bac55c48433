"""Says of each column of the database what it tells of a person."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Column


class Holds(StrEnum):
    """What a value tells of a person, and so what becomes of it where persons are protected."""

    NOTHING = "nothing"
    """A number, a time, or a word of the program's or the API's own."""
    NAME = "name"
    """A username, a list of them, or the name that is shown."""
    SEED = "seed"
    """A username or an id, by what is listed."""
    TEXT = "text"
    """Written or spoken by a person: names of others can stand in it."""
    LABEL = "label"
    """A few words that can be a name, such as a hashtag."""
    ADDRESS = "address"
    """Leads to the person by itself."""
    RECORD_ID = "record id"
    """Of a video, comment or playlist: it leads anyone to its author."""


HELD: Mapping[str, Mapping[str, Holds]] = {
    "video": {
        "id": Holds.RECORD_ID,
        "username": Holds.NAME,
        "region_code": Holds.NOTHING,
        "video_description": Holds.TEXT,
        "playlist_id": Holds.RECORD_ID,
        "voice_to_text": Holds.TEXT,
        "hashtag_info_list": Holds.LABEL,
        "sticker_info_list": Holds.TEXT,
        "effect_info_list": Holds.LABEL,
        "video_mention_list": Holds.NAME,
        "video_label": Holds.LABEL,
        "video_tag": Holds.LABEL,
        "extra_data": Holds.TEXT,
    },
    "hashtag": {"name": Holds.LABEL},
    "effect": {"effect_id": Holds.NOTHING},
    "query_tag": {"name": Holds.LABEL},
    "videos_to_hashtags": {"video_id": Holds.RECORD_ID},
    "videos_to_effect_ids": {"video_id": Holds.RECORD_ID},
    "videos_to_query_tags": {"video_id": Holds.RECORD_ID},
    "videos_to_crawls": {"video_id": Holds.RECORD_ID},
    "video_statistics": {"video_id": Holds.RECORD_ID},
    "video_revision": {
        "video_id": Holds.RECORD_ID,
        "field": Holds.LABEL,
        "old_value": Holds.TEXT,
    },
    "comment": {
        "id": Holds.RECORD_ID,
        "video_id": Holds.RECORD_ID,
        "parent_comment_id": Holds.RECORD_ID,
        "text": Holds.TEXT,
        "display_name": Holds.NAME,
        "extra_data": Holds.TEXT,
    },
    "user_info": {
        "username": Holds.NAME,
        "status": Holds.NOTHING,
        "display_name": Holds.NAME,
        "bio_description": Holds.TEXT,
        "avatar_url": Holds.ADDRESS,
        "bio_url": Holds.ADDRESS,
        "extra_data": Holds.TEXT,
    },
    "user_info_history": {
        "username": Holds.NAME,
        "field": Holds.LABEL,
        "old_value": Holds.TEXT,
    },
    "account": {"username": Holds.NAME, "display_name": Holds.NAME, "extra_data": Holds.TEXT},
    "user_video": {
        "username": Holds.NAME,
        "kind": Holds.NOTHING,
        "video_id": Holds.RECORD_ID,
    },
    "playlist": {"id": Holds.RECORD_ID, "name": Holds.TEXT, "extra_data": Holds.TEXT},
    "playlist_video": {"playlist_id": Holds.RECORD_ID, "video_id": Holds.RECORD_ID},
    "shop": {
        "shop_name": Holds.NAME,
        "shop_rating": Holds.NOTHING,
        "shop_performance_value": Holds.NOTHING,
        "extra_data": Holds.TEXT,
    },
    "product": {
        "id": Holds.NOTHING,
        "shop_name": Holds.NAME,
        "product_name": Holds.TEXT,
        "product_description": Holds.TEXT,
        "product_price": Holds.NOTHING,
        "product_rating": Holds.NOTHING,
        "extra_data": Holds.TEXT,
    },
    "review": {
        "product_id": Holds.NOTHING,
        "product_name": Holds.TEXT,
        "display_name": Holds.NAME,
        "review_text": Holds.TEXT,
        "review_rating": Holds.NOTHING,
        "extra_data": Holds.TEXT,
    },
    "query": {"fingerprint": Holds.ADDRESS, "canonical_json": Holds.TEXT},
    "seed": {
        "listing": Holds.NOTHING,
        "seed": Holds.SEED,
        "state": Holds.NOTHING,
        "status": Holds.NOTHING,
        "error": Holds.TEXT,
        "error_log_id": Holds.NOTHING,
    },
    "run": {
        "spider": Holds.NOTHING,
        "arguments": Holds.TEXT,
        "job": Holds.TEXT,
        "version": Holds.NOTHING,
        "close_reason": Holds.NOTHING,
        "faults": Holds.NOTHING,
        "feeds": Holds.TEXT,
        "exports": Holds.TEXT,
    },
    "import": {
        "sha256": Holds.NOTHING,
        "file": Holds.TEXT,
        "kind": Holds.NOTHING,
        "tags": Holds.LABEL,
        "queries": Holds.TEXT,
        "version": Holds.NOTHING,
        "counts": Holds.NOTHING,
    },
}
"""By table and column; each text and document of these tables has its line."""


def held_by(column: Column[Any]) -> Holds:
    """Tell what a column of the database holds.

    Raises:
        LookupError: nobody has said it yet of a new text or document.
    """
    held = HELD.get(column.table.name, {})
    if isinstance(column.type, (Text, JSON)) or hasattr(column.type, "enums"):
        return held[column.name]
    return held.get(column.name, Holds.NOTHING)
