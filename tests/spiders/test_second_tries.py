"""Windows that were given up, and days that are suspiciously empty, are asked for again."""

from __future__ import annotations

from datetime import date, timedelta
from os import EX_OK, EX_TEMPFAIL

from crawling import CrawlFolder, exit_status, stat
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import ScriptedApi, error, page, serving

from tiktok_crawler.date_range import midnight
from tiktok_crawler.extensions.outcome import Outcome

REFUSAL = error(400, "invalid_params", "no")
TEN_DAYS = {"start_date": "2024-01-01", "end_date": "2024-01-10"}
DAILY = {"TIKTOK_WINDOW_DAYS": 1}
TWO_MONTHS = {"start_date": "2024-01-01", "end_date": "2024-03-02"}
TWICE_A_DAY = [midnight(date(2024, 1, 1)) + number * timedelta(hours=12) for number in range(62)]
JANUARY = page(*(int(at.timestamp()) << 32 for at in TWICE_A_DAY))
"""Videos whose ids tell their days, two for each day of a month."""


async def park_ten_days(folder: CrawlFolder, api: ScriptedApi) -> None:
    await folder.prove_query(api)
    api.answers = [REFUSAL]
    crawler = await folder.crawl(api.url, DAILY, **TEN_DAYS)
    assert stat(crawler, "windows/parked_count") == 10
    api.bodies.clear()
    folder.rows("UPDATE api_quota SET requests = 0")


@deferred_f_from_coro_f
async def test_second_tries_have_a_share_of_the_days_budget(folder, caplog):
    caplog.set_level("INFO")
    budget = DAILY | {"TIKTOK_DAILY_BUDGET": 40, "TIKTOK_PARKED_SHARE": 0.1}
    async with serving(ScriptedApi(page(1))) as api:
        await park_ten_days(folder, api)
        crawler = await folder.crawl(api.url, budget, **TEN_DAYS)
        assert len(api.bodies) == 4
        assert "the 4 requests a day" in caplog.text
        assert exit_status(crawler) == EX_TEMPFAIL
        assert stat(crawler, "requests/sent_count") == 4
        [spent] = crawler.get_extension(Outcome).spent_shares
        assert spent.part == "videos"

        api.answers = [page(1)]
        for day in (11, 12):
            await folder.crawl(api.url, budget, end_date=f"2024-01-{day}")
        asked = [body["start_date"] for body in api.bodies[4:]]
    assert asked == ["20240111", "20240112"], "the good days do not starve"
    states = folder.rows("SELECT state, count(*) FROM crawl_window GROUP BY state")
    assert dict(states) == {"complete": 3, "parked": 10}


@deferred_f_from_coro_f
async def test_a_second_try_that_answers_goes_on_as_any_window(folder):
    one_try = DAILY | {"TIKTOK_DAILY_BUDGET": 10, "TIKTOK_PARKED_SHARE": 0.1}
    async with serving(ScriptedApi(page(1))) as api:
        await park_ten_days(folder, api)
        api.answers = [page(9, has_more=True), page(8, has_more=True, cursor=200), page(7)]
        crawler = await folder.crawl(api.url, one_try, **TEN_DAYS)
        assert [body.get("cursor") for body in api.bodies] == [None, 100, 200]
    assert stat(crawler, "windows/completed_count") == 1


@deferred_f_from_coro_f
async def test_a_window_that_was_parked_twice_waits_until_it_is_due(folder, caplog):
    caplog.set_level("INFO")
    one_day = {"start_date": "2024-01-01", "end_date": "2024-01-01"}
    async with serving(ScriptedApi(page(1))) as api:
        await folder.prove_query(api)
        api.answers = [REFUSAL]
        for sent in (1, 2, 2):
            crawler = await folder.crawl(api.url, **one_day)
            assert len(api.bodies) == sent
            assert exit_status(crawler) == EX_TEMPFAIL
        assert (
            "1 window parked (postponed after failures or a refusal), not due before 2"
            in caplog.text
        )

        api.answers = [page(1)]
        folder.rows("UPDATE crawl_window SET retry_at = '2024-01-01 00:00:00.000000'")
        crawler = await folder.crawl(api.url, **one_day)
    assert exit_status(crawler) == EX_OK


@deferred_f_from_coro_f
async def test_silence_after_many_videos_is_suspicious_and_searched_once_more(folder):

    def answer(body):
        return JANUARY if body["start_date"] == "20240101" else page()

    async with serving(ScriptedApi(answer)) as api:
        crawler = await folder.crawl(api.url, **TWO_MONTHS)
        assert exit_status(crawler) == EX_OK, "the days are covered"
        assert stat(crawler, "days/suspicious_count") == 31

        api.bodies.clear()
        await folder.crawl(api.url, **TWO_MONTHS)
        assert api.bodies == [], "not before three days have passed"

        folder.rows("UPDATE crawl_window SET searched_at = '2024-06-01 00:00:00.000000'")
        for _ in range(2):
            crawler = await folder.crawl(api.url, **TWO_MONTHS)
            assert exit_status(crawler) == EX_OK
    assert [(body["start_date"], body["end_date"]) for body in api.bodies] == [
        ("20240201", "20240302")
    ]


@deferred_f_from_coro_f
async def test_videos_that_a_second_search_finds_end_the_suspicion_of_their_day(folder):
    async with serving(ScriptedApi(JANUARY, page())) as api:
        await folder.crawl(api.url, **TWO_MONTHS)
        folder.rows("UPDATE crawl_window SET searched_at = '2024-06-01 00:00:00.000000'")
        api.answers = [page(50)]
        crawler = await folder.crawl(api.url, **TWO_MONTHS)
        assert stat(crawler, "days/suspicious_count") == 30
        api.bodies.clear()
        await folder.crawl(api.url, **TWO_MONTHS)
    assert api.bodies == []
    assert folder.rows("SELECT count(*) FROM video") == [(63,)]
