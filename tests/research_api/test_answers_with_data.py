"""What answers of each endpoint mean, by the data they have (api_facts.md 3 to 11, 13.15)."""

from __future__ import annotations

import json
import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from json_values import JSON

from tiktok_crawler.research_api import endpoints
from tiktok_crawler.research_api.endpoints import LISTINGS
from tiktok_crawler.research_api.verdicts import AnswerKind, Verdict, classify

LOG_ID = "20240405132544A8A35938AA061A19F445"
OK = {"code": "ok", "message": "", "log_id": LOG_ID}
ENDPOINTS = {"videos": endpoints.VIDEO_QUERY} | {n: each.endpoint for n, each in LISTINGS.items()}
MORE = {"cursor": 100, "has_more": True}

# An answer with records for each, as docs describe it.
DATA = {
    "videos": {"videos": [{"id": 7}], "search_id": "7423432753447932974", **MORE},
    "comments": {"comments": [{"id": 7, "text": ""}], **MORE},
    "replies": {"comments": [{"id": 8, "parent_comment_id": 7}], **MORE},
    "users": {"display_name": "Ada", "bio_description": "", "follower_count": 3},
    "followers": {"user_followers": [{"display_name": "B", "username": "bob"}], **MORE},
    "following": {"user_following": [{"display_name": "B", "username": "bob"}], **MORE},
    "liked_videos": {"user_liked_videos": [{"id": 7}], **MORE},
    "pinned_videos": {"pinned_videos_list": [{"id": 7}]},
    "reposted_videos": {"reposted_videos": [{"id": 7}], **MORE},
    "playlists": {"playlist_id": 9, "playlist_name": "x", "playlist_video_ids": [7], **MORE},
    "shops": {"shop_data": [{"shop_id": 9}]},
    "products": {"product_data": [{"product_id": 9}]},
    "reviews": {"review_data": [{"review_text": "good"}]},
}
SHOPS = ("shops", "products", "reviews")
WITHOUT_HAS_MORE = ("users", "pinned_videos", *SHOPS)
WITH_HAS_MORE = tuple(name for name in DATA if name not in WITHOUT_HAS_MORE)
OF_USERS = ("users", "followers", "following", "liked_videos", "pinned_videos", "reposted_videos")


def answer(data=None, **error):
    """A body; without `data`, that key is missing, and without an error, so is that."""
    body = {} if data is None else {"data": data}
    return json.dumps(body | ({"error": {"log_id": LOG_ID, **error}} if error else {})).encode()


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize(
    "error", [{}, {"message": "ok"}, {"message": "ok.", "http_status_code": 200}]
)
def test_success_is_a_page_with_its_data(name, error):
    verdict = classify(200, answer(DATA[name], **OK | error), ENDPOINTS[name])

    assert verdict == Verdict(AnswerKind.PAGE, 200, "ok", "", LOG_ID, DATA[name])


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("error", [..., None, {}, {"code": "", "message": ""}, OK])
def test_a_500_with_valid_data_and_no_error_message_is_a_page(name, error):
    body = {"data": DATA[name]} | ({} if error is ... else {"error": error})
    verdict = classify(500, json.dumps(body).encode(), ENDPOINTS[name])

    assert verdict.kind is AnswerKind.PAGE
    assert verdict.data == DATA[name]


@pytest.mark.parametrize("name", DATA)
def test_a_500_with_a_message_is_a_fault_whatever_data_it_has(name):
    for data in (None, {}, DATA[name]):
        body = answer(data, code="", message="Server Internal Error")

        assert classify(500, body, ENDPOINTS[name]).kind is AnswerKind.FAULT


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("data", [None, {}])
def test_a_500_without_data_is_a_fault(name, data):
    assert classify(500, answer(data), ENDPOINTS[name]).kind is AnswerKind.FAULT


@pytest.mark.parametrize("name", SHOPS)
def test_answers_of_shops_need_no_error_object_also_when_they_list_nothing(name):
    (key,) = ENDPOINTS[name].records_keys

    for data in (DATA[name], {key: []}):
        assert classify(200, answer(data), ENDPOINTS[name]).kind is AnswerKind.PAGE


