"""What a database has, added up by it, beside the same in plain Python."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import pytest
from listed_pages import store_list
from sqlalchemy import insert
from stored_pages import NOON, rows

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.research_api.endpoints import COMMENTS
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.transactions import reading
from tiktok_crawler.storage.models.records import VideoStatistics
from tiktok_crawler.storage.overview import (
    MOST_FREQUENT,
    Length,
    Reading,
    _hashtags_counted_here,
    read_overview,
)

DAY = timedelta(days=1)


@pytest.fixture
def overview(engine):
    def read():
        with reading(engine) as connection:
            return read_overview(connection, NOON + DAY)

    return read


def some_videos(count):
    """Invent videos that lack something now and then; several names are equally frequent."""
    chance = random.Random(7)
    for number in range(1, count + 1):
        hashtags = {f"tag{chance.randrange(30)}" for _ in range(chance.randrange(6))}
        fields = {
            "create_time": 1704067200 + chance.randrange(40 * 86400),
            "username": f"user{chance.randrange(25)}",
            "region_code": chance.choice(["FR", "DE", "US"]),
            "video_duration": chance.choice([0, 14, 15, 59, 60, 299, 300, 4000]),
            "hashtag_names": sorted(hashtags),
        }
        lacks = chance.choice([None, None, *fields])
        fields.pop(lacks, None)
        yield {"id": number, **fields}


def first_names(counts):
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:MOST_FREQUENT]


def length(seconds):
    if seconds is None:
        return Length.UNKNOWN
    bounds = ((15, Length.SHORT), (60, Length.MID), (300, Length.LONG))
    return next((length for bound, length in bounds if seconds < bound), Length.EXTRA_LONG)


def test_it_adds_up_what_plain_python_adds_up(engine, search, overview):
    run = search()
    run.store(run.booked(), *some_videos(300))
    videos = rows(engine, "video")
    found = overview()

    times = [video["create_time"] for video in videos]
    assert found.days == Counter(time.date() for time in times if time)
    assert list(found.days) == sorted(found.days)
    assert found.undated == times.count(None) > 0
    assert found.lengths == Counter(length(video["video_duration"]) for video in videos)
    assert list(found.lengths) == list(Length)
    regions = Counter(video["region_code"] or "not delivered" for video in videos)
    assert list(found.regions) == first_names(regions)
    accounts = Counter(video["username"] for video in videos if video["username"])
    assert list(found.accounts) == first_names(accounts)
    assert found.account_count == len(accounts) == 25
    names = {hashtag["id"]: hashtag["name"] for hashtag in rows(engine, "hashtag")}
    hashtags = Counter(names[link["hashtag_id"]] for link in rows(engine, "videos_to_hashtags"))
    assert {count for _, count in found.hashtags} <= set(hashtags.values())
    assert [count for _, count in found.hashtags] == [n for _, n in first_names(hashtags)]
    assert all(hashtags[name] == count for name, count in found.hashtags)


def test_of_an_empty_database_there_is_nothing(overview):
    found = overview()

    assert (found.days, found.undated, found.lengths, found.listed) == ({}, 0, {}, {})
    assert (found.regions, found.hashtags, found.accounts, found.growth) == ((), (), (), ())
    assert found.account_count == 0


def reading_of(video_id, days, views, likes=None, comments=0):
    return {
        "video_id": video_id,
        "observed_at": NOON + days * DAY + timedelta(hours=1),
        "crawl_id": 1,
        "view_count": views,
        "like_count": likes,
        "comment_count": comments,
        "share_count": None,
        "favorites_count": None,
    }


def test_growth_is_that_of_videos_with_several_readings(engine, search, overview):
    run = search()
    run.store(run.booked(), {"id": 1}, {"id": 2}, {"id": 3})
    readings = [
        *(reading_of(1, days, views, likes) for days, views, likes in ((0, 10, 1), (2, 30, 4))),
        *(reading_of(2, days, views, likes) for days, views, likes in ((5, 40, None), (7, 45, 2))),
        reading_of(1, 3, 50, 5),
        reading_of(3, 0, 1_000_000, 9),
    ]
    with engine.begin() as connection:
        connection.execute(VideoStatistics.__table__.delete())
        connection.execute(insert(VideoStatistics), readings)

    none = {"comment_count": None, "share_count": None}
    assert overview().growth == (
        Reading(2, 2, {"view_count": 75 / 50, "like_count": 4.0} | none),
        Reading(3, 1, {"view_count": 5.0, "like_count": 5.0} | none),
    )


def test_less_than_a_whole_day_later_is_no_day(engine, search, overview):
    run = search()
    run.store(run.booked(), {"id": 1})
    later = reading_of(1, 0, 12) | {"observed_at": NOON + timedelta(hours=24, minutes=59)}
    with engine.begin() as connection:
        connection.execute(VideoStatistics.__table__.delete())
        connection.execute(insert(VideoStatistics), [reading_of(1, 0, 10), later])

    assert [each.days for each in overview().growth] == [0]


def test_seeds_are_due_by_the_time_of_their_last_listing(prepared_url, overview):
    for seed, hours in (("1", 12), ("2", 23), ("3", 25), ("4", 96)):
        now = NOON + timedelta(hours=hours)
        store_list(prepared_url, COMMENTS, seed, {"id": int(seed)}, now=now)

    listed = overview().listed["comments"]
    assert (listed.seeds, listed.due, listed.oldest_at.date()) == (4, 2, date(2024, 6, 2))


def test_days_are_those_of_utc(search, overview):
    run = search()
    last_second = int(datetime(2024, 1, 10, 23, 59, 59, tzinfo=UTC).timestamp())
    run.store(run.booked(), *({"id": n + 1, "create_time": last_second + n} for n in (0, 1)))

    assert overview().days == {date(2024, 1, 10): 1, date(2024, 1, 11): 1}


def test_damage_is_a_circumstance_that_is_told(prepared_sqlite_url, make_engine, tmp_path):
    with closing(sqlite3.connect(tmp_path / "test.db")) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'videos_to_hashtags'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (tmp_path / "test.db").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)

    engine = make_engine(prepared_sqlite_url)
    told = pytest.raises(ConfigurationError, match=r"cannot be used: .*malformed")
    with told, database.explained(engine), reading(engine) as connection:
        _hashtags_counted_here(connection, 1)
