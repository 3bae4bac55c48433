"""Several writers of listings on one database, and many pages of one writer."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from listed_pages import Crawl, stage
from stored_pages import rows, video

from tiktok_crawler.research_api.endpoints import LISTINGS

pytestmark = pytest.mark.slow

SEEDS, PAGES = 4, 4
EDGES = 200_000
MEGABYTE = 1024
"""In kilobytes, as the kernel counts memory."""

WRITER = """
import sys
from test_listing_writers import write_pages

write_pages(sys.argv[1], sys.argv[2], sys.stdin.readline)
"""

MANY_EDGES = """
import sys
from pathlib import Path
from test_listing_writers import write_edges

write_edges(sys.argv[1], int(sys.argv[2]))
(peak,) = (line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
print(peak.split()[1])
"""


def program(text, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", text, *arguments],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def record(listing, chance):
    """One of few things, so that all writers have the same ones, with values of their own."""
    match listing:
        case "followers" | "following":
            name = f"user{chance.randrange(200)}"
            return {"username": name, "display_name": str(chance.randrange(9))}
        case "comments" | "replies":
            return {"id": chance.randrange(1, 300), "like_count": chance.randrange(9)}
    tags = [f"h{chance.randrange(50)}" for _ in range(3)]
    return video(chance.randrange(1, 300), like_count=chance.randrange(9), hashtag_names=tags)


def write_pages(url, listing, wait):
    """List a few seeds, in pages whose records other listings have too."""
    chance = random.Random(listing)
    seeds = [str(number) for number in range(SEEDS)]
    with Crawl(url, stage(LISTINGS[listing], *seeds), tags=("shared",)) as crawl:
        wait()
        for request in crawl.requests:
            following = request
            for number in range(PAGES):
                records = [record(listing, chance) for _ in range(100)]
                following = crawl.ask(following, *records, has_more=number < PAGES - 1)


@pytest.mark.parametrize(
    "listings",
    [("followers", "following"), ("comments", "replies"), ("liked_videos", "reposted_videos")],
)
def test_writers_of_the_same_records_do_not_disturb_each_other(engine, prepared_url, listings):
    processes = [program(WRITER, prepared_url, listing) for listing in listings]
    errors = [process.communicate("\n")[1] for process in processes]

    assert errors == ["", ""]
    seeds = rows(engine, "seed")
    assert {(seed["state"], seed["pages"]) for seed in seeds} == {("complete", PAGES)}
    assert len(seeds) == SEEDS * len(listings)
    assert len(rows(engine, "crawl")) == SEEDS * PAGES * len(listings)
    table, size = {
        "followers": ("account", 200 + SEEDS),
        "comments": ("comment", 299),
        "liked_videos": ("video", 299),
    }[listings[0]]
    assert len(rows(engine, table)) == size


def write_edges(url, edges):
    """Write followers of users of 400 each, in pages of 100."""
    users = tuple(f"star{number}" for number in range(edges // 400))
    with Crawl(url, stage(LISTINGS["followers"], *users)) as crawl:
        for user, request in enumerate(crawl.requests):
            following = request
            for number in range(4):
                first = (user * 37 + number * 100) % 50_000
                records = [{"username": f"user{first + n}"} for n in range(100)]
                following = crawl.ask(following, *records, has_more=number < 3)


@pytest.mark.marathon
def test_memory_does_not_grow_with_the_edges(make_engine, prepared_sqlite_url):
    few, many = (
        program(MANY_EDGES, prepared_sqlite_url, str(edges)).communicate()
        for edges in (2_000, EDGES)
    )

    assert (few[1], many[1]) == ("", "")
    assert int(many[0]) - int(few[0]) < 40 * MEGABYTE
    assert len(rows(make_engine(prepared_sqlite_url), "user_relation")) == EDGES
