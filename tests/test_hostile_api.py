"""Whatever an API sends, from odd bytes to false pages, a crawl survives it in order.

No traceback, no secret, no control character, a bounded log and memory; what is stored as complete
is what the API has, and a good day completes the rest. Rounds are played for a while, each of a
seed; a failure names its seed, and `TIKTOK_FUZZ_SEED` has it played again.
"""

from __future__ import annotations

import os
from secrets import token_hex
from time import monotonic

import pytest
from hostile_crawls import play
from marathon import first

pytestmark = pytest.mark.slow

SECONDS = float(os.environ.get("TIKTOK_FUZZ_SECONDS", "10"))
MARATHON_SECONDS = 300.0
SEED = os.environ.get("TIKTOK_FUZZ_SEED")


@pytest.mark.parametrize("seconds", first(1, [SECONDS, MARATHON_SECONDS]))
def test_a_hostile_api_is_survived_in_order(seconds):
    """The time is how long rounds are begun, and no rule: each is played to its end."""
    until = monotonic() + seconds
    play(SEED or token_hex(4))
    while not SEED and monotonic() < until:
        play(token_hex(4))
