"""Databases as tiktok-library makes them, in each generation of its tables."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import create_engine

NEW_YORK = ZoneInfo("America/New_York")
WINTER = datetime(2024, 1, 10, 12, tzinfo=UTC)
SUMMER = datetime(2024, 7, 10, 12, tzinfo=UTC)
FIRST_AT = datetime(2024, 7, 20, 8, 30, tzinfo=UTC)
LATER = FIRST_AT + timedelta(days=3)

TABLES = """
CREATE TABLE crawl (id {key}, crawl_started_at {time} NOT NULL, cursor BIGINT NOT NULL,
    has_more BOOLEAN NOT NULL, search_id VARCHAR NOT NULL, query VARCHAR NOT NULL,
    updated_at {time}, extra_data JSON);
CREATE TABLE video (id BIGINT PRIMARY KEY, create_time TIMESTAMP NOT NULL,
    username VARCHAR NOT NULL, region_code VARCHAR(2) NOT NULL, video_description VARCHAR,
    music_id BIGINT, like_count BIGINT, comment_count BIGINT, share_count BIGINT,
    view_count BIGINT, playlist_id BIGINT, voice_to_text VARCHAR,
    crawled_at {time} NOT NULL, crawled_updated_at {time}, extra_data JSON);
CREATE TABLE hashtag (id {key}, name VARCHAR NOT NULL UNIQUE);
CREATE TABLE effect (id {key}, effect_id VARCHAR NOT NULL UNIQUE);
CREATE TABLE {tag} (id {key}, name VARCHAR NOT NULL UNIQUE);
CREATE TABLE videos_to_hashtags (video_id BIGINT, hashtag_id INTEGER);
CREATE TABLE videos_to_effect_ids (video_id BIGINT, effect_id INTEGER);
CREATE TABLE videos_to_{tag}s (video_id BIGINT, {tag}_id INTEGER);
CREATE TABLE crawls_to_{tag}s (crawl_id BIGINT, {tag}_id INTEGER);
CREATE TABLE videos_to_crawls (video_id BIGINT, crawl_id BIGINT);
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);
"""
LATEST_TABLES = """
CREATE TABLE user_info (username VARCHAR PRIMARY KEY, display_name VARCHAR NOT NULL,
    bio_description VARCHAR NOT NULL, avatar_url VARCHAR NOT NULL, is_verified BOOLEAN NOT NULL,
    likes_count BIGINT NOT NULL, video_count BIGINT NOT NULL, follower_count BIGINT NOT NULL,
    following_count BIGINT NOT NULL);
CREATE TABLE comment (id BIGINT PRIMARY KEY, text VARCHAR NOT NULL, video_id BIGINT NOT NULL,
    parent_comment_id BIGINT NOT NULL, like_count BIGINT, reply_count BIGINT,
    create_time TIMESTAMP NOT NULL);
"""
OLDEST_TABLES = """
CREATE TABLE "Crawl" (id {key}, crawl_started_at {time} NOT NULL, cursor INTEGER NOT NULL,
    has_more BOOLEAN NOT NULL, search_id VARCHAR NOT NULL, query VARCHAR NOT NULL,
    updated_at {time}, source JSON, extra_data JSON);
CREATE TABLE video (id BIGINT PRIMARY KEY, create_time INTEGER NOT NULL,
    username VARCHAR NOT NULL, region_code VARCHAR(2) NOT NULL, video_description VARCHAR,
    music_id BIGINT, like_count INTEGER, comment_count INTEGER, share_count INTEGER,
    view_count INTEGER, effect_ids JSON, hashtag_names JSON, playlist_id BIGINT,
    voice_to_text VARCHAR, crawled_at {time} NOT NULL, crawled_updated_at {time},
    source JSON, extra_data JSON);
"""


class Library:
    """A database that is being filled, as the machine of somebody in a time zone does it."""

    def __init__(self, url, *, tag="crawl_tag", zone=NEW_YORK, tables=TABLES + LATEST_TABLES):
        self.engine = create_engine(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self.tag, self.zone = tag, zone
        words = {
            "tag": tag,
            "key": "INTEGER PRIMARY KEY" if self.is_sqlite else "SERIAL PRIMARY KEY",
            "time": "DATETIME" if self.is_sqlite else "TIMESTAMPTZ",
        }
        self.run(*tables.format(**words).split(";"))

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.engine.dispose()

    def run(self, *statements):
        with self.engine.begin() as connection:
            for statement in filter(str.strip, statements):
                connection.exec_driver_sql(statement)

    def insert(self, table, **values):
        values = {
            name: json.dumps(value) if isinstance(value, list | dict) else self.time(value)
            for name, value in values.items()
        }
        marks = ", ".join(["?" if self.is_sqlite else "%s"] * len(values))
        with self.engine.begin() as connection:
            connection.exec_driver_sql(
                f'INSERT INTO "{table}" ({", ".join(values)}) VALUES ({marks})',
                tuple(values.values()),
            )

    def time(self, value):
        """SQLite has times as text, those of the server's clock in UTC and the others as given."""
        if not isinstance(value, datetime) or not self.is_sqlite:
            return value
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if value.tzinfo else str(value)

    def local(self, at):
        """What `datetime.fromtimestamp` makes of a time there."""
        return at.astimezone(self.zone).replace(tzinfo=None)

    def video(self, id_, at, *, names=(), effects=(), tags=(), **values):
        given = {"username": "ann", "region_code": "us", "crawled_at": FIRST_AT} | values
        self.insert("video", id=id_, create_time=self.local(at), **given)
        for table, column, pairs, found in (
            ("hashtag", "name", "videos_to_hashtags", names),
            ("effect", "effect_id", "videos_to_effect_ids", effects),
            (self.tag, "name", f"videos_to_{self.tag}s", tags),
        ):
            for name in found:
                number = abs(hash((table, name))) % 2**31
                with self.engine.begin() as connection:
                    known = connection.exec_driver_sql(
                        f"SELECT count(*) FROM {table} WHERE id = {number}"
                    ).scalar()
                if not known:
                    self.insert(table, id=number, **{column: name})
                self.insert(pairs, **{"video_id": id_, f"{table}_id": number})

    def crawl(self, query, *, has_more=False, table="crawl"):
        self.insert(
            table, crawl_started_at=FIRST_AT, updated_at=FIRST_AT, cursor=100, has_more=has_more,
            search_id="7", query=query,
        )  # fmt: skip


def id_at(at, number=1, *, seconds=30):
    """An id that was given so many seconds before a record was created."""
    return (int(at.timestamp()) - seconds << 32) + number
