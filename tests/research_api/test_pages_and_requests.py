"""Pages, and the requests that lead from one to the next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.task_states import ParkedWindow
from tiktok_crawler.research_api import endpoints
from tiktok_crawler.research_api.endpoints import LISTINGS
from tiktok_crawler.research_api.pages import ListPage, Page
from tiktok_crawler.research_api.tasks import ListRequest, PageRequest

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


COMMENTS = ListRequest(endpoints.COMMENTS, "7318480000000000001", 5)


def listed(request=COMMENTS, records=({"id": 7}, {"id": 8}), cursor=100, *, has_more=True):
    return ListPage(request, records, cursor, has_more, "a log_id", RECEIVED_AT)


def test_the_next_request_of_a_list_goes_on_at_the_cursor_with_what_was_counted():
    begun = replace(COMMENTS, cursor=100, position=96, limit=200, begun_at=RECEIVED_AT)

    after = listed(begun, cursor=200).next_request

    assert after == replace(begun, cursor=200, position=98)
    assert after.begun_at == RECEIVED_AT


def test_the_last_page_of_a_list_has_no_next_request():
    assert listed(has_more=False).next_request is None


@pytest.mark.parametrize(
    ("position", "limit", "goes_on"),
    [
        (0, None, True),
        (10**9, None, True),
        (0, 3, True),
        (0, 2, False),
        (0, 1, False),
        (5, 1, False),
    ],
)
def test_no_page_is_asked_for_after_the_limit_though_there_are_more(position, limit, goes_on):
    page = listed(replace(COMMENTS, position=position, limit=limit))

    assert page.has_more
    assert page.reaches_limit is not goes_on
    assert (page.next_request is not None) is goes_on


@pytest.mark.parametrize(
    ("listing", "before", "cursor", "advances"),
    [
        (endpoints.COMMENTS, 100, 101, True),
        (endpoints.COMMENTS, 100, 100, False),
        (endpoints.COMMENTS, 100, 99, False),
        (endpoints.COMMENTS, 0, 0, False),
        (endpoints.FOLLOWERS, 0, 1_706_457_540, True),
        (endpoints.FOLLOWERS, 1_706_457_540, 1_706_457_539, True),
        (endpoints.FOLLOWERS, 1_706_457_540, 1_706_457_540, False),
        (endpoints.FOLLOWING, 1_706_457_540, 1_706_457_541, False),
        (endpoints.FOLLOWING, 1_706_457_540, 0, False),
        (endpoints.FOLLOWING, 0, 0, False),
        (endpoints.LIKED_VIDEOS, 0, 1_706_457_371_000, True),
        (endpoints.LIKED_VIDEOS, 1_706_457_371_000, 1_706_457_372_000, True),
        (endpoints.LIKED_VIDEOS, 1_706_457_371_000, 5, True),
        (endpoints.LIKED_VIDEOS, 7, 7, False),
        (endpoints.LIKED_VIDEOS, 7, 0, False),
        (endpoints.PRODUCTS, 1, 2, True),
    ],
)
def test_a_list_gets_on_as_its_cursors_do(listing, before, cursor, advances):
    request = ListRequest(listing, "7", 5, cursor=before)

    assert listed(request, cursor=cursor).advances is advances


@pytest.mark.parametrize(
    ("record", "ids"),
    [
        ({"id": 7, "username": "ada"}, {"7"}),
        ({"username": "ada", "display_name": "A"}, {"ada"}),
        ({"product_id": 7, "product_name": "a"}, {"7"}),
        ({"playlist_id": 1, "playlist_video_ids": [7, 8]}, {"7", "8"}),
        ({"playlist_id": 1, "playlist_video_ids": []}, set()),
        ({"playlist_id": 1}, set()),
    ],
)
def test_what_tells_the_records_of_a_list_from_others(record, ids):
    assert listed(records=(record,)).record_ids == ids


@pytest.mark.parametrize("record", [None, 7, "x", [], {}, {"review_text": "good"}])
def test_records_without_an_id_are_told_apart_by_all_that_they_say(record):
    assert listed(records=(record,)).record_ids != listed(records=("another",)).record_ids
    assert listed(records=(record,)).record_ids == listed(records=(record,)).record_ids


def test_a_list_without_records_has_no_ids():
    assert listed(records=()).record_ids == frozenset()


@pytest.mark.parametrize(
    ("listing", "cursor", "is_past"),
    [
        (endpoints.COMMENTS, 999, False),
        (endpoints.COMMENTS, 1000, True),
        (endpoints.REPLIES, 1100, True),
        (endpoints.FOLLOWERS, 10**9, False),
        (endpoints.REPOSTED_VIDEOS, 5000, False),
    ],
)
def test_only_cursors_of_comments_may_be_refused_in_place_of_an_end(listing, cursor, is_past):
    assert ListRequest(listing, "7", 5, cursor=cursor).is_past_cap is is_past


def test_a_listing_that_begins_anew_keeps_its_seed_and_limit():
    later = replace(COMMENTS, cursor=300, position=280, limit=500, begun_at=RECEIVED_AT)

    anew = later.from_start()

    assert anew == replace(COMMENTS, limit=500)
    assert anew.begun_at is None
    assert anew.starts_listing
    assert not later.starts_listing


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=list(LISTINGS))
def test_a_request_of_a_list_asks_for_the_fields_of_its_endpoint(listing):
    request = ListRequest(listing, "7", 5)

    assert request.endpoint is listing.endpoint
    assert request.fields == listing.endpoint.fields
