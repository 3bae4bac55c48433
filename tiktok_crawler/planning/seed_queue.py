"""Decides which seed of a stage is asked for next, and what becomes of one that fails. Pure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from tiktok_crawler.planning.problems import EndOfList, ProblemKind, StopCrawl
from tiktok_crawler.planning.task_states import Parked, Refused
from tiktok_crawler.research_api.paging import START
from tiktok_crawler.research_api.verdicts import AnswerKind, SeedStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tiktok_crawler.planning.problems import Answer, Problem
    from tiktok_crawler.planning.seeds import Stage, StagePlan
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.research_api.tasks import PageRequest, Task
    from tiktok_crawler.research_api.verdicts import Verdict

REFUSALS_IN_A_ROW = 10
"""So many seeds that the API does not accept, and nothing else: not the seeds are to blame."""

STATUSES = {
    AnswerKind.NOT_FOUND: SeedStatus.NOT_FOUND,
    AnswerKind.WITHHELD: SeedStatus.WITHHELD,
}


class SeedQueue:
    """The seeds of a stage, in its order; they are read from the database a part at a time.

    `runs_low` asks for the next part with `add`; an empty one is the last. `seeds_done` and
    `records` are what has come of them.
    """

    def __init__(self, stage: Stage, plan: StagePlan):
        self.stage = stage
        self.plan = plan
        self.runs_low = True
        self.seeds_done = 0
        self.records = 0
        self._waiting: deque[PageRequest] = deque()
        self._is_read = False
        self._refusals_in_a_row = 0

    def add(self, requests: Iterable[PageRequest]) -> None:
        """Append the next part of what is due."""
        before = len(self._waiting)
        self._waiting.extend(requests)
        self._is_read = len(self._waiting) == before
        self.runs_low = not self._waiting and not self._is_read

    def next(self) -> PageRequest | None:
        """Take the next seed; None if there is none for now."""
        request = self._waiting.popleft() if self._waiting else None
        self.runs_low = not self._waiting and not self._is_read
        return request

    def page_stored(self, page: Page) -> None:
        self._refusals_in_a_row = 0
        self.records += len(page.records)

    def doubt(self, page: Page) -> None:
        """Believe the end of every list."""

    def judge(self, request: PageRequest, problem: Problem) -> Answer:
        """Decide what becomes of a seed whose request failed for good."""
        match problem.kind:
            case ProblemKind.REFUSED:
                return self._refused(request, problem)
            case ProblemKind.CURSOR_LOST if not _is_malformed(problem.verdict):
                if request.is_past_cap:
                    return EndOfList()
                return Parked(problem.reason, problem.log_id, START)
        return Parked(problem.reason, problem.log_id, request.place)

    def ended(self, _task: Task) -> None:
        self.seeds_done += 1

    def left(self, _task: Task) -> None:
        """A seed is left to a later run."""

    def cut(self, _task: Task) -> None:
        """Seeds cannot be cut, replaced or tried for a second time, and have no width to blame."""
        raise NotImplementedError

    def replaced(self, _task: Task, _rest: Task) -> None:
        raise NotImplementedError

    def drop_second_tries(self) -> None: ...

    def everything_fails(self) -> None: ...

    def _refused(self, request: PageRequest, problem: Problem) -> Answer:
        """Take the refusal for the answer that it is, unless it is not about the seed."""
        verdict = problem.verdict
        assert verdict
        if not self._is_about_the_seed(request.seed.key, verdict):
            return StopCrawl(f"The API refuses the requests: {request}: {problem}")
        status = STATUSES.get(verdict.kind, SeedStatus.REFUSED)
        return Refused(status, problem.reason, problem.log_id)

    def _is_about_the_seed(self, key: str, verdict: Verdict) -> bool:
        """Tell whether another seed may be accepted.

        What is not the API's own refusal says nothing about a seed, whose key may be in its words.
        """
        if verdict.kind in STATUSES:
            return True
        self._refusals_in_a_row += 1
        is_rare = self._refusals_in_a_row < REFUSALS_IN_A_ROW
        words = verdict.message.lower().replace(key.lower(), "")
        return is_rare and bool(verdict.code) and "field" not in words


def _is_malformed(verdict: Verdict | None) -> bool:
    """Tell whether an answer says nothing about the cursor."""
    return verdict is not None and verdict.kind is AnswerKind.MALFORMED
