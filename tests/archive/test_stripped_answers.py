"""What is left of an answer when records in it were deleted."""

from __future__ import annotations

import json

import pytest

from tiktok_crawler.archive.lines import RawAnswer, answer_json, dump
from tiktok_crawler.archive.stripping import Stripper
from tiktok_crawler.planning.checks import RecordKind
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
