"""Users whose profiles were asked for (api_facts.md 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.research_api.endpoints import USERS
from tiktok_crawler.storage.engine.text import clean_text
from tiktok_crawler.storage.models.base import UserStatus
from tiktok_crawler.storage.models.records import UserInfo, UserInfoHistory
from tiktok_crawler.storage.records.comparison import same_address
from tiktok_crawler.storage.records.field_readers import boolean, id_text, integer, text
from tiktok_crawler.storage.records.record_type import Listed, RecordType
from tiktok_crawler.storage.records.shape import Record, Shape

if TYPE_CHECKING:
    from tiktok_crawler.research_api.verdicts import SeedStatus


def _refused(username: str, status: SeedStatus) -> Record:
    """Build the record of a user whose profile the API does not give."""
    return Record(clean_text(username), {"status": UserStatus(status.value).value})


USER = RecordType(
    Shape(
        "user",
        {
            "display_name": text,
            "bio_description": text,
            "avatar_url": text,
            "is_verified": boolean,
            "follower_count": integer,
            "following_count": integer,
            "likes_count": integer,
            "video_count": integer,
            "bio_url": text,
            "bio_URL": text,
        },
        id_keys=("username",),
        read_id=id_text,
    ),
    UserInfo.__table__,
    key="username",
    times=("first_seen_at", "last_seen_at"),
    marks_sightings=True,
    renamed={"bio_URL": "bio_url"},
    always={"status": UserStatus.FOUND.value},
    same={"avatar_url": same_address},
    value_history=UserInfoHistory.__table__,
    identify=lambda _record, seed: seed,
    when_refused=_refused,
)

LISTED = {USERS: Listed(USER)}