@pytest.mark.parametrize("name", ["pinned_videos", *SHOPS])
@pytest.mark.parametrize("data", [{}, "null"])
def test_ok_without_its_list_is_an_empty_page_where_no_has_more_is_expected(name, data):
    (key,) = ENDPOINTS[name].records_keys
    verdict = classify(200, answer({key: None} if data else data, **OK), ENDPOINTS[name])

    assert verdict.kind is AnswerKind.PAGE
    assert ENDPOINTS[name].records_of(verdict.data) == ()


@pytest.mark.parametrize("name", [name for name in DATA if name not in ("products", "reviews")])
@pytest.mark.parametrize("body", [b"{}", b'{"data":{}}', b'{"data":null}', b'{"error":{}}'])
def test_an_answer_that_says_nothing_is_no_empty_list(name, body):
    assert classify(200, body, ENDPOINTS[name]).kind is AnswerKind.FAULT


@pytest.mark.parametrize("name", WITH_HAS_MORE)
@pytest.mark.parametrize("has_more", [..., None, "no", 0])
def test_ok_without_has_more_is_malformed_and_keeps_its_records(name, has_more):
    data = {key: value for key, value in DATA[name].items() if key != "has_more"}
    data |= {} if has_more is ... else {"has_more": has_more}

    verdict = classify(200, answer(data, **OK), ENDPOINTS[name])

    assert (verdict.kind, verdict.data) == (AnswerKind.MALFORMED, data)
    assert verdict.log_id == LOG_ID


@pytest.mark.parametrize("name", WITH_HAS_MORE)
@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": {}}, {"data": []}])
def test_ok_without_data_is_malformed_and_not_an_end(name, body):
    verdict = classify(200, json.dumps(body | {"error": OK}).encode(), ENDPOINTS[name])

    assert (verdict.kind, verdict.data) == (AnswerKind.MALFORMED, {})


@pytest.mark.parametrize("name", WITH_HAS_MORE)
def test_has_more_alone_makes_a_page(name):
    keys = ENDPOINTS[name].records_keys
    empty = {}, dict.fromkeys(keys), {key: [] for key in keys}
    for lists, more in product(empty, HAS_MORE[1:]):
        verdict = classify(200, answer(lists | more, **OK), ENDPOINTS[name])

        assert (verdict.kind, verdict.data) == (AnswerKind.PAGE, lists | more)


@pytest.mark.parametrize("data", [{}, None, {"username": "ada"}, {"unknown": 1}])
def test_a_profile_without_anything_of_a_profile_is_malformed(data):
    assert classify(200, answer(data, **OK), endpoints.USERS.endpoint).kind is AnswerKind.MALFORMED


HAS_MORE = ({}, {"has_more": False}, {"has_more": True})
WITH_LISTS = [
    *((name, key) for name in DATA for key in ENDPOINTS[name].records_keys),
    ("playlists", "playlist_video_ids"),
]


NO_LISTS = [
    ({"0": {"id": 7}}, "an object"),
    ({}, "an object"),
    ("none", "text"),
    ("", "text"),
    (7, "a number"),
    (0, "a number"),
    (1.5, "a number"),
    (False, "true or false"),
]


@pytest.mark.parametrize(("name", "key"), WITH_LISTS)
def test_a_list_of_the_wrong_type_is_a_fault_and_never_an_empty_list(name, key):
    known = {key: value for key, value in DATA[name].items() if key != "has_more"}
    for (records, words), more in product(NO_LISTS, HAS_MORE):
        verdict = classify(200, answer({**known, key: records} | more, **OK), ENDPOINTS[name])

        message = f"{key} is {words}, not a list"
        assert verdict == Verdict(AnswerKind.FAULT, 200, "ok", message, LOG_ID)


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("data", [[{"has_more": False}], "null", "", 0, False])
def test_data_of_the_wrong_type_is_a_fault_and_never_an_empty_list(name, data):
    verdict = classify(200, answer(data, **OK), ENDPOINTS[name])

    assert verdict.kind is AnswerKind.FAULT
    assert verdict.message.endswith(", not an object")


