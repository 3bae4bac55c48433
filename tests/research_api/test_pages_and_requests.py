"""Pages, and the requests that lead from one to the next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from asked import seed_request, window_request

from tiktok_crawler.research_api import endpoints
from tiktok_crawler.research_api.endpoints import LISTINGS
from tiktok_crawler.research_api.pages import Page
from tiktok_crawler.research_api.paging import Place

RECEIVED_AT = datetime(2024, 6, 1, 12, tzinfo=UTC)
FIRST = window_request(row_id=3)
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
    following = PAGE.next_request

    assert following == window_request(
        row_id=3, cursor=100, search_id="7423432753447932974", received=1
    )
    assert following.previous_page_at == RECEIVED_AT


def test_the_last_page_has_no_next_request():
    assert replace(PAGE, has_more=False).next_request is None


def test_an_empty_page_with_more_to_come_has_a_next_request():
    assert replace(PAGE, records=()).next_request.place == Place(100, PAGE.search_id)


@pytest.mark.parametrize(
    ("cursor", "advances"), [(300, True), (201, True), (200, False), (100, False)]
)
def test_a_page_advances_when_its_cursor_moved_on(cursor, advances):
    request = window_request(cursor=200, search_id="7")

    assert replace(PAGE, request=request, cursor=cursor).advances is advances


def test_a_request_at_cursor_0_starts_a_search():
    assert FIRST.starts_task
    assert not PAGE.next_request.starts_task


def test_a_search_that_starts_over_keeps_its_window_and_forgets_the_rest():
    assert PAGE.next_request.from_start() == FIRST


def test_a_page_is_not_suspicious_unless_somebody_says_so():
    assert not PAGE.suspicious


def comments(**place):
    return seed_request(endpoints.COMMENTS, "7318480000000000001", 5, **place)


COMMENTS = comments()


def listed(request=COMMENTS, records=({"id": 7}, {"id": 8}), cursor=100, *, has_more=True):
    return Page(request, records, cursor, None, has_more, "a log_id", RECEIVED_AT)


def test_the_next_request_of_a_list_goes_on_at_the_cursor_with_what_was_counted():
    begun = comments(cursor=100, received=96, limit=200, begun_at=RECEIVED_AT)

    after = listed(begun, cursor=200).next_request

    assert after == comments(cursor=200, received=98, limit=200)
    assert after.begun_at == RECEIVED_AT


def test_the_last_page_of_a_list_has_no_next_request():
    assert listed(has_more=False).next_request is None


@pytest.mark.parametrize(
    ("received", "limit", "goes_on"),
    [
        (0, None, True),
        (10**9, None, True),
        (0, 3, True),
        (0, 2, False),
        (0, 1, False),
        (5, 1, False),
    ],
)
def test_no_page_is_asked_for_after_the_limit_though_there_are_more(received, limit, goes_on):
    page = listed(comments(received=received, limit=limit))

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
    request = seed_request(listing, "7", 5, cursor=before)

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
    assert seed_request(listing, "7", 5, cursor=cursor).is_past_cap is is_past


def test_a_listing_that_begins_anew_keeps_its_seed_and_limit():
    later = comments(cursor=300, received=280, limit=500, begun_at=RECEIVED_AT)

    anew = later.from_start()

    assert anew == comments(limit=500)
    assert anew.begun_at is None
    assert anew.starts_task
    assert not later.starts_task


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=list(LISTINGS))
def test_a_request_of_a_list_asks_for_the_fields_of_its_endpoint(listing):
    request = seed_request(listing, "7", 5)

    assert request.endpoint is listing.endpoint
    assert request.task.fields == listing.endpoint.fields
