"""The rows that each table of an export has to have, read from the database by other means."""

from __future__ import annotations

import json
from datetime import timedelta

from sqlalchemy import create_engine, select, text

from tiktok_crawler.clock import utc_now
from tiktok_crawler.dataset import arrow
from tiktok_crawler.dataset.tables import TABLES
from tiktok_crawler.planning.coverage import Freshness
from tiktok_crawler.planning.plan import Wanted
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.transactions import reading
from tiktok_crawler.storage.ledger.status import status_of
from tiktok_crawler.storage.models.base import Base

NESTED = set(arrow.NESTED_TYPES)
SITE = "https://www.tiktok.com/@"

LINKS = {
    "video_hashtag": """
        SELECT video_id, name AS hashtag_name FROM videos_to_hashtags
        JOIN hashtag ON hashtag.id = hashtag_id""",
    "video_effect": """
        SELECT video_id, effect.effect_id FROM videos_to_effect_ids
        JOIN effect ON effect.id = videos_to_effect_ids.effect_id""",
    "video_query_tag": """
        SELECT video_id, name AS tag FROM videos_to_query_tags
        JOIN query_tag ON query_tag.id = query_tag_id""",
}


def terms(query, days, fields):
    fields = fields or VIDEO_QUERY.fields
    return Wanted(query, days, fields, Freshness(timedelta(days=2)))


def rows_of_all(url, now=None):
    """The rows of all tables as dicts of Python's values; documents as what their JSON says."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            stored = {name: _stored(connection, name) for name in Base.metadata.tables}
            linked = {
                name: [dict(row) for row in connection.execute(text(sql)).mappings()]
                for name, sql in LINKS.items()
            }
    finally:
        engine.dispose()
    made = {"coverage": _coverage(url, now or utc_now())}
    rows = stored | linked | made | {"video_source": list(_sources(stored))}
    rows |= {"video_mention": list(_mentions(stored)), "video": list(_videos(stored, linked))}
    rows["user_relation"] = list(_relations(stored))
    rows["user_info"] = [user | {"url": _profile(user)} for user in stored["user_info"]]
    return {name: [_with_words(row) for row in rows[name]] for name in TABLES}


def _stored(connection, name):
    table = Base.metadata.tables[name]
    return [dict(row) for row in connection.execute(select(table)).mappings()]


def _with_words(row):
    return {name: getattr(value, "value", value) for name, value in row.items()}


def _profile(row):
    return f"{SITE}{row['username']}" if row["username"] else None


def _videos(stored, linked):
    for video in stored["video"]:
        names = {
            key: sorted(row[column] for row in linked[table] if row["video_id"] == video["id"])
            for key, table, column in (
                ("hashtag_names", "video_hashtag", "hashtag_name"),
                ("effect_ids", "video_effect", "effect_id"),
            )
        }
        profile = _profile(video)
        yield video | {
            "url": profile and f"{profile}/video/{video['id']}",
            "author_url": profile,
            **{key: found or None for key, found in names.items()},
        }


def _mentions(stored):
    for video in stored["video"]:
        mentioned = video["video_mention_list"]
        names = mentioned if isinstance(mentioned, list) else []
        for name in dict.fromkeys(each for each in names if isinstance(each, str)):
            yield {"video_id": video["id"], "username": name}


def _sources(stored):
    crawls = {crawl["id"]: crawl for crawl in stored["crawl"]}
    seeds = {seed["id"]: seed for seed in stored["seed"]}
    for link in stored["videos_to_crawls"]:
        crawl = crawls[link["crawl_id"]]
        seed = seeds.get(crawl["seed_id"], {"listing": None, "seed": None})
        yield {
            "video_id": link["video_id"],
            "crawl_id": crawl["id"],
            "received_at": crawl["crawl_started_at"],
            "query_id": crawl["query_id"],
            "listing": seed["listing"],
            "seed": seed["seed"],
            "run_id": crawl["run_id"],
            "import_id": crawl["import_id"],
        }


def _relations(stored):
    names = {account["id"]: account["username"] for account in stored["account"]}
    for row in stored["user_relation"]:
        yield {
            "follower_username": names[row["follower_id"]],
            "followed_username": names[row["followed_id"]],
            "first_seen_at": row["first_seen_at"],
            "last_seen_at": row["last_seen_at"],
        }


def _coverage(url, now):
    with database.opened(url) as engine, reading(engine) as connection:
        for query in status_of(connection, terms, now).queries:
            unsettled, doubts = set(query.days.unsettled), set(query.days.doubts)
            for day, standing in query.days.by_day.items():
                counted = standing.count
                yield {
                    "query_id": query.used.query_id,
                    "day": day,
                    "state": standing.state.value,
                    "settled": standing.state.value == "covered" and day not in unsettled,
                    "suspicious": day in doubts,
                    "videos": counted and counted.videos,
                    "withheld": counted and counted.withheld,
                    "refused": counted and counted.refused,
                    "repeated": counted and counted.repeated,
                }


def in_order(rows):
    """Rows as text that can be compared, whatever order they and their members come in."""
    return sorted(json.dumps(row, sort_keys=True, default=_spelled) for row in rows)


def _spelled(value):
    return f"{type(value).__name__} {value.isoformat()}"
