"""What can be wrong with a single record, and the shares of `DataBehaviour` that it happens to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.sandbox.chance import happens

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tiktok_crawler.sandbox.profile import DataBehaviour

Record = dict[str, Any]


def blemish(record: Record, rng: Random, behaviour: DataBehaviour) -> None:
    """Change the record in place, each blemish in its share of all records."""
    for share, spoil in _BLEMISHES.items():
        if happens(rng, getattr(behaviour, share)):
            spoil(record)


def _lower_case_region(record: Record) -> None:
    """As seen in a quarter of some answers (API.md 13.12)."""
    record["region_code"] = record["region_code"].lower()


def _add_nul_characters(record: Record) -> None:
    """In the middle of names, inside lists and in a key (API.md 1.18)."""
    username = record["username"]
    record["username"] = f"{username[:3]}\0{username[3:]}"
    record["hashtag_names"] = [f"{name}\0" for name in record.get("hashtag_names", ["nul"])]
    record["video_label"] = {"type": 0, "content": "\0", "so\0urce": "unknown"}


def _add_lone_surrogate(record: Record) -> None:
    """Half of an emoji, as if the text had been cut in the middle of it."""
    record["video_description"] += " \ud83d"


def _ids_as_strings(record: Record) -> None:
    for name in {"id", "music_id", "playlist_id"} & record.keys():
        record[name] = str(record[name])


def _add_unknown_fields(record: Record) -> None:
    record["content_origin"] = {"kind": "reply", "levels": [1, {"of": None}]}
    record["is_longform"] = record["video_duration"] > 60  # noqa: PLR2004 - a minute


def _remove_create_time(record: Record) -> None:
    del record["create_time"]


def _null_for_missing(record: Record) -> None:
    for name in VIDEO_QUERY.fields:
        record.setdefault(name)


def _remove_id(record: Record) -> None:
    del record["id"]


_BLEMISHES: dict[str, Callable[[Record], None]] = {
    "lower_case_regions": _lower_case_region,
    "nul_characters": _add_nul_characters,
    "lone_surrogates": _add_lone_surrogate,
    "ids_as_strings": _ids_as_strings,
    "unknown_fields": _add_unknown_fields,
    "without_create_time": _remove_create_time,
    "nulls": _null_for_missing,
    "without_id": _remove_id,
}
"""In this order: a removed `create_time` can come back as null."""
