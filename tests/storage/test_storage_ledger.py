from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from stored_pages import (
    ACCOUNT,
    JANUARY,
    NOON,
    OTHER_QUERY,
    QUERY,
    booked,
    collection,
    content,
    first_request,
    page,
    row,
    rows,
    video,
)

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.coverage import Covered
from tiktok_crawler.planning.plan import WaitingWindow
from tiktok_crawler.planning.task_states import HeavyWindow, ParkedWindow, WindowState
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.tasks import PageRequest
from tiktok_crawler.storage.ledger.queries import Ledger, Totals

LATER = NOON + timedelta(hours=1)
FEBRUARY = DateRange(date(2024, 2, 1), date(2024, 2, 29))


def test_a_query_is_registered_once_whatever_it_was_used_for(engine, ledger):
    first = ledger.begin(collection(), NOON)
    second = ledger.begin(collection(dates=FEBRUARY, tags=("t",)), LATER)

    assert first == second
    assert row(engine, "query") == {
        "id": first,
        "fingerprint": QUERY.fingerprint,
        "canonical_json": QUERY.canonical(),
        "first_used_at": NOON,
        "last_used_at": LATER,
    }


def test_a_query_is_found_by_its_fingerprint(ledger):
    query_id = ledger.begin(collection(), NOON)

    assert ledger.find(QUERY.fingerprint) == query_id
    assert ledger.find(OTHER_QUERY.fingerprint) is None


def test_a_collection_is_registered_once_and_remembers_its_runs(engine, ledger):
    query_id = ledger.begin(collection(tags=("b", "a", "b")), NOON)
    ledger.begin(collection(tags=("a", "b")), LATER)

    stored = row(engine, "collection")
    assert stored.pop("id")
    assert stored == {
        "query_id": query_id,
        "start_written": "2024-01-01",
        "end_written": "2024-01-31",
        "start_date": JANUARY.start,
        "end_date": JANUARY.end,
        "tags": ["a", "b"],
        "first_run_at": NOON,
        "last_run_at": LATER,
    }


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
def test_another_wish_is_another_collection(engine, ledger, change):
    ledger.begin(collection(), NOON)
    ledger.begin(replace(collection(), **change), LATER)

    assert [found["first_run_at"] for found in rows(engine, "collection")] == [NOON, LATER]


def test_a_window_exists_from_its_first_request_on(engine, ledger):
    query_id = ledger.begin(collection(), NOON)
    request = booked(ledger, query_id, now=LATER, fields=("id", "username"))

    window = row(engine, "crawl_window")
    assert request == PageRequest(window["id"], JANUARY, ("id", "username"), 100)
    assert window["query_id"] == query_id
    assert (window["start_date"], window["end_date"]) == (JANUARY.start, JANUARY.end)
    assert (window["state"], window["fields"]) == (WindowState.OPEN, ["id", "username"])
    assert (window["requests"], window["attempts"]) == (1, 1)
    assert (window["created_at"], window["searched_at"]) == (LATER, LATER)
    assert (window["suspicious"], window["last_page_at"]) == (False, None)


def test_every_request_is_booked_and_first_pages_are_attempts(engine, ledger, store):
    request = first_request(ledger)
    query_id = row(engine, "query")["id"]
    answer = page(request, video(1), has_more=True)
    store.save(answer, tags=())
    for _ in range(2):
        assert ledger.book(query_id, answer.next_request, LATER) == answer.next_request

    window = row(engine, "crawl_window")
    assert (window["requests"], window["attempts"]) == (3, 1)
    assert (window["searched_at"], window["updated_at"]) == (NOON, LATER)
    assert (window["cursor"], window["search_id"], window["pages"]) == (100, "7001", 1)


def test_a_new_search_forgets_how_far_the_last_one_had_come(engine, ledger, store):
    request = first_request(ledger)
    store.save(page(request, video(1), has_more=True), tags=())
    ledger.book(row(engine, "query")["id"], request.from_start(), LATER)

    window = row(engine, "crawl_window")
    assert (window["cursor"], window["search_id"], window["searched_at"]) == (0, None, LATER)
    assert (window["pages"], window["videos"]) == (0, 0)
    assert (window["requests"], window["attempts"]) == (2, 2)
    assert len(rows(engine, "crawl")) == 1


def test_a_finished_window_cannot_be_booked(engine, ledger, store):
    request = first_request(ledger)
    store.save(page(request), tags=())
    before = content(engine)

    with pytest.raises(LookupError, match="neither open nor parked"):
        ledger.book(row(engine, "query")["id"], request, LATER)
    assert content(engine) == before


