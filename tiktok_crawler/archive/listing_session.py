"""A session of a stage that keeps an archive: answers are on the disk before the database acts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tiktok_crawler.archive.answers import Believed
from tiktok_crawler.archive.archiving import ArchivingSession
from tiktok_crawler.archive.listing_lines import (
    ListEnded,
    ListingSource,
    SeedAsked,
    SeedEvent,
    SeedLine,
    SeedParked,
    SeedRefused,
    StageLine,
)
from tiktok_crawler.storage.stage_session import StageSession

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tiktok_crawler.planning.task_states import ParkedSeed, RefusedSeed
    from tiktok_crawler.research_api.pages import ListPage
    from tiktok_crawler.research_api.tasks import ListRequest
    from tiktok_crawler.storage.ledger.seed_ledger import Seeds
    from tiktok_crawler.storage.store import Saved


class ArchivedListingSession(ArchivingSession, StageSession):
    """Writes the seeds of its stage, each answer, and what became of seeds, into an archive.

    Where the archive cannot be written, all but `park` leave the database as it was.
    """

    def __init__(self, url: str, **of_session: Any) -> None:
        super().__init__(url, **of_session)
        self._source = ListingSource(self._origin, self.stage.listing, self._tags)
        self._asked: dict[int, SeedAsked] = {}

    def book(self, request: ListRequest, now: datetime) -> ListRequest:
        booked = super().book(request, now)
        self._asked[booked.seed_id] = SeedAsked(booked, now)
        return booked

    def save_page(self, page: ListPage) -> Saved:
        request = page.request
        if request.seed_id in self._answered_without_page:
            # Only a first page is believed to be empty; a cursor that is refused ends a list.
            event = Believed() if request.starts_listing else ListEnded()
            self._append(request.seed_id, event, page.received_at)
        saved = super().save_page(page)
        if page.next_request is None:
            self._forget(request)
        return saved

    def refuse(self, refused: RefusedSeed) -> None:
        event = SeedRefused(refused.status, refused.reason, refused.log_id)
        self._append(refused.request.seed_id, event, refused.received_at)
        super().refuse(refused)
        self._forget(refused.request)

    def park(self, parked: ParkedSeed, now: datetime) -> None:
        # The database goes first: how often a seed was parked decides when it is tried again.
        super().park(parked, now)
        resume = parked.request
        event = SeedParked(parked.reason, parked.log_id, resume.cursor, resume.position)
        self._append(resume.seed_id, event, now)
        self._forget(resume)

    def _register(self, seeds: Sequence[str], now: datetime) -> Seeds:
        self._archive.append(StageLine(now, self._source, now, tuple(seeds)))
        return super()._register(seeds, now)

    def _append(self, row_id: int, event: SeedEvent, at: datetime) -> None:
        self._archive.append(SeedLine(at, self._source, self._asked[row_id], event))

    def _forget(self, request: ListRequest) -> None:
        """A seed that has ended is asked for no more in this run."""
        self._asked.pop(request.seed_id, None)
        self._answered_without_page.discard(request.seed_id)
