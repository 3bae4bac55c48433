"""What a crawl counts and says of what was stored."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from tiktok_crawler.planning.task_states import LostSearch
    from tiktok_crawler.research_api.pages import ListPage, Page
    from tiktok_crawler.storage.search_session import SearchResult
    from tiktok_crawler.storage.store import Saved

logger = logging.getLogger(__name__)

VIDEOS = (
    "tiktok/videos/new_count",
    "tiktok/videos/updated_count",
    "tiktok/videos/refused_count",
    "tiktok/videos/misfit_count",
)
RECORDS = (
    "tiktok/records/new_count",
    "tiktok/records/updated_count",
    "tiktok/records/refused_count",
    "tiktok/records/misfit_count",
)


class StorageReports:
    """Counts what pages bring, and warns of what is odd about it.

    Statistics: tiktok/pages/stored_count, tiktok/windows/completed_count,
    tiktok/windows/suspicious_count, tiktok/seeds/completed_count, tiktok/seeds/suspicious_count,
    tiktok/text/cleaned_count, and those of VIDEOS and, for what is listed, RECORDS.
    """

    def __init__(self, crawler: Crawler):
        self._stats = crawler.stats
        self._known_extra_fields: set[str] = set()
        self._has_said_that_ids_lie = False

    def page_stored(self, page: Page, saved: Saved) -> None:
        if not page.has_more:
            self._stats.inc_value("tiktok/windows/completed_count")
        if page.suspicious:
            self._stats.inc_value("tiktok/windows/suspicious_count")
            logger.warning(
                "%(window)s: the API sent no data at all, twice; taken as empty, but suspicious",
                {"window": page.request.window},
            )
        self._count(saved, VIDEOS)
        self._report(saved, "video.extra_data")

    def list_page_stored(self, page: ListPage, saved: Saved) -> None:
        if page.next_request is None:
            self._stats.inc_value("tiktok/seeds/completed_count")
        if page.suspicious:
            self._stats.inc_value("tiktok/seeds/suspicious_count")
            logger.warning(
                "%(listing)s: the API sent no data at all, twice; taken as empty, but suspicious",
                {"listing": page.request},
            )
        self._count(saved, RECORDS)
        self._report(saved, "extra_data")

    def search_shrunk(self, lost: LostSearch) -> None:
        if lost.trusts_ids or self._has_said_that_ids_lie:
            return
        self._has_said_that_ids_lie = True
        logger.warning(
            "Searches of this query that are lost begin anew: the ids of its videos do not tell "
            "when they were published (TIKTOK_ID_SKEW_SECONDS)"
        )

    def crawl_ended(self, remains: SearchResult) -> None:
        for days in remains.silences:
            self._stats.inc_value("tiktok/windows/suspicious_count")
            logger.warning(
                "%(days)s: no video, beside days that have many; suspicious, and searched once "
                "more by the first run after three days",
                {"days": days},
            )
        for days in remains.taken_back:
            logger.warning(
                "%(days)s: not complete after all: a search that was lost had passed these days, "
                "but the ids of this query's videos do not tell when they were published; they are "
                "searched again by the next run",
                {"days": days},
            )

    def _count(self, saved: Saved, names: tuple[str, str, str, str]) -> None:
        new, updated, refused, misfit = names
        self._stats.inc_value("tiktok/pages/stored_count")
        self._stats.inc_value(new, saved.new_count)
        self._stats.inc_value(updated, saved.updated_count)
        for name, count in (
            (refused, len(saved.refused)),
            (misfit, len(saved.misfits)),
            ("tiktok/text/cleaned_count", saved.cleaned_count),
        ):
            if count:
                self._stats.inc_value(name, count)

    def _report(self, saved: Saved, place: str) -> None:
        for reason in saved.refused:
            logger.warning("A record was not stored: %(reason)s", {"reason": reason})
        for misfit in saved.misfits:
            logger.warning("Kept in %(place)s: %(misfit)s", {"place": place, "misfit": misfit})
        new_fields = sorted(set(saved.unknown_fields) - self._known_extra_fields)
        if new_fields:
            self._known_extra_fields.update(new_fields)
            logger.warning(
                "The API has fields that this version does not know, kept in %(place)s: %(fields)s",
                {"place": place, "fields": ", ".join(new_fields)},
            )
