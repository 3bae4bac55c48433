"""What a crawl says at its end: what it did, what is left to do, and where the data is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiktok_crawler.collection.plan import describe_days, describe_doubts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from tiktok_crawler.storage.session import Remains


@dataclass(frozen=True, slots=True)
class Summary:
    """The last words of a crawl.

    `remains` is what the database holds and lacks after it, `stats` are Scrapy's statistics of this
    run, `location` is the database in words.
    """

    remains: Remains
    stats: Mapping[str, Any]
    location: str

    @property
    def is_unfinished(self) -> bool:
        """Whether something that was asked for is not stored."""
        return not self.remains.plan.is_fulfilled

    def text(self, *, command: str | None) -> str:
        """The summary; `command` is what to run to go on."""
        return "\n".join(("", *self._lines(command)))

    def _lines(self, command: str | None) -> Iterator[str]:
        plan, totals = self.remains.plan, self.remains.totals
        yield f"Collection of {plan.days} ({len(plan.days):,} days)"
        yield (
            f"  videos     {self._stat('videos/new_count')} new, "
            f"{self._stat('videos/updated_count')} updated; the query has {totals.videos:,}"
        )
        yield (
            f"  requests   {self._stat('requests/sent_count')} in this run; "
            f"{totals.requests:,} for the query so far"
        )
        yield (
            f"  windows    {self._stat('windows/completed_count')} completed, "
            f"{self._stat('windows/parked_count')} given up for now in this run; "
            f"the query has {self._windows()}"
        )
        yield f"  covered    {len(plan.covered_days):,} of {len(plan.days):,} days"
        yield from self._left(command)
        yield f"  data       {self.location}"

    def _windows(self) -> str:
        counts = self.remains.totals.windows
        return ", ".join(f"{counts[state]:,} {state}" for state in sorted(counts)) or "none"

    def _left(self, command: str | None) -> Iterator[str]:
        plan = self.remains.plan
        for line in describe_doubts(plan.doubts):
            yield f"  suspicious {line}"
        if plan.unsettled_days:
            yield (
                f"  not final  {describe_days(plan.unsettled_days)}: collected once more by the "
                f"first run from {self.remains.final_from:%Y-%m-%d %H:%M} UTC on"
            )
        if plan.left_windows:
            windows = ", ".join(str(request.window) for request in plan.left_windows)
            yield f"  left alone {windows}: begun for other dates of this query"
        again = f"run: {command}" if command else "run the same command again"
        if plan.window_count:
            yield f"  left       {plan.window_count:,} windows, at least as many requests; {again}"
        if plan.next_retry_at:
            windows = ", ".join(str(waiting.request.window) for waiting in plan.waiting_windows)
            yield (
                f"  given up   {windows}: tried again by runs from "
                f"{plan.next_retry_at:%Y-%m-%d %H:%M} UTC on; {again}"
            )

    def _stat(self, name: str) -> str:
        return f"{self.stats.get(f'tiktok/{name}', 0):,}"
