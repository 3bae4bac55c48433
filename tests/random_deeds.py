"""Runs that do random deeds on recorded sessions, and die between any two steps."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import Enum, auto
from itertools import chain
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from tiktok_crawler.archive.lines import RawAnswer
from tiktok_crawler.archive.recorder import Journal, RecordedSession
from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.exceptions import DailyBudgetSpentError
from tiktok_crawler.planning.coverage import Freshness
from tiktok_crawler.planning.plan import Wanted
from tiktok_crawler.planning.seeds import GivenSeeds, Stage
from tiktok_crawler.planning.task_states import (
    Cut,
    Emptied,
    Halved,
    Lost,
    Parked,
    Refused,
    Unusable,
    WindowState,
)
from tiktok_crawler.query_file.collection import Collection
from tiktok_crawler.query_file.each_value import ValueBatch
from tiktok_crawler.research_api.endpoints import COMMENTS, FOLLOWERS, LIKED_VIDEOS, USERS
from tiktok_crawler.research_api.pages import read_page
from tiktok_crawler.research_api.paging import START
from tiktok_crawler.research_api.query import Condition, Field, Operation, Query
from tiktok_crawler.research_api.tasks import PageRequest, Seed, Window
from tiktok_crawler.research_api.verdicts import SeedStatus, classify
from tiktok_crawler.storage.engine.transactions import reading
from tiktok_crawler.storage.ledger.coverage import Corrections, StoredWindow
from tiktok_crawler.storage.models.ledger import CrawlWindow
from tiktok_crawler.storage.search_session import SearchSession
from tiktok_crawler.storage.stage_session import StageSession

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hypothesis.strategies import DataObject

DAYS = DateRange(date(2024, 1, 1), date(2024, 1, 9))
FIELDS = ("id", "username", "hashtag_names", "like_count")
HASHTAGS = Condition("hashtag_name", "IN", ("h1", "h3", "h9"))
KEYWORD = Condition("keyword", "EQ", ("butter",))
IDS = Condition("video_id", "IN", ("2", "5", "9"))
QUERIES = [
    Query(and_=(Condition("region_code", "EQ", ("FR",)), HASHTAGS, IDS)),
    Query(and_=(KEYWORD, HASHTAGS)),
]
BATCHES = [ValueBatch.of(QUERIES[0], Field.VIDEO_ID), None]
OF_BATCHES = [Halved("no", "L4"), Unusable("no", None)]
LISTINGS = (COMMENTS, FOLLOWERS, USERS, LIKED_VIDEOS)
KEYS = ("7", "8", "9")


class DiedError(Exception):
    """The process was killed: nothing more is done."""


class Fate(Enum):
    """What happens to a deed."""

    DONE = auto()
    DIES_BEFORE = auto()
    DIES_AFTER = auto()
    FAILS_BEFORE = auto()
    FAILS_AFTER = auto()
    """Its commit is in doubt."""
    REFUSED = auto()


OUTAGE = OperationalError("COMMIT", {}, Exception("the server is away"))
ERRORS = {
    Fate.DIES_BEFORE: DiedError(),
    Fate.DIES_AFTER: DiedError(),
    Fate.FAILS_BEFORE: OUTAGE,
    Fate.FAILS_AFTER: OUTAGE,
}


class Fated:
    """A session whose next deed meets its fate."""

    fate = Fate.DONE

    def _write(self, work: Callable[..., Any], **how: Any) -> Any:
        if self.fate is Fate.REFUSED:
            return super()._write(lambda on: (work(on), self._refuse()), **how)
        return self._meet(lambda: super(Fated, self)._write(work, **how))

    def save_page(self, page: Any, **how: Any) -> Any:
        return self._meet(lambda: super(Fated, self).save_page(page, **how))

    def _meet(self, act: Callable[[], Any]) -> Any:
        fate, self.fate = self.fate, Fate.DONE
        if fate in (Fate.DIES_BEFORE, Fate.FAILS_BEFORE):
            raise ERRORS[fate]
        result = act()
        if fate in (Fate.DIES_AFTER, Fate.FAILS_AFTER):
            raise ERRORS[fate]
        return result

    def _refuse(self) -> None:
        self.fate = Fate.DONE
        raise DailyBudgetSpentError("spent")


class FatedSearch(Fated, SearchSession): ...


class FatedStage(Fated, StageSession): ...


@dataclass
class Clock:
    """Every look at it is later than the one before."""

    now: datetime = datetime(2024, 6, 1, 23, 59, 50, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=100)
        return self.now


@dataclass
class Chance:
    """Draws what happens."""

    data: DataObject = field(repr=False)

    def number(self, most: int) -> int:
        return self.data.draw(st.integers(0, most))

    def choice(self, values: Any) -> Any:
        return self.data.draw(st.sampled_from(list(values)))

    def happens(self, one_in: int) -> bool:
        return self.number(one_in - 1) == one_in - 1

    def fate(self) -> Fate:
        return self.choice(Fate) if self.happens(5) else Fate.DONE


class Calm(Chance):
    """Draws the first of all values: nothing happens."""

    def number(self, most: int) -> int:  # noqa: ARG002 - as others
        return 0

    def choice(self, values: Any) -> Any:
        return next(iter(values))


@dataclass
class Run:
    """One session of a run, with the requests that it can go on with."""

    session: Any
    doer: RecordedSession
    clock: Clock
    chance: Chance
    requests: list[PageRequest] = field(default_factory=list)
    asked: set[int | None] = field(default_factory=set)

    def begin(self) -> None:
        self.doer.open()
        now = self.clock()
        self._do(lambda: self.doer.begin(now), is_vital=True)
        if isinstance(self.session, SearchSession):
            self._correct()
        plan = self.session.plan(now)
        if isinstance(self.session, SearchSession):
            self.requests = [*plan.open_windows, *plan.parked_windows]
        else:
            self.requests = list(chain.from_iterable(iter(self.session.due, ())))

    def step(self) -> None:
        chance = self.chance
        if not self.requests or chance.happens(5):
            return self._open()
        request = self.requests.pop(chance.number(len(self.requests) - 1))
        request = self._open_task(request)
        if request is None or chance.happens(8):
            return None
        if isinstance(request.task, Window) and chance.happens(8):
            request = request.with_keywords_as(chance.choice([Operation.IN, Operation.EQ]))
        if chance.happens(6) and request.task.row_id in self.asked:
            return self._end(request)
        self.asked.add(request.task.row_id)
        return self._ask(request)

    def close(self) -> None:
        if isinstance(self.session, SearchSession):
            self._correct()
        self.doer.release()

    def _open(self) -> None:
        if isinstance(self.session, StageSession):
            return
        start = DAYS.start + self.chance.number(7) * DAY
        days = DateRange(start, min(start + self.chance.number(3) * DAY, DAYS.end))
        form = self.chance.choice([Operation.IN, Operation.EQ])
        window = Window(self.session.subject, days, FIELDS, keywords_as=form)
        request = PageRequest(window, second_try=self.chance.happens(4))
        opened = self._open_task(request)
        self.requests += [opened] if opened else []

    def _open_task(self, request: PageRequest) -> PageRequest | None:
        now = self.clock()
        return self._do(lambda: self.doer.open_task(request, now))

    def _ask(self, request: PageRequest) -> None:
        now = self.clock()
        request = self._do(lambda: self.doer.book(request, now))
        if request is None or self.chance.happens(8):
            return
        for _ in range(1 + self.chance.happens(5)):
            answer, received_at = RawAnswer(200, {}, self._body(request)), self.clock()
            self.doer.keep_answer(request, answer, received_at)
        verdict = classify(answer.status, answer.body, request.endpoint)
        page = read_page(request, verdict, received_at=received_at)
        if self._do(lambda: self.doer.save_page(page)) and page.next_request:
            self.requests.append(page.next_request)
        elif self._is_batch and page.next_request is None and self.chance.happens(3):
            self._end_with(request, self.chance.choice(OF_BATCHES))

    def _end(self, request: PageRequest) -> None:
        self._end_with(request, self._event(request))

    def _end_with(self, request: PageRequest, event: Any) -> None:
        now = self.clock()
        rest = self._do(lambda: self.doer.end(request, event, now))
        if rest:
            self.requests.append(rest)

    def _event(self, request: PageRequest) -> Any:
        events = [Parked("no", "L1", request.place), Parked("lost", None, START)]
        task = request.task
        events += OF_BATCHES * self._is_batch
        if isinstance(task, Seed):
            events += [Refused(self.chance.choice(SeedStatus), "no", "L2"), Emptied()]
        elif len(task.days) > 1 and request.starts_task:
            events.append(Cut("too wide", "L3"))
        elif len(task.days) > 1:
            events.append(Lost(DateRange(task.days.start + DAY, task.days.end)))
        return self.chance.choice(events)

    @property
    def _is_batch(self) -> bool:
        return isinstance(self.session, SearchSession) and bool(self.session.collection.batch)

    def _correct(self) -> None:
        with reading(self.session.engine) as connection:
            rows = connection.execute(select(CrawlWindow.__table__)).all()
        of_query = [row for row in rows if row.query_id == self.session._query_id]
        chosen = [row for row in of_query if self.chance.happens(4)]

        def windows(state: WindowState) -> tuple[StoredWindow, ...]:
            return tuple(
                StoredWindow(row.id, DateRange(row.start_date, row.end_date), row.created_at)
                for row in chosen
                if row.state is state
            )

        complete = windows(WindowState.COMPLETE)
        half = self.chance.number(len(complete))
        needless = windows(WindowState.PARKED)
        corrections = Corrections(complete[:half], needless, complete[half:])
        now = self.clock()
        self._do(lambda: self.doer.correct(corrections, now), is_vital=True)

    def _do(self, deed: Callable[[], Any], *, is_vital: bool = False) -> Any:
        """Do a deed; while the database is away, again, perhaps after another one, or never."""
        fate = self.chance.fate()
        self.session.fate = Fate.DONE if is_vital and fate is Fate.REFUSED else fate
        try:
            return deed()
        except DailyBudgetSpentError:
            return None
        except OperationalError:
            if not is_vital and self.chance.happens(4):
                return None
            if not is_vital and self.chance.happens(3):
                self._open()
            return self._do(deed, is_vital=is_vital)
        finally:
            self.session.fate = Fate.DONE

    def _body(self, request: PageRequest) -> bytes:
        """The page's records repeat those of others, with other values."""
        chance, records = self.chance, []
        for number in {chance.number(12) for _ in range(chance.number(3))}:
            names = {"username": f"u{number}", "hashtag_names": [f"h{chance.number(3)}"]}
            records.append({"id": str(number + 1), "like_count": chance.number(3), **names})
        data: dict[str, Any] = dict.fromkeys(request.endpoint.records_keys[:1], records)
        data |= {"display_name": f"n{chance.number(2)}", "search_id": "77"}
        data["cursor"] = request.place.cursor + 100
        if not chance.happens(8):
            data["has_more"] = bool(chance.number(1))
        error = {"code": "ok", "message": "", "log_id": f"L{chance.number(99)}"}
        return json.dumps({"data": data, "error": error}).encode()


