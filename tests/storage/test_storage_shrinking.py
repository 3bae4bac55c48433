"""A window whose search was lost keeps the days that it had passed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from stored_pages import JANUARY, NOON, booked, collection, page, rows

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.task_states import LostSearch, ParkedWindow
from tiktok_crawler.research_api.tasks import PageRequest
from tiktok_crawler.storage.engine.transactions import transaction
from tiktok_crawler.storage.ledger.lost_searches import shrink, take_back, untrue_days
from tiktok_crawler.storage.ledger.queries import Ledger
from tiktok_crawler.storage.models.ledger import CrawlWindow
from tiktok_crawler.storage.page_store import PageStore

SKEW = timedelta(minutes=15)
LATER = NOON + timedelta(hours=1)


def video(day: int, *, made_before: timedelta = timedelta(seconds=30)) -> dict[str, int]:
    created = datetime(2024, 1, day, 12, tzinfo=UTC)
    return {
        "id": int((created - made_before).timestamp()) << 32,
        "create_time": int(created.timestamp()),
    }


def many(videos: list[dict[str, int]], copies: int = 30) -> list[dict[str, int]]:
    """So many videos in place of each: a few prove nothing."""
    return [video | {"id": video["id"] - n} for video in videos for n in range(copies)]


def lose(engine, *pages) -> tuple[list[tuple], object]:
    """Store the pages, lose the search, and look at the windows."""
    ledger, store = Ledger(engine), PageStore(engine)
    query_id = ledger.begin(collection(), NOON)
    request = booked(ledger, query_id)
    for number, videos in enumerate(pages, start=1):
        answer = page(request, *many(videos), has_more=True, cursor=number * 100)
        store.save(answer, tags=())
        request = answer.next_request
    lost = transaction(engine, lambda on: shrink(on, LostSearch(request, 1), SKEW, LATER))
    with engine.connect() as connection:
        columns = CrawlWindow.__table__.c
        windows = connection.execute(
            select(
                columns.start_date, columns.end_date, columns.state, columns.searched_at
            ).order_by(columns.start_date, columns.id)
        ).all()
    return [tuple(window) for window in windows], lost


def test_passed_days_are_complete_and_the_rest_is_searched_anew(engine):
    windows, lost = lose(engine, [video(31), video(25)], [video(24), video(20)])
    resumed = lost.resumed

    assert lost.trusts_ids
    first, last = date(2024, 1, 1), date(2024, 1, 31)
    assert windows == [
        (first, last, "split", NOON),
        (date(2024, 1, 21), last, "complete", NOON),
    ]
    assert resumed.window == DateRange(first, date(2024, 1, 20))
    assert resumed.window_id is None
    assert resumed.starts_search

    ledger = Ledger(engine)
    (covered,) = ledger.coverage(1, resumed.fields)
    assert covered.days == DateRange(date(2024, 1, 21), last)
    assert ledger.known(1, resumed.fields).open_windows == ()


def test_a_search_that_is_lost_twice_because_a_commit_was_in_doubt_is_kept_once(engine):
    windows, lost = lose(engine, [video(31), video(25)], [video(24), video(20)])
    before = LostSearch(PageRequest(1, JANUARY, lost.request.fields, 100, cursor=200), 1)

    again = transaction(engine, lambda on: shrink(on, before, SKEW, LATER))

    assert again.resumed == lost.resumed
    assert len(rows(engine, "crawl_window")) == len(windows)


def test_the_rest_of_a_parked_window_is_parked_for_the_same_reason(engine):
    ledger, store = Ledger(engine), PageStore(engine)
    query_id = ledger.begin(collection(), NOON)
    answer = page(booked(ledger, query_id), video(31), video(20), has_more=True)
    store.save(answer, tags=())
    ledger.park(ParkedWindow(answer.next_request, "the API said no", "20240601"), NOON)
    (parked,) = ledger.known(query_id, ()).parked_windows
    before = LostSearch(ledger.book(query_id, parked.request, LATER), 1)

    for _ in range(2):
        lost = transaction(engine, lambda on: shrink(on, before, SKEW, LATER))

    again = LATER + timedelta(hours=1)
    assert ledger.book(query_id, lost.resumed, again) == lost.resumed
    (rest,) = ledger.unfinished_windows(query_id)
    assert (rest.window_id, rest.days) == (lost.resumed.window_id, lost.resumed.window)
    assert (rest.state, rest.parked_at) == ("parked", NOON)
    assert (rest.error, rest.error_log_id) == ("the API said no", "20240601")
    assert not ledger.known(query_id, ()).has_been_heavy


@pytest.mark.parametrize(
    ("pages", "trusts_ids"),
    [
        pytest.param([[video(31)]], True, id="nothing passed"),
        pytest.param([[video(31), video(20)], [video(25), video(15)]], False, id="broken order"),
        pytest.param(
            [[video(31), video(20)], [video(18, made_before=timedelta(days=3))]],
            False,
            id="old ids",
        ),
        pytest.param([[]], True, id="empty pages"),
    ],
)
def test_without_proof_the_whole_window_is_searched_again(engine, pages, trusts_ids):
    windows, lost = lose(engine, *pages)

    assert [state for _, _, state, _ in windows] == ["open"]
    assert lost.resumed.window == JANUARY
    assert lost.resumed.starts_search
    assert lost.trusts_ids is trusts_ids


def test_pages_of_an_earlier_search_of_the_window_prove_nothing(engine):
    ledger, store = Ledger(engine), PageStore(engine)
    query_id = ledger.begin(collection(), NOON)
    request = booked(ledger, query_id)
    records = many([video(31), video(10)])
    store.save(page(request, *records, has_more=True), tags=())
    again = ledger.book(query_id, request.from_start(), LATER)
    later = page(again, video(31), video(30), has_more=True)
    later = replace(later, received_at=LATER + timedelta(seconds=1))
    store.save(later, tags=())

    before = LostSearch(later.next_request, 1)
    lost = transaction(engine, lambda on: shrink(on, before, SKEW, LATER))

    assert lost.resumed.window.end == date(2024, 1, 30)


def test_days_kept_on_false_evidence_are_taken_back(engine):
    _, lost = lose(engine, [video(31), video(25)], [video(24), video(20)])
    with engine.connect() as connection:
        assert untrue_days(connection, 1, SKEW) == []

    ledger, store = Ledger(engine), PageStore(engine)
    rest = ledger.book(1, lost.resumed, LATER)
    store.save(page(rest, video(3, made_before=timedelta(days=2))), tags=())
    with engine.begin() as connection:
        assert untrue_days(connection, 1, SKEW) == [DateRange(date(2024, 1, 21), date(2024, 1, 31))]
        take_back(connection, 1, LATER)
        assert untrue_days(connection, 1, SKEW) == []

    (covered,) = ledger.coverage(1, rest.fields)
    assert covered.days == rest.window


def test_few_videos_prove_nothing(engine):
    ledger, store = Ledger(engine), PageStore(engine)
    request = booked(ledger, ledger.begin(collection(), NOON))
    answer = page(request, *many([video(31), video(10)], copies=24), has_more=True)
    store.save(answer, tags=())

    before = LostSearch(answer.next_request, 1)
    lost = transaction(engine, lambda on: shrink(on, before, SKEW, LATER))

    assert lost.resumed.window == JANUARY
    assert lost.trusts_ids
