"""Brings what archives say of listings into a database, line by line, without a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.archive.answers import Believed, RawAnswer
from tiktok_crawler.archive.filling import fill
from tiktok_crawler.archive.listing_lines import ListEnded, SeedParked, SeedRefused, StageLine
from tiktok_crawler.archive.seeds import PastSeeds
from tiktok_crawler.research_api.pages import end_of_list, list_page_of
from tiktok_crawler.research_api.verdicts import AnswerKind, classify
from tiktok_crawler.storage.engine.lock import QueryLock
from tiktok_crawler.storage.engine.transactions import transaction
from tiktok_crawler.storage.list_store import ListStore
from tiktok_crawler.storage.stage_session import lock_names

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tiktok_crawler.archive.counts import Counts
    from tiktok_crawler.archive.listing_lines import SeedLine
    from tiktok_crawler.archive.seeds import PastSeed
    from tiktok_crawler.research_api.listings import Listing
    from tiktok_crawler.research_api.pages import ListPage
    from tiktok_crawler.research_api.verdicts import Verdict


class ListingReplay:
    """Holds the locks of the listings that it meets until `close`."""

    def __init__(self, engine: Engine, counts: Counts) -> None:
        self._engine = engine
        self._counts = counts
        self._store = ListStore(engine)
        self._seeds: dict[str, PastSeeds] = {}
        self._locks: list[QueryLock] = []
        self._without_page: dict[int, Verdict] = {}

    def follow(self, line: StageLine | SeedLine) -> None:
        """Bring a line into the database.

        Raises:
            QueryLockedError: a crawl of the listing is running on the database.
        """
        seeds = self._seeds_of(line.source.listing)
        if isinstance(line, StageLine):
            seeds.register(line.seeds, line.began_at)
        else:
            self._follow(line, seeds, seeds.sent(line.asked))

    def close(self) -> None:
        for lock in self._locks:
            lock.release()

    def _seeds_of(self, listing: Listing) -> PastSeeds:
        if listing.name not in self._seeds:
            lock = QueryLock(self._engine, *lock_names(listing))
            lock.acquire()
            self._locks.append(lock)
            self._seeds[listing.name] = PastSeeds(self._engine, listing)
        return self._seeds[listing.name]

    def _follow(self, line: SeedLine, seeds: PastSeeds, seed: PastSeed) -> None:
        request = seed.request
        before = self._without_page.pop(request.seed_id, None)
        match line.event:
            case RawAnswer():
                self._answer(line, line.event, seeds, seed)
            case Believed() if before:
                self._page(line, list_page_of(request, before, received_at=line.at), seeds, seed)
            case ListEnded() if before:
                self._page(line, end_of_list(request, before, received_at=line.at), seeds, seed)
            case SeedRefused():
                seeds.refuse(seed, line.event, line.at)
            case SeedParked():
                seeds.park(seed, line.event, line.at)

    def _answer(self, line: SeedLine, answer: RawAnswer, seeds: PastSeeds, seed: PastSeed) -> None:
        self._counts.answers += 1
        request = seed.request
        verdict = classify(answer.status, answer.body, request.endpoint)
        if verdict.kind is AnswerKind.PAGE:
            self._page(line, list_page_of(request, verdict, received_at=line.at), seeds, seed)
        else:
            # The next line of the seed may say that the crawl made a page of it.
            self._without_page[request.seed_id] = verdict

    def _page(self, line: SeedLine, page: ListPage, seeds: PastSeeds, seed: PastSeed) -> None:
        counts = self._counts
        if seeds.has_page(page):
            counts.known_pages += 1
            counts.filled_records += transaction(self._engine, lambda on: fill(on, page))
            return
        is_late = seed.updated_at > max(line.at, line.asked.requested_at)
        moves_on = seed.is_whole and not is_late
        saved = self._store.save_page(page, tags=line.source.tags, moves_on=moves_on)
        counts.new_pages += 1
        counts.stray_list_pages += not (moves_on or is_late)
        counts.new_records += saved.new_count
        counts.updated_records += saved.updated_count
