from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from stored_pages import (
    ACCOUNT,
    JANUARY,
    MINUTE,
    NOON,
    OTHER_QUERY,
    QUERY,
    collection,
    content,
    page,
    query_id_of,
    row,
    rows,
    video,
)

from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.planning.coverage import Covered
from tiktok_crawler.planning.plan import WaitingWindow
from tiktok_crawler.planning.task_states import Cut, Parked, WindowState
from tiktok_crawler.planning.window_days import DayCount
from tiktok_crawler.query_file.refreshing import KeepFresh, Refreshing
from tiktok_crawler.storage.engine.transactions import reading
from tiktok_crawler.storage.ledger.coverage import Windows
from tiktok_crawler.storage.ledger.queries import Totals, find_query

LATER = NOON + timedelta(hours=1)
FEBRUARY = DateRange(date(2024, 2, 1), date(2024, 2, 29))


@pytest.fixture
def known(engine):
    """Reads what is known of the windows of the first query."""

    def known(fields=()):
        with reading(engine) as connection:
            return Windows(connection, 1).known(QUERY, fields)

    return known


@pytest.fixture
def unfinished(engine):
    def unfinished():
        with reading(engine) as connection:
            return Windows(connection, 1).unfinished()

    return unfinished


def park(run, request, now=LATER):
    run.session.end(request, Parked("no", "20240601", request.place), now)


def test_a_query_is_registered_once_whatever_it_was_used_for(engine, search):
    search()
    search(dates=FEBRUARY, tags=("t",), now=LATER)

    found = row(engine, "query")
    assert found.pop("id")
    assert found == {
        "fingerprint": QUERY.fingerprint,
        "canonical_json": QUERY.canonical(),
        "first_used_at": NOON,
        "last_used_at": LATER,
    }


def test_a_query_is_found_by_its_fingerprint(engine, search):
    search()

    with reading(engine) as connection:
        assert find_query(connection, QUERY.fingerprint) == row(engine, "query")["id"]
        assert find_query(connection, OTHER_QUERY.fingerprint) is None


def test_a_collection_remembers_how_fresh_its_data_is_kept_now(engine, search):
    fresh = KeepFresh(15 * DAY, counters=True)
    search(revisit=(3 * DAY, 11 * DAY), keep_fresh=fresh)
    stored = row(engine, "collection")["refreshing"]
    assert stored == {"revisit": "3 days, 11 days", "keep_fresh": "15 days with counters"}
    assert Refreshing.from_json(stored) == Refreshing(None, (3 * DAY, 11 * DAY), fresh)
    search(refresh_after=timedelta(hours=36), now=LATER)
    assert row(engine, "collection")["refreshing"] == {"refresh_after": "36 hours"}


def test_a_collection_is_registered_once_and_remembers_its_runs(engine, search):
    search(tags=("b", "a", "b"))
    search(tags=("a", "b"), now=LATER)

    stored = row(engine, "collection")
    assert stored.pop("id")
    assert stored == {
        "query_id": row(engine, "query")["id"],
        "start_written": "2024-01-01",
        "end_written": "2024-01-31",
        "start_date": JANUARY.start,
        "end_date": JANUARY.end,
        "tags": ["a", "b"],
        "refreshing": None,
        "first_run_at": NOON,
        "last_run_at": LATER,
    }


def test_of_runs_that_begin_at_once_the_later_one_may_be_stored_first(engine, search):
    search(refresh_after=2 * DAY, now=LATER)
    search(refresh_after=DAY)

    query, collection = row(engine, "query"), row(engine, "collection")
    assert (query["first_used_at"], query["last_used_at"]) == (NOON, LATER)
    assert (collection["first_run_at"], collection["last_run_at"]) == (NOON, LATER)
    assert collection["refreshing"] == {"refresh_after": "2 days"}


