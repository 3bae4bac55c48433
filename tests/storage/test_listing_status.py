"""How far the listings of a database are."""

from __future__ import annotations

from datetime import timedelta

from listed_pages import Crawl, stage
from stored_pages import NOON

from tiktok_crawler.planning.task_states import Parked, Refused, SeedState
from tiktok_crawler.research_api.endpoints import COMMENTS, USERS
from tiktok_crawler.research_api.verdicts import SeedStatus
from tiktok_crawler.storage.engine.transactions import reading
from tiktok_crawler.storage.ledger.listing_status import ListingStatus, listing_statuses
from tiktok_crawler.storage.ledger.status import read_status


def statuses(engine):
    with reading(engine) as connection:
        return listing_statuses(connection)


def counts(**states):
    return dict.fromkeys(SeedState, 0) | {SeedState(name): n for name, n in states.items()}


def test_seeds_are_counted_by_listing_and_state(engine, prepared_url):
    with Crawl(prepared_url, stage(USERS, "ann", "bob", "cleo")) as users:
        first, second, third = users.requests
        users.ask(first, {"display_name": "Ann"})
        withheld = Refused(SeedStatus.WITHHELD, "private", None)
        users.session.end(users.book(second), withheld, users.later())
        users.session.open_task(third, users.later())
    with Crawl(prepared_url, stage(COMMENTS, "1", "2")) as comments:
        first, second = comments.requests
        comments.ask(first, {"id": 1}, {"id": 2}, suspicious=True)
        booked = comments.book(second)
        for _ in range(2):
            parked_at = comments.later()
            comments.session.end(booked, Parked("HTTP 500", None, booked.place), parked_at)

    due = parked_at + timedelta(hours=1)
    expected = [
        ListingStatus("comments", counts(complete=1, parked=1), 1, 2, 2, due),
        ListingStatus("users", counts(open=1, complete=1, refused=1), 0, 1, 2, None),
    ]
    assert statuses(engine) == expected
    assert [listing.seeds for listing in expected] == [2, 3]
    assert read_status(prepared_url, None, NOON).listings == tuple(expected)


def test_a_database_without_listings_has_none(engine):
    assert statuses(engine) == []
