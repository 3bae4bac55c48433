"""What a deletion takes is missing again, whoever crawls meanwhile."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from stored_pages import JANUARY, NOON, OTHER_QUERY, Search, rows, video

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.exceptions import QueryLockedError
from tiktok_crawler.planning.task_states import Lost
from tiktok_crawler.storage.deletion import selecting
from tiktok_crawler.storage.deletion.deletion import Cause, delete_videos
from tiktok_crawler.storage.deletion.take_back import HeldQueries

FIRST, SECOND = 7000000000000000011, 7000000000000000012
LATER = NOON + timedelta(days=30)


def quiet(_what, _count):
    pass


def of_query(connection):
    return selecting.of_query(connection, [1])


def of_tag(connection):
    return selecting.of_tag(connection, "one")


def too_old(connection):
    return selecting.older_than(connection, LATER)


def settled(engine, select):
    """Select what goes, and take back the coverage of its days."""
    with HeldQueries(engine) as held:
        selected = held.select(select)
        held.take_back(selected, LATER)
    return selected


def delete(engine, selected):
    cause = Cause(selected.why, last_page=selected.last_page)
    return delete_videos(engine, selected.videos, cause, LATER, quiet)


every_selection = pytest.mark.parametrize("select", [of_query, of_tag, too_old])


@every_selection
def test_days_of_a_search_that_was_interrupted_are_searched_from_the_start(
    engine, prepared_url, select
):
    with Search(prepared_url, tags=("one",)) as run:
        run.ask(run.first(), video(FIRST), has_more=True)
    delete(engine, settled(engine, select))

    assert not rows(engine, "video")
    with Search(prepared_url, tags=("one",), now=LATER) as run:
        plan = run.session.plan(LATER)
    assert not plan.open_windows
    assert {day for window in plan.new_windows for day in window} == set(JANUARY)


@every_selection
def test_days_that_were_kept_of_a_lost_search_are_missing(engine, prepared_url, select):
    days = DateRange(date(2024, 1, 5), JANUARY.end)
    with Search(prepared_url, tags=("one",)) as run:
        request = run.ask(run.first(), video(FIRST), has_more=True)
        rest = run.session.end(run.book(request), Lost(days), run.later())
        run.ask(rest)
    delete(engine, settled(engine, select))

    with Search(prepared_url, tags=("one",), now=LATER) as run:
        plan = run.session.plan(LATER)
    assert days.start in {day for window in plan.new_windows for day in window}


@every_selection
def test_a_query_that_is_being_crawled_loses_nothing(engine, prepared_url, select):
    with Search(prepared_url, tags=("one",)) as run:
        following = run.ask(run.first(), video(FIRST), has_more=True)
        with pytest.raises(QueryLockedError, match=r"nothing was deleted: .* query 1 is running"):
            settled(engine, select)
        run.ask(following, video(SECOND))
    states = [each["state"] for each in rows(engine, "crawl_window")]
    assert states == ["complete"]
    with Search(prepared_url, tags=("one",)):
        pass


@every_selection
def test_what_a_crawl_brings_before_it_is_deleted_stays(engine, prepared_url, select):
    with Search(prepared_url, tags=("one",)) as run:
        run.ask(run.first(), video(FIRST), video(SECOND))
    selected = settled(engine, select)
    with Search(prepared_url, query=OTHER_QUERY, tags=("two",)) as run:
        run.ask(run.first(), video(FIRST))

    removed = delete(engine, selected)

    assert removed.records == 1
    assert [each["id"] for each in rows(engine, "video")] == [FIRST]
