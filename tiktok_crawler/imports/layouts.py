"""Tells by its keys what a row of a file is - video, comment, profile - and in whose words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tiktok_crawler.spelling import listed, quoted
from tiktok_crawler.storage.models.records import EXISTENCE
from tiktok_crawler.storage.records.imported import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

OF_PROFILES = frozenset(
    {
        *("bio_description", "follower_count", "following_count", "likes_count", "video_count"),
        *("avatar_url", "is_verified", "bio_url", "bio_URL"),
    }
)
OF_COMMENTS = frozenset({"parent_comment_id", "reply_count", "video_id", "comment_id", "id"})
OF_VIDEOS = frozenset(
    {
        *("video_description", "region_code", "view_count", "share_count", "comment_count"),
        *("favorites_count", "music_id", "hashtag_names", "effect_ids", "voice_to_text"),
        *("video_duration", "hashtag_info_list", "video_label", "video_tag"),
    }
)
"""Keys by which a record of each kind is known; ids and times are those of several."""

OF_LISTS = frozenset(
    {"target_account", "target_username", "following_user", "followed_user", "follower", "followed"}
)
"""Columns for lists of followers, of other clients and our own."""

WHOSE_LIST = frozenset({"liked_by_user", "pinned_by_user", "reposted_by_user", *OF_LISTS})
"""Columns of other clients that say whose list a record was in."""

INDEX = re.compile(r"(Unnamed: \d+|\.\.\.\d+|index|level_0|\s*)")
"""The column of row numbers that pandas and R write."""

FIRST_AT = ("crawled_at", "first_seen_at")
LAST_AT = ("crawled_updated_at", "last_seen_at")
MADE_HERE = frozenset({"url", "author_url", "crawl_id", *FIRST_AT, *LAST_AT, *EXISTENCE})
"""Columns of our own exports that say nothing of the API's."""

ASIDE = ("extra_data", "misfit_data")
"""Columns of our own files with an object of other keys."""

API = "records under the API's own names, as ResearchTikPy and TikTokResearchApi give them"
TRAKTOK = "data of traktok"
EXPORT = "export of tiktok_crawler"
FEED = "feed of tiktok_crawler"

ALLOWED = (
    "databases of tiktok-library (SQLite, or the URL of PostgreSQL); CSV, JSON, JSON lines and "
    "XLSX with the videos, comments or profiles of ResearchTikPy, traktok and TikTok's own wrapper;"
    " our own feeds and exports"
)

_RENAMED = {TRAKTOK: {"author_name": "username"}}
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Layout:
    """What the keys of a file say: whose it is, and of which kind a row is that does not say it."""

    words: str
    kind: Kind | None

    @property
    def is_timed(self) -> bool:
        return self.words == EXPORT

    @property
    def is_utc(self) -> bool:
        """Tell whether its times are in UTC where they do not say it."""
        return self.words in (TRAKTOK, EXPORT)

    def named(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row with the API's names."""
        renamed = _RENAMED.get(self.words, {})
        return {
            renamed.get(key, key): value for key, value in row.items() if not INDEX.fullmatch(key)
        }

    def kind_of(self, row: Mapping[str, Any]) -> Kind | None:
        return kind_of({key for key, value in row.items() if value is not None}) or self.kind


def layout_of(keys: Collection[str]) -> Layout | None:
    """Recognise a file by all keys of some rows; None: it has nothing that could be imported."""
    if {"video_id", "author_name"} <= set(keys):
        return Layout(TRAKTOK, Kind.VIDEOS)
    kind = kind_of(keys)
    if kind is None or "observed_at" in keys:
        return None
    if not set(FIRST_AT).isdisjoint(keys):
        return Layout(EXPORT, kind)
    return Layout(FEED if "extra_data" in keys else API, kind)


def kind_of(keys: Collection[str]) -> Kind | None:
    """Tell the kind of a record by its keys."""
    if not OF_PROFILES.isdisjoint(keys):
        return Kind.PROFILES
    if "text" in keys and not OF_COMMENTS.isdisjoint(keys):
        return Kind.COMMENTS
    return None if OF_VIDEOS.isdisjoint(keys) else Kind.VIDEOS


def why_unknown(keys: Iterable[str]) -> str:
    """Say what was found in place of videos, comments or profiles."""
    found = sorted(keys)
    if not OF_LISTS.isdisjoint(found):
        return "has lists of followers, which cannot be imported"
    if not found:
        return "has no rows"
    more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    shown = listed([quoted(each) for each in found[:_SHOWN]], conjunction="and")
    return f"has neither videos nor comments nor profiles; what it has is called {shown}{more}"
