"""How many pages a listing can take at the most."""

from __future__ import annotations

import pytest
from asked import seed_request

from tiktok_crawler.planning.page_counts import most_pages
from tiktok_crawler.research_api.endpoints import LISTINGS


def pages(name, total=None, **request):
    return most_pages(seed_request(LISTINGS[name], **request), total)


@pytest.mark.parametrize("name", ["users", "pinned_videos", "shops"])
def test_what_has_one_page_takes_one(name):
    assert pages(name) == pages(name, 1000) == 1


@pytest.mark.parametrize(
    ("name", "total", "most"),
    [
        ("comments", 0, 1),
        ("comments", 100, 1),
        ("comments", 101, 2),
        ("comments", 50_000, 10),
        ("comments", None, 10),
        ("replies", 250, 3),
        ("replies", None, 10),
        ("followers", 450, 5),
        ("followers", 10**6, 50),
        ("followers", None, 50),
        ("following", 250, 3),
        ("following", None, None),
        ("liked_videos", None, None),
        ("playlists", 250, 3),
        ("reviews", 20, 3),
        ("products", None, None),
    ],
)
def test_counts_and_caps_bound_the_pages(name, total, most):
    assert pages(name, total) == most


@pytest.mark.parametrize(
    ("name", "total", "request_", "most"),
    [
        ("comments", 1000, {"limit": 150}, 2),
        ("comments", 120, {"limit": 500}, 2),
        ("liked_videos", None, {"limit": 250}, 3),
        ("liked_videos", None, {"limit": 250, "cursor": 5, "received": 90}, 2),
        ("comments", 1000, {"cursor": 900, "received": 860}, 1),
        ("followers", 450, {"cursor": 1_700_000_000, "received": 300}, 2),
        ("comments", 50, {"cursor": 100, "received": 99}, 1),
        ("playlists", 250, {"limit": 150, "cursor": 100, "received": 1}, 1),
        ("playlists", None, {"limit": 150}, 2),
    ],
)
def test_a_limit_and_what_has_come_bound_the_pages(name, total, request_, most):
    assert pages(name, total, **request_) == most
