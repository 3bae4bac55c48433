"""`scrapy crawl` of listings as a process: exit status, messages, feeds, and what status counts."""

from __future__ import annotations

import csv
import json
from collections import Counter

import pytest
from listing_crawls import ListingDatabase
from processes import scrapy

SANDBOX = ("-s", "TIKTOK_SANDBOX=True")


def test_without_credentials_the_sandbox_is_listed_and_status_counts_it(tmp_path):
    (tmp_path / "names.txt").write_text("nobody.at.all\nnobody7\n")
    run = scrapy(tmp_path, "crawl", "users", "-a", "usernames=@names.txt", *SANDBOX)
    assert run.returncode == 0, run.stderr
    assert "2 refused" in run.stderr
    report = json.loads(scrapy(tmp_path, "status", "--json", *SANDBOX).stdout)
    (listing,) = report["listings"]
    assert listing["listing"] == "users"
    assert Counter(listing["seeds"]) == Counter({"refused": 2})
    again = scrapy(tmp_path, "crawl", "users", "-a", "usernames=@names.txt", *SANDBOX)
    assert again.returncode == 0
    assert "nothing to ask for: of 2 seeds 0 are complete, 2 refused" in again.stderr


def test_a_feed_has_a_line_for_each_record(tmp_path):
    names = "-a", "shop_names=Cold Kitchen Shop,Shop"
    run = scrapy(tmp_path, "crawl", "shops", *names, "-O", "x.csv", "-O", "x.jsonl", *SANDBOX)
    assert run.returncode == 0, run.stderr
    database = ListingDatabase(f"sqlite:///{tmp_path / 'tiktok-sandbox.db'}", "")
    stored = set(map(str, database.column("SELECT id FROM shop")))
    assert stored
    lines = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert {str(line["shop_id"]) for line in lines} == stored
    with (tmp_path / "x.csv").open(newline="") as file:
        assert [row["shop_id"] for row in csv.DictReader(file)] == [
            str(line["shop_id"]) for line in lines
        ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("users",), "users need one of -a usernames=..."),
        (("users", "-a", "usernames=ann", "-a", "from_tag=one"), "not 2"),
        (("users", "-a", "usernames=@gone.txt"), "there is no such file"),
        (("comments", "-a", "video_ids=seven"), "seven"),
        (("comments", "-a", "video_ids=7", "-a", "replies=yes"), "allowed are 0 and 1"),
        (("followers", "-a", "usernames=ann", "-a", "max_per_user=0"), "max_per_user"),
        (("users", "-a", "usernames=ann", "-a", "max_age=old"), "max_age"),
        (("reviews", "-a", "usernames=ann"), "usernames"),
    ],
)
def test_wrong_arguments_end_with_64_and_one_line(tmp_path, arguments, words):
    run = scrapy(tmp_path, "crawl", *arguments, *SANDBOX)
    assert run.returncode == 64, run.stderr
    assert "Traceback" not in run.stderr
    assert words in run.stderr.strip().splitlines()[-1]
    assert list(tmp_path.glob("*.db")) == []
