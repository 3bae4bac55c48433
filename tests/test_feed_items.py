"""The lines of feeds: columns of each kind of record, and what is in them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from asked import seed_request, window_request

from tiktok_crawler.items import feed_items
from tiktok_crawler.research_api import endpoints
from tiktok_crawler.research_api.endpoints import LISTINGS, VIDEO_QUERY, Listing
from tiktok_crawler.research_api.pages import Page

if TYPE_CHECKING:
    from scrapy import Item

    from tiktok_crawler.research_api.tasks import PageRequest

NOW = datetime(2024, 6, 1, tzinfo=UTC)
DAY = date(2024, 1, 1)


def items_of(request: PageRequest, *records: object) -> list[Item]:
    page = Page(request, records, 0, None, has_more=False, log_id=None, received_at=NOW)
    return list(feed_items(page))


def lines(listing: Listing, *records: object, seed: str = "ada") -> list[dict[str, object]]:
    return [dict(item) for item in items_of(seed_request(listing, seed), *records)]


def columns(listing: Listing) -> set[str]:
    (item,) = items_of(seed_request(listing, "ada"), {})
    return set(item.fields)


@pytest.mark.parametrize(
    ("listing", "record", "line"),
    [
        (
            endpoints.COMMENTS,
            {"id": 7, "video_id": 5, "text": "", "display_name": "A"},
            {"id": 7, "video_id": 5, "text": "", "display_name": "A"},
        ),
        (endpoints.USERS, {"display_name": "A"}, {"username": "ada", "display_name": "A"}),
        (
            endpoints.FOLLOWERS,
            {"username": "bob", "display_name": "B"},
            {"followed": "ada", "follower": "bob", "display_name": "B"},
        ),
        (
            endpoints.FOLLOWING,
            {"username": "bob", "display_name": "B"},
            {"follower": "ada", "followed": "bob", "display_name": "B"},
        ),
        (
            endpoints.LIKED_VIDEOS,
            {"id": 7, "username": "bob"},
            {"listed_by": "ada", "id": 7, "username": "bob"},
        ),
        (endpoints.PINNED_VIDEOS, {"id": 7}, {"listed_by": "ada", "id": 7}),
        (endpoints.REPOSTED_VIDEOS, {"id": 7}, {"listed_by": "ada", "id": 7}),
        (
            endpoints.PLAYLISTS,
            {"playlist_id": 9, "playlist_video_ids": [7]},
            {"playlist_id": 9, "playlist_video_ids": [7]},
        ),
        (endpoints.SHOPS, {"shop_id": 9, "shop_name": "A"}, {"shop_id": 9, "shop_name": "A"}),
        (endpoints.PRODUCTS, {"product_id": 9}, {"shop_id": "ada", "product_id": 9}),
        (endpoints.REVIEWS, {"review_text": "x"}, {"product_id": "ada", "review_text": "x"}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_line_says_of_what_its_record_was_listed(listing, record, line):
    assert lines(listing, record) == [line]


def test_a_record_that_names_its_user_keeps_that_name():
    assert lines(endpoints.USERS, {"username": "Ada"}) == [{"username": "Ada"}]


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=list(LISTINGS))
def test_all_columns_are_there_though_a_record_lacks_them(listing):
    renamed = {endpoints.FOLLOWERS: {"username"}, endpoints.FOLLOWING: {"username"}}

    expected = {*listing.endpoint.record_keys} - renamed.get(listing, set())
    assert expected | {"extra_data"} <= columns(listing)


def test_both_ends_of_an_edge_are_columns():
    assert columns(endpoints.FOLLOWERS) == columns(endpoints.FOLLOWING)
    assert {"follower", "followed"} < columns(endpoints.FOLLOWERS)


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=list(LISTINGS))
def test_what_nobody_knows_is_in_extra_data(listing):
    (line,) = lines(listing, {"brand_new": {"x": 1}, "extra_data": 5})

    assert line["extra_data"] == {"brand_new": {"x": 1}, "extra_data": 5}


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=list(LISTINGS))
def test_what_is_no_record_has_no_line(listing):
    assert lines(listing, None, "nonsense", 7, []) == []
    assert len(lines(listing, {}, "nonsense", {})) == 2


def test_lines_have_nothing_that_no_file_can_hold():
    (line,) = lines(endpoints.COMMENTS, {"text": "a\0b\ud800", "new\0": ["\0"], "like_count": 3})

    assert line == {"text": "ab", "like_count": 3, "extra_data": {"new": [""]}}


def test_a_record_is_left_as_it_is():
    record = {"username": "b\0b", "brand_new": 1}

    lines(endpoints.FOLLOWERS, record)

    assert record == {"username": "b\0b", "brand_new": 1}


def test_a_search_has_a_line_a_video_with_all_columns():
    records = ({"id": 7, "brand_new": 1}, "nonsense", {"id": 8})

    items = items_of(window_request(), *records)

    assert [dict(item) for item in items] == [{"id": 7, "extra_data": {"brand_new": 1}}, {"id": 8}]
    assert {*VIDEO_QUERY.fields, "extra_data"} == set(items[0].fields)
