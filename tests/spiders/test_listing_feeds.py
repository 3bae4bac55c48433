"""With -O, each record of a listing is a line of a file, whatever the listing."""

from __future__ import annotations

import csv
import json

import pytest
from crawling import exit_status
from list_trials import OF_EACH_KIND
from listing_crawls import ListingDatabase
from sandboxes import recording_sandbox
from scrapy.utils.defer import deferred_f_from_coro_f

from tiktok_crawler.arguments.listing_arguments import SPIDERS
from tiktok_crawler.research_api import endpoints
from tiktok_crawler.sandbox.faults.profile import ListBehaviour, Profile

pytestmark = pytest.mark.slow

PROFILE = Profile(
    lists=ListBehaviour(
        comments=30, followers=30, following=30, unknown_users=0, withheld_users=0, private_likes=0
    )
)


@pytest.mark.parametrize("name", OF_EACH_KIND)
@deferred_f_from_coro_f
async def test_each_record_is_a_line_that_names_what_it_was_listed_of(name, tmp_path):
    listing = SPIDERS[name]
    feeds = {
        str(tmp_path / "records.jsonl"): {"format": "jsonlines"},
        str(tmp_path / "records.csv"): {"format": "csv"},
    }
    with recording_sandbox(profile=PROFILE) as (sandbox, url):
        seed = next(sandbox.seeds(name, at_least=1))
        database = ListingDatabase(f"sqlite:///{tmp_path / 'crawl.db'}", url)
        argument = {listing.seed_key.argument: seed}
        crawler = await database.crawl(name, {"FEEDS": feeds}, **argument)
        truth = sandbox.truth(name, seed)
    assert exit_status(crawler) == 0
    written = (tmp_path / "records.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in written.split("\n") if line]
    with (tmp_path / "records.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(lines) >= 1
    # A playlist is one record a page.
    assert len(lines) == len(truth) or listing is endpoints.PLAYLISTS
    assert all(seed in map(str, line.values()) for line in lines)
