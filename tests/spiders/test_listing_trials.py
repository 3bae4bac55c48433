"""Each listing collects its truth with the least requests, and nothing when it is run again."""

from __future__ import annotations

import pytest
from list_trials import (
    OF_EACH_KIND,
    Trial,
    WatchedSandbox,
    check_database,
    check_least_requests,
    run,
)
from listing_crawls import ListingDatabase
from marathon import first
from scrapy.utils.defer import deferred_f_from_coro_f

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("prepared_url", first(1, ["sqlite", "postgresql"]), indirect=True)
@pytest.mark.parametrize("listing", OF_EACH_KIND)
@deferred_f_from_coro_f
async def test_a_listing_collects_the_truth_with_the_least_requests(prepared_url, listing):
    trial, database = Trial(listing), ListingDatabase(prepared_url, "")
    sandbox = WatchedSandbox(trial.profile)
    done = await run(database, sandbox, trial)
    assert done.exit_status == 0
    check_database(database, trial, done)
    check_least_requests(done.exchanges)
    assert done.crawler.stats.get_value("tiktok/requests/sent_count") == len(done.exchanges)
    again = await run(database, sandbox, trial)
    assert again.exit_status == 0
    assert again.exchanges == []
