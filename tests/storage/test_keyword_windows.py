"""What windows keep of the form in which keywords were sent, and what is known from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from stored_pages import JANUARY, MINUTE, NOON, content, rows, video

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.keyword_forms import KeywordForms
from tiktok_crawler.planning.task_states import Lost, Parked
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


def test_what_was_found_in_either_form_is_known(keyword_run):
    run = keyword_run()

    def forms_of():
        return run.session.plan(LATER).keyword_forms

    assert forms_of() == KeywordForms()
    run.ask(run.first(), has_more=True)
    assert forms_of() == KeywordForms()
    run.ask(in_form(run.first(), EQ))
    assert forms_of() == KeywordForms(tried=(EQ,))
    run.ask(run.first(FEBRUARY), video(1), has_more=True)
    assert forms_of() == KeywordForms(tried=(EQ,), brought=frozenset({IN}))
    run.ask(run.first(FEBRUARY))
    assert forms_of() == KeywordForms(tried=(EQ, IN), brought=frozenset({IN}))


def test_videos_of_a_search_that_began_anew_since_are_not_forgotten(keyword_run):
    run = keyword_run()
    request = run.ask(run.first(), video(1), has_more=True)
    run.session.book(request.from_start(), LATER)
    assert run.session.plan(LATER).keyword_forms.brought == {IN}


def test_a_run_that_was_killed_between_the_forms_is_followed_by_one_that_tries_the_other(
    engine, keyword_run
):
    run = keyword_run()
    run.ask(run.first())
    plan = keyword_run(LATER).session.plan(LATER)
    assert (plan.trial.window.days, plan.trial.window.keywords_as) == (JANUARY, EQ)
    assert forms(engine) == [(JANUARY.start, "IN", "complete")]


@pytest.mark.parametrize("pages", [0, 1])
def test_a_trial_that_was_killed_is_gone_on_with_where_it_was(keyword_run, pages):
    run = keyword_run()
    run.ask(run.first())
    trial = run.book(run.session.plan(NOON).trial)
    following = run.store(trial, has_more=True) if pages else trial
    plan = keyword_run(LATER).session.plan(LATER)
    assert plan.trial is None
    (continued,) = plan.open_windows
    assert (continued.task, continued.place) == (following.task, following.place)
    assert continued.window.keywords_as is EQ
    assert plan.new_windows == (FEBRUARY,)


def test_a_trial_that_was_parked_is_known_as_one(keyword_run):
    run = keyword_run()
    run.ask(run.first())
    trial = run.book(run.session.plan(NOON).trial)
    run.session.end(trial, Parked("no", None, trial.place), NOON)
    plan = keyword_run(LATER).session.plan(LATER)
    (again,) = plan.parked_windows
    assert (plan.trial, again.window.keywords_as) == (None, EQ)


def test_both_forms_in_vain_are_all_that_is_tried(engine, keyword_run):
    run = keyword_run()
    run.ask(run.first())
    run.ask(run.session.plan(NOON).trial)
    plan = run.session.plan(LATER)
    assert (plan.trial, plan.keyword_forms) == (None, KeywordForms(tried=(IN, EQ)))
    assert plan.standings.covered == tuple(JANUARY)
    assert not run.session.corrections().in_vain
    assert {state for _, _, state in forms(engine)} == {"complete"}


def test_what_a_form_that_finds_nothing_has_covered_is_missing_and_left_to_others(
    engine, keyword_run
):
    run = keyword_run()
    run.ask(run.first())
    run.ask(run.first(FEBRUARY))
    run.ask(in_form(run.first(), EQ), video(1))
    plan = run.session.plan(LATER)
    assert plan.standings.covered == tuple(JANUARY), "also before that is written down"
    assert plan.new_windows == (FEBRUARY,)
    assert plan.keyword_forms.sent_as is EQ

    judged = run.session.corrections()
    assert [stored.days for stored in judged.in_vain] == [JANUARY, FEBRUARY]
    assert judged == replace(judged, taken_back=(), needless=())
    done = None
    for _ in range(2):
        run.session.correct(judged, LATER + MINUTE)
        assert forms(engine) == [
            (JANUARY.start, "IN", "split"),
            (FEBRUARY.start, "IN", "split"),
            (JANUARY.start, "EQ", "complete"),
        ]
        assert done in (None, content(engine))
        done = content(engine)
    assert not run.session.corrections()
    again = run.session.plan(LATER)
    assert (again.standings.covered, again.new_windows) == (
        plan.standings.covered,
        plan.new_windows,
    )
    assert again.keyword_forms == plan.keyword_forms


def test_windows_of_another_query_say_nothing(keyword_run, search):
    other = search(query=Query(and_=(Condition("keyword", "EQ", ("cheese",)),)))
    other.ask(in_form(other.first(), EQ), video(1))
    assert keyword_run().session.plan(LATER).keyword_forms == KeywordForms()


def test_a_trial_that_is_postponed_is_left_as_soon_as_the_form_is_decided(engine, keyword_run):
    run = keyword_run()
    run.ask(run.first())
    trial = run.book(in_form(run.first(), EQ))
    run.session.end(trial, Parked("the API said no", None, trial.place), run.later())
    assert run.session.corrections().needless == ()

    run.ask(run.first(FEBRUARY), video(1))

    (needless,) = run.session.corrections().needless
    assert needless.row_id == trial.task.row_id
    run.session.correct(run.session.corrections(), run.later())
    assert [state for _, _, state in forms(engine)] == ["complete", "split", "complete"]
    assert run.session.plan(LATER).standings.has_nothing_missing