@dataclass
class Deeds:
    """Runs on one database, of which some work at the same time."""

    url: str
    folder: Path
    chance: Chance
    clock: Clock = field(default_factory=Clock)

    def happen(self, steps: int) -> None:
        """Do random deeds of several runs, and begin and end one more of each in peace."""
        runs: dict[int, list[Run]] = {0: [], 1: []}
        for _ in range(steps):
            which = self.chance.number(1)
            try:
                if not runs[which]:
                    self.begin(which, runs[which])
                elif self.chance.happens(12):
                    self.close(runs[which])
                else:
                    self.chance.choice(runs[which]).step()
            except DiedError as died:
                was_writing = died is ERRORS[Fate.DIES_BEFORE] and self.chance.happens(2)
                self._die(runs[which], torn_bytes=was_writing * (1 + self.chance.number(9)))
        self.chance = Calm(self.chance.data)
        for which, begun in runs.items():
            self._die(begun)
            self.begin(which, begun)
            self.close(begun)

    def begin(self, which: int, runs: list[Run]) -> None:
        journal = Journal(self.folder, "sandbox", clock=self.clock)
        runs.append(self._run(self._search(which), journal))
        if which:
            runs.append(self._run(self._stage(), journal))
        for run in runs:
            run.begin()

    def close(self, runs: list[Run]) -> None:
        while runs:
            runs[-1].close()
            journal = runs.pop().doer._journal
        journal.close()

    def _die(self, runs: list[Run], *, torn_bytes: int = 0) -> None:
        """End what runs held; the end of their last line may be missing."""
        for run in runs:
            with suppress(AttributeError):  # not open yet
                run.session.release()
        if runs:
            file = runs[0].doer._journal._writer._file
            file._file.truncate(file._path.stat().st_size - torn_bytes)
            file._file.close()
        runs.clear()

    def _run(self, session: Any, journal: Journal) -> Run:
        return Run(session, RecordedSession(session, journal), self.clock, self.chance)

    def _search(self, which: int) -> FatedSearch:
        query, tags = QUERIES[which], self._tags()
        days = DAYS, "2024-01-01", "2024-01-09"
        collection = Collection(query, *days, tags, batch=BATCHES[which])
        wanted = Wanted(query, DAYS, FIELDS, Freshness(timedelta(0)))
        return FatedSearch(
            self.url, origin="sandbox", collection=collection, wanted=wanted, account=None
        )

    def _stage(self) -> FatedStage:
        stage = Stage(self.chance.choice(LISTINGS), GivenSeeds(KEYS), max_age=timedelta(seconds=1))
        return FatedStage(self.url, origin="sandbox", stage=stage, tags=self._tags(), account=None)

    def _tags(self) -> tuple[str, ...]:
        return self.chance.choice([(), ("dairy",), ("dairy", "tea")])
