"""Comments of videos, and replies to comments (api_facts.md 4)."""

from __future__ import annotations

from tiktok_crawler.research_api.endpoints import COMMENTS, REPLIES
from tiktok_crawler.storage.models.records import Comment, Video
from tiktok_crawler.storage.records.field_readers import id_number, integer, text, time
from tiktok_crawler.storage.records.record_type import Listed, RecordType
from tiktok_crawler.storage.records.shape import Shape

COMMENT = RecordType(
    Shape(
        "comment",
        {
            "video_id": id_number,
            "parent_comment_id": id_number,
            "text": text,
            "like_count": integer,
            "reply_count": integer,
            "create_time": time,
            "display_name": text,
        },
        id_keys=("id", "comment_id"),
    ),
    Comment.__table__,
)

LISTED = {
    COMMENTS: Listed(COMMENT, seed_column="video_id", known_total=Video.__table__.c.comment_count),
    REPLIES: Listed(
        COMMENT, seed_column="parent_comment_id", known_total=Comment.__table__.c.reply_count
    ),
}
