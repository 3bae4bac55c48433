"""Tasks, windows and seeds alike: how their rows are made, booked and moved on."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from listed_pages import Crawl, stage
from sqlalchemy import update
from stored_pages import JANUARY, MINUTE, NOON, Search, content, page, rows, video

from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.exceptions import TaskTakenError
from tiktok_crawler.planning.task_states import Cut, Lost, Parked, Refused
from tiktok_crawler.research_api.endpoints import COMMENTS
from tiktok_crawler.research_api.paging import START, Place
from tiktok_crawler.research_api.tasks import PageRequest, Seed
from tiktok_crawler.research_api.verdicts import SeedStatus
from tiktok_crawler.storage.ledger.coverage import Corrections, StoredWindow
from tiktok_crawler.storage.models.base import Base

LATER = NOON + timedelta(hours=1)
TABLES = {"window": "crawl_window", "seed": "seed"}
COUNTS = {"window": "videos", "seed": "position"}


class Trial:
    """A run and one of its tasks."""

    def __init__(self, kind, engine, run, number=0):
        self.kind, self.engine, self.run, self.session = kind, engine, run, run.session
        if kind == "window":
            days = DateRange(JANUARY.start - number * DAY, JANUARY.end - number * DAY)
            self.request = run.first(days)
            self._named = {"start_date": days.start, "end_date": days.end}
        else:
            self.request = PageRequest(Seed(COMMENTS, str(7 + number)))
            self._named = {"seed": self.request.seed.key}

    @property
    def row(self):
        found = rows(self.engine, TABLES[self.kind])
        return next(row for row in found if self._named.items() <= row.items())

    @property
    def place(self):
        """Cursor, records and pages."""
        found = self.row
        return found["cursor"], found[COUNTS[self.kind]], found["pages"]

    def set(self, **values):
        """Change the row as no run does."""
        table = Base.metadata.tables[TABLES[self.kind]]
        change = update(table).where(table.c.id == self.row["id"]).values(values)
        with self.engine.begin() as connection:
            connection.execute(change)

    def begun(self):
        """Return the request after the first page, which has two records."""
        return self.run.ask(self.request, video(1), video(2), has_more=True)

    def answer(self, request, **answer):
        self.session.save_page(page(request, **{"received_at": LATER} | answer))

    def park(self, request):
        self.end(request, Parked("HTTP 500", "LOG", request.place))

    def end(self, request, event, now=LATER):
        self.session.end(request, event, now)

    def lose(self, request):
        newest = request.task.days.end
        self.end(request, Lost(DateRange(newest, newest)))

    def leave(self, request):
        window = StoredWindow(request.task.row_id, JANUARY, NOON)
        self.session.correct(Corrections(needless=(window,)), LATER)


@pytest.fixture
def make(engine, prepared_url, begin):
    """Begins a run on a window or a seed, after the one before was killed."""

    def make(kind, now=NOON):
        if kind == "window":
            return Trial(kind, engine, begin(Search(prepared_url, now=now)))
        return Trial(kind, engine, begin(Crawl(prepared_url, stage(COMMENTS, "7"), now=now)))

    return make


@pytest.fixture(params=TABLES)
def trial(request, make):
    return make(request.param)


DEEDS = {
    "page": lambda trial, request: trial.answer(request, has_more=True),
    "last page": Trial.answer,
    "parked": Trial.park,
    "refused": lambda trial, request: trial.end(request, Refused(SeedStatus.WITHHELD, "no", "L")),
    "cut": lambda trial, request: trial.end(request, Cut("too heavy", "LOG")),
    "lost": Trial.lose,
    "left": Trial.leave,
    "booked": lambda trial, request: trial.session.book(request, LATER),
}
UNFINISHED = {"open", "parked"}
MOVES = {
    ("window", "page"): dict.fromkeys(UNFINISHED, "open"),
    ("window", "last page"): dict.fromkeys(UNFINISHED, "complete"),
    ("window", "parked"): dict.fromkeys(UNFINISHED, "parked"),
    ("window", "cut"): dict.fromkeys(UNFINISHED, "split"),
    ("window", "lost"): dict.fromkeys(UNFINISHED, "split"),
    ("window", "left"): {"open": "split", "parked": "split", "complete": "split"},
    ("window", "booked"): {"open": "open", "parked": "parked"},
    ("seed", "page"): dict.fromkeys(UNFINISHED, "open"),
    ("seed", "last page"): dict.fromkeys(UNFINISHED, "complete"),
    ("seed", "parked"): dict.fromkeys(UNFINISHED, "parked"),
    ("seed", "refused"): dict.fromkeys(UNFINISHED, "refused"),
    ("seed", "booked"): {
        "open": "open",
        "parked": "parked",
        "complete": "open",
        "refused": "open",
    },
}
STATES = {
    "window": ("open", "complete", "split", "parked"),
    "seed": ("open", "complete", "refused", "parked"),
}
ERRORS = {"booked": TaskTakenError, "page": None, "last page": None, "left": None}
"""What a move that does not exist raises, if that is not `LookupError`; None: nothing."""


@pytest.mark.slow
@pytest.mark.parametrize("kind", TABLES)
def test_a_task_moves_as_the_table_says_and_in_no_other_way(engine, make, kind):
    run = make(kind).run
    deeds = [deed for of, deed in MOVES if of == kind]
    for number, (deed, state) in enumerate(product(deeds, STATES[kind])):
        trial = Trial(kind, engine, run, number)
        request = run.book(trial.request, NOON)
        trial.set(state=state)
        before, allowed = trial.row, MOVES[kind, deed].get(state)

        error = ERRORS.get(deed, LookupError) if allowed is None else None
        with pytest.raises(error) if error else nullcontext():
            DEEDS[deed](trial, request)

        found = trial.row
        if allowed is None:
            assert found == before, f"{state} {deed}"
        else:
            assert (found["state"], found["updated_at"]) == (allowed, LATER), f"{state} {deed}"


@pytest.mark.slow
@pytest.mark.parametrize("kind", TABLES)
def test_a_deed_that_is_done_again_because_its_commit_was_in_doubt_changes_nothing(
    engine, make, kind
):
    run = make(kind).run
    deeds = [deed for of, deed in MOVES if of == kind and deed != "booked"]
    for number, deed in enumerate(deeds):
        trial = Trial(kind, engine, run, number)
        request = run.book(trial.request, NOON)
        trial.set(state="parked")
        DEEDS[deed](trial, request)
        before = content(engine)

        DEEDS[deed](trial, request)

        assert content(engine) == before, deed


def test_a_deed_that_is_done_again_gives_the_same_answer(engine, trial):
    opened = {trial.session.open_task(trial.request, NOON) for _ in range(2)}
    assert len(opened) == len(rows(engine, TABLES[trial.kind])) == 1

    booked = {trial.session.book(*opened, LATER) for _ in range(2)}
    assert len(booked) == 1
    assert trial.row["requests"] == 2, "a request may count twice"


def test_a_task_has_a_row_from_its_opening_on(engine, trial):
    assert rows(engine, TABLES[trial.kind]) == []

    opened = trial.session.open_task(trial.request, LATER)

    found = trial.row
    assert (opened.task.row_id, found["state"]) == (found["id"], "open")
    assert (found["requests"], found["attempts"], trial.place) == (0, 0, (0, 0, 0))
    assert (found["created_at"], found["updated_at"]) == (LATER, LATER)
    assert (found["completed_at"], found["last_page_at"], found["suspicious"]) == (
        None,
        None,
        False,
    )
    assert trial.session.open_task(opened, LATER + MINUTE) == opened


def test_a_booking_is_written_before_the_request_is_sent(trial):
    booked = trial.run.book(trial.request, LATER)

    found = trial.row
    begun_at = found["searched_at" if trial.kind == "window" else "begun_at"]
    assert booked.begun_at == begun_at == found["updated_at"] == LATER
    assert (found["requests"], found["attempts"]) == (1, 1)


def test_a_page_moves_its_task_on(trial):
    following = trial.begun()

    found = trial.row
    assert (found["state"], found["completed_at"]) == ("open", None)
    assert trial.place == (following.place.cursor, following.place.received, 1) == (100, 2, 1)
    assert found["last_page_at"] == found["updated_at"] == trial.run.now


@pytest.mark.parametrize("suspicious", [False, True])
def test_the_last_page_completes_its_task(trial, suspicious):
    """Also if it stands for an answer that never named the end."""
    trial.run.ask(trial.begun(), video(3), suspicious=suspicious)

    found = trial.row
    assert (found["state"], trial.place) == ("complete", (200, 3, 2))
    assert found["suspicious"] is suspicious
    assert found["completed_at"] == found["updated_at"] == trial.run.now


def test_only_first_pages_are_attempts_and_they_forget_how_far_the_task_had_come(trial):
    following = trial.begun()
    trial.session.book(following, LATER)
    assert (trial.row["attempts"], trial.row["requests"], trial.place) == (1, 2, (100, 2, 1))

    anew = trial.session.book(following.from_start(), LATER + MINUTE)

    assert (trial.row["attempts"], trial.row["requests"], trial.place) == (2, 3, (0, 0, 0))
    assert anew.begun_at == trial.row["updated_at"] == LATER + MINUTE


def elsewhere(trial, following):
    """Requests of places to which a task has not come, or where it is no more."""
    place = following.place
    places = [replace(place, cursor=200), replace(place, received=3), Place(50, "7001", 1)]
    if trial.kind == "window":
        places.append(replace(place, search_id="another"))
    return [replace(following, place=at) for at in places]


def test_a_task_is_booked_only_from_where_the_request_found_it(engine, trial):
    for request in elsewhere(trial, trial.begun()):
        before = content(engine)
        with pytest.raises(TaskTakenError, match=f"another crawl works on {request}"):
            trial.session.book(request, LATER)
        with pytest.raises(TaskTakenError):
            trial.session.book(request, trial.run.now)
        assert content(engine) == before


def test_a_page_moves_its_task_only_from_where_its_request_found_it(engine, trial):
    """The page itself is stored, whatever became of its task since."""
    following = trial.begun()
    begun_anew = trial.request.opened(following.task.row_id)
    before = trial.row
    for number, request in enumerate([*elsewhere(trial, following), begun_anew]):
        at = before["updated_at"] + number * MINUTE
        trial.answer(request, has_more=True, received_at=at)

        assert trial.row == before
        assert len(rows(engine, "crawl")) == number + 2


def test_a_page_can_be_stored_without_moving_its_task(engine, trial):
    booked = trial.run.book(trial.request)
    before = trial.row

    trial.session.save_page(page(booked, video(1), received_at=LATER), moves_task=False)

    assert (trial.row, len(rows(engine, "crawl"))) == (before, 1)


def test_a_first_page_that_leads_nowhere_is_asked_for_again(trial):
    again = trial.run.ask(trial.request, video(1), has_more=True, cursor=0)

    following = trial.run.ask(again, video(1), video(2), has_more=True)

    assert trial.place == (100, 2, 1)
    trial.run.ask(following, video(3))
    assert trial.row["state"] == "complete"


def test_a_parked_task_says_why_and_waits_longer_each_time(trial):
    following = trial.begun()
    for times, hours in enumerate((0, 1, 4, 16), start=1):
        booked, now = trial.run.book(following), trial.run.later()
        trial.end(booked, Parked("the API said: \0no", "LOG\0", booked.place), now)

        found = trial.row
        assert (found["state"], found["parked_count"], trial.place) == (
            "parked",
            times,
            (100, 2, 1),
        )
        assert (found["error"], found["error_log_id"]) == ("the API said: no", "LOG")
        assert found["parked_at"] == found["updated_at"] == now
        assert found["retry_at"] == now + timedelta(hours=hours)


def test_a_task_stays_parked_until_a_page_comes(trial):
    booked = trial.run.book(trial.request)
    trial.park(booked)
    trial.session.book(booked, LATER + MINUTE)
    found = trial.row
    assert (found["state"], found["error"], found["parked_at"]) == ("parked", "HTTP 500", LATER)
    assert found["updated_at"] == LATER + MINUTE

    trial.answer(booked, has_more=True, received_at=LATER + 2 * MINUTE)

    found = trial.row
    assert (found["state"], found["error"], found["error_log_id"]) == ("open", None, None)
    assert (found["retry_at"], found["parked_count"]) == (None, 1)


def test_a_task_can_be_parked_to_begin_anew(trial):
    trial.end(trial.begun(), Parked("the cursor is lost", None, START))

    assert trial.place[:2] == (0, 0)
    (request,) = due(trial.run, LATER)
    assert request.starts_task


def due(run, now):
    """What a run has to ask for of the tasks that have rows."""
    plan = run.session.plan(now)
    if isinstance(run, Crawl):
        return run.session.due()
    return (*plan.open_windows, *plan.parked_windows)


def test_a_seed_that_another_run_has_ended_meanwhile_is_not_asked_for_again(engine, make):
    trial = make("seed")
    opened = trial.session.open_task(trial.request, NOON)
    trial.set(state="complete", completed_at=LATER)
    before = content(engine)

    with pytest.raises(TaskTakenError, match="another crawl works on comments of video_id 7"):
        trial.session.book(opened, LATER)
    assert content(engine) == before


@pytest.mark.parametrize("kind", TABLES)
def test_a_killed_run_goes_on_at_the_page_after_the_last_one_stored(make, kind):
    trial = make(kind)
    following = trial.begun()
    trial.run.book(following)

    (resumed,) = due(make(kind, LATER).run, LATER)

    assert resumed == following
    assert resumed.begun_at == NOON + MINUTE


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("is_parked", [False, True])
def test_a_run_that_was_killed_before_its_first_page_begins_again(make, kind, is_parked):
    trial = make(kind)
    request = trial.run.book(trial.request)
    if is_parked:
        trial.park(request)

    (resumed,) = due(make(kind, LATER).run, LATER)

    assert (resumed.task, resumed.place, resumed.begun_at) == (request.task, START, None)
