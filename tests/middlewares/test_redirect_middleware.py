"""A redirect is never followed: it is told with its host, and three in a row end the crawl."""

from __future__ import annotations

from os import EX_OK, EX_TEMPFAIL

import pytest
from crawling import exit_status, stat
from marathon import first
from scrapy.http import Response
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import Answer, ScriptedApi, error, page, serving

from tiktok_crawler.crawling.answers import redirected_to, why_no_answer

YEAR = {"start_date": "2023-01-01", "end_date": "2023-12-31"}
FAULT = error(500, "internal_error")
PLACE = "https://login.example.org"
URL = "https://open.example/v2/research/video/query/"


def redirect(status: int = 302, location: str = f"{PLACE}/portal?from=api") -> Answer:
    return Answer(status, b"", {"Location": location} if location else {})


@pytest.mark.slow
@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
@pytest.mark.parametrize("settings", first(1, [{}, {"TIKTOK_RETRY_TIMES": 0}]))
@deferred_f_from_coro_f
async def test_three_redirects_end_the_crawl_and_say_nothing_about_the_window(
    folder, caplog, status, settings
):
    async with serving(ScriptedApi(redirect(status))) as api:
        crawler = await folder.crawl(api.url, settings, **YEAR)
        assert len(api.bodies) == 3
        assert exit_status(crawler) == EX_TEMPFAIL
        assert crawler.stats.get_value("finish_reason") == "redirected"
        assert stat(crawler, "redirects/received_count") == 3
        (told,) = [record for record in caplog.records if record.levelname == "ERROR"]
        assert f"Requests are redirected to {PLACE}, which is not followed" in told.getMessage()
        assert "an empty body" not in caplog.text
        assert folder.rows("SELECT state, start_date, end_date FROM crawl_window") == [
            ("open", "2023-01-01", "2023-01-31")
        ]
        api.answers = [page(1)]
        assert exit_status(await folder.crawl(api.url, **YEAR)) == EX_OK


@deferred_f_from_coro_f
async def test_several_windows_at_once_end_with_what_is_on_its_way(folder, caplog):
    async with serving(ScriptedApi(page(1))) as api:
        await folder.prove_query(api)
        api.answers = [redirect()]
        crawler = await folder.crawl(api.url, **YEAR)
    assert 3 <= len(api.bodies) <= 3 + 3
    assert exit_status(crawler) == EX_TEMPFAIL
    assert caplog.text.count("Requests are redirected to") == 1


@deferred_f_from_coro_f
async def test_redirects_with_anything_between_them_are_tried_again(folder):
    script = [redirect(), redirect(), FAULT, redirect(), redirect(), page(1)]
    async with serving(ScriptedApi(*script)) as api:
        crawler = await folder.crawl(api.url)
    assert len(api.bodies) == 6
    assert exit_status(crawler) == EX_OK


@deferred_f_from_coro_f
async def test_a_redirect_to_the_api_itself_is_not_followed_either(folder, caplog):
    script = ScriptedApi(redirect(location="/v2/research/video/query/"))
    async with serving(script) as api:
        await folder.crawl(api.url)
    assert len(api.bodies) == 3
    assert f"redirected to {api.url}," in caplog.text


@deferred_f_from_coro_f
async def test_token_requests_that_are_redirected_end_the_crawl_too(folder, caplog):
    api = ScriptedApi(page(1))
    api.token_answers = [redirect()]
    async with serving(api):
        crawler = await folder.crawl(api.url)
    assert len(api.token_forms) == 3
    assert api.bodies == []
    assert exit_status(crawler) == EX_TEMPFAIL
    assert crawler.stats.get_value("finish_reason") == "redirected"
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1
    assert errors[0].startswith(f"Requests are redirected to {PLACE}, which is not followed")


@deferred_f_from_coro_f
async def test_a_page_that_comes_with_a_redirect_is_a_page(folder):
    whole = page(1)
    async with serving(ScriptedApi(Answer(302, whole.body, {"Location": PLACE}))) as api:
        crawler = await folder.crawl(api.url)
    assert exit_status(crawler) == EX_OK
    assert folder.rows("SELECT state, videos FROM crawl_window") == [("complete", 1)]


@deferred_f_from_coro_f
async def test_a_redirect_that_says_ok_is_no_empty_result(folder):
    empty = {"data": {}, "error": {"code": "ok", "message": ""}}
    async with serving(ScriptedApi(Answer(302, empty, {"Location": PLACE}))) as api:
        crawler = await folder.crawl(api.url)
    assert exit_status(crawler) == EX_TEMPFAIL
    assert folder.rows("SELECT state FROM crawl_window") == [("open",)]


@pytest.mark.parametrize(
    ("location", "place"),
    [
        (b"https://login.example.org/a?b#c", PLACE),
        (b"//login.example.org", PLACE),
        (b"https:\\\\login.example.org\\a", "https://open.example"),
        (b"http://ann:secret@login.example.org:8080/", "http://login.example.org:8080"),
        (b"/login?next=https://login.example.org", "https://open.example"),
        (b"login", "https://open.example"),
        (b"https://no\x1b[2J\xe2\x80\xae.example/", "https://no\ufffd[2J\ufffd.example"),
        (b"\x1b https://login.example.org", PLACE),
        (b"https://[no.example/", "https://[no.example"),
        (b"https://caf\xe9.example/", "https://caf\ufffd.example"),
        (b"ftp://" + b"x" * 200, "ftp://" + "x" * 53 + "…"),
        (b"", "no address"),
    ],
)
def test_a_redirect_is_told_with_its_scheme_and_host(location, place):
    response = Response(URL, status=302, headers={"Location": location} if location else {})

    assert redirected_to(response) == place
    assert why_no_answer(response) == f"redirected to {place}"


@pytest.mark.parametrize("status", [200, 201, 400, 503])
def test_a_location_alone_is_no_redirect(status):
    response = Response(URL, status=status, headers={"Location": PLACE})

    assert redirected_to(response) is None
    assert why_no_answer(response) is None
