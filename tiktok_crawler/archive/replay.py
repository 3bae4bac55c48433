"""Brings what archives say into a database, line by line, without a request.

What the crawl did with each answer is done again, with the same times; what the database knows
already is left as it is. So replaying twice changes nothing, and neither does replaying into the
database that the crawl filled, but for columns that were empty.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tiktok_crawler.archive.answers import Believed, RawAnswer
from tiktok_crawler.archive.counts import Counts
from tiktok_crawler.archive.filling import fill
from tiktok_crawler.archive.lines import (
    RunLine,
    SuspectLine,
    WindowLine,
    WindowParked,
    WindowShrunk,
    WindowSplit,
)
from tiktok_crawler.archive.listing_lines import SeedLine, StageLine
from tiktok_crawler.archive.listing_replay import ListingReplay
from tiktok_crawler.archive.runs import query_id_of, register_run
from tiktok_crawler.archive.windows import PastWindow, PastWindows
from tiktok_crawler.planning.plan import ID_SKEW
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.pages import page_of
from tiktok_crawler.research_api.verdicts import AnswerKind, classify
from tiktok_crawler.storage.engine.lock import QueryLock
from tiktok_crawler.storage.engine.transactions import transaction
from tiktok_crawler.storage.ledger.queries import Ledger
from tiktok_crawler.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from sqlalchemy import Engine

    from tiktok_crawler.archive.lines import Line
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.research_api.query import Query
    from tiktok_crawler.research_api.verdicts import Verdict


class Replay:
    """Holds the locks of the queries and listings that it meets until `close`."""

    def __init__(self, engine: Engine, *, id_skew: timedelta = ID_SKEW) -> None:
        self.counts = Counts()
        self._engine = engine
        self._id_skew = id_skew
        self._store = Store(engine)
        self._ledger = Ledger(engine)
        self._windows = PastWindows(engine, self._ledger)
        self._query_ids: dict[Query, int] = {}
        self._last_at: dict[int, datetime] = {}
        self._locks: list[QueryLock] = []
        self._malformed: dict[int | None, RawAnswer] = {}
        self._listings = ListingReplay(engine, self.counts)

    def run(self, lines: Iterable[Line]) -> None:
        """Bring the lines, which come in their order, into the database.

        Raises:
            QueryLockedError: a crawl of a query or listing is running on the database.
        """
        for line in lines:
            self.counts.lines += 1
            if isinstance(line, StageLine | SeedLine):
                self._listings.follow(line)
            else:
                self._search(line)
        for query_id, at in self._last_at.items():
            self._ledger.revise(query_id, self._id_skew, at)

    def close(self) -> None:
        for lock in self._locks:
            lock.release()
        self._listings.close()

    def _search(self, line: RunLine | SuspectLine | WindowLine) -> None:
        query_id = self._query_id(line.source.query, line.at)
        match line:
            case RunLine():
                self._begin(line)
                self._ledger.revise(query_id, self._id_skew, line.at)
            case SuspectLine():
                self._windows.suspect(query_id, line)
            case WindowLine():
                self._follow(line, self._windows.sent(query_id, line.asked))
        self._last_at[query_id] = line.at

    def _query_id(self, query: Query, at: datetime) -> int:
        if query not in self._query_ids:
            lock = QueryLock(self._engine, query.fingerprint)
            lock.acquire()
            self._locks.append(lock)
            query_id = transaction(self._engine, lambda on: query_id_of(on, query, at))
            self._query_ids[query] = query_id
        return self._query_ids[query]

    def _begin(self, line: RunLine) -> None:
        run = line.run
        transaction(self._engine, lambda on: register_run(on, run.collection, run.began_at))

    def _follow(self, line: WindowLine, window: PastWindow) -> None:
        match line.event:
            case RawAnswer():
                self._answer(line, line.event, window)
            case Believed():
                if answer := self._malformed.pop(window.request.window_id, None):
                    self._page(line, window, _verdict(answer))
            case WindowShrunk() if window.is_news(line.at):
                self._windows.shrink(window, line.event, line.at)
            case WindowSplit() if window.is_news(line.at):
                self._windows.split(window, line.event, line.at)
            case WindowParked() if window.is_news(line.at):
                self._windows.park(window, line.event, line.at)

    def _answer(self, line: WindowLine, answer: RawAnswer, window: PastWindow) -> None:
        self.counts.answers += 1
        self._malformed.pop(window.request.window_id, None)
        verdict = _verdict(answer)
        if verdict.kind is AnswerKind.PAGE:
            self._page(line, window, verdict)
        elif verdict.kind is AnswerKind.MALFORMED:
            # The next line of the window may say that the crawl believed it.
            self._malformed[window.request.window_id] = answer

    def _page(self, line: WindowLine, window: PastWindow, verdict: Verdict) -> None:
        page = page_of(VIDEO_QUERY, window.request, verdict, received_at=line.at)
        if self._windows.has_page(page):
            self.counts.known_pages += 1
            self.counts.filled_videos += transaction(self._engine, lambda on: fill(on, page))
        elif window.updated_at > max(line.at, line.asked.requested_at):
            self.counts.outdated_pages += 1
        else:
            self._save(page, line.source.tags, is_whole=window.is_whole)

    def _save(self, page: Page, tags: tuple[str, ...], *, is_whole: bool) -> None:
        # Where pages are missing, the window must not move on or be complete, not for a moment.
        safe = page if is_whole else replace(page, has_more=True, cursor=0, search_id=None)
        saved = self._store.save_page(safe, tags=tags)
        self.counts.new_pages += 1
        self.counts.new_videos += saved.new_count
        self.counts.updated_videos += saved.updated_count
        if not is_whole:
            self.counts.stray_pages += 1
            self._windows.page_without_those_before(page)


def _verdict(answer: RawAnswer) -> Verdict:
    return classify(answer.status, answer.body)
