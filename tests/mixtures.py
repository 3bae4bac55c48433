"""Mixtures at random: examples that are tried in a test's loop, and faults that strike in them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from tiktok_crawler.sandbox.faults.schedule import FOR_SEARCHES, FaultName, Requests, ScheduledFault

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from hypothesis.strategies import DrawFn, SearchStrategy

MOMENTS = st.one_of(
    st.builds(dict, request=st.integers(1, 12)),
    st.builds(
        dict, requests=st.tuples(st.integers(1, 8), st.integers(0, 6)).map(lambda r: (r[0], sum(r)))
    ),
    st.builds(dict, every=st.integers(2, 6)),
    st.builds(dict, rate=st.sampled_from([0.1, 0.3, 0.5])),
)


@st.composite
def scheduled_faults(
    draw: DrawFn, kinds: Sequence[Requests], faults: Sequence[FaultName]
) -> ScheduledFault:
    """A fault that can happen to requests of one of these kinds."""
    of = draw(st.sampled_from(kinds))
    possible = [fault for fault in faults if of is not Requests.TOKENS or fault not in FOR_SEARCHES]
    return ScheduledFault(
        fault=draw(st.sampled_from(possible)), of=of, seconds=0.01, **draw(MOMENTS)
    )


async def try_examples(
    number: int,
    examples: int,
    strategy: SearchStrategy[Any],
    try_out: Callable[[Any], Coroutine[Any, Any, Any]],
) -> None:
    """Try so many; they are made in a thread, which waits for what is done in this loop."""
    loop = asyncio.get_running_loop()

    @seed(number)
    @settings(
        max_examples=examples,
        phases=[Phase.generate, Phase.shrink],
        database=None,
    )
    @given(strategy)
    def try_example(example: Any) -> None:
        asyncio.run_coroutine_threadsafe(try_out(example), loop).result()

    with pytest.MonkeyPatch.context() as patch:
        # A test that takes longer than five minutes is taken for one that hangs.
        patch.setattr("hypothesis.internal.conjecture.engine.MAX_SHRINKING_SECONDS", 60)
        await asyncio.to_thread(try_example)
