"""Stages, pages of listings, and sessions that store them."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING

from stored_pages import ACCOUNT, NOON

from tiktok_crawler.planning.seeds import GivenSeeds, Stage
from tiktok_crawler.research_api.pages import ListPage
from tiktok_crawler.research_api.paging import Paging
from tiktok_crawler.storage.stage_session import StageSession

if TYPE_CHECKING:
    from tiktok_crawler.research_api.tasks import ListRequest

MINUTE = timedelta(minutes=1)

RECORDS = {
    "comments": {"id": 5, "text": "yes"},
    "replies": {"id": 6, "text": "no"},
    "users": {"display_name": "Ann", "follower_count": 3},
    "followers": {"username": "bob", "display_name": "Bob"},
    "following": {"username": "zoe"},
    "liked_videos": {"id": 1, "hashtag_names": ["tea"]},
    "pinned_videos": {"id": 2},
    "reposted_videos": {"id": 3},
    "playlists": {"playlist_id": 7, "playlist_name": "teas", "playlist_video_ids": [1, 9]},
    "shops": {"shop_id": 8, "shop_name": "Tea & Co"},
    "products": {"product_id": "10", "product_name": "Green tea"},
    "reviews": {"review_text": "good", "create_time": 1_700_000_000_000},
}
"""A record of each listing."""


def stage(listing, *seeds, **limits):
    return Stage(listing, GivenSeeds(seeds), **limits)


def list_page(request: ListRequest, *records, received_at=NOON, **answer) -> ListPage:
    """The answer to a request, as far on as its endpoint's cursors go."""
    paging = request.listing.endpoint.paging
    cursor = {
        Paging.INDEX: request.cursor + request.listing.endpoint.max_count,
        Paging.NUMBERED: request.cursor + 1,
        Paging.FALLING: (request.cursor or 1_700_000_000) - 10,
        Paging.OPAQUE: request.cursor + 7,
        Paging.SINGLE: 0,
    }[paging]
    values = {"cursor": cursor, "has_more": False, "log_id": "202406011230"} | answer
    return ListPage(request=request, records=records, received_at=received_at, **values)


class Crawl:
    """A run of a stage; each step a minute after the one before."""

    def __init__(self, url, stage, *, tags=(), account=ACCOUNT, now=NOON):
        self.now = now
        self.session = StageSession(url, origin="sandbox", stage=stage, tags=tags, account=account)
        self.session.open()
        self.plan = self.session.plan(now)
        batches = iter(lambda: self.session.due(now), ())
        self.requests = tuple(chain.from_iterable(batches))

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.remains = self.session.close()

    def later(self):
        self.now += MINUTE
        return self.now

    def ask(self, request, *records, **answer):
        """Book a request, and store its answer."""
        booked = self.session.book(request, self.later())
        page = list_page(booked, *records, received_at=self.later(), **answer)
        self.saved = self.session.save_page(page)
        return page.next_request


def store_list(url, listing, seed, *records, now=NOON, max_age=None, **options):
    """Store a listing of one page."""
    wanted = stage(listing, seed, max_age=max_age)
    with Crawl(url, wanted, now=now, **options) as crawl:
        (request,) = crawl.requests
        crawl.ask(request, *records)
    return crawl
