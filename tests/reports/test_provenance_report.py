"""What a dataset tells of itself, in words: no more than the ledger bears out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from datasets import (
    DAYS,
    FIRST,
    FOURTH,
    HOUR,
    NOON,
    QUERY,
    SECOND,
    THIRD,
    covered,
    facts,
    parked_second,
    query,
)
from namings import naming
from tallies import tally

from tiktok_crawler.planning.task_states import SeedState
from tiktok_crawler.planning.window_days import DayCount
from tiktok_crawler.reports.dataset_tables import listings, missing_days
from tiktok_crawler.reports.provenance_report import lacking, methods_text, provenance_text
from tiktok_crawler.research_api.endpoints import COMMENTS, DEFAULT_URL, PLAYLISTS
from tiktok_crawler.storage.ledger.listing_status import ListingStatus
from tiktok_crawler.storage.ledger.provenance import (
    EarlyEnd,
    ListingFacts,
    Pages,
    QuotaDay,
    RunDay,
    RunFacts,
)

PSEUDONYMS = naming(lambda name: f"user{len(name)}")


def test_a_complete_collection_says_that_nothing_is_missing():
    counts = {day: DayCount(videos=9, withheld=1) for day in DAYS}
    told = facts(query(covered(counts=counts)))

    assert lacking(told) == []
    methods = methods_text(told)
    assert "Nothing that was asked for was missing as of 2024-06-01 12:00 UTC." in methods
    assert "A search was paged to its end for 4 of 4 days (100.0 %)" in methods
    assert "began at 2024-06-01 12:00 UTC." in methods
    assert (
        "the API counted 40 matches and delivered 36 videos; it withheld 4 (10.0 %) without "
        "saying why."
    ) in methods
    assert "Nothing of what was asked for." in provenance_text(told)


def test_an_incomplete_collection_says_so_with_days_and_reasons():
    told = facts(parked_second("HTTP 500 of @ann"))

    assert lacking(told) == ["Query 7: 1 of 4 days are not covered: 2024-01-02."]
    assert "The collection is incomplete as of 2024-06-01 12:00 UTC. Query 7:" in methods_text(told)
    row = "| 2024-01-02 | 1 | postponed after failures or a refusal: HTTP 500 of @ann |"
    assert row in provenance_text(told).splitlines()


@pytest.mark.parametrize(
    ("found", "rows"),
    [
        (query(), [("2024-01-01..2024-01-04", 4, "not searched")]),
        (query(covered()), []),
        (
            query(covered(FIRST), covered(SECOND), covered(THIRD), covered(FOURTH, at=NOON)),
            [],
        ),
        (
            query(covered(DAYS, at=datetime(2024, 1, 5, tzinfo=UTC))),
            [
                (
                    "2024-01-03..2024-01-04",
                    2,
                    "searched before all their videos had appeared, and not yet once more",
                )
            ],
        ),
    ],
)
def test_each_missing_day_has_its_reason(found, rows):
    assert list(missing_days(found.status).rows) == rows


def test_a_query_is_told_in_words_and_in_full():
    methods = methods_text(facts(query()))

    words = "videos by @some_body with #butter, published on 2024-01-01..2024-01-04 (4 days, UTC)."
    assert f"Query 7 asked for {words}" in methods
    assert f"Query 7 in full: {QUERY.canonical()}" in methods
    assert "for the fields id and username." in methods
    assert '"some_body"' in provenance_text(facts(query()))


def test_persons_pass_through_the_given_words_everywhere():
    told = facts(parked_second("nothing of ann"))
    texts = methods_text(told, PSEUDONYMS), provenance_text(told, PSEUDONYMS)

    for text in texts:
        assert "@user9" in text.replace("\\", "")
        assert "some_body" not in text.replace("\\", "")
    assert "NOTHING OF ANN" in texts[1]
    assert "A\\_TAG" in texts[1]


def test_a_sandbox_says_that_its_data_are_invented():
    told = facts(origin="sandbox")

    assert methods_text(told).startswith("The data are invented: they come from the sandbox")
    assert "**The data are invented" in provenance_text(told)


def test_runs_their_versions_and_the_quota_are_told():
    runs = RunFacts(
        NOON,
        NOON + HOUR,
        ("1.0", "1.1"),
        {"finished": 1, "shutdown": 1, None: 1},
        (RunDay(NOON.date(), 3, 20, {"fault": 2}),),
    )
    quota = (QuotaDay(NOON.date(), "research", 25, is_used_up=True),)
    told = facts(runs=runs, quota=quota)

    assert (
        f"from the TikTok Research API ({DEFAULT_URL}) with tiktok_crawler, versions 1.0 and 1.1, "
        "in 3 runs, the first begun at 2024-06-01 12:00 UTC, the last at 2024-06-01 13:00 UTC. "
        "They sent 25 requests on 1 day. "
        "The API said that the day's quota was used up on 2024-06-01."
    ) in methods_text(told)
    lines = provenance_text(told).splitlines()
    assert "| early: it was interrupted, by Ctrl-C or a signal | 1 |" in lines
    assert "| no end is written: still running, or killed | 1 |" in lines
    assert "| fault | 2 |" in lines
    assert "| 2024-06-01 | research | 25 | yes |" in lines
    assert "| video | 5,678 |" in lines
    assert not any(line.startswith("| comment ") for line in lines)


def test_listings_tell_their_ends_and_what_is_left():
    counts = dict.fromkeys(SeedState, 0) | {
        SeedState.COMPLETE: 3,
        SeedState.REFUSED: 2,
        SeedState.PARKED: 1,
    }
    come_to = tally({"complete": 2, "api_limit": 1}, {"withheld": 2}, seeds=4, stored=1100)
    status = ListingStatus(COMMENTS, counts, come_to, 1, 1100, 20, None)
    told = facts(listings=(ListingFacts(status, Pages(14, NOON, NOON + HOUR, 1100)),))

    assert lacking(told) == [
        "Comments: 1 of 6 videos are not at their end.",
        "Comments: 1 of 6 videos may lack something.",
    ]
    assert (
        "Of 6 videos the comments were asked for, with 20 requests; pages were received from "
        "2024-06-01 12:00 UTC to 2024-06-01 13:00 UTC. Of the lists, 2 complete, 1 complete up to "
        "the API's limit of 1,000. The API refused 2 videos: 2 withheld. "
        "The last listing of each delivered 1,100 comments."
    ) in methods_text(told)


def test_what_a_listing_that_ended_early_had_not_begun_is_told_as_unknown():
    ends = (EarlyEnd("users", NOON, "shutdown"), EarlyEnd("videos", NOON, None))
    told = facts(runs=RunFacts(early_ends=ends))

    users = (
        "The last run of users, begun at 2024-06-01 12:00 UTC, ended early (shutdown): of "
        "listings, what it had not begun is not counted."
    )
    assert lacking(told) == [users]
    assert users in methods_text(told)


def test_lists_that_were_refused_in_their_midst_are_told_as_missing():
    counts = dict.fromkeys(SeedState, 0) | {SeedState.REFUSED: 2}
    come_to = tally({}, {"withheld": 2}, broken_off=1, broken_off_records=100)
    status = ListingStatus(COMMENTS, counts, come_to, 0, 100, 3, None)
    told = facts(listings=(ListingFacts(status, Pages(1, NOON, NOON, 100)),))

    words = "of 1 video a part is there, 100 records: they were refused in the midst of their lists"
    assert lacking(told) == [f"Comments: {words}."]
    assert f"The API refused 2 videos: 2 withheld; {words}." in methods_text(told)


def test_what_is_stored_is_told_by_what_is_there():
    told = facts(rows={"comment": 1_087})

    assert "\n\nThe database has 1,087 comments, replies among them.\n\n" in methods_text(told)
    assert "The database has" not in methods_text(facts())


def test_videos_of_playlists_are_those_that_are_there():
    counts = dict.fromkeys(SeedState, 0) | {SeedState.COMPLETE: 1}
    status = ListingStatus(PLAYLISTS, counts, tally(seeds=1, stored=9), 0, 1, 1, None)
    told = facts(listings=(ListingFacts(status, Pages(1, NOON, NOON, 1)),))

    assert "The database has 9 videos of these." in methods_text(told)


def test_the_table_of_listings_counts_what_the_methods_count():
    counts = dict.fromkeys(SeedState, 0) | {SeedState.COMPLETE: 5}
    known = {"counted": 5, "counted_stored": 21, "total": 24}
    come_to = tally({"complete": 5}, seeds=5, stored=21, **known)
    records_of_pages = 5
    status = ListingStatus(PLAYLISTS, counts, come_to, 0, records_of_pages, 5, None)
    told = facts(listings=(ListingFacts(status, Pages(5, NOON, NOON, records_of_pages)),))

    assert "The database has 21 of about 24 videos of these." in methods_text(told)
    assert "21 of about 24" in listings(told).rows[0]


def test_lists_that_were_cut_are_not_told_as_complete():
    counts = dict.fromkeys(SeedState, 0) | {SeedState.COMPLETE: 3}
    known = {"counted": 3, "counted_stored": 250, "total": 9000}
    come_to = tally({"complete": 1, "cut": 2}, seeds=3, stored=250, **known)
    status = ListingStatus(COMMENTS, counts, come_to, 0, 250, 20, None)
    table = listings(facts(listings=(ListingFacts(status, Pages(14, NOON, NOON + HOUR, 250)),)))

    (row,) = table.rows
    told = dict(zip(table.head, row, strict=True))
    assert told["complete"] == 1
    assert told["cut at your maximum"] == 2
    assert told["delivered last"] == "250 of about 9,000"


def test_nothing_of_it_is_markdown_or_steers_a_terminal():
    told = parked_second("<b>bold</b> | a\x1b[31m\n# heading")

    assert "\\<b\\>bold\\</b\\> \\| a�\\[31m�\\# heading" in provenance_text(facts(told))


def test_where_the_database_is_stays_unsaid():
    told = facts(query())

    assert "/home/ann" not in provenance_text(told) + methods_text(told)
