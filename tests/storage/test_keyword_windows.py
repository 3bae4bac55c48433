"""What windows keep of the form in which keywords were sent."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from stored_pages import JANUARY, NOON, rows, video

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.task_states import Lost
from tiktok_crawler.research_api.query import Condition, Operation, Query

IN, EQ = Operation.IN, Operation.EQ
KEYWORD = Query(and_=(Condition("keyword", "EQ", ("butter",)),))
FEBRUARY = DateRange(date(2024, 2, 1), date(2024, 2, 29))
BOTH_MONTHS = DateRange(JANUARY.start, FEBRUARY.end)
LATER = NOON + timedelta(days=1)


@pytest.fixture
def keyword_run(search):
    """Begins runs of a keyword; one before ends as if it had been killed."""
    return lambda now=NOON: search(query=KEYWORD, dates=BOTH_MONTHS, now=now)


def in_form(request, form):
    return request.with_keywords_as(form)


def forms(engine):
    return [(row["start_date"], row["keywords_as"], row["state"]) for row in windows(engine)]


def windows(engine):
    return rows(engine, "crawl_window")


def test_a_window_keeps_the_form_of_its_keywords(engine, keyword_run, search):
    run = keyword_run()
    run.book(in_form(run.first(), EQ))
    run = search(query=Query(and_=(Condition("keyword", "IN", ("butter", "cheese")),)))
    run.book(run.first())
    assert [row["keywords_as"] for row in windows(engine)] == ["EQ", None]


def test_a_search_that_begins_anew_may_do_so_in_another_form(engine, keyword_run):
    run = keyword_run()
    opened = run.session.open_task(run.first(), NOON)
    run.session.book(opened, NOON)
    assert [row["keywords_as"] for row in windows(engine)] == ["IN"]
    run.session.book(in_form(opened, EQ), NOON)
    assert [row["keywords_as"] for row in windows(engine)] == ["EQ"]


def test_the_parts_of_a_lost_search_keep_its_form(engine, keyword_run):
    run = keyword_run()
    request = run.ask(in_form(run.first(), EQ), video(1), has_more=True)
    passed = DateRange(date(2024, 1, 20), JANUARY.end)
    rest = run.session.end(request, Lost(passed), LATER)
    assert {row["keywords_as"] for row in windows(engine)} == {"EQ"}
    assert rest.window.keywords_as is EQ
