"""Whatever the order of searches, checks, faults, deletions: nothing that exists is gone."""

from __future__ import annotations

import os
from random import Random

import pytest
from changing_worlds import Nights
from marathon import first, in_marathon
from scrapy.utils.defer import deferred_f_from_coro_f

pytestmark = pytest.mark.slow

SEEDS = range(10 * int(os.environ.get("TIKTOK_TEST_SEEDS", "6")))


@pytest.mark.parametrize("seed", first(2, SEEDS))
@deferred_f_from_coro_f
async def test_nothing_that_exists_is_gone_and_nothing_deleted_is_there(tmp_path, seed):
    await Nights(tmp_path, Random(seed)).happen(10)


@pytest.mark.parametrize("seed", [in_marathon(seed) for seed in SEEDS[:10]])
@deferred_f_from_coro_f
async def test_so_it_is_on_postgresql(tmp_path, seed, unused_postgresql_url):
    await Nights(tmp_path, Random(seed), unused_postgresql_url).happen(10)
