"""Pages, and the requests that lead from one to the next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from asked import seed_request, window_request

from tiktok_crawler.research_api import endpoints
from tiktok_crawler.research_api.endpoints import LISTINGS
from tiktok_crawler.research_api.pages import Page

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


def comments(**place):
    return seed_request(endpoints.COMMENTS, "7318480000000000001", 5, **place)


COMMENTS = comments()


def listed(request=COMMENTS, records=({"id": 7}, {"id": 8}), cursor=100, *, has_more=True):
    return Page(request, records, cursor, None, has_more, "a log_id", RECEIVED_AT)


BEGUN = comments(cursor=100, received=96, limit=200, begun_at=RECEIVED_AT)
LISTED = listed(BEGUN, cursor=200)


@pytest.mark.parametrize(
    ("page", "following"),
    [
        (PAGE, window_request(row_id=3, cursor=100, search_id=PAGE.search_id, received=1)),
        (LISTED, comments(cursor=200, received=98, limit=200)),
    ],
)
def test_the_next_request_goes_on_with_the_same_task_where_the_page_ended(page, following):
    asked = page.next_request

    assert asked == following
    assert (asked.previous_page_at, asked.begun_at) == (RECEIVED_AT, page.request.begun_at)
    assert replace(page, has_more=False).next_request is None
    empty = replace(page, records=()).next_request
    assert (empty.place.cursor, empty.place.search_id) == (page.cursor, page.search_id)


@pytest.mark.parametrize(
    ("later", "first"), [(PAGE.next_request, FIRST), (BEGUN, comments(limit=200))]
)
def test_what_begins_anew_keeps_its_task_and_limit_and_forgets_the_rest(later, first):
    anew = later.from_start()

    assert anew == first
    assert anew.begun_at is None
    assert anew.starts_task
    assert not later.starts_task


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
        (None, 200, 201, True),
        (None, 200, 200, False),
        (None, 200, 100, False),
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
def test_a_search_or_a_list_gets_on_as_its_cursors_do(listing, before, cursor, advances):
    searched = window_request(cursor=before, search_id="7")
    request = seed_request(listing, "7", 5, cursor=before) if listing else searched

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


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=list(LISTINGS))
def test_a_request_of_a_list_asks_for_the_fields_of_its_endpoint(listing):
    request = seed_request(listing, "7", 5)

    assert request.endpoint is listing.endpoint
    assert request.task.fields == listing.endpoint.fields


@pytest.mark.parametrize(
    ("listing", "place", "answer", "is_at_limit"),
    [
        ("comments", {"cursor": 900, "received": 880}, {"cursor": 999}, False),
        ("comments", {"cursor": 900, "received": 880}, {"cursor": 1_000}, True),
        ("comments", {"cursor": 900, "received": 880}, {"cursor": 1_000, "has_more": True}, False),
        ("comments", {"cursor": 1_000, "received": 980}, {"cursor": 1_050}, False),
        ("comments", {"cursor": 1_000}, {"cursor": 1_000, "is_refusal": True}, True),
        ("comments", {"cursor": 1_100}, {"cursor": 1_100, "is_refusal": True}, True),
        ("comments", {"cursor": 1_000}, {"cursor": 1_000, "suspicious": True}, False),
        ("replies", {"cursor": 900}, {"cursor": 1_000}, True),
        ("replies", {"cursor": 1_900}, {"cursor": 2_000}, False),
        ("followers", {"cursor": 7, "received": 3_997}, {"cursor": 6}, False),
        ("followers", {"cursor": 7, "received": 3_998}, {"cursor": 6}, True),
        ("following", {"cursor": 7, "received": 90_000}, {"cursor": 6}, False),
        ("shops", {"received": 7}, {"cursor": 0}, False),
        ("shops", {"received": 8}, {"cursor": 0}, True),
    ],
)
def test_a_list_ends_at_the_limit_of_the_api(listing, place, answer, is_at_limit):
    request = seed_request(LISTINGS[listing], "7", 5, **place)
    page = replace(listed(request, has_more=False), **answer)

    assert page.is_at_api_limit is is_at_limit
