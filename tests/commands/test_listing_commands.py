"""`scrapy crawl` of a listing as a process, and what status counts of it."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from processes import scrapy

pytestmark = pytest.mark.slow

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
    assert "nothing to ask for: of 2 users 0 are complete, 2 refused" in again.stderr


def test_repeats_in_a_file_of_seeds_are_told(tmp_path):
    (tmp_path / "names.csv").write_text("username,n\nann,1\n@ann,2\n")
    users = ("users", "-a", "usernames=@names.csv")

    plan = scrapy(tmp_path, "plan", *users, *SANDBOX)
    crawl = scrapy(tmp_path, "crawl", *users, *SANDBOX)

    told = "names.csv: 1 user; left out 1 repeat\n"
    assert told in plan.stdout
    assert told in crawl.stderr
