"""Compares what is stored of a video with what a page says of it. Pure.

Values are as both databases take them: times as SQLite writes them, which sort as text, and JSON as
text. None is what was not delivered.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from tiktok_crawler.storage.models.column_types import dump_json
from tiktok_crawler.storage.records.comparison import is_same, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    Ids = tuple[int, ...]
    Counters = tuple[int | None, ...]

COUNTERS = ("like_count", "comment_count", "share_count", "view_count", "favorites_count")
VALUES = (
    "create_time",
    "username",
    "region_code",
    "video_description",
    "music_id",
    "playlist_id",
    "voice_to_text",
    "is_stem_verified",
    "video_duration",
)
DOCUMENTS = (
    "hashtag_info_list",
    "sticker_info_list",
    "effect_info_list",
    "video_mention_list",
    "video_label",
    "video_tag",
)
LINKS = ("hashtag_names", "effect_ids")

BOOLEANS = frozenset({"is_stem_verified"})
"""SQLite has them as numbers."""


class VideoState(NamedTuple):
    """A video as it is stored, or as one page has it: then `crawled_at` is when the page came.

    The tuples are in the order of the names above; `links` are the sorted ids of the names.
    """

    id: int
    crawled_at: str
    crawled_updated_at: str | None
    extra_data: str | None
    counters: Counters
    values: tuple[Any, ...]
    documents: tuple[str | None, ...]
    links: tuple[Ids | None, ...]

    @property
    def changed_at(self) -> str:
        """When the page came that last changed it."""
        return self.crawled_updated_at or self.crawled_at


class Change(NamedTuple):
    """What a page does to a video: what was stored, None of a new one; what it says; the result."""

    before: VideoState | None
    seen: VideoState
    after: VideoState

    @property
    def id(self) -> int:
        return self.after.id

    @property
    def is_late(self) -> bool:
        """Whether the page came before the one that last changed the video."""
        return self.before is not None and is_late(self.before, self.seen)

    @property
    def is_rewrite(self) -> bool:
        """Whether the row of a video that was there becomes another one."""
        return self.before is not None and self.before != self.after

    @property
    def is_update(self) -> bool:
        """Whether values or links of a video that was there became others."""
        return self.before is not None and _content(self.before) != _content(self.after)

    @property
    def has_counters(self) -> bool:
        """Whether the page has any of the video's counters."""
        return any(counter is not None for counter in self.seen.counters)

    @property
    def new_counters(self) -> Counters | None:
        """All counters from this page on, if it is not late and changes one."""
        before = self.before.counters if self.before else (None,) * len(COUNTERS)
        counters = self.after.counters
        return None if self.is_late or counters == before else counters

    def links(self, place: int) -> tuple[Ids, Ids]:
        """The ids before and after, by their place in `LINKS`."""
        before = self.before.links[place] if self.before else None
        return before or (), self.after.links[place] or ()


class Reading(NamedTuple):
    """The counters of a video from some time on, and the page that brought them."""

    observed_at: str
    crawl_id: int
    counters: Counters


def is_late(stored: VideoState, seen: VideoState) -> bool:
    """Whether the page came before the one that last changed the video."""
    return seen.crawled_at < stored.changed_at


def repeats(stored: VideoState, seen: VideoState) -> bool:
    """Whether a page says again what is stored, so that there is nothing to write."""
    return not is_late(stored, seen) and (
        _agree(stored.counters, seen.counters)
        and _agree(stored.values, seen.values)
        and _agree(stored.documents, seen.documents)
        and _agree(stored.links, seen.links)
        and seen.extra_data in (None, stored.extra_data)
    )


def changed(stored: VideoState, seen: VideoState) -> Change:
    """What a page does to a video that is stored: new values win, and late ones only fill gaps."""
    merge = _preceded if is_late(stored, seen) else _followed
    return Change(stored, seen, merge(stored, seen))


def _preceded(stored: VideoState, seen: VideoState) -> VideoState:
    # As if the late page had come first. Where there are no links, none may have been delivered.
    first = seen._replace(links=tuple(ids or () for ids in seen.links))
    second = stored._replace(links=tuple(ids or None for ids in stored.links))
    state = _followed(first, second)
    return state._replace(
        crawled_at=min(stored.crawled_at, seen.crawled_at),
        crawled_updated_at=stored.crawled_updated_at or state.crawled_updated_at,
    )


def _followed(stored: VideoState, seen: VideoState) -> VideoState:
    state = stored._replace(
        counters=_latest(stored.counters, seen.counters),
        values=_latest(stored.values, seen.values),
        documents=tuple(map(_latest_document, stored.documents, seen.documents)),
        extra_data=joined(stored.extra_data, seen.extra_data),
        links=_latest(stored.links, seen.links),
    )
    return state if state == stored else state._replace(crawled_updated_at=seen.crawled_at)


def replaced_values(before: VideoState, after: VideoState) -> Iterator[tuple[str, str]]:
    """The fields, other than counters and links, that lost a value, and the value as JSON."""
    for field, old, new in zip(VALUES, before.values, after.values, strict=True):
        if old is not None and old != new:
            yield field, dump_json(bool(old) if field in BOOLEANS else old)
    for field, old, new in zip(DOCUMENTS, before.documents, after.documents, strict=True):
        if old is not None and old != new:
            yield field, old
    if before.extra_data and before.extra_data != after.extra_data:
        new_data = json.loads(str(after.extra_data))
        for key, old in json.loads(before.extra_data).items():
            if not is_same(old, new_data[key]):
                yield f"extra_data.{key}", dump_json(old)


def with_reading(series: Iterable[Reading], late: Reading) -> list[Reading]:
    """A series of readings with another one at its place.

    What a reading does not know it takes from the one before, and only one that changes something
    stays. At the same time, the one that was there already counts.
    """
    result: list[Reading] = []
    known: Counters = (None,) * len(COUNTERS)
    for reading in sorted([late, *series], key=lambda reading: reading.observed_at):
        counters = _latest(known, reading.counters)
        if counters != known:
            if result and result[-1].observed_at == reading.observed_at:
                result.pop()
            result.append(reading._replace(counters=counters))
        known = counters
    return result


def _content(state: VideoState) -> VideoState:
    """A state whenever it came."""
    return state._replace(crawled_at="", crawled_updated_at=None)


def _agree(old: Sequence[Any], new: Sequence[Any]) -> bool:
    return old == new or all(n is None or n == o for o, n in zip(old, new, strict=True))


def _latest(old: tuple[Any, ...], new: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple([o if n is None else n for o, n in zip(old, new, strict=True)])


def _latest_document(old: str | None, new: str | None) -> str | None:
    if new is None or old is None or old == new:
        return old if new is None else new
    return old if is_same(json.loads(old), json.loads(new)) else new
