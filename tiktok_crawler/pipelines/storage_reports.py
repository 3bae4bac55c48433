"""Counts and reports what a crawl has stored."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tiktok_crawler.planning.task_states import Cut, Lost, Parked, Refused
from tiktok_crawler.reports.listing_report import refused_seeds
from tiktok_crawler.research_api.tasks import Window

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from tiktok_crawler.planning.task_states import Event
    from tiktok_crawler.research_api.endpoints import Listing
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.research_api.tasks import PageRequest
    from tiktok_crawler.research_api.verdicts import SeedStatus
    from tiktok_crawler.storage.page_store import Saved
    from tiktok_crawler.storage.search_session import SearchResult

logger = logging.getLogger(__name__)

NAMED = 3
"""Of many seeds that were refused so many are named."""


@dataclass(slots=True)
class _Refusals:
    """Seeds of a listing that were refused for one reason; `words` are the API's for the first."""

    words: str
    count: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        self.count += 1
        if len(self.names) < NAMED:
            self.names.append(name)


class StorageReports:
    """Counts what pages bring, and warns of what is odd about it.

    Statistics: tiktok/pages/stored_count, tiktok/text/cleaned_count; of days
    tiktok/days/suspicious_count; of windows and seeds tiktok/windows/completed_count,
    tiktok/windows/suspicious_count, tiktok/windows/parked_count, tiktok/windows/split_count,
    tiktok/seeds/completed_count, tiktok/seeds/suspicious_count, tiktok/seeds/parked_count,
    tiktok/seeds/refused_count; of records tiktok/videos/new_count, tiktok/videos/updated_count,
    tiktok/videos/refused_count, tiktok/videos/misfit_count and, of what is listed, the same of
    tiktok/records.
    """

    def __init__(self, crawler: Crawler):
        self._stats = crawler.stats
        self._known_extra_fields: set[str] = set()
        self._has_said_that_ids_lie = False
        self._refusals: dict[tuple[Listing, SeedStatus], _Refusals] = {}

    def page_stored(self, page: Page, saved: Saved) -> None:
        tasks, records = _names(page.request)
        if page.next_request is None:
            self._stats.inc_value(f"tiktok/{tasks}/completed_count")
        if page.suspicious:
            self._stats.inc_value(f"tiktok/{tasks}/suspicious_count")
            logger.warning(
                "%(task)s: the API sent no data at all, twice; taken as empty, but suspicious",
                {"task": page.request},
            )
        self._count(saved, records)
        self._report(saved, "video.extra_data" if tasks == "windows" else "extra_data")

    def task_ended(self, request: PageRequest, event: Event) -> None:
        """Count a task that brings no page now."""
        if isinstance(event, Lost):
            return
        tasks, _ = _names(request)
        self._stats.inc_value(f"tiktok/{tasks}/{EVENTS[type(event)]}_count")
        if isinstance(event, Refused):
            seed = request.seed
            reason = seed.listing, event.status
            self._refusals.setdefault(reason, _Refusals(event.reason)).add(seed.key)

    def say_refusals(self) -> None:
        """Say how many seeds were refused since this was said last, in a line for each reason."""
        for (listing, status), found in self._refusals.items():
            words = refused_seeds(listing, status, found.names, found.count, found.words)
            logger.warning("%(refused)s", {"refused": words})
        self._refusals.clear()

    def ids_are_not_trusted(self) -> None:
        """Say once that no day counts as passed."""
        if self._has_said_that_ids_lie:
            return
        self._has_said_that_ids_lie = True
        logger.warning(
            "Searches of this query that are lost begin anew: the ids of its videos do not tell "
            "when they were published (TIKTOK_ID_SKEW_SECONDS)"
        )

    def crawl_ended(self, result: SearchResult) -> None:
        self._stats.set_value("tiktok/days/suspicious_count", len(result.plan.standings.doubts))
        for days in result.taken_back:
            logger.warning(
                "%(days)s: not complete after all: a search that was lost had passed these days, "
                "but the ids of this query's videos do not tell when they were published; they are "
                "searched again by the next run",
                {"days": days},
            )

    def _count(self, saved: Saved, records: str) -> None:
        self._stats.inc_value("tiktok/pages/stored_count")
        self._stats.inc_value(f"tiktok/{records}/new_count", saved.new_count)
        self._stats.inc_value(f"tiktok/{records}/updated_count", saved.updated_count)
        for name, count in (
            (f"tiktok/{records}/refused_count", len(saved.read.refused)),
            (f"tiktok/{records}/misfit_count", len(saved.read.misfits)),
            ("tiktok/text/cleaned_count", saved.read.cleaned_count),
        ):
            if count:
                self._stats.inc_value(name, count)

    def _report(self, saved: Saved, place: str) -> None:
        for reason in saved.read.refused:
            logger.warning("A record was not stored: %(reason)s", {"reason": reason})
        for misfit in saved.read.misfits:
            logger.warning("Kept in %(place)s: %(misfit)s", {"place": place, "misfit": misfit})
        new_fields = sorted(saved.read.unknown_fields - self._known_extra_fields)
        if new_fields:
            self._known_extra_fields.update(new_fields)
            logger.warning(
                "The API has fields that this version does not know, kept in %(place)s: %(fields)s",
                {"place": place, "fields": ", ".join(new_fields)},
            )


EVENTS = {Parked: "parked", Refused: "refused", Cut: "split"}


def _names(request: PageRequest) -> tuple[str, str]:
    """Return what statistics call a request's task, and what it brings."""
    return ("windows", "videos") if isinstance(request.task, Window) else ("seeds", "records")
