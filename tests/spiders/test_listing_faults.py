"""Every fault of the sandbox alone, and mixtures of them at random, while something is listed.

Whatever happens, the database equals the truth or says which seeds are not complete and why; no
page that was delivered is lost or asked for again, nothing goes on for ever, and a good day
completes everything. `list_trials.py` has the checks.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from functools import cache
from os import EX_TEMPFAIL
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st
from list_trials import OF_EACH_KIND, SPIDERS, Trial, truthful, try_out
from marathon import first
from mixtures import scheduled_faults, try_examples
from scrapy.utils.defer import deferred_f_from_coro_f

from tiktok_crawler.sandbox.faults.profile import (
    DataBehaviour,
    Latency,
    ListBehaviour,
    Profile,
    QuotaBehaviour,
    TokenBehaviour,
)
from tiktok_crawler.sandbox.faults.schedule import (
    OF_FILES,
    OF_NEW_CHECKS,
    FaultName,
    Requests,
    ScheduledFault,
)
from tiktok_crawler.sandbox.protocol.errors import SandboxProblem

if TYPE_CHECKING:
    from list_trials import Bend

SEEDS = range(int(os.environ.get("TIKTOK_TEST_SEEDS", "2")))
MIXTURES = [(SEEDS[0], 4), *((seed, 10) for seed in SEEDS)]
"""How many of each seed: in the slow run, and in the marathon."""

LISTS = ListBehaviour(
    comments=230,
    followers=230,
    following=130,
    liked_videos=230,
    reposted_videos=130,
    products=25,
    reviews=25,
    private_likes=0.3,
)
WHEN: dict[str, dict[str, Any]] = {
    "once": {"request": 2},
    "often": {"every": 3},
    "always": {"every": 1, "seconds": 0.01},
}
TRIED = [("comments", "often"), ("users", "always"), ("followers", "often"), ("products", "once")]
"""The mixtures below try the others, and in the marathon each fault strikes each of these."""

IMPATIENT = {"DOWNLOAD_TIMEOUT": 2.0}
"""Where answers hang. Elsewhere a busy machine must not lose the answers that are compared."""
NOT_OF_LISTINGS = OF_NEW_CHECKS | OF_FILES | {FaultName.SEARCH_LOST}
FAULTS = [fault for fault in FaultName if fault not in NOT_OF_LISTINGS]
FAULTS_TRIED = [
    (fault, *TRIED[(number + turn) % len(TRIED)])
    for turn in range(len(TRIED))
    for number, fault in enumerate(FAULTS)
]
"""Each fault strikes one of them before any strikes a second one."""


@cache
def some_seeds(listing: str) -> tuple[str, ...]:
    """Two that the API lists, and one that it refuses where there is such a seed."""
    sandbox = truthful(DataBehaviour(), LISTS)
    listed, refused = [], []
    for each in sandbox.seeds(listing):
        is_refused = isinstance(sandbox.truth(listing, each), SandboxProblem)
        (refused if is_refused else listed).append(each)
        if len(listed) >= 2 and (refused or len(listed) > 50):
            break
    return (*listed[:2], *refused[:1])


@pytest.mark.parametrize(("fault", "listing", "when"), first(len(FAULTS), FAULTS_TRIED))
@deferred_f_from_coro_f
async def test_a_fault_of_a_listing(prepared_sqlite_url, fault, listing, when):
    schedule = {"of": Requests.LISTS, "seconds": 2.2} | WHEN[when]
    faults = (ScheduledFault(fault=fault, **schedule),)
    profile = Profile(faults=faults, lists=LISTS)
    settings = IMPATIENT if fault is FaultName.HANG else {}
    trial = Trial(listing, profile, settings, seeds=some_seeds(listing))
    await try_out(trial, prepared_sqlite_url)


BEHAVIOURS: dict[str, dict[str, Any]] = {
    "tokens die": {"tokens": TokenBehaviour(lives_requests=2)},
    "tokens die with a 500": {"tokens": TokenBehaviour(lives_requests=2, error_status=500)},
    "tokens say that they live for a second": {"tokens": TokenBehaviour(expires_in=1)},
    "the quota is used up": {"quota": QuotaBehaviour(daily=2, daily_follow=2)},
    "the quota comes back": {"quota": QuotaBehaviour(daily=2, daily_follow=2, day_seconds=1)},
    "requests come too fast": {"quota": QuotaBehaviour(per_second=2)},
    "answers are slow": {"latency": Latency(up_to=0.1)},
}


@pytest.mark.parametrize("listing", first(1, ["followers", "comments"]))
@pytest.mark.parametrize("behaviour", BEHAVIOURS)
@deferred_f_from_coro_f
async def test_a_behaviour(prepared_sqlite_url, behaviour, listing):
    profile = Profile(lists=LISTS, **BEHAVIOURS[behaviour])
    await try_out(Trial(listing, profile, seeds=some_seeds(listing)), prepared_sqlite_url)


@deferred_f_from_coro_f
async def test_a_quota_that_comes_back_is_waited_for(prepared_sqlite_url):
    profile = Profile(lists=LISTS, **BEHAVIOURS["the quota comes back"])
    patient = {"TIKTOK_QUOTA_POLICY": "interval", "TIKTOK_QUOTA_INTERVAL": 0.3}
    trial = Trial("followers", profile, patient, seeds=some_seeds("followers"))
    runs = await try_out(trial, prepared_sqlite_url)
    assert [run.exit_status for run in runs] == [0]


MESSY = DataBehaviour(
    **dict.fromkeys(
        (
            *("hidden", "lower_case_regions", "nul_characters", "lone_surrogates"),
            *("ids_as_strings", "without_create_time", "without_id", "nulls", "unknown_fields"),
        ),
        0.3,
    ),
)


@pytest.mark.slow
@pytest.mark.parametrize("prepared_url", first(1, ["postgresql", "sqlite"]), indirect=True)
@pytest.mark.parametrize("listing", OF_EACH_KIND)
@deferred_f_from_coro_f
async def test_messy_records_are_stored_as_far_as_they_can_be(prepared_url, listing):
    # Without an error object nothing is left of an answer whose list is missing.
    data = replace(MESSY, empty_lists_missing=listing not in ("products", "reviews", "shops"))
    trial = Trial(listing, Profile(lists=LISTS, data=data), seeds=some_seeds(listing))
    runs = await try_out(trial, prepared_url)
    assert [run.exit_status for run in runs] == [0]


@pytest.mark.slow
@pytest.mark.parametrize("refuses", [False, True])
@deferred_f_from_coro_f
async def test_comments_end_at_the_cap(prepared_sqlite_url, refuses):
    lists = replace(LISTS, comments=1250, cap_refuses=refuses)
    trial = Trial("comments", Profile(lists=lists), seeds=some_seeds("comments")[:1])
    (run,) = await try_out(trial, prepared_sqlite_url)
    assert run.exit_status == 0
    assert len(run.exchanges) == 11 if refuses else 10


def _risen(body: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    cursor = body.get("cursor", data["cursor"]) + 1000
    return data | {"cursor": cursor, "has_more": True}


def _to_and_fro(body: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    return data | {"cursor": 1_700_000_000_000 + (body.get("cursor", 0) % 2 == 0), "has_more": True}


def _always_the_first_page(first: list[Any]) -> Bend:
    def bend(_: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        first.extend(data["product_data"] if not first else ())
        return {"product_data": first}

    return bend


@pytest.mark.parametrize(
    ("listing", "bend"),
    [
        pytest.param("followers", _risen, id="a cursor of followers rises"),
        pytest.param("comments", _to_and_fro, id="a cursor of comments goes to and fro"),
        pytest.param("liked_videos", _to_and_fro, id="an opaque cursor goes to and fro"),
        pytest.param("products", _always_the_first_page([]), id="the first page comes for ever"),
    ],
)
@deferred_f_from_coro_f
async def test_pages_that_never_end_are_given_up(prepared_sqlite_url, listing, bend):
    trial = Trial(listing, Profile(lists=LISTS), seeds=some_seeds(listing)[:1])
    runs = await try_out(trial, prepared_sqlite_url, runs=1, bend=bend)
    assert runs[0].exit_status == EX_TEMPFAIL
    assert len(runs[0].exchanges) < 15


shares = st.sampled_from([0.0, 0.0, 0.2])
OF_LISTS = (Requests.LISTS, Requests.LISTS, Requests.TOKENS)
mixtures = st.builds(
    lambda listing, profile, settings: Trial(listing, profile, settings, seeds=some_seeds(listing)),
    st.sampled_from(SPIDERS),
    st.builds(
        Profile,
        seed=st.integers(1, 1000),
        lists=st.just(LISTS),
        faults=st.lists(scheduled_faults(OF_LISTS, FAULTS), max_size=4).map(tuple),
        data=st.builds(
            DataBehaviour,
            nul_characters=shares,
            ids_as_strings=shares,
            without_create_time=shares,
            without_id=shares,
            nulls=shares,
        ),
        tokens=st.builds(TokenBehaviour, lives_requests=st.none() | st.integers(2, 6)),
    ),
    st.fixed_dictionaries(
        {
            "CONCURRENT_REQUESTS": st.sampled_from([1, 4]),
            "TIKTOK_RETRY_TIMES": st.sampled_from([2, 5]),
        }
    ),
)


@pytest.mark.parametrize(("number", "examples"), first(0, MIXTURES, slow=1))
@deferred_f_from_coro_f
async def test_mixtures_of_faults_of_listings(sqlite_template, tmp_path, number, examples):
    database = tmp_path / "mixture.db"

    async def try_mixture(trial: Trial) -> None:
        for path in tmp_path.iterdir():
            path.unlink()
        shutil.copy(sqlite_template, database)
        await try_out(trial, f"sqlite:///{database}", runs=2)

    await try_examples(number, examples, mixtures, try_mixture)
