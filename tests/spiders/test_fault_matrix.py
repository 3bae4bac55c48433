"""Every fault of the sandbox alone, and mixtures of them at random.

Whatever happens, the database equals the truth or says which days are not complete and why; nothing
that was delivered is lost or asked for again, nothing goes on for ever, and a good day completes
everything. `trials.py` has the checks.
"""

from __future__ import annotations

import os
import re
from dataclasses import fields
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import strategies as st
from marathon import first
from mixtures import scheduled_faults, try_examples
from scrapy.utils.defer import deferred_f_from_coro_f
from trials import Trial, try_out

from tiktok_crawler.sandbox.faults.profile import (
    DataBehaviour,
    HiddenHours,
    Latency,
    Profile,
    QuotaBehaviour,
    SearchBehaviour,
    TokenBehaviour,
    Turnover,
)
from tiktok_crawler.sandbox.faults.schedule import (
    FOR_SEARCHES,
    OF_FILES,
    OF_NEW_CHECKS,
    FaultName,
    Requests,
    ScheduledFault,
)

SEEDS = range(int(os.environ.get("TIKTOK_TEST_SEEDS", "6")))
MIXTURES = [(SEEDS[0], 12), *((seed, 50) for seed in SEEDS)]
"""How many of each seed: of one seed in the slow run, of all in the marathon."""

WHEN: dict[str, dict[str, Any]] = {
    "once": {"request": 2},
    "always": {"every": 1, "seconds": 0.01},
    "often": {"every": 3},
}
FAULTS = tuple(fault for fault in FaultName if fault not in OF_NEW_CHECKS | OF_FILES)
OF_SEARCHES = (Requests.SEARCHES, Requests.FIRST_PAGES, Requests.LATER_PAGES, Requests.TOKENS)
TWO_WINDOWS = {"TIKTOK_WINDOW_DAYS": 5}
IMPATIENT = {"DOWNLOAD_TIMEOUT": 2.0}
"""Where answers hang. Elsewhere a busy machine must not lose the answers that are compared."""
PATIENT = {"TIKTOK_QUOTA_POLICY": "interval", "TIKTOK_QUOTA_INTERVAL": 0.3}

BEHAVIOURS: dict[str, Any] = {
    "searches.refuse_new_ids": SearchBehaviour(refuse_new_ids=2),
    "searches.lost_at_page": SearchBehaviour(lost_at_page=2),
    "searches.expire_after_seconds": SearchBehaviour(expire_after_seconds=0.05),
    "searches.fail_over_days": SearchBehaviour(fail_over_days=3),
    "searches.fail_over_matches": SearchBehaviour(fail_over_matches=50),
    "searches.fail_on_days": SearchBehaviour(fail_on_days=(date(2024, 1, 5),)),
    "searches.endless": SearchBehaviour(endless=True),
    "searches.repeated_records": SearchBehaviour(repeated_records=5),
    "searches.fail_on_empty_groups": SearchBehaviour(fail_on_empty_groups=True),
    "data.appear_within_hours": DataBehaviour(appear_within_hours=1),
    "data.hidden": DataBehaviour(hidden=0.35),
    "data.hidden_hours": DataBehaviour(hidden_hours=HiddenHours(every=240, hours=216)),
    "data.empty_lists_missing": DataBehaviour(hidden=1, empty_lists_missing=True),
    "data.old_ids": DataBehaviour(old_ids=0.2),
    "data.old_id_days": DataBehaviour(old_ids=0.2, old_id_days=3),
    "data.without_create_time": DataBehaviour(without_create_time=0.5),
    "data.without_id": DataBehaviour(without_id=0.5),
    "data: which videos there are": DataBehaviour(
        weekly_rhythm=0.3,
        trend=3,
        counts_settle_days=1,
        yearly_growth=0.5,
        vanishing=0.2,
        turnover=Turnover(videos=0.2, accounts=0.1, renamed=0.1),
    ),
    "data: what records say": DataBehaviour(
        lower_case_regions=0.5,
        nul_characters=0.5,
        lone_surrogates=0.5,
        ids_as_strings=0.5,
        nulls=0.5,
        unknown_fields=0.5,
    ),
    "tokens.expires_in": TokenBehaviour(expires_in=1),
    "tokens.lives_seconds": TokenBehaviour(lives_seconds=0.05),
    "tokens.lives_requests": TokenBehaviour(lives_requests=2),
    "tokens.error_status": TokenBehaviour(lives_requests=2, error_status=500),
    "quota.daily": QuotaBehaviour(daily=2),
    "quota.day_seconds": QuotaBehaviour(daily=2, day_seconds=1),
    "quota.per_second": QuotaBehaviour(per_second=2),
    "latency": Latency(seconds=0.05, up_to=0.1),
}
"""A trial of each way in which a sandbox can misbehave all the time, as far as searches go."""

OF_LISTS = {"lists", "quota.daily_follow"}
SILENT = {f"searches.{name}" for name in ("silent_days", "silent_share", "silent_tries")}
OF_NIGHTS = {*SILENT, "searches.keyword_forms"}
"""What hides videos without a word is tried in `test_told_nights`."""

