"""Pages, and the requests that lead from one to the next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from tiktok_crawler.collection.date_range import DateRange
from tiktok_crawler.items import Page, PageRequest, ParkedWindow

RECEIVED_AT = datetime(2024, 6, 1, 12, tzinfo=UTC)
FIRST = PageRequest(
    window_id=3,
    window=DateRange(date(2024, 1, 1), date(2024, 1, 31)),
    fields=("id", "username"),
    max_count=100,
)
PAGE = Page(
    request=FIRST,
    records=({"id": 7},),
    cursor=100,
    search_id="7423432753447932974",
    has_more=True,
    log_id="20240405132544A8A35938AA061A19F445",
    received_at=RECEIVED_AT,
)


def test_the_next_request_echoes_cursor_and_search_id_of_the_same_window():
    assert PAGE.next_request == PageRequest(
        window_id=3,
        window=FIRST.window,
        fields=FIRST.fields,
        max_count=100,
        cursor=100,
        search_id="7423432753447932974",
        previous_page_at=RECEIVED_AT,
    )


def test_the_last_page_has_no_next_request():
    assert replace(PAGE, has_more=False).next_request is None


def test_an_empty_page_with_more_to_come_has_a_next_request():
    assert replace(PAGE, records=()).next_request == PAGE.next_request


@pytest.mark.parametrize(
    ("cursor", "advances"), [(300, True), (201, True), (200, False), (100, False)]
)
def test_a_page_advances_when_its_cursor_moved_on(cursor, advances):
    request = replace(FIRST, cursor=200, search_id="7")

    assert replace(PAGE, request=request, cursor=cursor).advances is advances


def test_a_request_at_cursor_0_starts_a_search():
    assert FIRST.starts_search
    assert not PAGE.next_request.starts_search


def test_a_search_that_starts_over_keeps_its_window_and_forgets_the_rest():
    assert PAGE.next_request.from_start() == FIRST


def test_a_page_is_not_suspicious_unless_somebody_says_so():
    assert not PAGE.suspicious


def test_a_parked_window_keeps_reason_and_log_id():
    parked = ParkedWindow(FIRST, "HTTP 400: invalid_params", "a log_id")

    assert (parked.request, parked.reason, parked.log_id) == (
        FIRST,
        "HTTP 400: invalid_params",
        "a log_id",
    )
