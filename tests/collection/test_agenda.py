"""Which window comes next, and how wide it is after windows failed or worked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.collection.agenda import Agenda
from tiktok_crawler.collection.date_range import DAY, DateRange
from tiktok_crawler.collection.plan import Known, Wanted, make_plan
from tiktok_crawler.collection.windows import Freshness
from tiktok_crawler.items import PageRequest

START = date(2024, 1, 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIELDS = ("id", "username")


def days(first: int, last: int) -> DateRange:
    return DateRange(START + first * DAY, START + last * DAY)


def agenda(length: int, **known) -> Agenda:
    wanted = Wanted(days(0, length - 1), FIELDS, Freshness(timedelta(days=2)))
    return Agenda(make_plan(wanted, Known(**known), NOW), wanted)


def unfinished(first: int, last: int) -> PageRequest:
    return PageRequest(7, days(first, last), FIELDS, 100, cursor=100, search_id="77")


def test_open_windows_come_first_and_parked_ones_last():
    work = agenda(93, open_windows=(unfinished(31, 61),), parked_windows=(unfinished(0, 30),))
    opened = [work.next(), work.next(), work.next()]
    assert [request.window for request in opened] == [days(31, 61), days(62, 92), days(0, 30)]
    assert [request.window_id for request in opened] == [7, None, 7]
    assert work.next() is None
    assert not work.is_done


def test_it_is_done_when_the_last_window_has_ended():
    work = agenda(31)
    window = work.next().window
    work.ended(window, worked=True)
    assert work.is_done


def test_a_window_that_is_too_heavy_is_cut_at_its_newest_day_first():
    work = agenda(31)
    work.too_heavy(work.next().window)
    assert work.next().window == days(30, 30)
    assert work.next() is None, "the rest waits for what the newest day says"
    assert not work.is_done


def test_if_the_day_works_the_rest_is_searched_half_as_wide():
    work = agenda(31)
    work.too_heavy(work.next().window)
    work.ended(work.next().window, worked=True)
    assert work.next().window == days(0, 14)


def test_if_the_day_fails_too_the_rest_stays_as_it_is():
    work = agenda(31)
    work.too_heavy(work.next().window)
    work.ended(work.next().window, worked=False)
    assert work.next().window == days(0, 29)


def test_widths_grow_again_as_windows_go_well():
    work = agenda(200)
    work.too_heavy(work.next().window)
    work.ended(work.next().window, worked=True)
    widths = []
    while (request := work.next()) is not None:
        widths.append(len(request.window))
        work.ended(request.window, worked=True)
    assert widths[:2] == [15, 15]
    assert max(widths) == 31
    assert work.is_done


def test_a_rest_that_goes_on_keeps_the_agenda_open():
    work = agenda(31)
    work.replaced(work.next().window, days(0, 10))
    assert not work.is_done
    work.ended(days(0, 10), worked=True)
    assert work.is_done


@given(st.integers(1, 120), st.integers(1, 40), st.randoms(use_true_random=False))
def test_every_day_is_searched_once_whatever_is_too_heavy(length, heaviest, chance):
    work = agenda(length)
    ended, opened = [], []
    for _ in range(20 * length):
        while len(opened) < 4 and (request := work.next()) is not None:
            opened.append(request.window)
        if not opened:
            break
        window = opened.pop(chance.randrange(len(opened)))
        if len(window) > max(1, min(heaviest, 31)):
            work.too_heavy(window)
        else:
            work.ended(window, worked=chance.random() < 0.8)
            ended.append(window)
    assert work.is_done
    assert sorted(day for window in ended for day in window) == list(days(0, length - 1))
