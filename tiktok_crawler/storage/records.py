"""Reads the API's video objects into the values of columns (API.md 3.7). Pure.

Nothing that was delivered is lost: what has no column, or does not fit its column, goes to
`extra_data` under its key. Only a record without a usable id is refused.
"""

from __future__ import annotations

import reprlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tiktok_crawler.storage.text import Cleaner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_INT64 = 2**63 - 1
MAX_INT64_DIGITS = 19
MAX_TIME = 2**32 - 1
"""The upper half of a video's id is its time (API.md 3.7), so no time is larger than that."""

MAX_NAME_BYTES = 2000
"""Names are in an index, and PostgreSQL's takes no entry above 2,704 bytes."""

MAX_CHARACTER_BYTES = 4
"""In UTF-8."""

ID_KEYS = ("id", "video_id")
"""Documentation and answers differ (API.md 16)."""

NAME_KEYS = ("hashtag_names", "effect_ids")
"""Lists of text that have tables of their own."""

JSON_WORDS = {
    bool: "a boolean",
    dict: "an object",
    float: "a number",
    int: "a number",
    list: "a list",
    str: "text",
    type(None): "null",
}


@dataclass(frozen=True, slots=True)
class Video:
    """What a record says of a video: nothing stands here that was not delivered.

    `values` are by column; `names` are the hashtags and the effects by key.
    """

    id: int
    values: dict[str, Any] = field(default_factory=dict)
    names: dict[str, frozenset[str]] = field(default_factory=dict)
    extra_data: dict[str, Any] = field(default_factory=dict)

    def followed_by(self, later: Video) -> Video:
        """What two records of one page say: the same as if they had come on two pages."""
        return Video(
            self.id,
            self.values | later.values,
            self.names | later.names,
            self.extra_data | later.extra_data,
        )


@dataclass(slots=True)
class Videos:
    """The videos of a page by id, and what has to be said about its records.

    `refused` has a line for each record that cannot be stored, `misfits` one for each value that
    does not fit its column; `unknown_fields` are the keys that have no column.
    """

    by_id: dict[int, Video] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    unknown_fields: set[str] = field(default_factory=set)
    misfits: list[str] = field(default_factory=list)
    cleaned_count: int = 0

    def names(self, key: str) -> set[str]:
        """All hashtags, or all effects, of the page."""
        return {name for video in self.by_id.values() for name in video.names.get(key, ())}


def read_videos(records: Iterable[Any]) -> Videos:
    """Read the records of a page, each of which should be an object but may be any JSON."""
    videos, cleaner = Videos(), Cleaner()
    for number, record in enumerate(map(cleaner.clean, records), start=1):
        video_id = _video_id(record)
        if video_id is None:
            videos.refused.append(f"record {number} of its page has no usable id: {_ids(record)}")
            continue
        video = _read(video_id, record, videos)
        earlier = videos.by_id.get(video_id)
        videos.by_id[video_id] = earlier.followed_by(video) if earlier else video
    videos.cleaned_count = cleaner.count
    return videos


def _video_id(record: Any) -> int | None:
    if not isinstance(record, dict):
        return None
    ids = (_id(record.get(key)) for key in ID_KEYS)
    return next((id_ for id_ in ids if id_ is not None and id_ > 0), None)


def _ids(record: Any) -> str:
    """What a record has instead of an id, for a message."""
    if not isinstance(record, dict):
        return f"it is {_word(record)}"
    return reprlib.repr({key: record[key] for key in ID_KEYS if key in record})


def _read(video_id: int, record: dict[str, Any], videos: Videos) -> Video:
    """Put each value of a record where it belongs."""
    video = Video(video_id)
    for key, value in record.items():
        # Null says as much as a missing key (API.md 1.17).
        if value is None:
            continue
        read = READERS.get(key)
        fitting = read(value) if read else None
        if fitting is not None:
            video.values[key] = fitting
        elif key in NAME_KEYS and isinstance(value, list):
            _take_names(video, key, value, videos)
        elif key not in ID_KEYS or _id(value) != video_id:
            _keep_aside(video, key, value, videos)
    return video


def _take_names(video: Video, key: str, items: list[Any], videos: Videos) -> None:
    names = list(filter(_is_name, items))
    video.names[key] = frozenset(names)
    if len(names) < len(items):
        others = [item for item in items if not _is_name(item)]
        _keep_aside(video, key, others, videos)


def _keep_aside(video: Video, key: str, value: Any, videos: Videos) -> None:
    video.extra_data[key] = value
    if key in FIELDS:
        videos.misfits.append(f"{key} of video {video.id}: {_word(value)}")
    else:
        videos.unknown_fields.add(key)


def _word(value: Any) -> str:
    return JSON_WORDS[type(value)]


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and (
        len(value) <= MAX_NAME_BYTES // MAX_CHARACTER_BYTES or len(value.encode()) <= MAX_NAME_BYTES
    )


def _integer(value: Any) -> int | None:
    # A boolean is an int to isinstance.
    return value if type(value) is int and -MAX_INT64 <= value <= MAX_INT64 else None


def _id(value: Any) -> int | None:
    """Ids may be digits in text."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return _integer(int(value)) if len(value) <= MAX_INT64_DIGITS else None
    return _integer(value)


def _time(value: Any) -> datetime | None:
    seconds = _integer(value)
    if seconds is None or not 0 < seconds <= MAX_TIME:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _region(value: Any) -> str | None:
    """Regions are sometimes in lower case (API.md 3.3)."""
    return value.upper() if isinstance(value, str) else None


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _structure(value: Any) -> list[Any] | dict[str, Any] | None:
    return value if isinstance(value, list | dict) else None


READERS: dict[str, Callable[[Any], Any]] = {
    "video_description": _text,
    "create_time": _time,
    "region_code": _region,
    "share_count": _integer,
    "view_count": _integer,
    "like_count": _integer,
    "comment_count": _integer,
    "favorites_count": _integer,
    "music_id": _id,
    "playlist_id": _id,
    "username": _text,
    "voice_to_text": _text,
    "is_stem_verified": _boolean,
    "video_duration": _integer,
    "hashtag_info_list": _structure,
    "sticker_info_list": _structure,
    "effect_info_list": _structure,
    "video_mention_list": _structure,
    "video_label": _structure,
    "video_tag": _structure,
}
"""How the value of each column is read; None if it does not fit."""

FIELDS = {*READERS, *NAME_KEYS, *ID_KEYS}
