"""When to stop spending quota on an API that only fails."""

from __future__ import annotations

from tiktok_crawler.planning.breaker import FAILURES_IN_A_ROW, CircuitBreaker, Reaction


def opened() -> CircuitBreaker:
    breaker = CircuitBreaker(probe_times=2)
    for _ in range(FAILURES_IN_A_ROW):
        breaker.failed(is_probe=False)
    return breaker


def test_it_opens_with_the_20th_failure_in_a_row():
    breaker = CircuitBreaker(probe_times=2)
    reactions = [breaker.failed(is_probe=False) for _ in range(20)]
    assert reactions == [Reaction.GO_ON] * 19 + [Reaction.PAUSE]
    assert breaker.is_open


def test_a_success_in_between_starts_the_count_anew():
    breaker = CircuitBreaker(probe_times=2)
    for _ in range(3):
        assert {breaker.failed(is_probe=False) for _ in range(19)} == {Reaction.GO_ON}
        breaker.worked()


def test_answers_that_were_on_their_way_are_no_probes():
    breaker = opened()
    assert {breaker.failed(is_probe=False) for _ in range(10)} == {Reaction.PAUSE}


def test_after_so_many_failed_probes_it_gives_up():
    breaker = opened()
    assert breaker.failed(is_probe=True) is Reaction.PAUSE
    assert breaker.failed(is_probe=True) is Reaction.GIVE_UP


def test_a_probe_that_works_closes_it():
    breaker = opened()
    breaker.failed(is_probe=True)
    breaker.worked()
    assert not breaker.is_open
    assert breaker.failed(is_probe=False) is Reaction.GO_ON
