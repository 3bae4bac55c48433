"""Playlists, and which videos are in them (api_facts.md 10.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tiktok_crawler.research_api.endpoints import PLAYLISTS
from tiktok_crawler.research_api.paging import PAGING_KEYS
from tiktok_crawler.storage.models.records import Playlist, PlaylistVideo
from tiktok_crawler.storage.records.field_readers import integer, nothing, positive_id, text
from tiktok_crawler.storage.records.leaving_out import removed_number
from tiktok_crawler.storage.records.links import Link
from tiktok_crawler.storage.records.record_type import Listed, RecordType
from tiktok_crawler.storage.records.shape import Shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tiktok_crawler.storage.engine.statements import Values
    from tiktok_crawler.storage.records.links import StoredPage

VIDEO_IDS = "playlist_video_ids"


def _without_videos(record: dict[str, Any]) -> dict[str, Any]:
    """A record without what belongs to its page: cursors, and usable video ids."""
    kept = {key: value for key, value in record.items() if key not in PAGING_KEYS}
    items = kept.get(VIDEO_IDS)
    if isinstance(items, list):
        kept[VIDEO_IDS] = [item for item in items if not _is_place(item)] or None
    return kept


def listed_videos(records: Sequence[Any]) -> list[int | None]:
    """The videos on a page of a playlist, in their order; None in the place of one left out."""
    lists = (record.get(VIDEO_IDS) for record in records if isinstance(record, dict))
    items = [item for items in lists if isinstance(items, list) for item in items]
    places = dict.fromkeys((positive_id(item), removed_number(item)) for item in items)
    return [id_ for id_, number in places if (id_, number) != (None, None)]


def _is_place(item: Any) -> bool:
    return positive_id(item) is not None or removed_number(item) is not None


def _videos(stored: StoredPage) -> Iterator[Values]:
    first = stored.page.request.place.cursor + 1
    places = list(enumerate(listed_videos(stored.page.records), start=first))
    keys = [key for key in stored.keys if key is not None]
    return ((key, id_, place) for key in keys for place, id_ in places if id_ is not None)


_SHAPE = Shape(
    "playlist",
    {
        "playlist_name": text,
        "playlist_item_total": integer,
        "playlist_last_updated": integer,
        VIDEO_IDS: nothing,
    },
    id_keys=("playlist_id",),
)

PLAYLIST = RecordType(
    _SHAPE,
    Playlist.__table__,
    renamed={
        "playlist_name": "name",
        "playlist_item_total": "item_total",
        "playlist_last_updated": "last_updated",
    },
    identify=lambda record, seed: _SHAPE.id_of(record) or seed,
    without_links=_without_videos,
)

LISTED = {
    PLAYLISTS: Listed(
        PLAYLIST,
        links=(Link(PlaylistVideo.__table__, _videos),),
        known_total=Playlist.__table__.c.item_total,
        counted_by=PlaylistVideo.__table__.c.playlist_id,
    )
}
