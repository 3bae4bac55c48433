"""Which window comes next, and how wide it is after windows failed or worked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from asked import QUERY, window_request
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.planning.coverage import Covered, Freshness
from tiktok_crawler.planning.plan import Known, WaitingWindow, Wanted, make_plan
from tiktok_crawler.planning.problems import ApiIsDown, Problem, ProblemKind, StopCrawl
from tiktok_crawler.planning.task_states import Cut, Parked
from tiktok_crawler.planning.window_days import DayCount
from tiktok_crawler.planning.window_queue import WindowQueue, retries
from tiktok_crawler.research_api.pages import Page

if TYPE_CHECKING:
    from tiktok_crawler.research_api.tasks import PageRequest

if TYPE_CHECKING:
    from tiktok_crawler.planning.problems import Answer

START = date(2024, 1, 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIELDS = ("id", "username")


def days(first: int, last: int) -> DateRange:
    return DateRange(START + first * DAY, START + last * DAY)


def agenda(length: int, **known) -> WindowQueue:
    wanted = Wanted(QUERY, days(0, length - 1), FIELDS, Freshness(timedelta(days=2)))
    plan = make_plan(wanted, Known(**known), NOW)
    return WindowQueue(replace(plan, has_succeeded=True), wanted)


def store(work: WindowQueue, page: Page) -> None:
    """Store a page; the last one of its window ends it."""
    work.page_stored(page)
    if not page.has_more:
        work.ended(page.request.task)


def fail(work: WindowQueue, request: PageRequest) -> Answer:
    """Let a request fail for good; a window that is cut is searched in parts."""
    answer = work.judge(request, Problem(ProblemKind.FAILED, "HTTP 500"))
    if isinstance(answer, Cut):
        work.cut(request.task)
    return answer


def is_done(work: WindowQueue) -> bool:
    return work.next() is None and not work._open.total()


def unfinished(first: int, last: int) -> PageRequest:
    return window_request(days(first, last), fields=FIELDS, row_id=7, cursor=100, search_id="77")


def last_page(window: DateRange, matches: int = 0) -> Page:
    """The page that completes a window which had so many matches."""
    request = window_request(window, fields=FIELDS, row_id=7)
    return Page(request, (), matches, "77", has_more=False, log_id=None, received_at=NOW)


def first_page(window: DateRange, *, reaches: float) -> Page:
    """A full first page that reaches so many days back from the end of the window."""
    end = datetime.combine(window.end + DAY, datetime.min.time(), UTC)
    oldest = int((end - reaches * DAY).timestamp()) << 32
    request = window_request(window, fields=FIELDS, row_id=7)
    return Page(request, ({"id": oldest},), 100, "77", has_more=True, log_id=None, received_at=NOW)


def widths_of(work: WindowQueue, daily: int) -> list[int]:
    """Search all that is left, one window after the other; each day has so many matches."""
    widths = []
    while (request := work.next()) is not None:
        widths.append(len(request.window.days))
        store(work, last_page(request.window.days, daily * len(request.window.days)))
    assert is_done(work)
    return widths


def test_open_windows_come_first_and_parked_ones_last():
    parked = WaitingWindow(unfinished(0, 30), retry_at=NOW)
    work = agenda(93, open_windows=(unfinished(31, 61),), parked_windows=(parked,))
    opened = [work.next(), work.next(), work.next()]
    assert [request.window.days for request in opened] == [days(31, 61), days(62, 92), days(0, 30)]
    assert [request.task.row_id for request in opened] == [7, None, 7]
    assert work.next() is None
    assert not is_done(work)


def test_suspicious_days_come_after_all_that_is_missing():
    counts = dict.fromkeys(days(0, 4), DayCount())
    nothing = Covered(days(0, 4), NOW - 5 * DAY, counts=counts, suspicious=True)
    work = agenda(10, coverage=(nothing,))
    assert [work.next().window.days, work.next().window.days] == [days(5, 9), days(0, 4)]


def test_second_tries_can_be_dropped():
    work = agenda(5, parked_windows=(WaitingWindow(unfinished(0, 4), retry_at=NOW),))
    work.drop_second_tries()
    assert work.next() is None
    assert is_done(work)


def test_it_is_done_when_the_last_window_has_ended():
    work = agenda(31)
    store(work, last_page(work.next().window.days))
    assert is_done(work)


def test_a_page_that_is_not_the_last_leaves_its_window_open():
    work = agenda(31)
    store(work, first_page(work.next().window.days, reaches=2))
    assert not is_done(work)


def test_a_window_that_is_too_heavy_is_cut_at_its_newest_day_first():
    work = agenda(31)
    fail(work, work.next())
    assert work.next().window.days == days(30, 30)
    assert work.next() is None, "the rest waits for what the newest day says"
    assert not is_done(work)


def test_if_the_day_works_the_rest_is_searched_in_two_parts():
    work = agenda(31)
    fail(work, work.next())
    store(work, last_page(work.next().window.days))
    assert [work.next().window.days, work.next()] == [days(0, 14), None]
    store(work, last_page(days(0, 14)))
    assert work.next().window.days == days(15, 29)


def test_parts_that_fail_are_cut_until_a_day_fails_alone():
    work, bad = agenda(62), START
    failed = []
    while (request := work.next()) is not None:
        if bad in request.window.days:
            failed.append(len(request.window.days))
            if not isinstance(fail(work, request), Cut):
                work.ended(request.task)
        else:
            store(work, last_page(request.window.days))
    assert failed == [31, 15, 7, 3, 1]
    assert is_done(work)


def test_after_a_bad_day_windows_are_as_wide_as_before():
    work = agenda(93)
    fail(work, work.next())
    store(work, last_page(work.next().window.days))
    part = work.next()
    fail(work, part)
    newest = work.next()
    assert newest.window.days == days(14, 14)
    assert isinstance(fail(work, newest), Parked), "the API worked a moment ago"
    work.ended(newest.task)
    assert widths_of(work, daily=3) == [15, 14, 31, 31]


def test_what_can_be_cut_is_tried_less():
    work = agenda(8)
    wide = work.next()
    fail(work, wide)
    newest = work.next()
    store(work, last_page(newest.window.days))
    part, narrow = work.next(), agenda(7).next()
    assert [len(each.window.days) for each in (wide, newest, part, narrow)] == [8, 1, 4, 7]
    assert [retries(each, 5) for each in (wide, newest, part, narrow)] == [1, 5, 1, 3]
    assert [retries(each, 0) for each in (wide, newest, part, narrow)] == [0, 0, 0, 0]
    assert retries(unfinished(0, 30), 5) == 5, "it has brought a page"


def test_what_is_not_known_to_work_is_tried_with_one_window_first():
    work = agenda(93)
    fail(work, work.next())
    newest = work.next()
    store(work, last_page(newest.window.days))
    for width in (15, 15, 31):
        trial = work.next()
        assert (len(trial.window.days), work.next()) == (width, None)
        store(work, last_page(trial.window.days))
    assert work.next().window.days == days(62, 92)


def test_no_window_waits_for_the_parts_of_one_that_failed_while_another_as_wide_works():
    work = agenda(93)
    heavy, other = work.next(), work.next()
    fail(work, heavy)
    newest = work.next()
    store(work, last_page(newest.window.days))
    assert work.next() is None, "the other one has not answered yet"
    work.page_stored(first_page(other.window.days, reaches=2))
    widths = [len(work.next().window.days) for _ in range(3)]
    assert widths == [15, 15, 31]


def test_if_the_day_fails_too_while_others_work_the_rest_stays_as_it_is():
    work = agenda(62)
    heavy, other = work.next(), work.next()
    fail(work, heavy)
    newest = work.next()
    store(work, last_page(other.window.days))
    assert isinstance(fail(work, newest), Parked)
    work.ended(newest.task)
    assert work.next().window.days == days(0, 29)


def test_if_the_day_fails_and_nothing_works_the_api_is_to_blame():
    work = agenda(62)
    heavy, other = work.next(), work.next()
    fail(work, heavy)
    newest = work.next()
    assert isinstance(fail(work, other), Cut)
    assert fail(work, newest) == ApiIsDown()


def test_a_bad_time_makes_no_window_narrower():
    work = agenda(31)
    fail(work, work.next())
    newest = work.next()
    work.everything_fails()
    assert isinstance(fail(work, newest), Parked), "others have worked before"
    assert work.next().window.days == days(0, 29)
    store(work, last_page(newest.window.days))
    assert work.next() is None


def test_a_width_that_keeps_failing_is_left_alone():
    work = agenda(200)
    asked = []
    while (request := work.next()) is not None:
        asked.append(len(request.window.days))
        if asked[-1] > 7:
            fail(work, request)
        else:
            store(work, last_page(request.window.days))
    assert asked[:6] == [31, 1, 15, 1, 7, 7]
    assert max(asked[4:]) == 7
    assert is_done(work)


def test_windows_that_earlier_runs_cut_are_remembered():
    work = agenda(62, cut_windows=(days(100, 130),))
    assert widths_of(work, daily=3) == [15, 31, 16]


def test_no_window_waits_for_one_whose_rest_goes_on():
    cut = (days(100, 130),)
    work = agenda(62, open_windows=(unfinished(0, 30),), cut_windows=cut)
    begun = work.next()
    assert work.next() is None
    work.replaced(begun.task, replace(begun.task, days=days(0, 10)))
    assert len(work.next().window.days) == 15


def test_a_rest_that_goes_on_keeps_the_agenda_open():
    work = agenda(31)
    request = work.next()
    work.replaced(request.task, replace(request.task, days=days(0, 10)))
    assert not is_done(work)
    store(work, last_page(days(0, 10)))
    assert is_done(work)


@given(st.integers(1, 120), st.integers(1, 40), st.randoms(use_true_random=False))
def test_every_day_is_searched_once_whatever_is_too_heavy(length, heaviest, chance):
    work = agenda(length)
    ended, opened = [], []
    for _ in range(20 * length):
        while len(opened) < 4 and (request := work.next()) is not None:
            opened.append(request)
        if not opened:
            break
        request = opened.pop(chance.randrange(len(opened)))
        window = request.window.days
        if len(window) > max(1, min(heaviest, 31)):
            fail(work, request)
            continue
        if chance.random() < 0.8:
            store(work, last_page(window, chance.randrange(500)))
        else:
            work.ended(request.task)
        ended.append(window)
    assert is_done(work)
    assert sorted(day for window in ended for day in window) == list(days(0, length - 1))


def test_the_same_days_may_be_open_twice_with_other_fields():
    old = window_request(days(0, 4), fields=("id",), row_id=7)
    work = agenda(5, open_windows=(old,))
    first, second = work.next(), work.next()
    assert [first.task.fields, second.task.fields] == [("id",), FIELDS]
    store(work, last_page(second.window.days))
    assert not is_done(work)
    fail(work, first)
    assert work.next().task.fields == ("id",), "the parts of a window ask for what it asked for"


def test_one_window_at_a_time_is_tried_until_the_api_has_answered_the_query():
    wanted = Wanted(QUERY, days(0, 61), FIELDS, Freshness(timedelta(days=2)))
    work = WindowQueue(make_plan(wanted, Known(), NOW), wanted)
    first = work.next()
    assert work.next() is None
    work.page_stored(first_page(first.window.days, reaches=1))
    assert work.next() is not None


def test_a_refusal_stops_the_crawl_unless_the_query_has_worked():
    wanted = Wanted(QUERY, days(0, 61), FIELDS, Freshness(timedelta(days=2)))
    work = WindowQueue(make_plan(wanted, Known(), NOW), wanted)
    request = work.next()
    refusal = Problem(ProblemKind.REFUSED, "HTTP 400: invalid_params", "a log_id")
    assert isinstance(work.judge(request, refusal), StopCrawl)
    work.page_stored(first_page(request.window.days, reaches=1))
    parked = Parked("HTTP 400: invalid_params", "a log_id", request.place)
    assert work.judge(request, refusal) == parked
