"""A clock that is wrong is told, once in a run, in words with what depends on it."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import pytest
from crawling import exit_status
from processes import scrapy
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import Answer, ScriptedApi, page, serving

from tiktok_crawler.clock import utc_now

SANDBOX = ("-s", "TIKTOK_SANDBOX=True", "-s", "TIKTOK_SANDBOX_PROFILE=clock.yaml")


def dated(answer: Answer, date: str) -> Answer:
    return Answer(answer.status, answer.body, answer.headers | {"Date": date})


def warnings(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (timedelta(hours=2), "2:0"),
        (timedelta(days=3), "3 days, "),
        (timedelta(minutes=6), "0:06:"),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
@deferred_f_from_coro_f
async def test_a_clock_that_is_off_is_told_once(folder, caplog, ahead, words, sign):
    date = format_datetime(utc_now() + sign * ahead + timedelta(seconds=sign * 30), usegmt=True)
    async with serving(ScriptedApi(dated(page(1), date))) as api:
        await folder.crawl(api.url, end_date="2024-03-31")
    [message] = warnings(caplog)
    assert message.startswith(f"The clock of this machine is {words}")
    assert ("behind that of the API" if sign > 0 else "ahead of that of the API") in message
    assert "when the quota is whole again" in message


@pytest.mark.parametrize("minutes", [4, -4])
@deferred_f_from_coro_f
async def test_a_clock_that_is_right_is_not_told(folder, caplog, minutes):
    date = format_datetime(utc_now() + timedelta(minutes=minutes), usegmt=True)
    async with serving(ScriptedApi(dated(page(1), date))) as api:
        await folder.crawl(api.url)
    assert warnings(caplog) == []


@pytest.mark.parametrize(
    "date",
    [
        *("", "soon", "Mon, 99 Foo 2024 00:00:00 GMT", "caf\xe9"),
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2359",
    ],
)
@deferred_f_from_coro_f
async def test_nothing_is_said_where_the_date_cannot_be_read(folder, caplog, date):
    async with serving(ScriptedApi(dated(page(1), date))) as api:
        crawler = await folder.crawl(api.url)
    assert warnings(caplog) == []
    assert exit_status(crawler) == 0


@deferred_f_from_coro_f
async def test_the_time_there_is_told_in_utc(folder, caplog):
    async with serving(ScriptedApi(dated(page(1), "Mon, 01 Jan 2024 01:30:00 +0200"))) as api:
        await folder.crawl(api.url)
    assert "there 2023-12-31 23:30:00, in UTC" in warnings(caplog)[0]


def test_it_can_be_rehearsed_on_the_sandbox(tmp_path):
    (tmp_path / "query.yaml").write_text(
        "start_date: 2024-01-01\nend_date: 2024-01-02\ninclude: {any_hashtags: [butter]}\n"
    )
    (tmp_path / "clock.yaml").write_text("date_ahead_seconds: -7200\n")
    run = scrapy(tmp_path, "crawl", "videos", "-a", "query=query.yaml", *SANDBOX)
    assert run.returncode == 0
    assert run.stderr.count("The clock of this machine is ") == 1
    assert "ahead of that of the API" in run.stderr
