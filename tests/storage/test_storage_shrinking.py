"""A window whose search was lost keeps the days that it had passed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from stored_pages import JANUARY, MINUTE, NOON, OTHER_QUERY, content, rows

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.task_states import Lost, Parked
from tiktok_crawler.research_api.paging import START

LATER = NOON + timedelta(hours=1)
PASSED = DateRange(date(2024, 1, 21), JANUARY.end)
REST = DateRange(JANUARY.start, date(2024, 1, 20))


def video(day: int, *, made_before: timedelta = timedelta(seconds=30)) -> dict[str, int]:
    created = datetime(2024, 1, day, 12, tzinfo=UTC)
    return {
        "id": int((created - made_before).timestamp()) << 32,
        "create_time": int(created.timestamp()),
    }


def many(videos: list[dict[str, int]], copies: int = 30) -> list[dict[str, int]]:
    """So many videos in place of each: a few prove nothing."""
    return [video | {"id": video["id"] - n} for video in videos for n in range(copies)]


def search_pages(run, *pages, copies=30):
    """Store the pages; the request for the next one is booked."""
    request = run.first()
    for videos in pages:
        request = run.ask(request, *many(videos, copies), has_more=True)
    return run.book(request)


PROOF = [video(31), video(25)], [video(24), video(20)]


def windows(engine):
    return [
        (found["start_date"], found["end_date"], found["state"])
        for found in rows(engine, "crawl_window")
    ]


def test_passed_days_are_complete_and_the_rest_is_searched_anew(engine, search):
    run = search()
    request = search_pages(run, *PROOF)

    assert run.session.days_passed(request) == (PASSED, True)
    rest = run.session.end(request, Lost(PASSED), LATER)

    assert (rest.task.days, rest.place, rest.begun_at) == (REST, START, None)
    assert windows(engine) == [
        (JANUARY.start, JANUARY.end, "split"),
        (PASSED.start, PASSED.end, "complete"),
        (REST.start, REST.end, "open"),
    ]
    lost, passed, left = rows(engine, "crawl_window")
    assert left["id"] == rest.task.row_id
    assert passed["searched_at"] == lost["searched_at"] == NOON + MINUTE
    assert passed["last_page_at"] == lost["last_page_at"]
    assert (passed["completed_at"], passed["pages"], left["searched_at"]) == (LATER, 0, None)
    assert {found["updated_at"] for found in (lost, passed, left)} == {LATER}
    plan = run.session.plan(LATER)
    assert (plan.standings.covered, plan.new_windows) == (tuple(PASSED), (REST,))


def test_a_search_that_is_lost_twice_because_a_commit_was_in_doubt_is_kept_once(engine, search):
    run = search()
    request = search_pages(run, *PROOF)
    rest = run.session.end(request, Lost(PASSED), LATER)
    before = content(engine)

    assert run.session.end(request, Lost(PASSED), LATER) == rest
    assert content(engine) == before


def test_the_rest_of_a_lost_search_is_not_searched_for_if_nobody_has_begun_to(engine, search):
    """It is missing like any other day: the next run may search it with its own fields."""
    run = search()
    run.session.end(search_pages(run, *PROOF), Lost(PASSED), LATER)

    plan = search(now=LATER, fields=("id",)).session.plan(LATER)

    assert (plan.open_windows, plan.new_windows) == ((), (REST,))
    assert [state for *_, state in windows(engine)] == ["split", "complete"]


def test_the_rest_of_a_parked_window_is_parked_for_the_same_reason(engine, search):
    run = search()
    following = run.ask(run.first(), video(31), video(20), has_more=True)
    run.session.end(following, Parked("the API said no", "20240601", following.place), NOON)
    (parked,) = run.session.plan(LATER).parked_windows

    rest = run.session.end(run.book(parked, LATER), Lost(PASSED), LATER)

    booked = run.book(rest, LATER + MINUTE)
    assert booked.task == rest.task
    for now in (LATER, LATER + timedelta(days=1)):
        again = search(now=now)
        *_, left = rows(engine, "crawl_window")
        assert (left["id"], left["state"], left["parked_at"]) == (rest.task.row_id, "parked", NOON)
        assert (left["error"], left["error_log_id"]) == ("the API said no", "20240601")
        assert (left["parked_count"], left["retry_at"]) == (1, NOON)
        (found,) = again.session.plan(now).parked_windows
        assert (found.task, found.second_try) == (rest.task, True)
        assert again.session.plan(now).too_wide == ()


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
def test_without_proof_no_days_are_kept(search, pages, trusts_ids):
    run = search()

    assert run.session.days_passed(search_pages(run, *pages)) == (None, trusts_ids)


def test_pages_of_an_earlier_search_of_the_window_prove_nothing(search):
    run = search()
    request = search_pages(run, [video(31), video(10)])
    anew = run.ask(request.from_start(), video(31), video(30), has_more=True)

    passed, _ = run.session.days_passed(anew)

    assert passed == DateRange(JANUARY.end, JANUARY.end)


def test_few_videos_prove_nothing(search):
    run = search()
    request = search_pages(run, [video(31), video(10)], copies=24)

    assert run.session.days_passed(request) == (None, True)


def test_days_kept_on_false_evidence_are_taken_back(engine, search):
    other = search(query=OTHER_QUERY)
    other.session.end(search_pages(other, *PROOF), Lost(PASSED), LATER)
    run = search()
    rest = run.session.end(search_pages(run, *PROOF), Lost(PASSED), LATER)
    assert run.session.corrections().taken_back == ()
    run.ask(rest, video(3, made_before=timedelta(days=2)))

    judged = run.session.corrections()
    assert [stored.days for stored in judged.taken_back] == [PASSED]
    before = content(engine)
    assert run.session.plan(LATER).is_fulfilled, "what is judged is not done yet"
    for _ in range(2):
        run.session.correct(judged, LATER + MINUTE)
        after = content(engine)
        (changed,) = (
            now
            for now, was in zip(after["crawl_window"], before["crawl_window"], strict=True)
            if now["state"] != was["state"]
        )
        assert (changed["state"], changed["updated_at"]) == ("split", LATER + MINUTE)
        assert changed["id"] == judged.taken_back[0].row_id

    result = run.session.result()
    assert (result.taken_back, result.plan.new_windows) == ((PASSED,), (PASSED,))
    assert run.session.corrections().taken_back == ()
    assert other.session.plan(LATER).standings.covered == tuple(PASSED)


def test_days_that_are_taken_back_make_no_parked_window_needless(search):
    run = search()
    parked = run.booked(PASSED)
    run.session.end(parked, Parked("no", None, START), NOON)
    rest = run.session.end(search_pages(run, *PROOF), Lost(PASSED), LATER)
    assert [stored.days for stored in run.session.corrections().needless] == [PASSED]

    run.ask(rest, video(3, made_before=timedelta(days=2)))

    judged = run.session.corrections()
    assert ([stored.days for stored in judged.taken_back], judged.needless) == ([PASSED], ())