def test_an_open_window_goes_on_where_its_last_page_ended(ledger, store):
    query_id = ledger.begin(collection(), NOON)
    request = booked(ledger, query_id, fields=("video_tag", "id"))
    answer = page(request, video(1), has_more=True, received_at=LATER)
    store.save(answer, tags=())

    (found,) = ledger.known(query_id, ()).open_windows
    assert found == answer.next_request
    assert found.searched_at == NOON


def test_an_open_window_without_pages_starts_over(ledger):
    query_id = ledger.begin(collection(), NOON)
    request = booked(ledger, query_id)

    assert ledger.known(query_id, ()).open_windows == (request,)


def test_windows_are_listed_by_day_and_only_those_of_the_query(ledger):
    query_id = ledger.begin(collection(), NOON)
    second = booked(ledger, query_id, window=FEBRUARY)
    first = booked(ledger, query_id)
    first_request(ledger, query=OTHER_QUERY)

    assert ledger.known(query_id, ()).open_windows == (first, second)


def test_complete_windows_are_coverage_with_all_wanted_fields(ledger, store):
    query_id = ledger.begin(collection(), NOON)
    narrow = booked(ledger, query_id, window=FEBRUARY, fields=("id",), now=LATER)
    for request in (narrow, booked(ledger, query_id)):
        store.save(page(request), tags=())
    booked(ledger, query_id)

    january = Covered(JANUARY, NOON, matches=100, videos=0, window_id=2)
    february = Covered(FEBRUARY, LATER, matches=100, videos=0, window_id=1)
    assert ledger.coverage(query_id, ("id",)) == [january, february]
    assert ledger.coverage(query_id, ("username", "id")) == [january]


def test_a_parked_window_says_why_and_can_be_tried_again_where_it_was(ledger, store):
    query_id = ledger.begin(collection(), NOON)
    answer = page(booked(ledger, query_id), video(1), has_more=True)
    store.save(answer, tags=())

    ledger.park(ParkedWindow(answer.next_request, "the API said: \0no", "20240601\0"), LATER)

    known = ledger.known(query_id, ())
    assert known.open_windows == ()
    assert known.parked_windows == (WaitingWindow(answer.next_request, LATER),)
    (found,) = ledger.unfinished_windows(query_id)
    assert (found.error, found.error_log_id) == ("the API said: no", "20240601")
    assert found.updated_at == LATER


def test_a_second_try_leaves_its_window_parked_until_a_page_comes(engine, store):
    ledger = Ledger(engine, ACCOUNT)
    query_id = ledger.begin(collection(), NOON)
    ledger.park(ParkedWindow(booked(ledger, query_id), "no", "20240601"), LATER)
    (found,) = ledger.known(query_id, ()).parked_windows

    request = ledger.book(query_id, found.request, LATER)
    window = row(engine, "crawl_window")
    assert (window["state"], window["error"]) == ("parked", "no")
    assert row(engine, "api_quota")["second_tries"] == 1

    store.save(page(request, video(1), has_more=True), tags=())
    window = row(engine, "crawl_window")
    assert (window["state"], window["error"], window["error_log_id"]) == ("open", None, None)
    assert window["retry_at"] is None
    (found,) = ledger.known(query_id, ()).open_windows
    assert not found.second_try


def test_a_window_that_is_parked_again_waits_longer_each_time(engine, ledger):
    query_id = ledger.begin(collection(), NOON)
    request = booked(ledger, query_id)
    waits = []
    for now in (NOON + timedelta(days=day) for day in range(4)):
        ledger.park(ParkedWindow(request, "no"), now)
        waits.append(row(engine, "crawl_window")["retry_at"] - now)

    assert waits == [timedelta(hours=hours) for hours in (0, 1, 4, 16)]
    assert row(engine, "crawl_window")["parked_count"] == 4


def test_what_is_written_twice_because_its_commit_was_in_doubt_is_there_once(engine, ledger):
    query_id = ledger.begin(collection(), NOON)
    for _ in range(2):
        request = booked(ledger, query_id)
    assert row(engine, "crawl_window")["id"] == request.window_id

    for _ in range(2):
        ledger.park(ParkedWindow(request, "no"), LATER)
    assert row(engine, "crawl_window")["parked_count"] == 1
    assert row(engine, "crawl_window")["retry_at"] == LATER

    for _ in range(2):
        ledger.split(HeavyWindow(request, "too heavy"), LATER)
    assert row(engine, "crawl_window")["state"] == "split"
    with pytest.raises(LookupError):
        ledger.split(HeavyWindow(request, "too heavy"), LATER + timedelta(seconds=1))


def test_a_second_try_does_not_change_since_when_a_window_is_parked(ledger):
    query_id = ledger.begin(collection(), NOON)
    ledger.park(ParkedWindow(booked(ledger, query_id), "no"), NOON)
    (parked,) = ledger.known(query_id, ()).parked_windows

    ledger.book(query_id, parked.request, LATER)

    (found,) = ledger.unfinished_windows(query_id)
    assert (found.parked_at, found.updated_at) == (NOON, LATER)


