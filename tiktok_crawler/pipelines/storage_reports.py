"""Counts and reports what a crawl has stored."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tiktok_crawler.planning.task_states import Cut, Halved, Lost, Parked, Refused, Unusable
from tiktok_crawler.reports.listing_report import refused_seeds
from tiktok_crawler.research_api.tasks import Window
from tiktok_crawler.spelling import and_more, number_of, shortened, visible

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from tiktok_crawler.planning.task_states import Event
    from tiktok_crawler.research_api.endpoints import Listing
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.research_api.tasks import PageRequest
    from tiktok_crawler.research_api.verdicts import SeedStatus
    from tiktok_crawler.storage.page_store import Saved
    from tiktok_crawler.storage.records.shape import Records
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
    tiktok/seeds/refused_count; of lists tiktok/values/refused_count; of records
    tiktok/videos/new_count, tiktok/videos/updated_count, tiktok/videos/refused_count,
    tiktok/videos/misfit_count, tiktok/videos/left_out_count and, of what is listed, the same of
    tiktok/records.
    """

    def __init__(self, crawler: Crawler):
        self._stats = crawler.stats
        self._known_extra_fields: set[str] = set()
        self._has_said_that_ids_lie = False
        self._not_stored = Counter[str]()
        self._misfits = Counter[tuple[str, str]]()
        self._left_out = 0
        self._refusals: dict[tuple[Listing, SeedStatus], _Refusals] = {}

    def page_stored(self, page: Page, saved: Saved) -> None:
        tasks, records = _names(page.request)
        if page.next_request is None:
            self._stats.inc_value(f"tiktok/{tasks}/completed_count")
        self._count(saved, records)
        self._left_out += saved.left_out
        self._report(page.request, saved.read)

    def taken_as_empty(self, request: PageRequest) -> None:
        """Warn of a task that ended without any data, and is believed for now."""
        tasks, _ = _names(request)
        self._stats.inc_value(f"tiktok/{tasks}/suspicious_count")
        logger.warning(
            "%(task)s: the API sent no data at all, twice; taken as empty, but suspicious",
            {"task": request},
        )

    def task_ended(self, request: PageRequest, event: Event) -> None:
        """Count a task that brings no page now."""
        if isinstance(event, Lost):
            return
        tasks, _ = _names(request)
        self._stats.inc_value(f"tiktok/{tasks}/{EVENTS[type(event)]}_count")
        if isinstance(event, Unusable):
            self._stats.inc_value("tiktok/values/refused_count")
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

    def search_ended(self, result: SearchResult) -> None:
        doubts = len(result.plan.standings.doubts)
        self._stats.inc_value("tiktok/days/suspicious_count", doubts)
        for days in result.taken_back:
            logger.warning(
                "%(days)s: not complete after all: a search that was lost had passed these days, "
                "but the ids of this query's videos do not tell when they were published; they are "
                "searched again by the next run",
                {"days": days},
            )

    def say_oddities(self) -> None:
        """Say how often in this run came what was warned of once."""
        for noun, count in self._not_stored.items():
            if count > 1:
                records = number_of(count, noun)
                logger.warning(
                    "%(records)s were not stored, since they have no usable id",
                    {"records": records},
                )
        for (place, kind), count in self._misfits.items():
            if count > 1:
                logger.warning(
                    "Kept in %(place)s, %(count)s times: %(misfit)s",
                    {"place": place, "count": f"{count:,}", "misfit": kind},
                )

    def say_left_out(self) -> None:
        """Say how many records are not stored because persons asked for that."""
        if self._left_out:
            records = number_of(self._left_out, "records")
            logger.info(
                "%(records)s were left out, as persons have asked (`scrapy delete`)",
                {"records": records},
            )

    def _count(self, saved: Saved, records: str) -> None:
        self._stats.inc_value("tiktok/pages/stored_count")
        self._stats.inc_value(f"tiktok/{records}/new_count", saved.new_count)
        self._stats.inc_value(f"tiktok/{records}/updated_count", saved.updated_count)
        for name, count in (
            (f"tiktok/{records}/refused_count", len(saved.read.refused)),
            (f"tiktok/{records}/misfit_count", len(saved.read.misfits)),
            ("tiktok/text/cleaned_count", saved.read.cleaned_count),
            (f"tiktok/{records}/left_out_count", saved.left_out),
        ):
            if count:
                self._stats.inc_value(name, count)

    def _report(self, request: PageRequest, read: Records) -> None:
        place, noun = _words(request)
        told = Counter[str]()
        for reason in read.refused:
            self._not_stored[noun] += 1
            told["not stored"] += 1
            if told["not stored"] > MOST_TOLD:
                continue
            level = _level(self._not_stored[noun])
            logger.log(level, "A record was not stored: %(reason)s", {"reason": visible(reason)})
        for misfit in read.misfits:
            kind = place, misfit.kind
            self._misfits[kind] += 1
            told[misfit.kind] += 1
            if told[misfit.kind] > MOST_TOLD:
                continue
            values = {"place": place, "misfit": visible(str(misfit))}
            logger.log(_level(self._misfits[kind]), "Kept in %(place)s: %(misfit)s", values)
        for what, count in told.items():
            if count > MOST_TOLD:
                values = {"place": place, "count": f"{count - MOST_TOLD:,}", "what": visible(what)}
                logger.debug("%(place)s: %(count)s more of this page: %(what)s", values)
        new_fields = sorted(read.unknown_fields - self._known_extra_fields)
        if new_fields:
            self._known_extra_fields.update(new_fields)
            shown = list(map(shortened, new_fields[:MOST_TOLD]))
            logger.warning(
                "The API has fields that this version does not know, kept in %(place)s: %(fields)s",
                {"place": place, "fields": and_more(shown, len(new_fields))},
            )


MOST_TOLD = 10
"""Of equal complaints about a page only so many are told; the rest is a number."""

EVENTS: dict[type[Event], str] = {
    Parked: "parked",
    Refused: "refused",
    Cut: "split",
    Halved: "split",
    Unusable: "parked",
}


def _names(request: PageRequest) -> tuple[str, str]:
    """Return what statistics call a request's task, and what it brings."""
    return ("windows", "videos") if isinstance(request.task, Window) else ("seeds", "records")


def _words(request: PageRequest) -> tuple[str, str]:
    """Return where what has no column is kept, and what the records are called."""
    if isinstance(request.task, Window):
        return "video.extra_data", "videos"
    return "extra_data", request.seed.listing.noun


def _level(count: int) -> int:
    """The first of a kind is a warning; the others are told by number when the crawl ends."""
    return logging.WARNING if count == 1 else logging.DEBUG
