"""A refusal is about its seed, unless its words or its neighbours tell otherwise."""

from __future__ import annotations

from unittest.mock import sentinel

import pytest
from asked import seed_request

from tiktok_crawler.planning.problems import Problem, ProblemKind, StopCrawl
from tiktok_crawler.planning.seed_queue import REFUSALS_IN_A_ROW, SeedQueue
from tiktok_crawler.planning.task_states import Refused
from tiktok_crawler.research_api.endpoints import USERS
from tiktok_crawler.research_api.verdicts import AnswerKind, Verdict


def answer_to(key, queue=None, **verdict):
    """What becomes of a seed that is refused."""
    found = Verdict(
        **{"kind": AnswerKind.REFUSED, "status": 400, "code": "invalid_params"} | verdict
    )
    problem = Problem(ProblemKind.REFUSED, str(found), "L", found)
    queue = queue or SeedQueue(sentinel.stage, sentinel.plan)
    return queue.judge(seed_request(USERS, key), problem)


@pytest.mark.parametrize("key", ["ann", "garfield", "Field.Mouse"])
def test_a_refused_name_is_refused_alone_whatever_its_letters(key):
    assert isinstance(answer_to(key, message=f"`username: {key}` is invalid"), Refused)


@pytest.mark.parametrize(
    "verdict",
    [{"message": "unknown field: likes"}, {"code": "", "is_foreign": True, "message": "Denied"}],
)
def test_what_is_not_about_the_seed_ends_the_crawl(verdict):
    assert isinstance(answer_to("garfield", **verdict), StopCrawl)


def test_so_do_many_refusals_in_a_row():
    queue = SeedQueue(sentinel.stage, sentinel.plan)
    answers = [answer_to(f"u{number}", queue, message="no") for number in range(REFUSALS_IN_A_ROW)]
    assert list(map(type, answers)) == [Refused] * (REFUSALS_IN_A_ROW - 1) + [StopCrawl]
