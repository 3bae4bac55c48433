"""Runs of stages, and records of each listing."""

from __future__ import annotations

from itertools import chain

from stored_pages import ACCOUNT, NOON, Run

from tiktok_crawler.planning.seeds import GivenSeeds, Stage
from tiktok_crawler.storage.stage_session import StageSession

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


class Crawl(Run):
    """A run of a stage."""

    def __init__(self, url, stage, *, account=ACCOUNT, now=NOON, alone=True, tags=()):  # noqa: PLR0913
        session = StageSession(url, origin="sandbox", stage=stage, tags=tags, account=account)
        super().__init__(session, now, alone=alone)

    def __enter__(self):
        super().__enter__()
        self.plan = self.session.plan(self.now)
        self.requests = tuple(chain.from_iterable(iter(self.session.due, ())))
        return self

    def __exit__(self, *_error):
        self.result = self.session.result()
        super().__exit__()


def store_list(url, listing, seed, *records, now=NOON, max_age=None, **options):
    """Store a listing of one page."""
    wanted = stage(listing, seed, max_age=max_age)
    with Crawl(url, wanted, now=now, **options) as crawl:
        (request,) = crawl.requests
        crawl.ask(request, *records)
    return crawl
