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
@pytest.mark.parametrize("data", [None, {}], ids=["no data", "empty data"])
def test_a_known_code_has_its_meaning(status, code, kind, data):
    assert classify(status, answer(data, code=code, message="")).kind is kind


@pytest.mark.parametrize(("status", "code", "kind"), CODES)
def test_an_error_inside_a_200_means_what_its_code_says(status, code, kind):  # noqa: ARG001
    assert classify(200, answer({}, code=code, message="")).kind is kind


@pytest.mark.parametrize(("status", "code", "kind"), CODES)
def test_an_error_code_beside_data_is_still_an_error(status, code, kind):
    assert classify(status, answer(PAGE_DATA, code=code, message="")).kind is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        pytest.param(403, AnswerKind.REFUSED, id="403: likes are private"),
        pytest.param(404, AnswerKind.REFUSED, id="404: no such user"),
        pytest.param(401, AnswerKind.TOKEN, id="401: the token"),
        pytest.param(429, AnswerKind.RATE, id="429: too fast"),
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


@pytest.mark.parametrize(("status", "code", "message", "kind"), MESSAGES)
def test_a_known_message_has_its_meaning_and_is_kept(status, code, message, kind):
    verdict = classify(status, answer(code=code, message=message))

    assert verdict == Verdict(kind, status, code, message, LOG_ID)


@pytest.mark.parametrize(("status", "code", "message", "kind"), MESSAGES)
def test_the_older_spelling_of_message_is_read_too(status, code, message, kind):
    assert classify(status, answer(code=code, msg=message)) == Verdict(
        kind, status, code, message, LOG_ID
    )


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        pytest.param(
            400,
            b'{"error":{"code":"invalid_params","message":"Invalid count or cursor",'
            b'"log_id":"20241009180101BDD8B4B0A88D600D1801"}}',
            AnswerKind.SEARCH_REFUSED,
            id="without data",
        ),
        pytest.param(
            429,
            b'{"data":{},"error":{"code":"daily_quota_limit_exceeded",'
            b'"message":"The API daily quota limit exceeded. Please try again later"}}',
            AnswerKind.DAILY_QUOTA,
            id="with empty data",
        ),
    ],
)
def test_the_recorded_refusals_are_understood(status, body, kind):
    assert classify(status, body).kind is kind


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
    "error",
    [
        pytest.param(OK, id="search, comments, users"),
        pytest.param(OK | {"message": "ok"}, id="likes, followers, playlists"),
        pytest.param(OK | {"message": "ok.", "http_status_code": 200}, id="compliance"),
    ],
)
def test_success_is_a_page_with_its_data(error):
    body = json.dumps({"data": PAGE_DATA, "error": error}).encode()

    assert classify(200, body) == Verdict(AnswerKind.PAGE, 200, "ok", "", LOG_ID, PAGE_DATA)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({"videos": [], "has_more": True, "cursor": 100}, id="hidden videos only"),
        pytest.param({"has_more": False}, id="no videos, no cursor, no search_id"),
        pytest.param({"videos": None, "has_more": False, "search_id": None}, id="nulls"),
    ],
)
def test_has_more_alone_makes_a_page(data):
    verdict = classify(200, answer(data, code="ok", message=""))

    assert verdict.kind is AnswerKind.PAGE
    assert verdict.data == data


@pytest.mark.parametrize(
    "error",
    [
        pytest.param({}, id="no error"),
        pytest.param({"error": None}, id="error is null"),
        pytest.param({"error": {}}, id="error is empty"),
        pytest.param({"error": {"code": "", "message": "", "log_id": LOG_ID}}, id="no code"),
        pytest.param({"error": OK}, id="ok"),
    ],
)
def test_a_500_with_usable_data_and_no_error_message_is_a_page(error):
    verdict = classify(500, json.dumps({"data": PAGE_DATA, **error}).encode())

    assert verdict.kind is AnswerKind.PAGE
    assert verdict.data == PAGE_DATA


