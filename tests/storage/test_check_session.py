"""Checks of existence between other deeds: what is asked about, and what is believed then."""

from __future__ import annotations

from datetime import timedelta

import pytest
from checked_records import CheckRun, store_videos
from random_deeds import Fate, Fated
from sqlalchemy import Engine, event, update
from sqlalchemy.exc import OperationalError
from stored_pages import MINUTE, NOON, rows, video

from tiktok_crawler.exceptions import QueryLockedError, TaskTakenError
from tiktok_crawler.planning import checks as planning
from tiktok_crawler.planning.checks import MOST_MISSED, RemovalReason
from tiktok_crawler.research_api.checks import MOST_IDS, Category
from tiktok_crawler.research_api.tasks import PageRequest
from tiktok_crawler.storage.check_session import CheckSession, look_up_checks
from tiktok_crawler.storage.deletion.deletion import (
    Cause,
    delete_gone,
    delete_videos,
    say_nothing,
)
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.transactions import transaction
from tiktok_crawler.storage.ledger import checks as ledger
from tiktok_crawler.storage.ledger.checks import CHECKED, CheckRows
from tiktok_crawler.storage.models.records import Video

DAY = timedelta(days=1)
FEW = range(1, 101)
MANY_GONE = range(11, 41)


class FatedChecks(Fated, CheckSession): ...


@pytest.fixture
def checks(begin, prepared_url):
    """Begins runs of checks."""
    return lambda **how: begin(CheckRun(prepared_url, **how))


@pytest.fixture
def statements():
    """The statements that any engine executes."""
    texts = []

    def note(*args):
        texts.append(args[2])

    event.listen(Engine, "before_cursor_execute", note)
    yield texts
    event.remove(Engine, "before_cursor_execute", note)


@pytest.fixture
def stored(engine):
    store_videos(engine, FEW)


def gone(engine):
    return [each["id"] for each in rows(engine, "video") if each["gone_at"]]


def confirm(engine, check_id, now):
    statements = statements_for(engine.dialect)
    return transaction(engine, lambda on: CheckRows(on, statements).confirm(check_id, now))


def bring(search, now, *ids):
    """Let a search bring these videos."""
    run = search(now=now)
    run.ask(run.first(), *map(video, ids))


@pytest.mark.usefixtures("stored")
def test_what_two_checks_do_not_list_is_gone(checks, engine):
    run = checks()
    run.check(7, 8)
    assert run.decide().gone == {"video": 2}
    assert gone(engine) == [7, 8]


@pytest.mark.usefixtures("stored")
def test_what_a_search_has_brought_since_is_not_gone(checks, search, engine):
    run = checks()
    run.check(7, 8)
    bring(search, run.later(), 7)

    assert run.decide().gone == {"video": 1}
    assert gone(engine) == [8]


@pytest.mark.usefixtures("stored")
def test_what_a_search_had_brought_before_may_be_gone(checks, search, engine):
    bring(search, NOON - DAY, *FEW)
    run = checks(now=NOON + 30 * DAY)
    run.check(7, 8)
    run.decide()
    assert gone(engine) == [7, 8]


@pytest.mark.usefixtures("stored")
def test_what_came_back_before_a_person_says_so_is_not_gone(checks, search, engine):
    run = checks()
    run.check(*MANY_GONE)
    (held,) = run.decide().held
    assert held.records == len(MANY_GONE)
    bring(search, run.now + DAY, *MANY_GONE[:10])

    assert confirm(engine, held.id, run.now + 2 * DAY) == 20
    assert gone(engine) == [*MANY_GONE[10:]]
    assert rows(engine, "compliance_check_record") == []


@pytest.mark.usefixtures("stored")
def test_what_has_no_number_of_the_api_is_not_asked_about(checks, engine):
    store_videos(engine, [-5, 0], missing_since=NOON - DAY)
    run = checks()
    assert not run.plan.has_candidates
    first = run.begin()
    assert set(first.ids) == set(FEW)
    run.answer(first)
    assert run.begin() is None


