"""What is left of an answer when records in it were deleted."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.archive.lines import RawAnswer, answer_json, dump
from tiktok_crawler.archive.stripping import Stripper, body_without
from tiktok_crawler.planning.checks import RecordKind
from tiktok_crawler.research_api.endpoints import COMMENTS, USERS, VIDEO_QUERY
from tiktok_crawler.research_api.json_text import read_json_object
from tiktok_crawler.research_api.verdicts import classify
from tiktok_crawler.storage.deletion.deletion import Named
from tiktok_crawler.storage.records.leaving_out import Key, user

VIDEO, COMMENT = 7319339166548885798, 7319339166548885801
DELETED = Named(
    "salt",
    frozenset(
        {
            user("quokka.one"),
            Key(RecordKind.VIDEO, str(VIDEO)),
            Key(RecordKind.COMMENT, str(COMMENT)),
        }
    ),
)


def stripped(body, *, listing=None, seed="7300000000000000001", status=200):
    """Strip the line of an answer; what is left of its body."""
    about = {"listing": listing, "seed": seed} if listing else {"query": "abc"}
    answer = answer_json(RawAnswer(status, {}, body.encode()))
    line = dump({"kind": "answer", "line": 1, **about, "response": answer}).removesuffix(b"\n")
    stripper = Stripper(DELETED, DELETED)
    kept = json.loads(stripper.line(line))["response"]["body"]
    again = Stripper(DELETED, DELETED).line(stripper.line(line))
    assert json.loads(again)["response"]["body"] == kept
    return kept


def refused(words, key="message"):
    return json.dumps({"data": {}, "error": {"code": "invalid_params", key: words}})


@pytest.mark.parametrize("key", ["message", "msg"])
@pytest.mark.parametrize(
    ("words", "left"),
    [
        (f"Invalid video_id: {VIDEO}", "Invalid video_id: [deleted]"),
        (f"comment_id={COMMENT}.Try again", "comment_id=[deleted].Try again"),
        (f"no video{VIDEO}!", "no video[deleted]!"),
        ("Cannot find the user Quokka.One", "Cannot find the user [deleted]"),
        ("users: ...quokka.one", "users: [deleted]"),
        (f"HTTP 404: {VIDEO + 1}, quokka", f"HTTP 404: {VIDEO + 1}, quokka"),
    ],
)
def test_words_of_the_api_lose_names_and_ids(words, left, key):
    kept = stripped(refused(words, key), listing="comments", status=400)
    assert json.loads(kept)["error"][key] == left


def test_reasons_lose_names_and_ids():
    line = dump({"kind": "end", "listing": "comments", "reason": f"Invalid video_id: {VIDEO}"})
    kept = Stripper(DELETED, DELETED).line(line.removesuffix(b"\n"))
    assert json.loads(kept)["reason"] == "Invalid video_id: [deleted]"


HERS = {"id": VIDEO, "username": "quokka.one", "video_description": "her words"}
OTHER = {"id": 1, "username": "wombat_two", "video_description": "of another"}
OK = {"code": "ok", "message": "", "log_id": "202401010000"}


def page(videos, **more):
    return {"data": {"videos": videos, "has_more": False, "cursor": 0} | more, "error": OK}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(json.dumps(page([HERS]))[:-30], id="cut off"),
        pytest.param(json.dumps(page([{"video_description": "her words"}]))[:-1], id="no name"),
        pytest.param(json.dumps(page([HERS]))[20:], id="without its beginning"),
        pytest.param(json.dumps([page([HERS])]), id="a list"),
        pytest.param(json.dumps({"data": [HERS], "error": OK}), id="data is a list"),
        pytest.param(json.dumps({"data": json.dumps([HERS]), "error": OK}), id="data is text"),
        pytest.param(json.dumps(page({"0": HERS})), id="a list is an object"),
        pytest.param(json.dumps({"data": {"items": [HERS]}, "error": OK}), id="another name"),
        pytest.param(json.dumps(page([OTHER], more=[HERS])), id="beside the list"),
        pytest.param(json.dumps(page([], more={str(VIDEO): "her words"})), id="by its id"),
        pytest.param(json.dumps(page([OTHER]) | {"videos": [HERS]}), id="beside data"),
        pytest.param(json.dumps({"error": OK | {"of": HERS}}), id="in the error"),
        pytest.param(json.dumps({"data": {"videos": [HERS]}, "error": {}}), id="never said ok"),
    ],
)
def test_whatever_shape_an_answer_has_a_record_leaves_it(body):
    kept = stripped(body)
    for word in ("her words", "quokka.one", str(VIDEO)):
        assert word not in kept
    assert "of another" in kept or "of another" not in body
    before, after = (classify(200, each.encode()) for each in (body, kept))
    assert after.kind is before.kind


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[deleted]",
        json.dumps(page([OTHER], extra={"more": [OTHER, 7]}) | {"extra": OTHER}),
        json.dumps(page([OTHER])),
        json.dumps({"data": {}, "error": {"code": "invalid_params", "message": "no"}}),
        json.dumps({"data": None, "error": {"code": "quokka.one"}}),
    ],
)
def test_an_answer_that_has_nothing_of_it_stays_as_it_is(body):
    assert stripped(body) == body


def test_what_is_nested_without_end_is_stripped():
    nested = HERS
    for _ in range(900):
        nested = [nested]
    assert "her words" not in stripped(json.dumps(page([], more=nested)))


@pytest.mark.parametrize(
    ("key", "twice"),
    [
        ('"has_more":', '"more": "quokka.one", "more": "", "has_more":'),
        ('"id": 1', f'"id": {VIDEO}, "id": 1'),
        ('"message":', '"message": "quokka.one", "message":'),
    ],
)
def test_what_a_repeated_key_hides_goes(key, twice):
    body = json.dumps(page([OTHER])).replace(key, twice)
    kept = stripped(body)
    assert "quokka" not in kept
    assert str(VIDEO) not in kept
    assert json.loads(kept) == json.loads(body)


values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(["", "ok", "quokka.one"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["id", "username", "a"]), inner, max_size=2)
    ),
    max_leaves=6,
)
datas = st.dictionaries(
    st.sampled_from(["videos", "comments", "has_more", "cursor", "username", "more"]), values
)
errors = st.fixed_dictionaries({"code": st.sampled_from(["ok", "", "internal_error", 3])})
answers = st.dictionaries(st.sampled_from(["data", "error", "a"]), values | datas | errors)


@given(answers, st.sampled_from([None, COMMENTS, USERS]), st.sampled_from([200, 400, 404, 500]))
def test_what_is_left_of_an_answer_means_the_same(answer, listing, status):
    body = json.dumps(answer).encode()
    raw = RawAnswer(status, {}, body)
    kept = body_without(raw, listing, "1", DELETED)
    endpoint = listing.endpoint if listing else VIDEO_QUERY
    before, after = (classify(status, each, endpoint) for each in (body, kept.body))
    assert after.kind is before.kind
    assert bool(endpoint.records_of(after.data)) == bool(endpoint.records_of(before.data))
    assert "quokka.one" not in json.dumps(read_json_object(kept.body).content, default=str) or (
        answer["error"]["code"] == "quokka.one"
    )
