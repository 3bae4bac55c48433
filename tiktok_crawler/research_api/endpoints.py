"""The endpoints of the Research API: paths, fields, limits and the quota that they draw on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tiktok_crawler.items import PageRequest

DEFAULT_URL = "https://open.tiktokapis.com"
"""Base of every endpoint (API.md 1.1)."""

TOKEN_PATH = "/v2/oauth/token/"  # noqa: S105
"""Where a client access token is got with a form POST (API.md 2)."""


class Pool(StrEnum):
    """Requests that share a daily quota (API.md 12)."""

    RESEARCH = "research"
    FOLLOW = "follow"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint; `max_count` is the largest page, `records_key` where the records are."""

    path: str
    fields: tuple[str, ...]
    records_key: str
    max_count: int
    pool: Pool

    def url(self, base: str, fields: tuple[str, ...]) -> str:
        """The URL to post to; fields go into the URL's query string (API.md 1.7)."""
        return f"{base.rstrip('/')}{self.path}?{urlencode({'fields': ','.join(fields)}, safe=',')}"


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
    records_key="videos",
    max_count=100,
    pool=Pool.RESEARCH,
)
"""Search of videos (API.md 3)."""


def video_query_body(query: Mapping[Any, Any], request: PageRequest) -> dict[str, Any]:
    """The JSON body that asks for one page of a search (API.md 3.2, 3.5).

    Args:
        query: the API's query object, at least one group in it.
        request: the page; its window is sent as YYYYMMDD, both days inclusive.
    """
    body: dict[str, Any] = {
        "query": query,
        "start_date": f"{request.window.start:%Y%m%d}",
        "end_date": f"{request.window.end:%Y%m%d}",
        "max_count": request.max_count,
    }
    if not request.starts_search:
        body["cursor"] = request.cursor
        body["search_id"] = request.search_id
    return body
