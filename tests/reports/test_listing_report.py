"""What is told of listings: how they ended, what was refused, and what the records count."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tallies import tally

from tiktok_crawler.planning.seeds import StageResult
from tiktok_crawler.planning.task_states import SeedState
from tiktok_crawler.reports.listing_report import listing_lines, refused_seeds, stage_outcome
from tiktok_crawler.research_api.endpoints import (
    COMMENTS,
    FOLLOWERS,
    FOLLOWING,
    PLAYLISTS,
    REPLIES,
    SHOPS,
)
from tiktok_crawler.research_api.verdicts import SeedStatus
from tiktok_crawler.storage.ledger.listing_status import ListingStatus


def outcome(listing, come_to, **states):
    counts = {"open": 0, "complete": 0, "refused": 0, "parked": 0} | states
    return stage_outcome(listing, StageResult(**counts, tally=come_to))


NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)


def words_of(listing, come_to, **states):
    counts = dict.fromkeys(SeedState, 0) | {SeedState(name): n for name, n in states.items()}
    status = ListingStatus(listing, counts, come_to, 0, come_to.stored, 7, None)
    return [line.strip() for line in listing_lines(status, NOON)]


CAPPED = tally(
    {"complete": 2, "api_limit": 48},
    seeds=50,
    stored=46_436,
    counted=50,
    counted_stored=46_436,
    total=1_034_000,
)


def test_a_stage_tells_what_was_delivered_of_what_the_records_count_and_how_lists_ended():
    assert outcome(COMMENTS, CAPPED, complete=50) == (
        "comments: of 50 videos 2 complete, 48 complete up to the API's limit of 1,000, "
        "0 refused, 0 open, 0 postponed; 46,436 of about 1,034,000 comments"
    )


def test_a_status_tells_the_same():
    assert words_of(COMMENTS, CAPPED, complete=50) == [
        "Listing comments",
        "seeds      50 videos: 0 open, 50 complete, 0 refused, 0 parked",
        "ends       2 complete, 48 complete up to the API's limit of 1,000",
        "delivered  46,436 of about 1,034,000 comments",
        "requests   7 so far",
    ]


@pytest.mark.parametrize(
    ("listing", "words"),
    [
        (COMMENTS, "0 complete, 1 complete up to the API's limit of 1,000"),
        (REPLIES, "0 complete, 1 complete up to the API's limit of 1,000"),
        (FOLLOWERS, "0 complete, 1 complete up to the API's limit of 4,000 to 5,000"),
        (SHOPS, "0 complete, 1 complete up to the API's limit of 10"),
    ],
)
def test_the_limit_is_named_as_far_as_it_is_known(listing, words):
    assert f"ends       {words}" in words_of(listing, tally({"api_limit": 1}), complete=1)


@pytest.mark.parametrize(
    ("listing", "argument"), [(COMMENTS, "max_per_video"), (FOLLOWING, "max_per_user")]
)
def test_what_was_cut_is_told_with_the_argument_that_cut_it(listing, argument):
    come_to = tally({"complete": 1, "cut": 3}, seeds=4)

    assert f"ends       1 complete, 3 cut at {argument}" in words_of(listing, come_to, complete=4)
    assert f"1 complete, 3 cut at {argument}, 0 refused" in outcome(listing, come_to, complete=4)


def test_a_status_says_nothing_of_ends_where_all_lists_are_complete():
    words = words_of(COMMENTS, tally({"complete": 3}), complete=3)

    assert not any(line.startswith("ends") for line in words)


def test_refusals_are_told_by_reason():
    come_to = tally({}, {"not_found": 12, "withheld": 3, "refused": 1})
    why = "12 not found, 3 withheld, 1 refused for other reasons"

    assert f"refused    {why}" in words_of(FOLLOWERS, come_to, refused=16)
    assert f"16 refused ({why}), 0 open" in outcome(FOLLOWERS, come_to, refused=16)


@pytest.mark.parametrize(
    ("listing", "sums", "words"),
    [
        (COMMENTS, {"seeds": 5, "stored": 1234}, "1,234 comments"),
        (REPLIES, {"seeds": 1, "stored": 1}, "1 reply"),
        (
            COMMENTS,
            {"seeds": 5, "stored": 90, "counted": 4, "counted_stored": 80, "total": 1200},
            "90 comments; 80 of about 1,200 by the counters of 4 of 5 videos",
        ),
        (
            PLAYLISTS,
            {"seeds": 2, "stored": 9, "counted": 2, "counted_stored": 9, "total": 10},
            "9 of about 10 videos",
        ),
        (
            FOLLOWING,
            {"seeds": 2, "stored": 90, "counted": 2, "counted_stored": 90, "total": 80},
            "90 accounts; the counters of 2 users say about 80",
        ),
        (
            FOLLOWERS,
            {"seeds": 1, "stored": 0, "counted": 1, "counted_stored": 0, "total": 80},
            "0 of about 80 followers",
        ),
        (
            FOLLOWERS,
            {"seeds": 3, "stored": 99, "counted": 2, "counted_stored": 90, "total": 80},
            "99 followers; the counters of 2 of 3 users say about 80",
        ),
    ],
)
def test_what_was_delivered_is_never_a_part_of_less(listing, sums, words):
    assert f"delivered  {words}" in words_of(listing, tally(**sums), complete=sums["seeds"])


SAID = "; the API said of the first: HTTP 400: no�"


@pytest.mark.parametrize(
    ("status", "names", "count", "words"),
    [
        ("not_found", "abc", 12, "followers: 12 users were not found: a, b, c and 9 more"),
        ("not_found", "a", 1, "followers: 1 user was not found: a"),
        ("withheld", "abc", 3, "followers: 3 users were withheld: a, b, c"),
        (
            "refused",
            ["\x1b[31m"],
            1_001,
            f"followers: 1,001 users were refused for other reasons: �[31m and 1,000 more{SAID}",
        ),
    ],
)
def test_refused_seeds_are_one_line_for_each_reason(status, names, count, words):
    told = refused_seeds(FOLLOWERS, SeedStatus(status), names, count, "HTTP 400: no\x1b")

    assert told == words