OF_VALUES = {"searches.refused_values", "searches.dataless_values"}
"""What is wrong with some values is tried in `test_lists_of_values`."""

CLOCKS = ("days_ahead", "date_ahead_seconds")


def part_of(name):
    """The part of a profile that a behaviour is."""
    return re.match("[a-z]+", name)[0]


def test_each_behaviour_has_its_trial():
    parts = {
        "searches": SearchBehaviour,
        "data": DataBehaviour,
        "tokens": TokenBehaviour,
        "quota": QuotaBehaviour,
        "latency": Latency,
    }
    names = {f"{part}.{field.name}" for part, cls in parts.items() for field in fields(cls)}
    tried = {
        f"{part_of(name)}.{field.name}"
        for name, behaviour in BEHAVIOURS.items()
        for field in fields(behaviour)
        if getattr(behaviour, field.name) != getattr(type(behaviour)(), field.name)
    }
    assert tried == names - OF_LISTS - OF_NIGHTS - OF_VALUES
    others = {"description", "seed", "faults", "compliance", *CLOCKS} | OF_LISTS - names
    assert {field.name for field in fields(Profile)} == parts.keys() | others


@pytest.mark.parametrize("when", first(1, WHEN))
@pytest.mark.parametrize("fault", FAULTS)
@deferred_f_from_coro_f
async def test_a_fault_of_searches(tmp_path, fault, when):
    scheduled = ScheduledFault(**{"fault": fault, "seconds": 2.2} | WHEN[when])
    settings = TWO_WINDOWS | (IMPATIENT if fault is FaultName.HANG else {})
    await try_out(Trial(Profile(faults=(scheduled,)), settings), tmp_path)


@pytest.mark.parametrize("when", first(1, ["once", "always"]))
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in FOR_SEARCHES])
@deferred_f_from_coro_f
async def test_a_fault_of_tokens(tmp_path, fault, when):
    schedule = {"request": 1, "seconds": 0.01} if when == "once" else WHEN[when]
    scheduled = ScheduledFault(fault=fault, of=Requests.TOKENS, **schedule)
    await try_out(Trial(Profile(faults=(scheduled,))), tmp_path)


@pytest.mark.parametrize("name", BEHAVIOURS)
@deferred_f_from_coro_f
async def test_a_behaviour(tmp_path, name):
    await try_out(Trial(Profile(**{part_of(name): BEHAVIOURS[name]}), TWO_WINDOWS), tmp_path)


@deferred_f_from_coro_f
async def test_a_quota_that_comes_back_is_waited_for(tmp_path):
    profile = Profile(quota=QuotaBehaviour(daily=2, day_seconds=1))
    runs = await try_out(Trial(profile, TWO_WINDOWS | PATIENT), tmp_path)
    assert [run.exit_status for run in runs] == [0]


@deferred_f_from_coro_f
async def test_a_lost_search_counts_no_day_whose_old_ids_it_has_not_delivered(tmp_path):
    """On the pages before the loss, no record shows that ids can be older than their videos."""
    profile = Profile(
        searches=SearchBehaviour(lost_at_page=2),
        data=DataBehaviour(hidden=0.5, hidden_hours=HiddenHours(every=240, hours=72), old_ids=0.2),
    )
    await try_out(Trial(profile), tmp_path)


shares = st.sampled_from([0.0, 0.0, 0.0, 0.2])
profiles = st.builds(
    Profile,
    seed=st.integers(1, 1000),
    faults=st.lists(scheduled_faults(OF_SEARCHES, FAULTS), max_size=4).map(tuple),
    searches=st.builds(
        SearchBehaviour,
        refuse_new_ids=st.integers(0, 2),
        lost_at_page=st.none() | st.integers(2, 3),
        fail_over_days=st.none() | st.integers(1, 9),
        fail_over_matches=st.none() | st.integers(28, 252),
        repeated_records=st.integers(0, 3),
    ),
    data=st.builds(
        DataBehaviour,
        hidden=st.sampled_from([0.5, 0.9]),
        hidden_hours=st.none() | st.just(HiddenHours(every=240, hours=72)),
        empty_lists_missing=st.booleans(),
        old_ids=shares,
        nul_characters=shares,
        ids_as_strings=shares,
        without_create_time=shares,
        without_id=shares,
    ),
    tokens=st.builds(TokenBehaviour, lives_requests=st.none() | st.integers(2, 6)),
)
trials = st.builds(
    Trial,
    profiles,
    st.fixed_dictionaries(
        {
            "CONCURRENT_REQUESTS": st.sampled_from([1, 4]),
            "TIKTOK_WINDOW_DAYS": st.sampled_from([31, 5, 3]),
            "TIKTOK_RETRY_TIMES": st.sampled_from([2, 5]),
            "TIKTOK_SEARCH_ID_TIMES": st.sampled_from([2, 6]),
        }
    ),
)


@pytest.mark.parametrize(("number", "mixtures"), first(0, MIXTURES, slow=1))
@deferred_f_from_coro_f
async def test_mixtures_of_faults(number, mixtures):
    await try_examples(number, mixtures, trials, _try_out)


async def _try_out(trial: Trial) -> None:
    with TemporaryDirectory() as folder:
        await try_out(trial, Path(folder), runs=2)
