"""Searches that do not get on."""

from __future__ import annotations

from datetime import UTC, date, datetime

from tiktok_crawler.collection.date_range import DateRange
from tiktok_crawler.collection.standstill import EMPTY_PAGES, REPEATED_PAGES, Standstill
from tiktok_crawler.items import Page, PageRequest

DAY = date(2024, 1, 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def page(*ids: object, cursor: int, asked: int) -> Page:
    request = PageRequest(1, DateRange(DAY, DAY), ("id",), 100, cursor=asked)
    records = tuple({"id": video_id} for video_id in ids)
    return Page(request, records, cursor, "77", has_more=True, log_id=None, received_at=NOW)


def after(*pages: Page) -> Standstill:
    standstill = Standstill()
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
