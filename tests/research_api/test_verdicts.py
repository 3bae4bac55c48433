"""What each known answer of the API means (api_facts.md 11), and that none is without meaning."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.research_api.verdicts import AnswerKind, Verdict, classify

LOG_ID = "20241009180101BDD8B4B0A88D600D1801"
PAGE_DATA = {
    "videos": [{"id": 7}],
    "cursor": 100,
    "has_more": True,
    "search_id": "7423432753447932974",
}
OK = {"code": "ok", "message": "", "log_id": LOG_ID}
HTML = b"<html><head><title>504 Gateway Time-out</title></head><body><h1>504</h1></body></html>"
WHOLE_PAGE = json.dumps({"data": PAGE_DATA, "error": OK}).encode()

SEARCH_ID_INVALID = "Search Id 7378809778820092971 is invalid or expired"
RATE_LIMITED = "The API rate limit was exceeded. Please try again later."
QUOTA_SPENT = "The API daily quota limit exceeded. Please try again later"


def answer(data=None, **error):
    """An answer's body; without `data`, that key is missing, as it is in recorded refusals."""
    body = {"error": {"log_id": LOG_ID, **error}}
    return json.dumps(body if data is None else {"data": data, **body}).encode()


CODES = [
    # api_facts.md 11.1, one row each
    (400, "invalid_params", AnswerKind.REFUSED),
    (400, "invalid_file_upload", AnswerKind.REFUSED),
    (401, "access_token_invalid", AnswerKind.TOKEN),
    (401, "scope_not_authorized", AnswerKind.SCOPE),
    (401, "scope_permission_missed", AnswerKind.SCOPE),
    (429, "rate_limit_exceeded", AnswerKind.RATE),
    (429, "daily_quota_limit_exceeded", AnswerKind.DAILY_QUOTA),
    (500, "internal_error", AnswerKind.FAULT),
    (400, "invalid_param", AnswerKind.REFUSED),
    (400, "invalid_request", AnswerKind.REFUSED),
    (500, "timeout", AnswerKind.FAULT),
    (401, "invalid_token", AnswerKind.TOKEN),
]


@pytest.mark.parametrize(("status", "code", "kind"), CODES)
@pytest.mark.parametrize(
    ("data", "in_200"),
    [
        pytest.param(None, False, id="no data"),
        pytest.param({}, False, id="empty data"),
        pytest.param({}, True, id="inside a 200"),
        pytest.param(PAGE_DATA, False, id="beside data"),
    ],
)
def test_a_known_code_has_its_meaning_whatever_it_comes_with(status, code, kind, data, in_200):
    body = answer(data, code=code, message="")

    assert classify(200 if in_200 else status, body).kind is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        pytest.param(403, AnswerKind.REFUSED, id="403: likes are private"),
        pytest.param(404, AnswerKind.REFUSED, id="404: no such user"),
        pytest.param(401, AnswerKind.TOKEN, id="401: the token"),
        pytest.param(429, AnswerKind.RATE, id="429: too fast"),
        pytest.param(408, AnswerKind.FAULT, id="408: the request came too slowly"),
        pytest.param(425, AnswerKind.FAULT, id="425: it came too early"),
        pytest.param(500, AnswerKind.FAULT, id="500: backend"),
        pytest.param(503, AnswerKind.FAULT, id="503: gateway"),
        pytest.param(504, AnswerKind.FAULT, id="504: gateway"),
    ],
)
@pytest.mark.parametrize("body", [b"", b"{}", b'{"data":{}}', b'{"error":{}}'])
def test_without_a_code_the_status_tells(status, kind, body):
    assert classify(status, body).kind is kind


MESSAGES = [
    # api_facts.md 11.2, one row each; the first two are those of api_facts.md 11.3
    (400, "invalid_params", SEARCH_ID_INVALID, AnswerKind.SEARCH_REFUSED),
    (400, "invalid_params", "Invalid count or cursor", AnswerKind.SEARCH_REFUSED),
    (
        400,
        "invalid_params",
        "`username: ada` is invalid: cannot find the user",
        AnswerKind.NOT_FOUND,
    ),
    (400, "invalid_params", "API cannot return this user's information", AnswerKind.WITHHELD),
    (400, "invalid_params", "This user is private", AnswerKind.WITHHELD),
    (400, "invalid_params", "This user's information cannot be returned", AnswerKind.WITHHELD),
    (400, "invalid_params", "Something is wrong. Please try again later.", AnswerKind.FAULT),
    (500, "internal_error", "Something is wrong. Please try again later.", AnswerKind.FAULT),
    (400, "invalid_params", "Something went wrong. Please try again later.", AnswerKind.FAULT),
    (500, "internal_error", "Something went wrong. Please try again later.", AnswerKind.FAULT),
    (400, "invalid_params", "Server Internal Error", AnswerKind.FAULT),
    (500, "internal_error", "Server Internal Error", AnswerKind.FAULT),
    (
        401,
        "scope_not_authorized",
        "The user did not authorize the scope required for completing this request.",
        AnswerKind.SCOPE,
    ),
    (
        401,
        "access_token_invalid",
        "The access token is invalid or not found in the request.",
        AnswerKind.TOKEN,
    ),
    (429, "rate_limit_exceeded", RATE_LIMITED, AnswerKind.RATE),
    (429, "daily_quota_limit_exceeded", QUOTA_SPENT, AnswerKind.DAILY_QUOTA),
]


