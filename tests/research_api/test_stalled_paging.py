"""Searches that do not get on."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from asked import seed_request, window_request

from tiktok_crawler.research_api import endpoints
from tiktok_crawler.research_api.pages import Page
from tiktok_crawler.research_api.stalled_paging import EMPTY_PAGES, REPEATED_PAGES, StalledPaging

DAY = date(2024, 1, 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def page(*ids: object, cursor: int, asked: int) -> Page:
    request = window_request(cursor=asked)
    records = tuple({"id": video_id} for video_id in ids)
    return Page(request, records, cursor, "77", has_more=True, log_id=None, received_at=NOW)


def after(*pages: Page) -> StalledPaging:
    standstill = StalledPaging()
    for one in pages:
        standstill = standstill.after(one)
    return standstill


def test_pages_that_get_on_are_followed():
    assert after(*(page(n, cursor=n + 100, asked=n) for n in range(0, 5000, 100))).reason is None


def test_a_cursor_that_stands_still_is_followed_no_further_than_three_pages():
    still = page(1, cursor=100, asked=100)
    assert after(*[still] * (REPEATED_PAGES - 1)).reason is None
    assert "repeat" in str(after(*[still] * REPEATED_PAGES).reason)


def test_one_page_that_gets_on_is_enough():
    still, moving = page(1, cursor=100, asked=100), page(2, cursor=200, asked=100)
    assert after(still, still, moving, still, still).reason is None


def test_the_same_videos_again_and_again_are_no_progress_though_the_cursor_moves():
    same = [page(1, 2, cursor=n + 100, asked=n) for n in range(0, 400, 100)]
    assert after(*same[:3]).reason is None
    assert "repeat" in str(after(*same).reason)


def test_ids_may_be_text_or_numbers():
    assert after(page(1, cursor=100, asked=0), page("1", cursor=200, asked=100)).repeated == 1


def test_pages_that_deleted_videos_left_empty_are_followed_for_a_while():
    empty = [page(cursor=n + 100, asked=n) for n in range(0, EMPTY_PAGES * 100, 100)]
    assert after(*empty[:-1]).reason is None
    assert "empty" in str(after(*empty).reason)
    assert after(*empty[:-1], page(1, cursor=9999, asked=9000)).empty == 0


def listed(listing, *records, cursor: int, asked: int) -> Page:
    request = seed_request(listing, cursor=asked)
    return Page(request, records, cursor, None, has_more=True, log_id=None, received_at=NOW)


def test_a_list_of_comments_that_gets_on_is_followed():
    pages = (
        listed(endpoints.COMMENTS, {"id": n}, cursor=n + 100, asked=n) for n in range(0, 1000, 100)
    )
    assert after(*pages).reason is None


def test_times_that_fall_get_on_and_those_that_stand_still_do_not():
    falling = [
        listed(endpoints.FOLLOWERS, {"username": f"u{n}"}, cursor=1000 - n, asked=1001 - n)
        for n in range(1, 9)
    ]
    assert after(*falling).reason is None
    still = [
        listed(endpoints.FOLLOWERS, {"username": f"u{n}"}, cursor=1000, asked=1000)
        for n in range(3)
    ]
    assert after(*still[:2]).reason is None
    assert "repeat" in str(after(*still).reason)


def test_cursors_that_nobody_understands_may_go_up_and_down():
    cursors = [0, 900, 100, 700, 300, 800]
    pages = [
        listed(endpoints.LIKED_VIDEOS, {"id": n}, cursor=after_, asked=before)
        for n, (before, after_) in enumerate(pairwise(cursors))
    ]
    assert after(*pages).reason is None


@pytest.mark.parametrize(
    ("listing", "record"),
    [
        (endpoints.FOLLOWERS, {"username": "ada", "display_name": "A"}),
        (endpoints.COMMENTS, {"id": 7}),
        (endpoints.PLAYLISTS, {"playlist_id": 1, "playlist_video_ids": [7, 8]}),
        (endpoints.PRODUCTS, {"product_id": 7}),
        (endpoints.REVIEWS, {"review_text": "good", "create_time": 7}),
    ],
)
def test_the_same_records_again_and_again_are_no_progress(listing, record):
    same = [listed(listing, record, cursor=n, asked=n - 1) for n in range(1, 5)]
    assert "repeat" in str(after(*same).reason)


@pytest.mark.parametrize("videos", [{}, {"playlist_video_ids": []}, {"playlist_video_ids": None}])
def test_a_playlist_without_videos_is_an_empty_page_and_no_repeated_one(videos):
    record = {"playlist_id": 1, "playlist_name": "x"} | videos
    pages = [
        listed(endpoints.PLAYLISTS, record, cursor=n + 100, asked=n)
        for n in range(0, EMPTY_PAGES * 100, 100)
    ]
    assert after(*pages[:-1]).reason is None
    assert "empty" in str(after(*pages).reason)


def test_other_videos_of_a_playlist_are_progress():
    pages = [
        listed(
            endpoints.PLAYLISTS,
            {"playlist_id": 1, "playlist_video_ids": [n]},
            cursor=n + 100,
            asked=n,
        )
        for n in range(0, 900, 100)
    ]
    assert after(*pages).reason is None