@pytest.mark.usefixtures("stored")
def test_what_is_held_is_not_asked_about_again(checks, engine):
    run = checks()
    run.check(*MANY_GONE)
    assert run.decide().held

    later = checks(now=run.now + 20 * DAY)
    asked = later.begin()
    assert set(asked.ids) == set(FEW) - set(MANY_GONE)
    later.answer(asked)
    assert later.begin() is None
    assert len(later.decide().held) == 1
    assert gone(engine) == []


@pytest.mark.slow
def test_so_many_candidates_leave_room_for_others(checks, engine):
    there = range(1, 51)
    missing = range(1000, 1000 + MOST_IDS + 500)
    store_videos(engine, there)
    store_videos(engine, missing, missing_since=NOON - DAY)
    run = checks()

    first = run.begin(nothing_open=False)
    assert len(set(first.ids) & set(missing)) == MOST_MISSED
    assert set(there) <= set(first.ids)
    run.answer(first, *missing)
    run.check(*missing)
    assert run.decide().gone == {"video": len(missing)}
    assert run.session.result.failed == 0


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(("is_failure", "begun"), [(True, 3), (False, 10)])
def test_checks_that_fail_are_soon_left_alone(checks, monkeypatch, is_failure, begun):
    for module in (ledger, planning):
        monkeypatch.setattr(module, "MOST_IDS", 10)
    run, steps = checks(), []
    while step := run.begin():
        steps.append(step)
        run.session.leave(step, is_failure=is_failure)
    assert len(steps) == begun


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("fate", [Fate.FAILS_BEFORE, Fate.FAILS_AFTER])
def test_a_check_whose_commit_is_in_doubt_is_begun_once(checks, engine, fate):
    run = checks(session=FatedChecks)
    run.session.fate = fate
    with pytest.raises(OperationalError):
        run.begin()

    first = run.begin()
    assert set(first.ids) == set(FEW)
    run.answer(first, 7)
    run.session.fate = fate
    with pytest.raises(OperationalError):
        run.begin()
    run.check(7)
    run.decide()
    assert gone(engine) == [7]
    assert [check["state"] for check in rows(engine, "compliance_check")] == ["done", "done"]


@pytest.mark.usefixtures("stored")
def test_what_an_answer_says_is_written_once_though_its_commit_was_in_doubt(checks, engine):
    run = checks(session=FatedChecks)
    step = run.begin()

    def write_twice(deed):
        run.session.fate = Fate.FAILS_AFTER
        with pytest.raises(OperationalError):
            deed()
        deed()

    write_twice(lambda: run.session.created(step, "5"))
    write_twice(lambda: run.session.fail(step.status("5"), "no", None, run.later()))
    (check,) = rows(engine, "compliance_check")
    assert (check["state"], check["task_id"], check["ended_at"]) == (
        "failed",
        "5",
        run.now - MINUTE,
    )
    assert run.session.result.failed == 1


def states(engine):
    return [rows(engine, table) for table in ("compliance_check", "compliance_check_record")]


@pytest.fixture
def taken_over(checks):
    """A run that was away while it created a check, its step, and the run that did it since."""
    away = checks()
    step = away.begin()
    away.session.book(PageRequest(step), away.later())
    other = checks(now=away.now)
    (resumed,) = other.plan.unfinished
    return away, step, other, resumed


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("has_ended", [False, True])
def test_what_comes_too_late_changes_no_check_of_others(taken_over, engine, has_ended):
    away, step, other, resumed = taken_over
    if has_ended:
        other.answer(resumed, 7)
    else:
        other.send(resumed)
    before, session, late = states(engine), away.session, step.status("5")

    for deed in (
        lambda: session.created(step, "5"),
        lambda: session.fail(step, "no", None, NOON),
        lambda: session.fail(late, "no", None, NOON),
        lambda: session.came(late.download(), b"7\n", NOON),
    ):
        with pytest.raises(TaskTakenError, match="another crawl works on check 1 of videos, or"):
            deed()
    assert states(engine) == before
    assert session.result.failed == session.result.done == 0


@pytest.mark.usefixtures("stored")
def test_a_check_that_has_ended_is_not_booked(taken_over, engine):
    _, step, other, resumed = taken_over
    other.answer(resumed, 7)
    before = states(engine), rows(engine, "api_quota")

    for ended in (step, step.status("5")):
        with pytest.raises(TaskTakenError):
            other.session.book(PageRequest(ended), other.later())
    assert (states(engine), rows(engine, "api_quota")) == before


