"""Which records a sound search, list or answer should have brought, and did not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from listed_pages import Crawl, stage, store_list
from sqlalchemy import event
from stored_pages import JANUARY, MINUTE, NOON, OTHER_QUERY, row, rows, video

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.task_states import Parked, Refused
from tiktok_crawler.research_api.endpoints import COMMENTS, USERS
from tiktok_crawler.research_api.paging import START
from tiktok_crawler.research_api.verdicts import SeedStatus

WEEK = timedelta(days=7)
LATER = NOON + 30 * WEEK


@pytest.fixture
def found(search, engine):
    """What two searches of January bring, one after the other: the ids that are missing then."""

    def found(first, second, *, judge=True, **ways):
        run = search()
        run.ask(run.first(), *map(video, first))
        run.session.correct(run.session.corrections(), run.later())
        again = search(now=LATER, **{k: v for k, v in ways.items() if k == "fields"})
        again.ask(again.first(), *map(video, second), **ways.get("answer", {}))
        if judge:
            corrections = again.session.corrections()
            for _ in range(2):
                again.session.correct(corrections, again.now)
        return [video["id"] for video in rows(engine, "video") if video["missing_since"]]

    return found


def test_what_a_later_search_does_not_bring_is_missing_since_it_began(found, engine):
    assert found([1, 2, 3], [1, 3, 4]) == [2]

    (missing,) = (video for video in rows(engine, "video") if video["id"] == 2)
    assert missing["missing_since"] == LATER + MINUTE
    assert missing["gone_at"] is None
    assert {window["compared_at"] is not None for window in rows(engine, "crawl_window")} == {True}


def test_a_first_search_misses_nothing(found):
    assert found([], [1, 2, 3]) == []


def test_nothing_is_missing_before_it_is_judged(found):
    assert found([1, 2, 3], [1], judge=False) == []


@pytest.mark.parametrize(
    "ways", [{"answer": {"has_more": True}}, {"fields": ("id", "create_time")}]
)
def test_a_search_that_is_not_like_the_first_says_nothing(found, ways):
    assert found([1, 2, 3], [1, 3], **ways) == []


def test_a_day_that_is_hard_to_believe_says_nothing(found):
    assert found(range(1, 60), [1]) == []


@pytest.mark.parametrize("days", [2, 10])
def test_windows_are_read_once_however_many_are_compared(search, days):
    run = search()
    for day in list(JANUARY)[:days]:
        run.ask(run.first(DateRange(day, day)), video(day.day))

    again = search(now=LATER)
    seen = []
    event.listen(again.session.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    corrections = again.session.corrections()
    again.session.correct(corrections, again.now)

    assert len(corrections.compared) == days
    assert sum("FROM window_day" in text for text in seen) == 1
    assert sum(text.startswith("SELECT") and "FROM crawl_window" in text for text in seen) < 10


def test_what_comes_back_is_missing_no_more(found, search, engine):
    assert found([1, 2, 3], [1, 3]) == [2]

    third = search(now=LATER + WEEK)
    third.ask(third.first(), *map(video, (1, 2)))
    assert not any(video["missing_since"] for video in rows(engine, "video"))
    third.session.correct(third.session.corrections(), third.now)
    assert [video["id"] for video in rows(engine, "video") if video["missing_since"]] == [3]


def test_a_page_from_before_does_not_bring_back(found, search, engine):
    assert found([1, 2, 3], [1, 3]) == [2]

    late = search(now=NOON + WEEK)
    late.ask(late.first(), video(2))
    assert [video["id"] for video in rows(engine, "video") if video["missing_since"]] == [2]


def test_what_another_search_brings_meanwhile_is_not_missing(search, engine):
    run = search()
    run.ask(run.first(), *map(video, (1, 2, 3)))
    run.session.correct(run.session.corrections(), run.later())
    again = search(now=LATER)
    again.ask(again.first(), video(1))
    other = search(now=again.now, query=OTHER_QUERY)
    other.ask(other.first(), video(2))

    again.session.correct(again.session.corrections(), other.now)
    assert [video["id"] for video in rows(engine, "video") if video["missing_since"]] == [3]


def test_a_parked_search_says_nothing(search, engine):
    run = search()
    run.ask(run.first(), *map(video, (1, 2)))
    again = search(now=LATER)
    again.session.end(again.booked(now=LATER), Parked("no", None, START), LATER)
    again.session.correct(again.session.corrections(), LATER)
    assert not any(video["missing_since"] for video in rows(engine, "video"))


def list_again(url, *records, now=LATER, **answer):
    with Crawl(url, stage(COMMENTS, "7", max_age=WEEK), now=now) as crawl:
        (request,) = crawl.requests
        crawl.ask(request, *records, **answer)


def comments(engine):
    return {
        comment["id"]: (comment["last_returned_at"], comment["missing_since"])
        for comment in rows(engine, "comment")
    }


def test_a_whole_list_says_which_comments_are_missing(prepared_url, engine):
    first = ({"id": 5, "parent_comment_id": 7}, {"id": 6, "parent_comment_id": 7})
    store_list(prepared_url, COMMENTS, "7", *first, {"id": 8, "parent_comment_id": 5})
    at = NOON + 2 * MINUTE
    assert comments(engine) == {5: (at, None), 6: (at, None), 8: (at, None)}

    list_again(prepared_url, first[0])

    begun_at, received_at = LATER + MINUTE, LATER + 2 * MINUTE
    assert comments(engine) == {5: (received_at, None), 6: (at, begun_at), 8: (at, None)}

    list_again(prepared_url, *first, now=LATER + 2 * WEEK)
    assert comments(engine)[6] == (LATER + 2 * WEEK + 2 * MINUTE, None)


def test_a_list_that_is_cut_off_says_nothing(prepared_url, engine):
    store_list(prepared_url, COMMENTS, "7", {"id": 5, "parent_comment_id": 7})

    list_again(prepared_url, {"id": 6, "parent_comment_id": 7}, has_more=True)

    assert comments(engine)[5][1] is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "missing", "gone"),
    [
        (SeedStatus.NOT_FOUND, True, True),
        (SeedStatus.WITHHELD, False, False),
        (SeedStatus.REFUSED, False, False),
    ],
)
def test_a_user_who_is_not_found_twice_a_week_apart_is_gone(
    prepared_url, engine, status, missing, gone
):
    store_list(prepared_url, USERS, "ann", {"display_name": "Ann"})

    def refuse(now):
        with Crawl(prepared_url, stage(USERS, "ann", max_age=MINUTE), now=now) as crawl:
            (request,) = crawl.requests
            crawl.session.end(crawl.book(request), Refused(status, "no", None), now + MINUTE)

    def due(now):
        with Crawl(prepared_url, stage(USERS, "ann"), now=now) as crawl:
            return bool(crawl.requests)

    for now in (LATER, LATER + timedelta(days=6)):
        refuse(now)
        user = row(engine, "user_info")
        assert user["missing_since"] == (LATER + MINUTE if missing else None)
        assert user["gone_at"] is None
        assert user["last_returned_at"] == NOON + 2 * MINUTE
        assert not due(now)
    assert due(LATER + 2 * WEEK) == missing
    refuse(LATER + WEEK)
    assert not due(LATER + 2 * WEEK)
    assert row(engine, "user_info")["gone_at"] == (LATER + WEEK + MINUTE if gone else None)

    now = LATER + 2 * WEEK
    store_list(prepared_url, USERS, "ann", {"display_name": "Ann"}, now=now, max_age=MINUTE)
    user = row(engine, "user_info")
    assert (user["missing_since"], user["gone_at"]) == (None, None)
    assert user["last_returned_at"] == now + 2 * MINUTE