@pytest.mark.parametrize(("name", "key"), WITH_LISTS)
@pytest.mark.parametrize(
    ("status", "kind"), [(401, AnswerKind.TOKEN), (429, AnswerKind.RATE), (503, AnswerKind.FAULT)]
)
def test_a_status_without_a_code_means_what_it_does_beside_wrong_lists_too(name, key, status, kind):
    body = json.dumps({"data": {key: {}, "has_more": False}}).encode()

    assert classify(status, body, ENDPOINTS[name]).kind is kind


REPOSTED = endpoints.REPOSTED_VIDEOS.endpoint


@pytest.mark.parametrize(
    "data",
    [
        {"reposted_videos": [{"id": 7}]},
        {"user_reposted_videos": [{"id": 7}]},
        {"reposted_videos": [], "user_reposted_videos": [{"id": 7}]},
        {"reposted_videos": [{"id": 7}], "user_reposted_videos": None},
    ],
)
def test_reposted_videos_are_read_under_either_key(data):
    verdict = classify(200, answer(data | MORE, **OK), REPOSTED)

    assert verdict.kind is AnswerKind.PAGE
    assert REPOSTED.records_of(verdict.data) == ({"id": 7},)


def test_a_playlist_is_one_record_without_what_is_about_pages():
    assert endpoints.PLAYLISTS.endpoint.records_of(DATA["playlists"]) == (
        {"playlist_id": 9, "playlist_name": "x", "playlist_video_ids": [7]},
    )


def test_a_profile_is_one_record_with_what_nobody_knows():
    data = DATA["users"] | {"brand_new": 1}

    assert endpoints.USERS.endpoint.records_of(data) == (data,)


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("data", [None, {}])
def test_no_data_has_no_records(name, data):
    assert ENDPOINTS[name].records_of(data) == ()


REFUSALS = [
    ("`username: ada` is invalid: cannot find the user", AnswerKind.NOT_FOUND),
    ("API cannot return this user's information", AnswerKind.WITHHELD),
    ("This user is private", AnswerKind.WITHHELD),
    ("The information cannot be returned", AnswerKind.WITHHELD),
]


@pytest.mark.parametrize("name", OF_USERS)
@pytest.mark.parametrize(("message", "kind"), REFUSALS)
def test_a_refusal_of_a_user_is_an_answer_and_no_fault(name, message, kind):
    for data, status in product((None, {}), (200, 400, 404)):
        body = answer(data, code="invalid_params", message=message)
        verdict = classify(status, body, ENDPOINTS[name])

        assert verdict == Verdict(kind, status, "invalid_params", message, LOG_ID)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{}", id="nothing in it"),
        pytest.param(answer({}, code="ok"), id="ok"),
        pytest.param(answer({}, code="access_denied", message="no"), id="unknown code"),
        pytest.param(answer(None, code="invalid_params", message="no"), id="invalid_params"),
        pytest.param(b"", id="empty"),
    ],
)
def test_a_403_of_liked_videos_says_that_they_are_private_whatever_it_says(body):
    # api_facts.md 6: the text is not recorded.
    assert classify(403, body, endpoints.LIKED_VIDEOS.endpoint).kind is AnswerKind.WITHHELD


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("scope_not_authorized", AnswerKind.SCOPE),
        ("access_token_invalid", AnswerKind.TOKEN),
        ("rate_limit_exceeded", AnswerKind.RATE),
        ("daily_quota_limit_exceeded", AnswerKind.DAILY_QUOTA),
        ("internal_error", AnswerKind.FAULT),
    ],
)
@pytest.mark.parametrize("name", DATA)
def test_a_403_with_a_known_code_means_what_the_code_says(name, code, kind):
    assert classify(403, answer({}, code=code, message=""), ENDPOINTS[name]).kind is kind


@pytest.mark.parametrize("body", [b"", b"<html><h1>403 Forbidden</h1></html>", answer({})])
@pytest.mark.parametrize("name", [name for name in DATA if name != "liked_videos"])
def test_a_403_of_anything_else_is_a_refusal(name, body):
    assert classify(403, body, ENDPOINTS[name]).kind is AnswerKind.REFUSED


