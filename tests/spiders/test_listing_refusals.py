"""What the API refuses, or does not show, is told by reason and number."""

from __future__ import annotations

import logging
from itertools import islice
from os import EX_OK, EX_TEMPFAIL

import pytest
from crawling import exit_status
from listing_crawls import ListingDatabase
from sandboxes import recording_sandbox
from scrapy.utils.defer import deferred_f_from_coro_f

from tiktok_crawler.sandbox.faults.profile import ListBehaviour, Profile

NOBODY = [f"nobody{number}" for number in range(7)]


@pytest.fixture
def told(caplog):
    """What was logged, from INFO on."""
    caplog.set_level(logging.INFO)
    return lambda: [record.getMessage() for record in caplog.records]


def sandbox(**lists):
    profile = Profile(lists=ListBehaviour(**lists))
    return recording_sandbox(daily_quota=None, videos_per_day=20, profile=profile)


def refusals(lines):
    return [line for line in lines if " were " in line or " was " in line]


@deferred_f_from_coro_f
async def test_refused_users_are_told_by_reason_and_number(prepared_url, told):
    with sandbox() as (api, url):
        withheld = list(islice(api.seeds("users", refusal="cannot return this user"), 2))
        database = ListingDatabase(prepared_url, url)
        crawler = await database.crawl("users", usernames=",".join([*NOBODY, *withheld]))

    lines = told()
    assert exit_status(crawler) == EX_OK
    not_found, others = sorted(refusals(lines), key=len, reverse=True)
    assert not_found.startswith("users: 7 users were not found: nobody")
    assert not_found.endswith(" and 4 more")
    assert others.startswith("users: 2 users were withheld: ")
    assert set(others.split(": ")[2].split(", ")) == set(withheld)
    assert not any("cannot find the user" in line for line in lines)


@deferred_f_from_coro_f
async def test_single_refusals_are_logged_for_those_who_debug(prepared_sqlite_url, caplog):
    caplog.set_level(logging.DEBUG)
    with sandbox() as (_, url):
        database = ListingDatabase(prepared_sqlite_url, url)
        await database.crawl("users", usernames="nobody1,nobody2")

    single = [r for r in caplog.records if "is invalid: cannot find the user" in r.getMessage()]
    assert [record.levelname for record in single if "cursor 0" in record.getMessage()] == [
        "DEBUG",
        "DEBUG",
    ]


@deferred_f_from_coro_f
async def test_what_is_refused_for_other_reasons_comes_with_the_words_of_the_api(
    prepared_sqlite_url, told
):
    with sandbox() as (_, url):
        database = ListingDatabase(prepared_sqlite_url, url)
        await database.crawl("comments", video_ids="12", replies="1")

    (line,) = refusals(told())
    assert line == (
        "comments: 1 video was refused for other reasons: 12; the API said of the first: "
        "HTTP 400: invalid_params Invalid video_id: 12"
    )


@deferred_f_from_coro_f
async def test_a_crawl_that_ends_early_tells_what_was_refused_until_then(prepared_sqlite_url, told):
    with sandbox() as (_, url):
        database = ListingDatabase(prepared_sqlite_url, url)
        crawler = await database.crawl("users", usernames=",".join(NOBODY), max_requests="5")

    assert exit_status(crawler) == EX_TEMPFAIL
    (line,) = refusals(told())
    assert line.startswith("users: 5 users were not found: nobody")


@deferred_f_from_coro_f
async def test_the_end_of_a_list_at_its_cap_is_no_line_of_its_own(prepared_sqlite_url, told):
    with sandbox(comments=1_200, cap_refuses=True) as (api, url):
        database = ListingDatabase(prepared_sqlite_url, url)
        await database.crawl("comments", video_ids=next(api.seeds("comments", at_least=1)))

    assert not any("Invalid count or cursor" in line for line in told())
    assert list(database.column("SELECT at_api_limit FROM seed")) == [True]