@pytest.mark.parametrize(
    ("other", "state"),
    [
        pytest.param({"fields": ("id", "username")}, "split", id="collected"),
        pytest.param({"window": FEBRUARY}, "parked", id="other days"),
        pytest.param({"fields": ("username",)}, "parked", id="other fields"),
        pytest.param({"now": NOON - timedelta(1)}, "parked", id="collected before"),
    ],
)
def test_a_parked_window_ends_when_its_days_were_collected_since(engine, store, other, state):
    ledger = Ledger(engine)
    query_id = ledger.begin(collection(), NOON)
    ledger.park(ParkedWindow(booked(ledger, query_id, fields=("id",)), "no"), NOON)
    request = booked(ledger, query_id, **({"now": LATER, "fields": ("id",)} | other))
    store.save(page(request), tags=())

    ledger.retire_parked(query_id, LATER)

    assert rows(engine, "crawl_window")[0]["state"] == state
    assert not ledger.known(query_id, ()).has_been_heavy


def test_the_windows_that_may_be_tried_longest_come_first(ledger):
    query_id = ledger.begin(collection(), NOON)
    january, february = booked(ledger, query_id), booked(ledger, query_id, window=FEBRUARY)
    ledger.park(ParkedWindow(february, "no"), NOON)
    ledger.park(ParkedWindow(january, "no"), LATER)

    parked = ledger.known(query_id, ()).parked_windows
    assert [window.request for window in parked] == [february, january]


def test_a_window_that_was_cut_is_remembered(ledger):
    query_id = ledger.begin(collection(), NOON)
    request = booked(ledger, query_id)
    assert not ledger.known(query_id, ()).has_been_heavy

    ledger.split(HeavyWindow(request, "too heavy"), LATER)

    assert ledger.known(query_id, ()).has_been_heavy


def test_a_suspicious_window_stays_complete(engine, ledger, store):
    query_id = ledger.begin(collection(), NOON)
    request = booked(ledger, query_id)
    store.save(page(request), tags=())

    ledger.suspect([request.window_id])

    (covered,) = ledger.coverage(query_id, ())
    assert covered.suspicious
    assert row(engine, "crawl_window")["state"] == "complete"


def test_a_second_search_of_suspicious_days_is_parked_until_it_answers(ledger):
    query_id = ledger.begin(collection(), NOON)
    request = PageRequest(None, JANUARY, VIDEO_QUERY.fields, 100, second_try=True)

    ledger.book(query_id, request, NOON)

    (found,) = ledger.unfinished_windows(query_id)
    assert (found.state, "suspiciously empty" in found.error) == ("parked", True)


def test_a_window_parked_for_its_search_starts_a_new_one(ledger, store):
    query_id = ledger.begin(collection(), NOON)
    request = booked(ledger, query_id)
    store.save(page(request, video(1), has_more=True), tags=())

    ledger.park(ParkedWindow(request.from_start(), "the search is lost"), LATER)

    (found,) = ledger.known(query_id, ()).parked_windows
    assert found.request.starts_search


def test_a_finished_window_cannot_be_parked(ledger, store):
    request = first_request(ledger)
    store.save(page(request), tags=())

    with pytest.raises(LookupError):
        ledger.park(ParkedWindow(request, "too late"), LATER)


def test_totals_count_windows_requests_and_videos_of_the_query(ledger, store):
    query_id = ledger.begin(collection(), NOON)
    complete = booked(ledger, query_id)
    answer = page(complete, video(1), video(2), has_more=True)
    store.save(answer, tags=())
    store.save(page(ledger.book(query_id, answer.next_request, NOON), video(2)), tags=())
    booked(ledger, query_id, window=FEBRUARY)
    store.save(page(first_request(ledger, query=OTHER_QUERY), video(3)), tags=())

    assert ledger.totals(query_id) == Totals(
        windows={WindowState.COMPLETE: 1, WindowState.OPEN: 1}, requests=3, videos=2
    )


def test_totals_of_an_unused_query_are_empty(ledger):
    assert ledger.totals(ledger.begin(collection(), NOON)) == Totals({}, 0, 0)


def test_times_are_stored_in_utc_and_need_a_time_zone(engine, ledger):
    in_kolkata = datetime.fromisoformat("2024-06-01T17:30:00+05:30")
    ledger.begin(collection(), in_kolkata)
    assert row(engine, "query")["first_used_at"] == NOON
    assert row(engine, "query")["first_used_at"].tzinfo is UTC

    with pytest.raises(Exception, match="time zone"):
        ledger.begin(collection(), in_kolkata.replace(tzinfo=None))
