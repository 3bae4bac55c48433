"""What crawls have collected: rows that are the same whenever and in whatever order they came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import create_engine, text

if TYPE_CHECKING:
    from collections.abc import Mapping

COLLECTED = {
    "videos": """
        SELECT id, create_time, username, region_code, video_description, view_count, like_count,
            comment_count, share_count, favorites_count, music_id, playlist_id, voice_to_text,
            is_stem_verified, video_duration, hashtag_info_list, effect_info_list,
            sticker_info_list, video_mention_list, video_label, video_tag, extra_data
        FROM video ORDER BY id""",
    "hashtags": """
        SELECT video_id, name FROM videos_to_hashtags
        JOIN hashtag ON hashtag.id = hashtag_id ORDER BY 1, 2""",
    "effects": """
        SELECT video_id, effect.effect_id FROM videos_to_effect_ids
        JOIN effect ON effect.id = videos_to_effect_ids.effect_id ORDER BY 1, 2""",
    "tags": """
        SELECT video_id, name FROM videos_to_query_tags
        JOIN query_tag ON query_tag.id = query_tag_id ORDER BY 1, 2""",
}


def read(database_url: str, queries: Mapping[str, str]) -> dict[str, list[tuple]]:
    """The rows of each query, by its name."""
    engine = create_engine(database_url)
    with engine.connect() as connection:
        rows = {
            name: list(map(tuple, connection.execute(text(sql)))) for name, sql in queries.items()
        }
    engine.dispose()
    return rows