@pytest.mark.parametrize("key", ["message", "msg"])
@pytest.mark.parametrize(("status", "code", "message", "kind"), MESSAGES)
def test_a_known_message_has_its_meaning_in_either_spelling_and_is_kept(
    status, code, message, kind, key
):
    verdict = classify(status, answer(code=code, **{key: message}))

    assert verdict == Verdict(kind, status, code, message, LOG_ID)


@pytest.mark.parametrize("code", ["", "too_many_requests"])
@pytest.mark.parametrize("message", ["", RATE_LIMITED, QUOTA_SPENT, "Server Internal Error"])
def test_an_unknown_429_is_a_rate_limit_whatever_it_says(code, message):
    assert classify(429, answer(code=code, message=message)).kind is AnswerKind.RATE


@pytest.mark.parametrize("message", ["", "Something is wrong. Please try again later."])
def test_an_unknown_401_asks_for_a_new_token_whatever_it_says(message):
    assert classify(401, answer(code="denied", message=message)).kind is AnswerKind.TOKEN


@pytest.mark.parametrize("code", ["invalid_params", "INVALID_PARAMS"])
def test_codes_and_messages_are_read_in_any_case(code):
    body = answer(code=code, message=SEARCH_ID_INVALID.upper())

    assert classify(400, body).kind is AnswerKind.SEARCH_REFUSED


@pytest.mark.parametrize(
    ("status", "kind"), [(429, AnswerKind.RATE), (404, AnswerKind.REFUSED), (500, AnswerKind.FAULT)]
)
@pytest.mark.parametrize("error", [{}, {"error": {"code": ""}}, {"error": None}])
def test_an_error_status_with_no_records_and_no_ok_is_no_end(status, kind, error):
    body = json.dumps({"data": {"has_more": False, "cursor": 0}, **error}).encode()

    assert classify(status, body).kind is kind


@pytest.mark.parametrize("status", [200, 500, 502, 503, 504])
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(HTML, id="HTML"),
        pytest.param(WHOLE_PAGE[:-30], id="truncated JSON"),
        pytest.param(WHOLE_PAGE[:1], id="a single byte"),
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b'"ok"', id="text"),
        pytest.param(b"{}", id="nothing in it"),
        pytest.param(b'{"message":"upstream timed out"}', id="another form"),
        pytest.param(b'{"error":"internal_error"}', id="a flat error"),
        pytest.param(b'{"data":{"videos":[]}}', id="has_more and the word ok are missing"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b"1" * 100_000, id="huge number"),
        pytest.param(b"\xff\xfe\x00", id="binary"),
    ],
)
def test_what_is_no_answer_of_the_api_is_a_fault_to_retry(status, body):
    assert classify(status, body).kind is AnswerKind.FAULT


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (504, HTML, "HTTP 504: not JSON: 504 Gateway Time-out 504"),
        (503, b"", "HTTP 503: an empty body"),
        (
            400,
            answer(code="invalid_params", message="Invalid count or cursor"),
            "HTTP 400: invalid_params Invalid count or cursor",
        ),
        (500, answer(code="internal_error", message=""), "HTTP 500: internal_error"),
        (500, answer(code="x", message="no\x1b[2J\nmore\u202e"), "HTTP 500: x no�[2J more�"),
        (502, b"<b>no\x1b[2J</b>", "HTTP 502: not JSON: no�[2J"),
    ],
)
def test_a_verdict_reads_as_status_and_the_words_of_the_api(status, body, words):
    assert str(classify(status, body)) == words


SOMEBODYS = json.dumps({"data": {"comments": [{"text": "her words"}], "has_more": False}})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(SOMEBODYS[:-1], id="cut off"),
        pytest.param(f" \n{SOMEBODYS[:30]}", id="cut off after blanks"),
        pytest.param(SOMEBODYS[30:], id="without its beginning"),
        pytest.param(f"[{SOMEBODYS}]", id="in a list"),
        pytest.param(f"1a\r\n{SOMEBODYS}\r\n0", id="behind something"),
        pytest.param(json.dumps(SOMEBODYS), id="as text"),
    ],
)
def test_nothing_of_a_record_is_quoted(body, encoding):
    sent = body.encode(encoding)
    words = f"HTTP 200: no whole JSON object in {len(sent)} bytes"
    assert str(classify(200, sent)) == words


def test_html_is_quoted_up_to_what_it_has_of_a_record():
    body = f"<b>Bad gateway</b> {SOMEBODYS}".encode()
    assert str(classify(502, body)) == "HTTP 502: not JSON: Bad gateway"


@pytest.mark.parametrize("body", [b"{}", b'{"error":{"code":""}}', b'{"data":{}}'])
def test_an_answer_that_never_said_ok_is_not_quoted_as_saying_so(body):
    assert classify(500, body).code == ""


@pytest.mark.parametrize("log_id", [None, "", 0])
def test_a_missing_log_id_is_none(log_id):
    assert classify(500, answer(code="internal_error", log_id=log_id)).log_id is None


@given(st.integers(0, 2000))
def test_a_message_nested_however_deep_has_a_verdict(depth):
    body = b'{"error":{"message":' + b"[" * depth + b"]" * depth + b"}}"

    assert classify(500, body).kind is AnswerKind.FAULT


KNOWN_CODES = {"", "ok", *(code for _, code, _ in CODES)}
UNKNOWN_CODES = st.text().filter(lambda code: code.lower() not in KNOWN_CODES)


@given(st.integers(0, 999), UNKNOWN_CODES | st.integers(min_value=1))
def test_an_unknown_code_is_never_success(status, code):
    assert classify(status, answer(PAGE_DATA, code=code, message="")).kind not in {
        AnswerKind.PAGE,
        AnswerKind.MALFORMED,
    }