KEYS = sorted({key for data in DATA.values() for key in data})
ANY_DATA = JSON | st.dictionaries(st.sampled_from(KEYS), JSON)
ANY_ERROR = JSON | st.dictionaries(st.sampled_from(["code", "message", "msg", "log_id"]), JSON)
ANSWERS = JSON | st.fixed_dictionaries({}, optional={"data": ANY_DATA, "error": ANY_ERROR})
BODIES = st.binary() | ANSWERS.map(lambda body: json.dumps(body).encode())


@given(st.integers(0, 999), BODIES, st.sampled_from(sorted(ENDPOINTS)))
def test_every_answer_of_every_endpoint_has_a_verdict(status, body, name):
    endpoint = ENDPOINTS[name]
    verdict = classify(status, body, endpoint)

    assert str(verdict).startswith(f"HTTP {status}: ")
    assert (verdict.data is not None) is (verdict.kind in {AnswerKind.PAGE, AnswerKind.MALFORMED})
    assert isinstance(endpoint.records_of(verdict.data), tuple)


@given(ANY_DATA, st.sampled_from(sorted(ENDPOINTS)))
def test_any_data_beside_ok_is_a_page_or_malformed_or_told_to_be_wrong(data, name):
    verdict = classify(200, answer(data, **OK), ENDPOINTS[name])

    if verdict.kind is AnswerKind.FAULT:
        assert re.search("under unknown names|not a list|not an object", verdict.message)
    else:
        assert verdict.kind in {AnswerKind.PAGE, AnswerKind.MALFORMED}


@pytest.mark.parametrize("endpoint", [endpoints.USERS.endpoint, endpoints.FOLLOWERS.endpoint])
def test_a_user_can_be_not_found_by_status_alone(endpoint):
    body = b'{"error": {"code": "invalid_params", "message": "none of that name"}}'
    assert classify(404, body, endpoint).kind is AnswerKind.NOT_FOUND
    assert classify(404, body, endpoints.VIDEO_QUERY).kind is AnswerKind.REFUSED


@pytest.mark.parametrize(
    ("status", "listing"),
    [(404, endpoints.USERS), (403, endpoints.LIKED_VIDEOS), (403, endpoints.FOLLOWERS)],
)
def test_a_page_for_a_browser_is_no_word_about_a_user(status, listing):
    verdict = classify(status, b"<html>Access Denied</html>", listing.endpoint)
    assert (verdict.kind, verdict.is_foreign) == (AnswerKind.REFUSED, True)


@pytest.mark.parametrize("name", [name for name in DATA if ENDPOINTS[name].records_keys])
@pytest.mark.parametrize("more", [True, False])
def test_records_under_another_name_are_never_an_empty_list(name, more):
    data = {"new_name": [{"id": 7}], "cursor": 100, "has_more": more}
    verdict = classify(200, json.dumps({"data": data, "error": OK}).encode(), ENDPOINTS[name])
    assert (verdict.kind, verdict.message) == (
        AnswerKind.FAULT,
        "records under unknown names: new_name",
    )


@pytest.mark.parametrize("name", ["products", "reviews"])
def test_a_page_with_nothing_in_it_ends_what_is_counted_by_pages(name):
    assert classify(200, b'{"data": {}}', ENDPOINTS[name]).kind is AnswerKind.PAGE
    assert classify(500, b'{"data": {}}', ENDPOINTS[name]).kind is AnswerKind.FAULT


@pytest.mark.parametrize(("count", "kind"), [(1000, AnswerKind.PAGE), (1001, AnswerKind.FAULT)])
def test_a_page_with_more_than_ten_times_the_records_of_the_largest_is_none(count, kind):
    data = {"videos": [{}] * count, "cursor": 100, "has_more": True}
    body = json.dumps({"data": data, "error": {"code": "ok", "message": ""}}).encode()
    verdict = classify(200, body, endpoints.VIDEO_QUERY)
    assert verdict.kind is kind
    assert (verdict.message == "") is (kind is AnswerKind.PAGE)
    assert verdict.message in ("", "a page of 1,001 records, where at most 100 were asked for")
