"""The summary at a crawl's end: what it did, what is left to do, and where the data is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiktok_crawler.reports.days_report import day_lines, ranges
from tiktok_crawler.reports.keywords_report import keyword_lines
from tiktok_crawler.reports.listing_report import stage_outcome
from tiktok_crawler.reports.unseen_values import describe_unseen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from tiktok_crawler.planning.seeds import Stage, StageResult
    from tiktok_crawler.planning.task_states import WindowState
    from tiktok_crawler.storage.search_session import SearchResult


@dataclass(frozen=True, slots=True)
class Summary:
    """The last words of a crawl.

    `result` is what the database holds and lacks of a collection after it, None if the crawl had
    none; `stages` are the listings that it came to, and how far. `stats` are Scrapy's statistics of
    this run, `location` is the database in words.
    """

    result: SearchResult | None
    stages: Sequence[tuple[Stage, StageResult]]
    stats: Mapping[str, Any]
    location: str

    @property
    def is_unfinished(self) -> bool:
        """True if something that was asked for is not stored."""
        is_searched = self.result is None or self.result.plan.is_fulfilled
        return not (is_searched and all(result.is_fulfilled for _, result in self.stages))

    def text(self, *, command: str | None) -> str:
        """The summary; `command` is what to run to go on."""
        again = f"run: {command}" if command else "run the same command again"
        return "\n".join(("", *self._lines(again)))

    def _lines(self, again: str) -> Iterator[str]:
        if self.result:
            yield from self._collection(self.result)
            yield from self._left(self.result, again)
        if self.stages:
            yield from self._listings()
            if any(not result.is_fulfilled for _, result in self.stages):
                yield f"  left       the seeds that are open or postponed; {again}"
        yield f"  data       {self.location}"

    def _listings(self) -> Iterator[str]:
        yield "Listings"
        for stage, left in self.stages:
            if not left.seeds:
                yield f"  {stage.listing.words}: the database has none in {stage.source}"
                continue
            yield f"  {stage_outcome(stage.listing, left)}"
        yield (
            f"  records    {self._stat('records/new_count')} new, "
            f"{self._stat('records/updated_count')} updated in this run"
        )
        if not self.result:
            yield f"  requests   {self._stat('requests/sent_count')} in this run"

    def _collection(self, result: SearchResult) -> Iterator[str]:
        plan, totals = result.plan, result.totals
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
            f"{self._stat('windows/parked_count')} postponed in this run; "
            f"the query has {_in_words(totals.windows)}"
        )
        yield from (f"  {label:10} {text}" for label, text in day_lines(plan.standings))
        yield from (f"  keywords   {line}" for line in keyword_lines(plan))
        for line in describe_unseen(result.unseen):
            yield f"  unseen     {line}"

    def _left(self, result: SearchResult, again: str) -> Iterator[str]:
        plan = result.plan
        if unsettled := plan.standings.unsettled:
            yield (
                f"  not final  {ranges(unsettled)}: collected once more by the "
                f"first run from {result.final_from:%Y-%m-%d %H:%M} UTC on"
            )
        if plan.left_windows:
            windows = ", ".join(str(request.window) for request in plan.left_windows)
            yield f"  left alone {windows}: begun for other dates of this query"
        if plan.window_count:
            yield f"  left       {plan.window_count:,} windows, at least as many requests; {again}"
        if plan.next_retry_at:
            windows = ", ".join(str(waiting.request.window) for waiting in plan.waiting_windows)
            yield (
                f"  postponed  {windows}: tried again by runs from "
                f"{plan.next_retry_at:%Y-%m-%d %H:%M} UTC on; {again}"
            )

    def _stat(self, name: str) -> str:
        return f"{self.stats.get(f'tiktok/{name}', 0):,}"


def _in_words(counts: Mapping[WindowState, int]) -> str:
    return ", ".join(f"{counts[state]:,} {state}" for state in sorted(counts)) or "none"