def test_a_500_with_data_and_an_error_message_is_a_fault():
    body = answer(PAGE_DATA, code="", message="Server Internal Error")

    assert classify(500, body).kind is AnswerKind.FAULT


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"error": OK}, id="data is missing"),
        pytest.param({"error": OK, "data": None}, id="data is null"),
        pytest.param({"error": OK, "data": {}}, id="data is empty"),
        pytest.param({"error": OK, "data": []}, id="data is a list"),
        pytest.param({"error": OK, "data": {"videos": []}}, id="has_more is missing"),
        pytest.param({"error": OK, "data": PAGE_DATA | {"has_more": None}}, id="has_more is null"),
        pytest.param({"error": OK, "data": PAGE_DATA | {"has_more": "no"}}, id="has_more is text"),
    ],
)
def test_ok_without_has_more_is_malformed_and_not_an_end(body):
    verdict = classify(200, json.dumps(body).encode())

    assert verdict.kind is AnswerKind.MALFORMED
    assert verdict.data == (body["data"] if isinstance(body.get("data"), dict) else {})
    assert verdict.log_id == LOG_ID


@pytest.mark.parametrize(
    ("status", "kind"), [(429, AnswerKind.RATE), (404, AnswerKind.REFUSED), (500, AnswerKind.FAULT)]
)
@pytest.mark.parametrize("error", [{}, {"error": {"code": ""}}, {"error": None}])
def test_an_error_status_with_no_records_and_no_ok_is_no_end(status, kind, error):
    body = json.dumps({"data": {"has_more": False, "cursor": 0}, **error}).encode()

    assert classify(status, body).kind is kind


@pytest.mark.parametrize("videos", [{"0": {"id": 7}}, "none", 7])
def test_records_that_are_no_list_are_malformed(videos):
    data = PAGE_DATA | {"videos": videos, "has_more": False}

    verdict = classify(200, answer(data, code="ok", message=""))

    assert verdict.kind is AnswerKind.MALFORMED
    assert verdict.data == {}


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
    ],
)
def test_a_verdict_reads_as_status_and_the_words_of_the_api(status, body, words):
    assert str(classify(status, body)) == words


@pytest.mark.parametrize("body", [b"{}", b'{"error":{"code":""}}', b'{"data":{}}'])
def test_an_answer_that_never_said_ok_is_not_quoted_as_saying_so(body):
    assert classify(500, body).code == ""


@pytest.mark.parametrize("log_id", [None, "", 0])
def test_a_missing_log_id_is_none(log_id):
    assert classify(500, answer(code="internal_error", log_id=log_id)).log_id is None


STATUSES = st.integers(0, 999)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
ERRORS = JSON | st.fixed_dictionaries({}, optional={"code": JSON, "message": JSON, "log_id": JSON})
DATA = JSON | st.fixed_dictionaries({}, optional={"videos": JSON, "has_more": JSON, "cursor": JSON})
ANSWERS = st.fixed_dictionaries({}, optional={"data": DATA, "error": ERRORS}) | JSON
BODIES = st.binary() | ANSWERS.map(lambda body: json.dumps(body).encode())


@given(STATUSES, BODIES)
def test_every_answer_has_a_verdict(status, body):
    verdict = classify(status, body)

    assert verdict.kind in AnswerKind
    assert verdict.status == status
    assert (verdict.data is not None) is (verdict.kind in {AnswerKind.PAGE, AnswerKind.MALFORMED})
    assert str(verdict).startswith(f"HTTP {status}: ")


@given(st.integers(0, 2000))
def test_a_message_nested_however_deep_has_a_verdict(depth):
    body = b'{"error":{"message":' + b"[" * depth + b"]" * depth + b"}}"

    assert classify(500, body).kind is AnswerKind.FAULT


KNOWN_CODES = {"", "ok", *(code for _, code, _ in CODES)}


UNKNOWN_CODES = st.text().filter(lambda code: code.lower() not in KNOWN_CODES)


@given(STATUSES, UNKNOWN_CODES | st.integers(min_value=1))
def test_an_unknown_code_is_never_success(status, code):
    assert classify(status, answer(PAGE_DATA, code=code, message="")).kind not in {
        AnswerKind.PAGE,
        AnswerKind.MALFORMED,
    }