@pytest.mark.usefixtures("stored")
def test_whoever_has_lost_the_lock_of_checks_begins_and_decides_nothing(taken_over, engine):
    away, step, other, resumed = taken_over
    other.answer(resumed, 7)
    before, session = states(engine), away.session

    for deed in (
        lambda: session.book(PageRequest(step), NOON),
        lambda: session.next_check(NOON, nothing_open=True),
        lambda: session.decide(NOON),
    ):
        with pytest.raises(QueryLockedError, match="the lock on checks of existence is lost"):
            deed()
    assert states(engine) == before


@pytest.mark.usefixtures("stored")
def test_a_second_check_counts_without_what_was_deleted_meanwhile(checks, engine):
    run = checks()
    run.answer(run.begin(), 7, 8)
    second = run.begin()
    control = next(id_ for id_ in second.ids if id_ not in (7, 8))
    delete_videos(engine, [control, 8], Cause(RemovalReason.ASKED), run.later(), say_nothing)

    taken_up = checks(now=run.later())
    (step,) = taken_up.plan.unfinished
    assert set(step.ids) == set(second.ids) - {control, 8}
    taken_up.answer(step, 7)
    assert taken_up.decide().gone == {"video": 1}
    assert gone(engine) == [7]


@pytest.mark.usefixtures("stored")
def test_a_cut_file_of_ids_some_of_which_were_deleted_proves_nothing(checks, engine):
    run = checks()
    run.answer(run.begin(), 7, 8)
    second = run.begin()
    download, listed = run.send(second), [id_ for id_ in second.ids if id_ not in (7, 8)]
    cut = min(listed.index(id_) for id_ in listed if second.ids.index(id_) > second.ids.index(7))
    ends = [id_ for id_ in listed[cut:] if id_ != 8]
    delete_videos(engine, ends, Cause(RemovalReason.ASKED), run.later(), say_nothing)
    run.come(download, listed[:cut])
    run.decide()
    assert gone(engine) == []

    again = checks(now=run.now + DAY)
    again.check(8)
    again.decide()
    assert gone(engine) == [8]


@pytest.mark.usefixtures("stored")
def test_what_comes_back_while_others_are_deleted_stays(checks, engine):
    run = checks()
    run.check(7, 8)
    run.decide()

    def come_back(connection, _cursor, text, *_):
        if text.startswith("INSERT INTO removal"):
            back = update(Video).where(Video.id == 7).values(missing_since=None, gone_at=None)
            connection.execute(back)

    event.listen(engine, "before_cursor_execute", come_back)
    (removed,) = delete_gone(engine, run.later(), run.later())
    event.remove(engine, "before_cursor_execute", come_back)
    assert removed.records == 1
    assert 7 in {each["id"] for each in rows(engine, "video")}
    assert 8 not in {each["id"] for each in rows(engine, "video")}


def test_what_is_missing_is_looked_up_and_not_searched_for(make_engine, prepared_sqlite_url):
    engine = make_engine(prepared_sqlite_url)
    store_videos(engine, FEW)
    store_videos(engine, [101, 102], missing_since=NOON)
    asked = []
    with engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", lambda *args: asked.append(args[2:4]))
        rows = CheckRows(connection, statements_for(engine.dialect))
        assert rows.candidates(CHECKED[Category.VIDEO], 10, but=[101]) == [102]
        statement, values = asked[-1]
        plan = [
            row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]

    assert [step for step in plan if "ix_video_missing_since" in step]
    assert not [step for step in plan if "video USING INTEGER PRIMARY KEY" in step]


@pytest.mark.parametrize(("max_age", "is_counted"), [(None, False), (15 * DAY, True)])
@pytest.mark.usefixtures("stored")
def test_records_are_counted_only_where_all_are_checked(
    prepared_url, statements, max_age, is_counted
):
    look_up_checks(prepared_url, "sandbox", max_age, NOON)

    assert any("min(coalesce(video.crawled" in text for text in statements) == is_counted
