"""What the database keeps of values that changed, and pages that come in late."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import event, extract, select, text
from stored_pages import (
    JANUARY_10,
    NOON,
    content,
    effects,
    first_request,
    hashtags,
    page,
    row,
    rows,
    video,
)

from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.models.records import VIDEO_STATISTICS_DAILY, Video
from tiktok_crawler.storage.page_store import PageStore

HOUR = timedelta(hours=1)
COUNTERS = ("like_count", "comment_count", "share_count", "view_count", "favorites_count")


@pytest.fixture
def see(engine, store):
    """Saves records as a page that was received some hours after noon."""
    requests = [first_request(engine)]

    def see(hours, *records):
        answer = page(requests[-1], *records, has_more=True, received_at=NOON + hours * HOUR)
        requests.append(answer.next_request)
        return store.save(answer, tags=())

    return see


def readings(engine, *names):
    """The rows of video_statistics: hours after noon and counters."""
    return [
        ((found["observed_at"] - NOON) / HOUR, *(found[name] for name in names or ("like_count",)))
        for found in rows(engine, "video_statistics")
    ]


def revisions(engine):
    return [
        (found["field"], found["old_value"], (found["until"] - NOON) / HOUR)
        for found in rows(engine, "video_revision")
    ]


def test_counters_get_a_row_when_one_changed(engine, see):
    see(0, video(1, like_count=5, view_count=10))
    see(1, video(1, like_count=5, view_count=10))
    see(2, video(1, like_count=6, view_count=10))
    see(3, video(1, like_count=5, view_count=11))

    assert readings(engine, "like_count", "view_count") == [(0, 5, 10), (2, 6, 10), (3, 5, 11)]


def test_a_row_of_counters_names_its_page(engine, see):
    see(0, video(1, like_count=5))
    see(1, video(1, like_count=6))

    crawls = [found["id"] for found in rows(engine, "crawl")]
    assert [found["crawl_id"] for found in rows(engine, "video_statistics")] == crawls


@pytest.mark.parametrize("again", [{}, {"like_count": None}, {"username": "ann"}])
def test_an_absent_counter_is_no_change(engine, see, again):
    see(0, video(1, like_count=5))
    see(1, video(1, **again))

    assert readings(engine) == [(0, 5)]


def test_a_row_carries_the_last_known_values(engine, see):
    see(0, video(1, like_count=5))
    see(1, video(1, view_count=0))
    see(2, video(1, like_count=6))

    expected = [(0, 5, None), (1, 5, 0), (2, 6, 0)]
    assert readings(engine, "like_count", "view_count") == expected


@pytest.mark.parametrize("counter", COUNTERS)
def test_any_counter_makes_a_first_row(engine, see, counter):
    see(0, video(1), video(2, **{counter: 0}))

    assert [found["video_id"] for found in rows(engine, "video_statistics")] == [2]


def test_changes_at_the_same_time_are_one_row_with_the_last_values(engine, see):
    see(0, video(1, like_count=5))
    see(0, video(1, like_count=6))

    assert readings(engine) == [(0, 6)]


def test_counters_are_no_revisions(engine, see):
    see(0, video(1, **dict.fromkeys(COUNTERS, 1)))
    see(1, video(1, **dict.fromkeys(COUNTERS, 2)))

    assert revisions(engine) == []


REPLACED = {
    "video_description": ("Beurre", "Fromage", "Beurre"),
    "username": ("marie", "", "marie"),
    "region_code": ("fr", "us", "FR"),
    "voice_to_text": ('bon\\jour "l\'ami" 🧈', "hi", 'bon\\jour "l\'ami" 🧈'),
    "music_id": (2**63 - 1, 7, 2**63 - 1),
    "playlist_id": (1, 2, 1),
    "video_duration": (0, 1, 0),
    "is_stem_verified": (False, True, False),
    "create_time": (JANUARY_10, JANUARY_10 + 1, "2024-01-10 00:00:00"),
    "video_label": ({"a": [1, None]}, {"a": [1]}, {"a": [1, None]}),
    "video_mention_list": (["ann"], [], ["ann"]),
    "hashtag_info_list": ([{"b": 1, "a": 2}], [{"b": 1, "a": True}], [{"b": 1, "a": 2}]),
    "novelty": ({"a": 1}, [1], {"a": 1}),
    "hashtag_names": (["b", "a", "C"], ["b"], ["C", "a", "b"]),
    "effect_ids": (["7"], ["8"], ["7"]),
}
"""What fields have, then another value, and what is kept of the first one."""


@pytest.mark.parametrize("replaced", [REPLACED, {"hashtag_names": (["b"], [], ["b"])}])
def test_a_value_that_is_replaced_is_kept_with_until_when(engine, see, replaced):
    old, new, kept = ({name: each[n] for name, each in replaced.items()} for n in range(3))
    see(0, {"id": 1, **old, "other": 1})
    see(1, {"id": 1, **old, "other": 1})
    see(2, {"id": 1, **new})
    see(3, {"id": 1, **new})

    names = {name: "extra_data.novelty" if name == "novelty" else name for name in kept}
    found = sorted(revisions(engine), key=lambda revision: revision[0])
    assert found == sorted((names[name], kept[name], 2) for name in kept)
    page = rows(engine, "crawl")[2]["id"]
    assert {each["crawl_id"] for each in rows(engine, "video_revision")} == {page}
    assert row(engine, "video")["crawled_updated_at"] == NOON + 2 * HOUR


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({}, {"username": "ann", "hashtag_names": ["a"], "novelty": 1, "video_tag": {"a": 1}}),
        ({"hashtag_names": []}, {"hashtag_names": ["a"]}),
        ({"username": "ann", "hashtag_names": ["a"]}, {"username": None, "hashtag_names": None}),
        ({"video_tag": {"a": 1, "b": 2}}, {"video_tag": {"b": 2, "a": 1}}),
        ({"novelty": 1}, {"other": 1}),
        ({"video_tag": {"a": 1e22, "b": -0.0}, "x": 1e300}, {"video_tag": {"b": 0, "a": 10**22}}),
    ],
)
def test_what_comes_in_addition_or_is_missing_replaces_nothing(engine, see, first, then):
    see(0, {"id": 1, **first})
    see(1, {"id": 1, **then})

    assert revisions(engine) == []


def test_numbers_that_a_database_writes_in_its_own_way_are_unchanged(engine, see):
    record = video(1, video_label={"a": 1e22, "b": 1e-7, "c": 1.50, "d": 10**30}, x={"y": 1e300})
    see(0, record)
    before = row(engine, "video")

    assert see(1, record).updated_count == 0
    assert row(engine, "video") == before


def test_an_unchanged_page_writes_nothing_but_its_own_rows(engine, see, statements):
    records = [
        video(number, like_count=number, hashtag_names=["a"], effect_ids=["7"], novelty=[1])
        for number in range(1, 9)
    ]
    see(0, *records)
    before = content(engine)
    statements.clear()

    see(1, *records)

    after = content(engine)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"crawl", "videos_to_crawls", "crawl_window", "window_day"}
    written = {
        words[2] if words[0] == "INSERT" else words[1]
        for words in (statement.split() for statement in statements)
        if words[0] in {"INSERT", "UPDATE", "DELETE"}
    }
    assert written == {"crawl", "videos_to_crawls", "crawl_window", "window_day"}
    assert not [statement for statement in statements if "FOR NO KEY UPDATE" in statement]


def test_a_late_page_fills_gaps_and_replaces_nothing(engine, see):
    see(2, video(1, like_count=5, username="ann", novelty={"a": 1}, hashtag_names=["a"]))
    late = {"like_count": 4, "share_count": 1, "username": "marie", "region_code": "FR"}
    saved = see(1, video(1, **late, novelty=2, other=3, hashtag_names=["b"], effect_ids=["7"]))

    stored = row(engine, "video")
    assert (stored["like_count"], stored["share_count"]) == (5, 1)
    assert (stored["username"], stored["region_code"]) == ("ann", "FR")
    assert stored["extra_data"] == {"novelty": {"a": 1}, "other": 3}
    assert (stored["crawled_at"], stored["crawled_updated_at"]) == (NOON + HOUR, NOON + 2 * HOUR)
    assert (hashtags(engine), effects(engine)) == ([(1, "a")], [(1, "7")])
    assert readings(engine, "like_count", "share_count") == [(1, 4, 1), (2, 5, 1)]
    assert revisions(engine) == []
    assert saved.updated_count == 1


def test_a_late_page_between_two_others_takes_its_place(engine, see):
    see(0, video(1, like_count=1, view_count=1))
    see(4, video(1, like_count=4, view_count=4))
    see(2, video(1, like_count=2))
    see(3, video(1, like_count=2))
    see(1, video(1, view_count=1))

    assert readings(engine, "like_count", "view_count") == [(0, 1, 1), (2, 2, 1), (4, 4, 4)]
    stored = row(engine, "video")
    assert (stored["crawled_at"], stored["crawled_updated_at"]) == (NOON, NOON + 4 * HOUR)


def test_a_late_reading_is_followed_by_the_latest_counters(engine, see):
    see(0, video(1, like_count=5), video(2, like_count=5))
    see(2, video(1, like_count=5, username="ann"), video(2, like_count=5))
    see(2, video(3))
    see(1, video(1, like_count=4), video(2, like_count=4))

    assert [found["like_count"] for found in rows(engine, "video")] == [5, 4, None]
    assert readings(engine) == [(0, 5), (1, 4), (2, 5), (0, 5), (1, 4)]
    crawls = [found["id"] for found in rows(engine, "crawl")]
    written_by = [found["crawl_id"] for found in rows(engine, "video_statistics")]
    assert written_by == [crawls[0], crawls[3], crawls[1], crawls[0], crawls[3]]


def daily(engine):
    day, likes, views = (VIDEO_STATISTICS_DAILY.c[n] for n in ("day", "like_count", "view_count"))
    video_id = VIDEO_STATISTICS_DAILY.c.video_id
    with engine.connect() as connection:
        found = connection.execute(select(video_id, day, likes, views).order_by(video_id, day))
        return [tuple(row) for row in found]


def test_the_daily_view_has_the_last_known_values_of_days_on_which_a_video_was_seen(engine, see):
    see(0, video(1, like_count=1, view_count=1), video(2), video(3, like_count=3))
    see(11.99, video(1, like_count=2))
    see(12, video(1, like_count=3))
    see(61, video(1, view_count=9))
    see(84, video(1), video(2, like_count=0))

    june = [date(2024, 6, day) for day in range(1, 6)]
    assert daily(engine) == [
        (1, june[0], 2, 1),
        (1, june[1], 3, 1),
        (1, june[3], 3, 9),
        (1, june[4], 3, 9),
        (2, june[0], None, None),
        (2, june[4], 0, None),
        (3, june[0], 3, None),
    ]


def test_the_daily_view_counts_utc_days_in_any_session(make_engine, prepared_postgresql_url):
    engine = make_engine(prepared_postgresql_url)
    request = first_request(engine)
    PageStore(engine).save(page(request, video(1, like_count=1)), tags=())
    with engine.connect() as connection:
        connection.execute(text("SET TIME ZONE 'Pacific/Auckland'"))
        assert connection.scalar(select(VIDEO_STATISTICS_DAILY.c.day)) == date(2024, 6, 1)


def test_times_are_those_of_utc_in_any_session(make_engine, prepared_postgresql_url):
    """Behind a pooler, a session can have been anybody's."""
    engine = make_engine(prepared_postgresql_url)
    abroad = "SET TIME ZONE 'Pacific/Auckland'"
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(abroad))
    request = first_request(engine)
    PageStore(engine).save(page(request, video(1, create_time=JANUARY_10)), tags=())
    with engine.connect() as connection:
        epoch = connection.scalar(select(extract("epoch", Video.create_time)))
        as_text = statements_for(engine.dialect).as_text(Video.__table__.c.create_time)
        assert (epoch, connection.scalar(select(as_text))) == (JANUARY_10, "2024-01-10 00:00:00")


def test_the_documented_columns_of_the_view_are_those_that_it_has(engine):
    with engine.connect() as connection:
        found = connection.execute(text("SELECT * FROM video_statistics_daily"))
        assert list(found.keys()) == VIDEO_STATISTICS_DAILY.columns.keys()
