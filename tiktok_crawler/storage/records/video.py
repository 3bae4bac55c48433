"""Videos: of searches, and of the lists that users have (api_facts.md 3.7, 6 to 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.research_api.endpoints import LIKED_VIDEOS, PINNED_VIDEOS, REPOSTED_VIDEOS
from tiktok_crawler.storage.models.base import VideoList
from tiktok_crawler.storage.models.ledger import VIDEOS_TO_CRAWLS, VIDEOS_TO_QUERY_TAGS
from tiktok_crawler.storage.models.records import (
    VIDEOS_TO_EFFECT_IDS,
    VIDEOS_TO_HASHTAGS,
    UserVideo,
    Video,
    VideoRevision,
    VideoStatistics,
)
from tiktok_crawler.storage.records.field_readers import (
    boolean,
    id_number,
    integer,
    region,
    structure,
    text,
    time,
)
from tiktok_crawler.storage.records.leaving_out import is_stand_in
from tiktok_crawler.storage.records.links import Link
from tiktok_crawler.storage.records.record_type import Listed, RecordType
from tiktok_crawler.storage.records.shape import Shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tiktok_crawler.storage.engine.statements import Values
    from tiktok_crawler.storage.records.links import StoredPage

VIDEO = RecordType(
    Shape(
        "video",
        {
            "video_description": text,
            "create_time": time,
            "region_code": region,
            "share_count": integer,
            "view_count": integer,
            "like_count": integer,
            "comment_count": integer,
            "favorites_count": integer,
            "music_id": id_number,
            "playlist_id": id_number,
            "username": text,
            "voice_to_text": text,
            "is_stem_verified": boolean,
            "video_duration": integer,
            "hashtag_info_list": structure,
            "sticker_info_list": structure,
            "effect_info_list": structure,
            "video_mention_list": structure,
            "video_label": structure,
            "video_tag": structure,
        },
        # Documentation and answers differ (api_facts.md 16).
        id_keys=("id", "video_id"),
        name_keys=("hashtag_names", "effect_ids"),
    ),
    Video.__table__,
    value_history=VideoRevision.__table__,
    counter_history=VideoStatistics.__table__,
    names={"hashtag_names": VIDEOS_TO_HASHTAGS, "effect_ids": VIDEOS_TO_EFFECT_IDS},
    pages=VIDEOS_TO_CRAWLS,
    tags=VIDEOS_TO_QUERY_TAGS,
)

SEARCHED = Listed(VIDEO)
"""The records that a search brings."""


def _in_list(kind: VideoList) -> Link:
    def rows(stored: StoredPage) -> Iterator[Values]:
        first = stored.page.request.place.received + 1
        places = enumerate(stored.keys, start=first)
        is_nobodys = is_stand_in(stored.seed)
        return (
            (stored.seed, kind.value, key, place)
            for place, key in places
            if key is not None and not is_nobodys
        )

    return Link(UserVideo.__table__, rows)


LISTED = {
    LIKED_VIDEOS: Listed(VIDEO, links=(_in_list(VideoList.LIKED),)),
    PINNED_VIDEOS: Listed(VIDEO, links=(_in_list(VideoList.PINNED),)),
    REPOSTED_VIDEOS: Listed(VIDEO, links=(_in_list(VideoList.REPOSTED),)),
}
