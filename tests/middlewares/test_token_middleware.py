"""The access token: got once, added to research requests only, renewed, or given up."""

from __future__ import annotations

import json
from os import EX_NOPERM, EX_OK, EX_TEMPFAIL

import pytest
from crawling import exit_status, stat
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import TOKEN, Answer, ScriptedApi, error, page, serving, together

from tiktok_crawler.clock import utc_now
from tiktok_crawler.middlewares.token import Token, TokenRefusedError, TokenUnavailableError

WINDOWS = {"start_date": "2024-01-01", "end_date": "2024-04-09"}
INVALID = error(401, "access_token_invalid", "The access token is invalid or not found.")


@deferred_f_from_coro_f
async def test_one_token_request_serves_all_that_wait(folder):
    async with serving(ScriptedApi(page(1))) as api:
        await folder.prove_query(api)
        crawler = await folder.crawl(api.url, **WINDOWS)
    assert len(api.bodies) == 4
    assert api.token_forms == [
        {
            "client_key": "key-of-ann",
            "client_secret": "secret-of-ann",
            "grant_type": "client_credentials",
        }
    ]
    assert {headers["Authorization"] for headers in api.headers} == {"Bearer clt.scripted-token"}
    assert exit_status(crawler) == EX_OK


@deferred_f_from_coro_f
async def test_a_token_that_dies_is_renewed_once_for_all(folder):
    api = ScriptedApi(*together(INVALID, INVALID, INVALID, INVALID), page(1))
    async with serving(api):
        await folder.prove_query(api)
        api.token_answers = [
            Answer(body=TOKEN),
            Answer(body=TOKEN | {"access_token": "clt.second"}),
        ]
        crawler = await folder.crawl(api.url, **WINDOWS)
    assert len(api.token_forms) == 2
    assert api.headers[-1]["Authorization"] == "Bearer clt.second"
    assert exit_status(crawler) == EX_OK


@deferred_f_from_coro_f
async def test_a_token_that_is_refused_though_new_ends_with_77_and_the_apis_words(folder, caplog):
    async with serving(ScriptedApi(INVALID)) as api:
        crawler = await folder.crawl(api.url)
    assert len(api.bodies) == 2
    assert exit_status(crawler) == EX_NOPERM
    assert crawler.stats.get_value("finish_reason") == "credentials_refused"
    assert "The access token is invalid or not found." in caplog.text


@pytest.mark.parametrize("status", [200, 400, 401])
@deferred_f_from_coro_f
async def test_credentials_that_are_refused_end_with_77_also_with_http_200(folder, caplog, status):
    api = ScriptedApi(page(1))
    words = "Client key or secret-of-ann is incorrect."
    body = {"error": "invalid_client", "error_description": words, "log_id": "20240102LOG"}
    api.token_answers = [Answer(status, body)]
    async with serving(api):
        crawler = await folder.crawl(api.url)
    assert exit_status(crawler) == EX_NOPERM
    assert "invalid_client: Client key or *** is incorrect. (log_id 20240102LOG)" in caplog.text
    assert "secret-of-ann" not in caplog.text
    assert api.bodies == []


@deferred_f_from_coro_f
async def test_a_missing_scope_ends_at_once(folder, caplog):
    async with serving(ScriptedApi(error(401, "scope_not_authorized", "No such scope"))) as api:
        crawler = await folder.crawl(api.url)
    assert len(api.bodies) == len(api.token_forms) == 1
    assert exit_status(crawler) == EX_NOPERM
    assert "scope_not_authorized No such scope" in caplog.text


@deferred_f_from_coro_f
async def test_a_token_endpoint_with_a_fault_is_tried_again(folder):
    api = ScriptedApi(page(1))
    api.token_answers = [Answer(503, b"<html>busy</html>"), Answer(200, {}), Answer(body=TOKEN)]
    async with serving(api):
        crawler = await folder.crawl(api.url)
    assert exit_status(crawler) == EX_OK
    assert stat(crawler, "token/requested_count") == 3


@deferred_f_from_coro_f
async def test_a_token_endpoint_that_stays_broken_ends_with_75_and_parks_nothing(folder, caplog):
    api = ScriptedApi(page(1))
    api.token_answers = [Answer(500, {"error": "internal", "error_description": "Try later"})]
    async with serving(api):
        crawler = await folder.crawl(api.url, {"TIKTOK_RETRY_TIMES": 2})
    assert exit_status(crawler) == EX_TEMPFAIL
    assert crawler.stats.get_value("finish_reason") == "token_unavailable"
    assert stat(crawler, "windows/parked_count") == 0
    assert "Try later" in caplog.text


