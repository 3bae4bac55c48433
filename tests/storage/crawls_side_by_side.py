"""A process that crawls: it books requests and saves pages. Command: DATABASE_URL CRAWL...

It says 0 when it is ready. Standard input has the numbers of rounds: it saves the pages that its
crawls received in a round, in the order of time, and says how many of their videos were new.
Errors of the database go to standard error, whatever the store makes of them.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from overlapping_pages import pages_of_round
from sqlalchemy import event
from stored_pages import ACCOUNT, book, collection, page, query_id_of

from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.query import Condition, Query
from tiktok_crawler.research_api.tasks import PageRequest, Window
from tiktok_crawler.storage.engine.database import create_engine_for, database_url
from tiktok_crawler.storage.page_store import PageStore

if TYPE_CHECKING:
    from overlapping_pages import OverlappingPage
    from sqlalchemy import Engine

ANSWERING = timedelta(seconds=30)


class Crawl:
    """A crawl of a query of its own."""

    def __init__(self, engine: Engine, store: PageStore, number: int) -> None:
        self._query = Query(and_=(Condition("keyword", "EQ", (str(number),)),))
        self._engine, self._store = engine, store
        self._query_id = query_id_of(engine, collection(query=self._query, tags=("shared",)))
        self._next: PageRequest | None = None

    def write(self, received: OverlappingPage) -> int:
        """Book and save a page; how many of its videos were new."""
        request = self._next
        if received.starts_search:
            request = PageRequest(Window(self._query, received.window, VIDEO_QUERY.fields))
        booked_at = received.received_at - ANSWERING
        booked = book(self._engine, self._query_id, request, booked_at, ACCOUNT)
        answer = page(
            booked,
            *received.records,
            has_more=received.has_more,
            received_at=received.received_at,
        )
        self._next = answer.next_request
        return self._store.save(answer, tags=received.tags).new_count


def main() -> None:
    engine = create_engine_for(database_url(sys.argv[1]))
    event.listen(engine, "handle_error", lambda on: sys.stderr.write(f"{on.original_exception}\n"))
    store = PageStore(engine)
    crawls = {number: Crawl(engine, store, number) for number in map(int, sys.argv[2:])}
    say(0)
    for round_ in sys.stdin:
        pages = pages_of_round(int(round_), crawls)
        say(sum(crawls[each.crawl].write(each) for each in pages))


def say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
