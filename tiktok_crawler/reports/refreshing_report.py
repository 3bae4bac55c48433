"""Says how fresh the data of a query is kept, and what that will cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tiktok_crawler.planning.nights_ahead import NIGHTS, Ahead
from tiktok_crawler.spelling import listed, number_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tiktok_crawler.query_file.refreshing import Refreshing


def in_words(keys: Refreshing) -> str:
    """Put the keys of a query file in words: `revisit: 3 days, 11 days; keep_fresh: 15 days`."""
    return "; ".join(f"{key}: {words}" for key, words in keys.to_json().items())


@dataclass(frozen=True, slots=True)
class RefreshingCost:
    """The requests of the nights to come, beside those that may be sent a day."""

    keys: Refreshing | None
    ahead: Ahead
    a_day: int

    @property
    def is_asked_for(self) -> bool:
        return self.keys is None or bool(self.keys.to_json())

    @property
    def share(self) -> float:
        return self.ahead.requests / (NIGHTS * max(self.a_day, 1))

    @property
    def fits(self) -> bool:
        """Tell whether each of the nights has enough."""
        return self.ahead.busiest <= self.a_day

    def lines(self) -> Iterator[str]:
        """Say what it costs, and whether the quota carries it."""
        if not self.is_asked_for:
            return
        words = f"{in_words(self.keys)}: " if self.keys else ""
        ahead = self.ahead
        kinds = (
            (sum(ahead.searches), "to search days again"),
            (ahead.checks, "to find out what is still there"),
        )
        parts = [f"{count:,} {what}" for count, what in kinds if count]
        how_many = "about" if ahead.is_known else "at least"
        of_these = f" ({listed(parts, conjunction='and')})" if parts else ""
        yield (
            f"Kept fresh:    {words}{how_many} {number_of(ahead.requests, 'requests')} in the next "
            f"{NIGHTS} days{of_these}, {percent(self.share)} of their quota; at most "
            f"{ahead.busiest:,} in one night"
        )
        if not self.fits:
            yield (
                f"Too much:      a night of {ahead.busiest:,} requests is more than the "
                f"{self.a_day:,} of a day: days will be older than they may be. Write a longer "
                "age, or leave out counters"
            )

    def as_json(self) -> dict[str, Any] | None:
        """Return the same as JSON; None if nothing is kept fresh."""
        if not self.is_asked_for:
            return None
        return {
            **(self.keys.to_json() if self.keys else {}),
            "nights": NIGHTS,
            "requests": self.ahead.requests,
            "searches": sum(self.ahead.searches),
            "checks": self.ahead.checks,
            "is_known": self.ahead.is_known,
            "busiest_night": self.ahead.busiest,
            "share_of_quota": round(self.share, 4),
            "fits": self.fits,
        }


def percent(share: float) -> str:
    """Write a share as a percentage with as many digits as say something."""
    if 0 < share < 0.001:  # noqa: PLR2004 - it is shown as less
        return "less than 0.1 %"
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:,.0f} %"  # noqa: PLR2004