@pytest.mark.parametrize(
    ("body", "exception"),
    [
        (b"not JSON", TokenUnavailableError),
        (b"[]", TokenUnavailableError),
        (b"{}", TokenUnavailableError),
        (b'{"access_token": 7}', TokenUnavailableError),
        (b'{"error": "invalid_client"}', TokenRefusedError),
    ],
)
def test_an_answer_without_a_token_says_why(body, exception):
    with pytest.raises(exception):
        Token.from_answer(body, 200, utc_now())


@pytest.mark.parametrize("code", ["invalid_client", "new_code"])
def test_words_about_a_token_steer_no_terminal(code):
    words = {"error": code, "error_description": "no\x1b[2J\nmore", "log_id": "A\x9b2J"}
    with pytest.raises((TokenRefusedError, TokenUnavailableError)) as failure:
        Token.from_answer(json.dumps(words).encode(), 200, utc_now())
    assert f"{code}: no�[2J more" in str(failure.value)
    assert str(failure.value).isprintable()


def test_words_about_a_token_have_a_readable_length():
    words = {"error": "invalid_client", "error_description": "x" * 10**6, "log_id": ["y"] * 10**6}
    with pytest.raises(TokenRefusedError) as failure:
        Token.from_answer(json.dumps(words).encode(), 200, utc_now())
    assert len(str(failure.value)) < 1_000


@pytest.mark.parametrize(
    ("expires_in", "seconds"), [(7200, 6900), (100, 90), ("soon", 6900), (-1, 6900), (10**9, 86100)]
)
def test_a_token_is_renewed_ahead_of_its_expiry(expires_in, seconds):
    now = utc_now()
    body = b'{"access_token": "clt.x", "expires_in": %s}' % (
        str(expires_in).encode() if isinstance(expires_in, int) else b'"soon"'
    )
    assert (Token.from_answer(body, 200, now).renew_at - now).total_seconds() == seconds


def test_a_token_is_not_in_its_repr():
    assert "clt" not in repr(Token("clt.hidden", utc_now()))


@pytest.mark.parametrize(
    "trouble",
    [
        Answer(429, {"error": "rate_limit_exceeded"}),
        Answer(200, {"error": "server_error", "error_description": "secret-of-ann is fine"}),
        Answer(400, {"error": {"code": "internal_error"}}),
    ],
)
@deferred_f_from_coro_f
async def test_trouble_that_can_pass_is_no_refusal_of_the_credentials(folder, trouble):
    api = ScriptedApi(page(1))
    api.token_answers = [trouble, Answer(body=TOKEN)]
    async with serving(api):
        crawler = await folder.crawl(api.url)
    assert exit_status(crawler) == EX_OK


@deferred_f_from_coro_f
async def test_no_secret_is_repeated_from_an_answer(folder, caplog):
    api = ScriptedApi(error(400, "invalid_params", "no, clt.scripted-token, no"))
    api.token_answers = [Answer(500, {"error": "x", "error_description": "secret-of-ann"})] * 6
    api.token_answers.append(Answer(body=TOKEN))
    caplog.set_level("DEBUG", logger="tiktok_crawler")
    async with serving(api):
        await folder.crawl(api.url, {"TIKTOK_RETRY_TIMES": 2})
        await folder.crawl(api.url, {"TIKTOK_RETRY_TIMES": 9})
    assert "no, ***, no" in caplog.text
    assert "secret-of-ann" not in caplog.text
    assert "clt.scripted-token" not in caplog.text


@deferred_f_from_coro_f
async def test_a_token_is_read_though_something_beside_it_is_not_utf_8(folder):
    api = ScriptedApi(page(1))
    api.token_answers = [Answer(body=b'{"access_token": "clt.new", "note": "caf\xe9"}')]
    async with serving(api):
        crawler = await folder.crawl(api.url)
    assert api.headers[0]["Authorization"] == "Bearer clt.new"
    assert exit_status(crawler) == EX_OK


@pytest.mark.parametrize(
    "token", ["clt.\ud83d", "clt.a\r\nb", "clt.a b", "clt.\xfc", "x" * 5000, ""]
)
@deferred_f_from_coro_f
async def test_a_token_that_no_header_can_carry_is_none(folder, caplog, token):
    api = ScriptedApi(page(1))
    api.token_answers = [Answer(body=TOKEN | {"access_token": token}), Answer(body=TOKEN)]
    async with serving(api):
        crawler = await folder.crawl(api.url)
    assert api.headers[0]["Authorization"] == "Bearer clt.scripted-token"
    assert exit_status(crawler) == EX_OK
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("place", ["error", "error_description", "log_id"])
def test_words_about_a_token_are_of_a_readable_length(place):
    body = {"error": "invalid_client", "log_id": "L"} | {place: "words " * 100_000}
    with pytest.raises((TokenRefusedError, TokenUnavailableError)) as caught:
        Token.from_answer(json.dumps(body).encode(), 400, utc_now())
    assert len(str(caught.value)) < 1000
