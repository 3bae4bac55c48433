"""What the sandbox takes and refuses of a request for videos, written as various clients do."""

from __future__ import annotations

import json
import re

import pytest
from sandbox_client import ALL_FIELDS, EVERYTHING, Client, Clock, query, search_body

from tiktok_crawler.sandbox import Sandbox


@pytest.fixture(scope="module")
def client() -> Client:
    return Client(Sandbox(videos_per_day=50, now=Clock(), daily_quota=None))


@pytest.mark.parametrize(
    "changes",
    [
        {"max_count": "100"},
        {"cursor": 0},
        {"cursor": "0"},
        {"cursor": None},
        {"search_id": None},
        {"search_id": ""},
        {"cursor": None, "search_id": None, "is_random": None},
        {"is_random": False},
        {"query": EVERYTHING | {"or": None}},
        {"an_unknown_key": 1},
    ],
)
def test_other_ways_of_asking_for_the_first_page(client, changes):
    assert client.page(**changes) == client.page()


@pytest.mark.parametrize(
    "fields", ["id,username", "id, username", " id ,\tusername ", "username,id,id"]
)
def test_fields_may_have_blanks_around_them(client, fields):
    assert client.page(fields=fields) == client.page(fields="id,username")


@pytest.mark.parametrize("max_count", [..., None])
def test_20_records_are_the_default(client, max_count):
    assert client.page(max_count=max_count)["cursor"] == 20


def test_ids_as_numbers_and_as_texts_ask_for_the_same(client):
    number = client.page()["videos"][0]["id"]
    as_number = client.page(query=query("video_id", number))
    assert as_number == client.page(query=query("video_id", str(number)))
    assert [video["id"] for video in as_number["videos"]] == [number]


def test_a_single_id_among_bogus_ones_is_found(client):
    number = client.page()["videos"][0]["id"]
    found = client.page(query=query("video_id", number, 1))
    assert (found["cursor"], found["has_more"]) == (1, False)


def test_the_body_is_read_as_json_with_any_spacing(client):
    spaced = json.dumps(search_body(), indent=4).encode()
    assert json.loads(client.post(spaced).body)["data"] == client.page()


@pytest.mark.parametrize(
    "fields", [None, "", "favourites_count", "id,like", "id,,username", "ID", "video_id"]
)
def test_fields_are_required_and_known(client, fields):
    assert client.problem(fields)[:2] == (400, "invalid_params")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b"query=%7B%7D&start_date=20240101",
        b"[" * 100_000,
        b'{"max_count": ' + b"9" * 5_000 + b"}",
    ],
)
def test_a_body_that_is_no_object_is_refused(client, body):
    answer = client.post(body)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, "invalid_params")


@pytest.mark.parametrize(
    "changes",
    [
        {"query": ...},
        {"query": {}},
        {"start_date": ...},
        {"end_date": ...},
        {"start_date": None},
        {"start_date": "2024-01-01"},
        {"start_date": "20240132"},
        {"start_date": "240101"},
        {"start_date": 20240101},
        {"end_date": "20231231"},
        {"end_date": "20240201"},
        {"search_id": 7378809778820092971},
        {"is_random": "yes"},
    ],
)
def test_bad_requests_are_refused(client, changes):
    assert client.problem(**changes)[:2] == (400, "invalid_params")


def test_31_days_are_the_longest_window(client):
    assert client.search(end_date="20240131")[0] == 200
    status, code, message = client.problem(end_date="20240201")
    assert (status, code) == (400, "invalid_params")
    assert "more than 30 days after start_date" in message


@pytest.mark.parametrize(
    "changes",
    [
        {"max_count": 0},
        {"max_count": 101},
        {"max_count": -1},
        {"max_count": "many"},
        {"max_count": 1.5},
        {"max_count": True},
        {"max_count": []},
        {"cursor": "next"},
        {"cursor": {}},
    ],
)
def test_counts_and_cursors_must_be_numbers_in_their_range(client, changes):
    assert client.problem(**changes) == (400, "invalid_params", "Invalid count or cursor")


def test_success_wears_the_envelope(client):
    status, body = client.search()
    assert status == 200
    assert body.keys() == {"data", "error"}
    assert body["data"].keys() == {"videos", "cursor", "has_more", "search_id"}
    assert body["error"] == {"code": "ok", "message": "", "log_id": body["error"]["log_id"]}


def test_log_ids_hold_the_time_and_are_unique(client):
    log_ids = {client.search()[1]["error"]["log_id"] for _ in range(3)}
    assert len(log_ids) == 3
    assert all(re.fullmatch("20240601120000[0-9A-F]{20}", log_id) for log_id in log_ids)


def test_ids_are_bare_numbers_on_the_wire(client):
    answer = client.post(search_body(), "id,music_id")
    assert re.search(rb'"id":7\d{18}[,}]', answer.body)
    assert re.search(rb'"search_id":"7\d{18}"', answer.body)


def test_texts_are_utf_8_on_the_wire(client):
    assert "🧀".encode() in client.post(search_body(), ALL_FIELDS).body
