"""What this project is measured against really collects everything, the way it says."""

from __future__ import annotations

from datetime import date

import fixed_windows
import pytest
from measured import EVERYTHING
from requests_spent import DENSE, FIFTY_PAGES, PAGES_OF_WEEKS, SPARSE, SPARSE_WEEKS
from sandboxes import recording_sandbox, searches

from tiktok_crawler.sandbox import Profile
from tiktok_crawler.sandbox.faults.profile import SearchBehaviour
from tiktok_crawler.sandbox.faults.schedule import FaultName, Requests, ScheduledFault

START, END = date(2024, 1, 1), date(2024, 1, 15)


def collected(**profile):
    """What fixed windows find, whether that is everything, and how many requests it took."""
    options = {"videos_per_day": 20, "daily_quota": None, "profile": Profile(**profile)}
    with recording_sandbox(**options) as (sandbox, url):
        found = fixed_windows.collect(url, START, END)
        truth = {video["id"] for video in sandbox.matches(EVERYTHING, START, END)}
        return found == truth, searches(sandbox)


def test_windows_share_the_days_where_they_meet():
    complete, bodies = collected()
    windows = [(body["start_date"], body["end_date"]) for body in bodies if "cursor" not in body]
    assert complete
    assert windows == [
        ("20240101", "20240108"),
        ("20240108", "20240115"),
        ("20240115", "20240115"),
    ]
    assert len(bodies) == 2 + 2 + 1


def test_a_failing_request_is_sent_again_until_it_works():
    fault = ScheduledFault(fault=FaultName.INTERNAL_ERROR, requests=(2, 9))
    complete, bodies = collected(faults=(fault,))
    assert complete
    assert len(bodies) == 5 + 8


def test_a_lost_search_begins_again_with_its_window():
    fault = ScheduledFault(fault=FaultName.SEARCH_LOST, of=Requests.LATER_PAGES, request=2)
    complete, bodies = collected(faults=(fault,))
    refused = fixed_windows.SEARCH_ID_TRIES + 1
    assert complete
    assert len(bodies) == 5 + refused + 1


def test_windows_that_never_work_are_given_up():
    with pytest.raises(fixed_windows.HopelessError):
        collected(searches=SearchBehaviour(fail_over_matches=100))


@pytest.mark.parametrize(("query", "requests"), [(SPARSE, 12), (DENSE, 310), (FIFTY_PAGES, 50)])
def test_the_least_possible_requests_are_those_of_windows_of_31_days(query, requests):
    assert query.least_requests == requests


@pytest.mark.parametrize("query", [SPARSE_WEEKS, PAGES_OF_WEEKS])
def test_they_are_those_of_narrower_windows_where_the_api_can_search_no_wider_ones(query):
    assert query.least_requests == 53
