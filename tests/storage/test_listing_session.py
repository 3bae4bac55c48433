"""A stage from its plan to its end, killed at any moment, and run again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from listed_pages import Crawl, stage
from stored_pages import NOON

from tiktok_crawler.items import ListRequest
from tiktok_crawler.research_api.listings import LISTINGS

DAY = timedelta(days=1)
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


@pytest.fixture(params=sorted(LISTINGS))
def listing(request):
    return LISTINGS[request.param]


def comments(number):
    return [{"id": 100 + n, "text": str(n)} for n in range(number)]


def test_each_listing_is_collected_and_complete(prepared_url, listing):
    with Crawl(prepared_url, stage(listing, "7"), tags=("tea",)) as crawl:
        (request,) = crawl.plan.requests
        assert request == ListRequest(listing, "7", request.seed_id)
        assert crawl.ask(request, RECORDS[listing.name]) is None
        assert crawl.saved.new_count >= 1
        assert (crawl.saved.refused, crawl.saved.misfits) == ((), ())
        assert crawl.saved.unknown_fields == frozenset()

    assert crawl.remains.is_fulfilled
    assert (crawl.remains.complete, crawl.remains.records) == (1, 1)
    with Crawl(prepared_url, stage(listing, "7"), now=NOON + DAY) as again:
        assert (again.plan.requests, again.plan.complete) == ((), 1)