@pytest.mark.parametrize(
    "change",
    [
        {"dates": FEBRUARY},
        {"start_written": "31 days ago"},
        {"end_written": "yesterday"},
        {"tags": ("a",)},
        {"query": OTHER_QUERY},
    ],
)
def test_another_wish_is_another_collection(engine, change):
    query_id_of(engine, collection())
    query_id_of(engine, replace(collection(), **change))

    assert len(rows(engine, "collection")) == 2


def test_a_window_has_the_days_and_fields_that_it_was_opened_with(engine, search):
    request = search().booked(now=LATER, fields=("id", "username"))

    window = row(engine, "crawl_window")
    assert (request.task.row_id, request.task.days) == (window["id"], JANUARY)
    assert window["query_id"] == row(engine, "query")["id"]
    assert (window["start_date"], window["end_date"]) == (JANUARY.start, JANUARY.end)
    assert window["fields"] == ["id", "username"]


def test_a_window_that_nobody_asked_for_is_dropped_by_the_next_run(engine, search, known):
    run = search()
    asked, failed = run.booked(), run.first(FEBRUARY)
    failed = run.session.open_task(failed, NOON)
    park(run, failed)
    for second_try in (False, True):
        run.session.open_task(run.first(FEBRUARY, second_try=second_try), LATER)
    search(query=OTHER_QUERY)
    assert len(rows(engine, "crawl_window")) == 4

    search(now=LATER + MINUTE)

    assert [window["id"] for window in rows(engine, "crawl_window")] == [1, 2]
    assert known().open_windows == (asked,)


def test_an_open_window_goes_on_with_the_fields_that_it_began_with(search, known):
    run = search()
    answer = page(run.booked(fields=("video_tag", "id")), video(1), has_more=True)
    run.session.save_page(answer)

    (found,) = known().open_windows
    assert found == answer.next_request
    assert found.begun_at == NOON


def test_a_request_counts_against_pages_as_soon_as_it_has_ended(search, known):
    run = search()
    under_way = run.booked()
    assert (known().requests, known().pages) == (0, 0)

    run.book(under_way)
    assert known().requests == 1, "the first one has failed"

    run.ask(under_way, {"id": 7}, cursor=100, has_more=True)
    assert (known().requests, known().pages) == (3, 1)


def test_windows_are_listed_by_day_and_only_those_of_the_query(search, known):
    run = search()
    second, first = run.booked(FEBRUARY), run.booked()
    search(query=OTHER_QUERY).booked()

    assert known().open_windows == (first, second)


