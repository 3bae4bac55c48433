"""Bodies as JSON: what of them is no text is replaced and counted, and spoils nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.research_api.json_text import JsonObject, read_json_object
from tiktok_crawler.research_api.verdicts import AnswerKind, classify

PAGE = (
    b'{"data": {"videos": [{"id": 7, "username": "ann"}, {"id": 8}], "has_more": false,'
    b' "cursor": 2}, "error": {"code": "ok", "message": "", "log_id": "L"}}'
)


@pytest.mark.parametrize(
    ("name", "read", "places"),
    [
        pytest.param(b"caf\xe9", "caf\ufffd", 1, id="Latin-1"),
        pytest.param(b"caf\xe9 \xfcber", "caf\ufffd \ufffdber", 2, id="in two places"),
        pytest.param(b"a\xf0\x9f\x98", "a\ufffd", 1, id="a character that is cut off"),
        pytest.param(b"\xc3\xbc\xff\xef\xbf\xbd", "\u00fc\ufffd\ufffd", 1, id="beside the mark"),
        pytest.param(b"\xc0\xaf", "\ufffd\ufffd", 2, id="too long a form"),
        pytest.param(b"\xef\xbf\xbd", "\ufffd", 0, id="the mark itself"),
        pytest.param(b"\xed\xa0\xbd", "\ud83d", 0, id="half an emoji"),
        pytest.param(b"a\nb\x00\x1b", "a\nb\x00\x1b", 0, id="control characters"),
    ],
)
def test_what_is_no_text_is_replaced_and_all_else_is_read(name, read, places):
    verdict = classify(200, PAGE.replace(b"ann", name))

    assert verdict.kind is AnswerKind.PAGE
    assert verdict.data["videos"] == [{"id": 7, "username": read}, {"id": 8}]
    assert (verdict.log_id, verdict.replaced_count) == ("L", places)


def test_a_wrong_byte_in_an_error_leaves_its_meaning():
    body = b'{"error": {"code": "invalid_params", "message": "caf\xe9 is private"}}'

    verdict = classify(400, body)

    assert (verdict.kind, verdict.message) == (AnswerKind.WITHHELD, "caf\ufffd is private")
    assert verdict.replaced_count == 1


@pytest.mark.parametrize("body", [b"\xff" + PAGE, PAGE.replace(b"7", b"\xff"), PAGE[:-1] + b"\xff"])
def test_a_wrong_byte_outside_a_text_is_still_no_json(body):
    assert read_json_object(body) is None


@given(st.text(), st.binary(max_size=5))
def test_whatever_stands_in_one_text_another_is_read(text, raw):
    quoted = json.dumps(text, ensure_ascii=False).encode(errors="surrogatepass")
    inside = raw.replace(b'"', b"").replace(b"\\", b"")

    found = read_json_object(b'{"a": "x' + inside + b'", "b": ' + quoted + b"}")

    assert isinstance(found, JsonObject)
    assert found.content["b"] == text
