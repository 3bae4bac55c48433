"""Nights of a query that is kept fresh: its counters are read at the ages that were asked for."""

from __future__ import annotations

import json

import pytest
from fresh_nights import AT_FOUR, FIRST_NIGHT, PER_DAY, FreshFolder, moment
from marathon import in_marathon
from scrapy.utils.defer import deferred_f_from_coro_f

from tiktok_crawler.date_range import DAY, midnight

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("prepared_url", "nights"),
    [("sqlite", 31), in_marathon("postgresql", 31)],
    indirect=["prepared_url"],
)
@deferred_f_from_coro_f
async def test_counters_of_all_videos_are_read_at_the_same_ages(
    tmp_path, prepared_url, nights, clock
):
    folder = FreshFolder(tmp_path, prepared_url, clock, revisit=["3 days", "11 days"])
    missed = {7, 8}
    for night in range(nights):
        if night not in missed:
            await folder.night(night)

    seen, published = folder.seen_at_ages()
    last = FIRST_NIGHT + (nights - 1) * DAY
    assert len(seen) > PER_DAY * (nights - 4)
    for video_id, ages in seen.items():
        day = published[video_id]
        due = {_night_of(day, age, missed) for age in (2, 3, 11)}
        assert {(night - day).days for night in due if night <= last} - ages == set()
        assert len(ages) <= 4, "no day is searched more often"
    grown = folder.read(
        "SELECT video_id FROM video_statistics GROUP BY video_id HAVING count(*) > 2"
    )
    old = [video_id for video_id, day in published.items() if day <= last - 12 * DAY]
    assert len({video_id for (video_id,) in grown} & set(old)) > 0.8 * len(old)


def _night_of(day, age, missed):
    """The night in which a day is searched that has this age: the next one that is not missed."""
    night = day + (age + 1) * DAY
    while (night - FIRST_NIGHT).days in missed:
        night += DAY
    return max(night, FIRST_NIGHT)


@pytest.mark.parametrize("prepared_url", ["sqlite"], indirect=True)
@deferred_f_from_coro_f
async def test_a_month_that_was_collected_in_one_night_is_refreshed_evenly(
    tmp_path, prepared_url, clock
):
    keys = {"keep_fresh": "9 days with counters"}
    folder = FreshFolder(tmp_path, prepared_url, clock, **keys)
    dates = {"start_date": f"{FIRST_NIGHT - 60 * DAY}", "end_date": f"{FIRST_NIGHT - 4 * DAY}"}
    for night in range(18):
        await folder.night(night, **dates)
        assert await folder.night(night, **dates) == 0, "a night has one share"
        [(oldest,)] = folder.read(
            "SELECT min(last) FROM (SELECT max(crawl_started_at) AS last FROM videos_to_crawls "
            "JOIN crawl ON crawl.id = crawl_id GROUP BY video_id) AS each_video"
        )
        now = midnight(FIRST_NIGHT + night * DAY) + AT_FOUR
        assert now - moment(oldest) < 9 * DAY
    [(refreshes, requests)] = folder.read("SELECT sum(refreshes), sum(requests) FROM api_quota")
    assert 0 < refreshes < requests <= 4 * len(range(18))
    [(stored,)] = folder.read("SELECT refreshing FROM collection LIMIT 1")
    assert (stored if isinstance(stored, dict) else json.loads(stored)) == keys