def evenly_withheld(days):
    """The counts of days of which 100 matches were withheld, and nothing came."""
    newest_first = list(days)[::-1]
    up_to = [100 * n // len(days) for n in range(len(days) + 1)]
    shares = (later - before for before, later in pairwise(up_to))
    return {day: DayCount(withheld=n) for day, n in zip(newest_first, shares, strict=True)}


def test_complete_windows_are_coverage_with_all_wanted_fields(search, known):
    run = search()
    narrow = run.booked(FEBRUARY, fields=("id",), now=LATER)
    for request in (narrow, run.booked()):
        run.session.save_page(page(request))
    run.booked(now=LATER)

    january = Covered(JANUARY, NOON, matches=100, counts=evenly_withheld(JANUARY))
    february = Covered(FEBRUARY, LATER, matches=100, counts=evenly_withheld(FEBRUARY))
    assert known(("id",)).coverage == (january, february)
    assert known(("username", "id")).coverage == (january,)


def test_a_parked_window_can_be_tried_again_where_it_was(search, known, unfinished):
    run = search()
    following = run.ask(run.first(), video(1), has_more=True)
    park(run, following)

    assert known().open_windows == ()
    assert known().parked_windows == (WaitingWindow(following, LATER),)
    assert known().parked_windows[0].request.second_try
    (found,) = unfinished()
    assert (found.days, found.state, found.pages, found.videos) == (JANUARY, "parked", 1, 1)
    assert (found.error, found.error_log_id) == ("no", "20240601")
    assert found.parked_at == found.updated_at == found.retry_at == LATER


def test_a_second_try_costs_its_share_and_is_none_after_a_page(engine, search, known):
    run = search(account=ACCOUNT)
    park(run, run.booked())
    (found,) = known().parked_windows

    request = run.book(found.request, LATER)
    assert row(engine, "api_quota")["second_tries"] == 1
    run.store(request, video(1), has_more=True)

    (found,) = known().open_windows
    assert not found.second_try


def test_a_second_search_of_suspicious_days_is_parked_until_it_answers(search, unfinished):
    run = search()
    run.book(run.first(second_try=True), NOON)

    (found,) = unfinished()
    assert (found.state, "suspiciously empty" in found.error) == ("parked", True)
    assert found.parked_at == NOON


def test_the_windows_that_may_be_tried_longest_come_first(search, known):
    run = search()
    january, february = run.booked(), run.booked(FEBRUARY)
    park(run, february, NOON)
    park(run, january, LATER)

    assert [window.request for window in known().parked_windows] == [february, january]


def test_a_window_that_was_cut_is_remembered(search, known):
    run = search()
    request = run.booked()
    assert known().cut_windows == ()

    run.session.end(request, Cut("too heavy", None), LATER)

    assert known().cut_windows == (request.window.days,)


@pytest.mark.parametrize(
    ("other", "state"),
    [
        pytest.param({"fields": ("id", "username")}, "split", id="collected"),
        pytest.param({"days": FEBRUARY}, "parked", id="other days"),
        pytest.param({"fields": ("username",)}, "parked", id="other fields"),
        pytest.param({"now": NOON - DAY}, "parked", id="collected before"),
    ],
)
def test_a_parked_window_is_needless_when_its_days_were_collected_since(
    engine, search, known, other, state
):
    run = search()
    park(run, run.booked(fields=("id",)), NOON)
    run.session.save_page(page(run.booked(**({"now": LATER, "fields": ("id",)} | other))))

    assert [stored.row_id for stored in correct(engine, run).needless] == [1] * (state == "split")

    assert rows(engine, "crawl_window")[0]["state"] == state
    assert known().cut_windows == ()


def correct(engine, run, now=LATER + MINUTE):
    """Judge, which changes nothing, then do, twice as after a commit in doubt."""
    before = content(engine)
    found = run.session.corrections()
    assert content(engine) == before

    run.session.correct(found, now)
    after = content(engine)
    run.session.correct(found, now)
    assert content(engine) == after
    changed = [
        window["id"]
        for window, was in zip(after["crawl_window"], before["crawl_window"], strict=True)
        if window != was
    ]
    corrected = [stored.row_id for stored in (*found.taken_back, *found.needless)]
    compared = [stored.row_id for stored in found.compared]
    assert changed == sorted(corrected + compared)
    windows = {window["id"]: window for window in after["crawl_window"]}
    assert {windows[id_]["updated_at"] for id_ in corrected} <= {now}
    assert {windows[id_]["compared_at"] for id_ in compared} <= {now}
    return found


def test_totals_count_windows_requests_and_videos_of_the_query(search):
    run = search()
    run.ask(run.ask(run.first(), video(1), video(2), has_more=True), video(2))
    run.booked(FEBRUARY)
    other = search(query=OTHER_QUERY)
    other.ask(other.first(), video(3))

    assert run.session.result().totals == Totals(
        windows={WindowState.COMPLETE: 1, WindowState.OPEN: 1}, requests=3, videos=2
    )


def test_totals_of_an_unused_query_are_empty(search):
    assert search().session.result().totals == Totals({}, 0, 0)


def test_times_are_stored_in_utc_and_need_a_time_zone(engine):
    in_kolkata = datetime.fromisoformat("2024-06-01T17:30:00+05:30")
    query_id_of(engine, collection(), in_kolkata)
    assert row(engine, "query")["first_used_at"] == NOON
    assert row(engine, "query")["first_used_at"].tzinfo is UTC

    with pytest.raises(Exception, match="time zone"):
        query_id_of(engine, collection(), in_kolkata.replace(tzinfo=None))
