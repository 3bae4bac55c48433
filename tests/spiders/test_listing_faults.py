"""Every fault of the sandbox alone, and mixtures of them at random, while something is listed.

Whatever happens, the database equals the truth or says which seeds are not complete and why; no
page that was delivered is lost or asked for again, nothing goes on for ever, and a good day
completes everything. `list_trials.py` has the checks.
"""

from __future__ import annotations

from typing import Any

import pytest
from list_trials import Trial, truthful, try_out
from scrapy.utils.defer import deferred_f_from_coro_f

from tiktok_crawler.sandbox.errors import Problem
from tiktok_crawler.sandbox.profile import DataBehaviour, ListBehaviour, Profile
from tiktok_crawler.sandbox.schedule import FaultName, Requests, ScheduledFault

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
LISTINGS = ("comments", "users", "followers", "liked_videos", "playlists", "products")
"""One of each kind of paging."""

IMPATIENT = {"DOWNLOAD_TIMEOUT": 1.0}
FAULTS = [fault for fault in FaultName if fault is not FaultName.SEARCH_LOST]


def some_seeds(listing: str) -> tuple[str, ...]:
    """Two that the API lists, and one that it refuses where there is such a seed."""
    sandbox = truthful(DataBehaviour(), LISTS)
    listed, refused = [], []
    for seed in sandbox.seeds(listing):
        is_refused = isinstance(sandbox.truth(listing, seed), Problem)
        (refused if is_refused else listed).append(seed)
        if len(listed) >= 2 and (refused or len(listed) > 50):
            break
    return (*listed[:2], *refused[:1])


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("listing", LISTINGS)
@pytest.mark.parametrize("fault", FAULTS)
@deferred_f_from_coro_f
async def test_a_fault_of_a_listing(prepared_sqlite_url, fault, listing, when):
    schedule = {"of": Requests.LISTS, "seconds": 1.2} | WHEN[when]
    faults = (ScheduledFault(fault=fault, **schedule),)
    profile = Profile(faults=faults, lists=LISTS)
    trial = Trial(listing, profile, IMPATIENT, seeds=some_seeds(listing))
    await try_out(trial, prepared_sqlite_url)
