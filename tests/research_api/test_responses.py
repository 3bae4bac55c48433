"""The data of a search's answer, read into a page (api_facts.md 3.4, 3.5, 13.7 to 13.9)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from asked import window_request
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.research_api.pages import Page, read_page
from tiktok_crawler.research_api.verdicts import AnswerKind, Verdict

RECEIVED_AT = datetime(2024, 4, 5, 13, 25, 44, tzinfo=UTC)
SEARCH_ID = "7423432753447932974"
FIRST = window_request(row_id=3)
THIRD = window_request(row_id=3, cursor=200, search_id=SEARCH_ID, received=190)


def read(data, request=FIRST, kind=AnswerKind.PAGE):
    verdict = Verdict(kind, 200, "ok", log_id="a log_id", data=data)
    return read_page(request, verdict, received_at=RECEIVED_AT)


def test_a_page_holds_the_records_as_they_came():
    videos = [{"id": 7320768196569599275, "username": "ada\u0000b", "region_code": "us"}, {"id": 8}]

    page = read({"videos": videos, "cursor": 100, "has_more": True, "search_id": SEARCH_ID})

    assert page == Page(
        request=FIRST,
        records=tuple(videos),
        cursor=100,
        search_id=SEARCH_ID,
        has_more=True,
        log_id="a log_id",
        received_at=RECEIVED_AT,
    )


@pytest.mark.parametrize("cursor", [100, 145, 300])
def test_the_next_page_echoes_the_cursor_of_the_answer(cursor):
    # Recorded: 27 videos at cursor 100 of 100, and a last page that ends at 145.
    page = read({"videos": [{"id": 7}] * 27, "cursor": cursor, "has_more": True})

    assert page.next_request.place.cursor == cursor


def test_the_next_page_echoes_the_search_id_of_the_answer():
    page = read({"cursor": 100, "has_more": True, "search_id": SEARCH_ID})

    assert page.next_request.place.search_id == SEARCH_ID


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({}, id="missing"),
        pytest.param({"videos": None}, id="null"),
        pytest.param({"videos": []}, id="empty"),
        pytest.param({"videos": {"id": 7}}, id="not a list"),
    ],
)
@pytest.mark.parametrize("has_more", [True, False])
def test_missing_videos_are_an_empty_page_that_goes_on_as_has_more_says(data, has_more):
    page = read(data | {"cursor": 100, "has_more": has_more, "search_id": SEARCH_ID})

    assert page.records == ()
    assert page.has_more is has_more
    assert (page.next_request is not None) is has_more
    assert not page.suspicious


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({}, id="missing"),
        pytest.param({"cursor": None}, id="null"),
        pytest.param({"cursor": True}, id="not a number"),
        pytest.param({"cursor": "next"}, id="text"),
        pytest.param({"cursor": -1}, id="negative"),
        pytest.param({"cursor": 2**63}, id="more than 64 bits"),
    ],
)
@pytest.mark.parametrize(("request_", "cursor"), [(FIRST, 100), (THIRD, 300)])
def test_without_a_usable_cursor_the_next_page_is_max_count_further(data, request_, cursor):
    page = read(data | {"videos": [], "has_more": True}, request_)

    assert page.next_request.place.cursor == cursor
    assert page.advances


def test_a_cursor_that_is_a_number_in_text_is_a_number():
    assert read({"cursor": "145", "has_more": False}).cursor == 145


@pytest.mark.parametrize(("request_", "cursor"), [(FIRST, 0), (THIRD, 200), (THIRD, 100)])
def test_a_cursor_that_does_not_advance_is_told(request_, cursor):
    assert not read({"cursor": cursor, "has_more": True}, request_).advances


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({}, id="missing"),
        pytest.param({"search_id": None}, id="null"),
        pytest.param({"search_id": ""}, id="empty"),
        pytest.param({"search_id": ["7"]}, id="not text"),
    ],
)
def test_an_answer_without_search_id_keeps_the_one_of_the_search(data):
    assert read(data | {"has_more": True}, THIRD).search_id == SEARCH_ID


def test_an_empty_result_has_no_search_id():
    page = read({"videos": [], "cursor": 0, "has_more": False})

    assert page.search_id is None
    assert page.next_request is None


def test_a_search_id_that_is_a_number_becomes_text():
    assert read({"has_more": True, "search_id": int(SEARCH_ID)}).search_id == SEARCH_ID


def test_only_an_explicit_end_ends_a_search():
    assert read({"videos": [], "has_more": False, "cursor": 145}).next_request is None


def test_an_answer_that_never_said_whether_there_is_more_is_a_suspicious_end():
    page = read(None, kind=AnswerKind.MALFORMED)

    assert page == Page(
        request=FIRST,
        records=(),
        cursor=0,
        search_id=None,
        has_more=False,
        log_id="a log_id",
        received_at=RECEIVED_AT,
        suspicious=True,
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
DATA = st.fixed_dictionaries(
    {"has_more": st.booleans()}, optional={"videos": JSON, "cursor": JSON, "search_id": JSON}
)


@given(DATA, st.sampled_from([FIRST, THIRD]))
def test_whatever_else_is_in_the_data_it_is_a_page(data, request_):
    page = read(data, request_)

    assert 0 <= page.cursor < 2**63
    assert page.search_id is None or isinstance(page.search_id, str)
    assert isinstance(page.records, tuple)
    assert page.has_more is data["has_more"]


@pytest.mark.parametrize("data", [None, {}, {"videos": []}, {"videos": None, "cursor": 100}])
def test_a_malformed_answer_without_records_stands_for_an_empty_result(data):
    page = read(data, kind=AnswerKind.MALFORMED)

    assert page == read(None, kind=AnswerKind.MALFORMED)
    assert page.suspicious


@pytest.mark.parametrize("kind", [AnswerKind.PAGE, AnswerKind.MALFORMED])
def test_an_answer_with_records_is_a_page_of_them(kind):
    page = read({"videos": [{"id": 7}]}, kind=kind)

    assert page == read({"videos": [{"id": 7}]})
    assert not page.suspicious
