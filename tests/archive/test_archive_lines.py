"""The lines of an archive: what is written can be read, and what cannot be read is named."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from archived import (
    JANUARY,
    NOON,
    SOURCE,
    answer_line,
    body,
    comments_line,
    request,
    run_line,
    seed_line,
    stage_line,
    window_line,
)

from tiktok_crawler.archive.answers import Believed, RawAnswer
from tiktok_crawler.archive.lines import (
    LineError,
    SuspectLine,
    WindowParked,
    WindowShrunk,
    WindowSplit,
    dump_line,
    read_line,
)
from tiktok_crawler.archive.listing_lines import ListEnded, SeedParked, SeedRefused
from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.research_api.verdicts import SeedStatus

DOCUMENT = (Path(__file__).parents[2] / "docs" / "archive.md").read_text(encoding="utf-8")

LINES = {
    "run": run_line(),
    "page": answer_line(1, body(1, 2, cursor=200), request(100)),
    "not UTF-8": answer_line(1, b"\xff\x00\x80"),
    "line feeds and separators": answer_line(1, b'{"a":\n\r"\\n\xe2\x80\xa8"}\n'),
    "nothing": answer_line(1, b""),
    "headers": window_line(1, RawAnswer(429, {"Retry-After": "7"}, b"x")),
    "believed": window_line(1, Believed()),
    "shrunk": window_line(1, WindowShrunk(JANUARY)),
    "split": window_line(1, WindowSplit("HTTP 500: \u2028é", None)),
    "parked": window_line(1, WindowParked("no", "2024LOG", 100, "77"), request(100)),
    "suspected": SuspectLine(NOON, SOURCE, JANUARY, NOON - timedelta(days=1)),
    "half a surrogate pair": window_line(1, WindowParked("\ud800", None, 100, "\ud800")),
    "stage": stage_line("7", "8"),
    "page of a listing": comments_line(2, 1, 2, cursor=100),
    "believed list": seed_line(1, Believed()),
    "end of a list": seed_line(1, ListEnded(), cursor=1000, limit=2000),
    "refused seed": seed_line(1, SeedRefused(SeedStatus.WITHHELD, "private", None)),
    "parked seed": seed_line(1, SeedParked("HTTP 500", "2024LOG", 100, 2), cursor=100),
    "to the microsecond": replace(run_line(), at=NOON + timedelta(microseconds=1)),
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_what_is_written_can_be_read(line):
    text = dump_line(line)
    assert read_line(text) == line
    assert text.endswith(b"\n")
    assert text.count(b"\n") == 1


def test_a_line_says_what_was_asked_and_what_came():
    content = json.loads(dump_line(answer_line(2, body(1), request(100))))
    assert content["kind"] == "answer"
    assert content["at"] == "2024-06-01T12:00:02+00:00"
    assert content["requested_at"] == "2024-06-01T12:00:01+00:00"
    assert content["tags"] == ["dairy"]
    assert len(content["fingerprint"]) == 64
    assert content["request"] == {
        "endpoint": "/v2/research/video/query/",
        "fields": ["id", "username", "hashtag_names"],
        "second_try": False,
        "body": {
            "query": {
                "and": [{"field_name": "region_code", "field_values": ["FR"], "operation": "EQ"}]
            },
            "start_date": "20240101",
            "end_date": "20240131",
            "max_count": 100,
            "cursor": 100,
            "search_id": "77",
        },
    }
    assert json.loads(content["response"]["body"])["data"]["videos"][0]["id"] == 1


@pytest.mark.parametrize("is_one", [True, False])
def test_whether_a_request_was_a_second_try_is_kept(is_one):
    line = answer_line(1, body(1), replace(request(), second_try=is_one))
    assert read_line(dump_line(line)).asked.request.second_try is is_one


def test_a_line_about_a_seed_says_what_was_asked_and_where_the_listing_was():
    content = json.loads(dump_line(comments_line(3, 1, 2, cursor=100)))
    assert (content["kind"], content["listing"], content["seed"]) == ("answer", "comments", "7")
    assert content["begun_at"] == "2024-06-01T12:00:01+00:00"
    assert content["requested_at"] == "2024-06-01T12:00:02+00:00"
    assert content["tags"] == ["tea"]
    asked = content["request"]
    assert (asked["cursor"], asked["position"], asked["limit"]) == (100, 2, None)
    assert asked["endpoint"] == "/v2/research/video/comment/list/"
    assert asked["body"] == {"video_id": 7, "max_count": 100, "cursor": 100}
    read = read_line(dump_line(comments_line(3, 1, 2, cursor=100)))
    assert read.asked.request.begun_at == NOON + timedelta(seconds=1)


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_versions_that_know_no_listings_are_told_so_and_read_all_else(line):
    content = json.loads(dump_line(line))
    assert content["format"] == (2 if "listing" in content else 1)


def altered(**changes):
    content = json.loads(dump_line(answer_line(1, body(1)))) | changes
    return json.dumps(content).encode()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"7",
        b"[" * 100_000,
        altered(at="noon"),
        altered(kind="rumour"),
        altered(format=None),
        altered(listing="rumours"),
        altered(request={"body": {"query": {}}}),
        altered(response={"status": 200, "headers": {}}),
    ],
)
def test_a_line_that_is_none_is_refused(text):
    with pytest.raises(LineError):
        read_line(text)


def test_a_line_of_a_newer_version_is_not_misread():
    with pytest.raises(ConfigurationError, match=r"tiktok_crawler 9\.1, which is newer"):
        read_line(altered(format=3, version="9.1"))


def keys(content):
    """All keys of an object and of the objects in it, but not of what is sent or received."""
    for key, value in content.items():
        yield key
        if isinstance(value, dict) and key not in ("query", "body", "headers"):
            yield from keys(value)


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_the_documentation_names_every_kind_and_key(line):
    content = json.loads(dump_line(line))
    named = set(re.findall(r"`(\w+)`", DOCUMENT))
    assert {content["kind"], *keys(content)} <= named
