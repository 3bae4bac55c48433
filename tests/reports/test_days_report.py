"""Words about the days of a query."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from tiktok_crawler.planning.days import Day, Days, DayState
from tiktok_crawler.planning.window_days import UNKNOWN, DayCount
from tiktok_crawler.reports.days_report import day_lines

AGAIN_AT = datetime(2024, 6, 4, 12, tzinfo=UTC)


def day(number):
    return date(2024, 1, number)


def told(*standings, doubts=None, now=None):
    days = {day(number): standing for number, standing in enumerate(standings, start=1)}
    return dict(day_lines(Days(days, (), doubts or {}), now or AGAIN_AT - timedelta(days=1)))


def covered(*count):
    return Day(DayState.COVERED, DayCount(*count))


def test_what_came_is_told_beside_what_the_api_counts():
    lines = told(covered(7155, 7708), covered())
    assert lines == {
        "covered": "2 of 2 days (100.0 %)",
        "delivered": (
            "7,155 videos of 14,863 matches that the API counts; it withheld 7,708 (51.9 %)"
        ),
    }
    assert told(covered(3))["delivered"].endswith("3 matches that the API counts; it withheld 0")
    assert told(covered(9999, 1))["delivered"].endswith("it withheld 1 (0.1 %)")


def test_records_that_are_odd_are_told_by_number():
    assert told(covered(300, 0, 219, 40, 2))["records"] == (
        "40 not stored, for lack of an id; 219 without a date; 2 delivered twice in a search"
    )


def test_days_are_told_by_how_they_stand():
    open_, parked = Day(DayState.OPEN, DayCount(5)), Day(DayState.PARKED)
    due = Day(DayState.DUE, DayCount(9))
    lines = told(Day(DayState.GAP), parked, open_, open_, due, covered(1))
    assert lines["covered"] == "1 of 6 days (16.6 %)"
    assert lines["in part"].startswith("2024-01-03..2024-01-04: reached by searches")
    assert lines["to come"] == "2024-01-02: in windows that are open or postponed"
    assert lines["gaps"] == "2024-01-01"
    assert lines["due again"].startswith("2024-01-05: searched before")


def test_days_that_an_earlier_version_searched_are_named_by_number():
    unknown = Day(DayState.COVERED, UNKNOWN)
    assert told(covered(5), unknown)["delivered"].endswith(
        "withheld 0, without 1 day that an earlier version searched"
    )
    assert "delivered" not in told(unknown)


def test_suspicious_days_say_when_they_are_searched_once_more():
    lines = told(covered(1), covered(), doubts={day(2): AGAIN_AT})
    assert lines["suspicious"] == (
        "2024-01-02: suspiciously few videos; searched once more from 2024-06-04 12:00 UTC on"
    )
    assert told(covered(), doubts={day(1): None})["suspicious"].endswith("; searched twice")
    due = told(covered(1), covered(), doubts={day(2): AGAIN_AT}, now=AGAIN_AT)
    assert due["suspicious"].endswith("; searched once more by the next run")
