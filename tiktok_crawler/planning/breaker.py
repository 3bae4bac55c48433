"""Decides when to stop spending quota on an API that only fails. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

FAILURES_IN_A_ROW = 20
"""So many requests in a row that failed are no accident."""


class Reaction(Enum):
    """The reaction to a failure."""

    GO_ON = auto()
    PAUSE = auto()
    """Send nothing for a while, then a single request."""
    GIVE_UP = auto()
    """End the crawl; a later run goes on."""


@dataclass(slots=True)
class CircuitBreaker:
    """Counts failures in a row, and failed tries after it opened.

    It opens after `FAILURES_IN_A_ROW` failures. From then on single requests are sent to try; after
    `probe_times` of those that failed it gives up. Any success closes it.
    """

    probe_times: int
    failures: int = 0
    failed_probes: int = 0

    @property
    def is_open(self) -> bool:
        return self.failures >= FAILURES_IN_A_ROW

    def failed(self, *, is_probe: bool) -> Reaction:
        """Count a failure, and say what to do about it."""
        if self.is_open:
            self.failed_probes += is_probe
            return Reaction.GIVE_UP if self.failed_probes >= self.probe_times else Reaction.PAUSE
        self.failures += 1
        return Reaction.PAUSE if self.is_open else Reaction.GO_ON

    def trip(self) -> None:
        """Open it, whatever the count: it is known already that nothing works."""
        self.failures = max(self.failures, FAILURES_IN_A_ROW)

    def worked(self) -> None:
        """Forget all failures: the API answers."""
        self.failures = self.failed_probes = 0
