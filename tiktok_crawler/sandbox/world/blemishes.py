"""Blemishes that a single record can have, and the shares of `DataBehaviour` that have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tiktok_crawler.sandbox.world.chance import happens

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tiktok_crawler.sandbox.faults.profile import DataBehaviour

Record = dict[str, Any]
Fields = tuple[str, ...]

_NAMES = ("username", "display_name", "text", "playlist_name", "shop_name", "product_name")
_TEXTS = (
    "video_description",
    "text",
    "bio_description",
    "playlist_name",
    "product_description",
    "review_text",
    "shop_name",
    "display_name",
)


def blemish(record: Record, rng: Random, behaviour: DataBehaviour, fields: Fields) -> None:
    """Change a record of any kind in place, each blemish in its share of all records.

    `fields` are those that a record of its kind may have.
    """
    for share, spoil in _BLEMISHES.items():
        if happens(rng, getattr(behaviour, share)):
            spoil(record, fields)


def _lower_case_region(record: Record, _: Fields) -> None:
    """As seen in a quarter of some answers (api_facts.md 13.12)."""
    if "region_code" in record:
        record["region_code"] = record["region_code"].lower()


def _add_nul_characters(record: Record, fields: Fields) -> None:
    """Inside names and texts; in videos also in lists and in a key (api_facts.md 1.18)."""
    for name in _NAMES:
        if name in record:
            record[name] = f"{record[name][:3]}\0{record[name][3:]}"
    if "video_label" in fields:
        record["hashtag_names"] = [f"{name}\0" for name in record.get("hashtag_names", ["nul"])]
        record["video_label"] = {"type": 0, "content": "\0", "so\0urce": "unknown"}


def _add_lone_surrogate(record: Record, _: Fields) -> None:
    """Half of an emoji, as if the text had been cut in the middle of it."""
    for name in [name for name in _TEXTS if name in record][:1]:
        record[name] += " \ud83d"


def _ids_as_strings(record: Record, _: Fields) -> None:
    for name in record:
        if name == "id" or name.endswith("_id"):
            record[name] = str(record[name])
        elif name == "playlist_video_ids":
            record[name] = [str(number) for number in record[name]]


def _add_unknown_fields(record: Record, _: Fields) -> None:
    record["content_origin"] = {"kind": "reply", "levels": [1, {"of": None}]}
    record["is_longform"] = record.get("video_duration", 0) > 60  # noqa: PLR2004 - a minute


def _null_for_missing(record: Record, fields: Fields) -> None:
    for name in fields:
        record.setdefault(name)


_BLEMISHES: dict[str, Callable[[Record, Fields], object]] = {
    "lower_case_regions": _lower_case_region,
    "nul_characters": _add_nul_characters,
    "lone_surrogates": _add_lone_surrogate,
    "ids_as_strings": _ids_as_strings,
    "unknown_fields": _add_unknown_fields,
    "without_create_time": lambda record, _: record.pop("create_time", None),
    "nulls": _null_for_missing,
    "without_id": lambda record, _: record.pop("id", None),
}
"""In this order: a removed `create_time` can come back as null."""
