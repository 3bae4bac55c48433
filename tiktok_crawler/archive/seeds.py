"""Leads the seeds of a database through what an archive says became of them.

The time at which a seed's row last changed tells what is news, as it does of windows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, select, update

from tiktok_crawler.planning.task_states import ParkedSeed, RefusedSeed, SeedState
from tiktok_crawler.storage.engine.text import clean_text
from tiktok_crawler.storage.engine.transactions import reading, transaction
from tiktok_crawler.storage.ledger.seed_ledger import SeedLedger
from tiktok_crawler.storage.models.ledger import Crawl, Seed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Engine, Row

    from tiktok_crawler.archive.listing_lines import SeedAsked, SeedParked, SeedRefused
    from tiktok_crawler.research_api.listings import Listing
    from tiktok_crawler.research_api.pages import ListPage
    from tiktok_crawler.research_api.tasks import ListRequest

SEED = Seed.__table__
CRAWL = Crawl.__table__


@dataclass(frozen=True, slots=True)
class PastSeed:
    """A seed as it was when a request of it was sent, and that request, with the seed's id.

    `is_whole`: all pages of the listing before this request are stored, and perhaps its own. A seed
    of which pages are missing stays where they are missing, for the next crawl to go on there.
    """

    request: ListRequest
    state: SeedState
    updated_at: datetime
    is_whole: bool

    def is_news(self, at: datetime) -> bool:
        return at > self.updated_at

    def may_end(self, at: datetime) -> bool:
        """Whether the seed can be refused or parked then."""
        is_open = self.state in (SeedState.OPEN, SeedState.PARKED)
        return is_open and self.is_whole and self.is_news(at)


class PastSeeds:
    """The seeds of one listing in a database. For one thread at a time."""

    def __init__(self, engine: Engine, listing: Listing) -> None:
        self._engine = engine
        self._ledger = SeedLedger(engine, listing)

    def register(self, seeds: Sequence[str], at: datetime) -> None:
        """Make the rows of seeds that have none."""
        self._ledger.register(seeds, at)

    def sent(self, asked: SeedAsked) -> PastSeed:
        """Book a request, unless that is known, and return its seed."""
        seed = self._find(asked)
        request = replace(asked.request, seed_id=seed.id)
        if asked.requested_at > seed.updated_at:
            self._meet(seed, request)
            self._book(self._find(asked), request, asked.requested_at)
            seed = self._find(asked)
        is_whole = _is_whole(seed, request, asked.requested_at)
        return PastSeed(request, seed.state, seed.updated_at, is_whole)

    def has_page(self, page: ListPage) -> bool:
        """Whether the answer is stored already."""
        same = and_(
            CRAWL.c.seed_id == page.request.seed_id,
            CRAWL.c.cursor == page.request.cursor,
            CRAWL.c.crawl_started_at == page.received_at,
        )
        with reading(self._engine) as connection:
            return connection.scalar(select(CRAWL.c.id).where(same)) is not None

    def refuse(self, seed: PastSeed, refused: SeedRefused, at: datetime) -> None:
        if seed.may_end(at):
            why = refused.status, refused.reason, refused.log_id
            self._ledger.refuse(RefusedSeed(seed.request, *why, received_at=at))

    def park(self, seed: PastSeed, parked: SeedParked, at: datetime) -> None:
        if seed.may_end(at):
            resume = replace(seed.request, cursor=parked.cursor, position=parked.position)
            self._ledger.park(ParkedSeed(resume, parked.reason, parked.log_id), at)

    def _find(self, asked: SeedAsked) -> Row[Any]:
        """A seed's row; a new one is as it was just before the request was booked."""
        name = clean_text(asked.request.seed) or ""
        return self._ledger.register([name], asked.requested_at - datetime.resolution)[name]

    def _book(self, seed: Row[Any], request: ListRequest, at: datetime) -> None:
        if request.starts_listing or _is_at(seed, request):
            self._ledger.book(request, at, ended_at=seed.completed_at)
        else:
            transaction(self._engine, lambda on: _count(on, seed, at))

    def _meet(self, seed: Row[Any], request: ListRequest) -> None:
        """Take a seed back to where a request found it.

        What the archive has last of it is not in the crawl's database, which was away, or whose
        crawl was killed in between.
        """
        if request.starts_listing or seed.begun_at != request.begun_at:
            return
        has_ended = seed.state is SeedState.COMPLETE and not seed.has_more
        if has_ended or not _is_at(seed, request):
            transaction(self._engine, lambda on: _without_last_page(on, seed, request))


def _is_whole(seed: Row[Any], request: ListRequest, requested_at: datetime) -> bool:
    """Whether the seed's row is where a listing that brought all pages so far has come to."""
    if seed.begun_at != request.begun_at:
        return False
    has_its_page = seed.last_page_at is not None and seed.last_page_at >= requested_at
    return has_its_page or request.starts_listing or _is_at(seed, request)


def _is_at(seed: Row[Any], request: ListRequest) -> bool:
    is_there = (seed.cursor, seed.position) == (request.cursor, request.position)
    return is_there and seed.begun_at == request.begun_at


def _count(connection: Connection, seed: Row[Any], at: datetime) -> None:
    """Count a request for a page before which others are missing."""
    counts = {"requests": SEED.c.requests + 1, "updated_at": at}
    connection.execute(update(SEED).where(SEED.c.id == seed.id).values(counts))


def _without_last_page(connection: Connection, seed: Row[Any], request: ListRequest) -> None:
    """Make a seed what it was before its last page, if that was asked for by the same request."""
    pages = select(CRAWL.c.cursor, CRAWL.c.crawl_started_at).where(
        CRAWL.c.seed_id == seed.id, CRAWL.c.crawl_started_at <= seed.last_page_at
    )
    last_two = pages.order_by(CRAWL.c.crawl_started_at.desc()).limit(2)
    last, before = (*connection.execute(last_two), None, None)[:2]
    if last is None or last.cursor != request.cursor:
        return
    values = {
        "state": SeedState.OPEN,
        "cursor": request.cursor,
        "position": request.position,
        "pages": seed.pages - 1,
        "has_more": True,
        "suspicious": False,
        "last_page_at": before.crawl_started_at if before else None,
        "completed_at": None,
    }
    connection.execute(update(SEED).where(SEED.c.id == seed.id).values(values))
