"""DuckDB's COPY of the same tables. Command: DATABASE_URL FOLDER TABLES COLUMNS, of video.

Runs in an environment of its own (`peer.python_with_duckdb`), so it needs nothing but DuckDB.
"""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import duckdb
from duckdb_extensions import import_extension

NESTED = {
    "hashtag_info_list": '[{"hashtag_id":"BIGINT","hashtag_name":"VARCHAR",'
    '"hashtag_description":"VARCHAR"}]',
    "sticker_info_list": '[{"sticker_id":"BIGINT","sticker_name":"VARCHAR"}]',
    "effect_info_list": '[{"effect_id":"VARCHAR","effect_name":"VARCHAR",'
    '"effect_photo_url":"VARCHAR","effect_photo_URI":"VARCHAR"}]',
    "video_mention_list": '["VARCHAR"]',
    "video_label": '{"content":"VARCHAR","type":"BIGINT","sink":"BOOLEAN","vote":"BOOLEAN",'
    '"warn":"BOOLEAN"}',
    "video_tag": '{"type":"VARCHAR","number":"BIGINT","video_tag_type":"VARCHAR",'
    '"video_tag_number":"BIGINT"}',
}
"""The types that our export gives these columns."""

SELECTS = {
    "video_hashtag": """
        SELECT video_id, name FROM db.videos_to_hashtags JOIN db.hashtag ON hashtag.id = hashtag_id
        ORDER BY ALL""",
    "video_effect": """
        SELECT video_id, effect.effect_id FROM db.videos_to_effect_ids AS links
        JOIN db.effect ON effect.id = links.effect_id ORDER BY ALL""",
    "video_query_tag": """
        SELECT video_id, name FROM db.videos_to_query_tags
        JOIN db.query_tag ON query_tag.id = query_tag_id ORDER BY ALL""",
    "video_statistics": "SELECT * FROM db.video_statistics ORDER BY video_id, observed_at",
    "video_source": """
        SELECT video_id, crawl_id, crawl_started_at, query_id, run_id
        FROM db.videos_to_crawls JOIN db.crawl ON crawl.id = crawl_id
        ORDER BY crawl_id, video_id""",
}


def main() -> None:
    url, folder, tables, columns = sys.argv[1:]
    Path(folder).mkdir()
    kind, where = attached(url)
    import_extension(f"{kind}_scanner")
    with duckdb.connect(config={"memory_limit": "1GB"}) as connection:
        connection.execute(f"LOAD {kind}_scanner")
        connection.execute(f"ATTACH '{where}' AS db (TYPE {kind}, READ_ONLY)")
        selects = {"video": of_videos(columns.split(",")), **SELECTS}
        for table in tables.split(","):
            options = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000"
            connection.execute(f"COPY ({selects[table]}) TO '{folder}/{table}.parquet' ({options})")


def attached(url: str) -> tuple[str, str]:
    """What DuckDB calls a database, and how it finds it."""
    parts = urlsplit(url)
    if parts.scheme.startswith("sqlite"):
        return "sqlite", parts.path.removeprefix("/")
    host = parse_qs(parts.query)["host"][0]
    return "postgres", f"host={host} dbname={parts.path[1:]} user={parts.username}"


def of_videos(columns: list[str]) -> str:
    values = [
        f"from_json({name}, '{NESTED[name]}') AS {name}" if name in NESTED else name
        for name in columns
    ]
    return f"SELECT {', '.join(values)} FROM db.video ORDER BY id"


if __name__ == "__main__":
    main()
