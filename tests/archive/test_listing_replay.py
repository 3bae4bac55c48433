"""What a replay makes of lines about listings: nothing overwritten, nothing complete by mistake."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from archived import (
    NOON,
    comments_line,
    content,
    replay_lines,
    seed_line,
    stage_line,
)
from sqlalchemy import text

from tiktok_crawler.archive.answers import Believed, RawAnswer
from tiktok_crawler.archive.listing_lines import ListEnded, SeedParked, SeedRefused
from tiktok_crawler.exceptions import QueryLockedError
from tiktok_crawler.research_api.listings import COMMENTS
from tiktok_crawler.research_api.verdicts import SeedStatus
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.lock import QueryLock
from tiktok_crawler.storage.stage_session import lock_names

FIRST = comments_line(2, 1, 2)
SECOND = comments_line(4, 3, 4, cursor=100)
LAST = comments_line(6, 5, cursor=200, has_more=False)
WHOLE = (stage_line("7", "8"), FIRST, SECOND, LAST)
NO = RawAnswer(400, {}, b'{"error": {"code": "invalid_params", "message": "no"}}')
MALFORMED = RawAnswer(200, {}, b'{"error": {"code": "ok", "message": ""}}')
REFUSED = SeedRefused(SeedStatus.REFUSED, "no", None)


def at(second):
    return NOON + timedelta(seconds=second)


def seed(url, name="7"):
    (found,) = [row for row in content(url)["seed"] if row["seed"] == name]
    return found


def comment_ids(url):
    return {row["id"] for row in content(url)["comment"]}


def test_pages_complete_their_seed_and_other_seeds_stay_wanted(database_url):
    counts = replay_lines(database_url, WHOLE)
    assert (counts.lines, counts.answers, counts.new_pages, counts.new_records) == (4, 3, 3, 5)
    found = seed(database_url)
    assert (found["state"], found["position"], found["pages"]) == ("complete", 5, 3)
    assert (found["requests"], found["attempts"]) == (3, 1)
    assert (found["begun_at"], found["completed_at"]) == (at(1), at(6))
    assert (seed(database_url, "8")["state"], seed(database_url, "8")["requests"]) == ("open", 0)
    before = content(database_url)
    assert replay_lines(database_url, WHOLE).known_pages == 3
    assert content(database_url) == before


@pytest.mark.parametrize(("missing", "cursor"), [(FIRST, 0), (SECOND, 100)])
def test_a_seed_of_which_a_page_is_missing_stays_there(database_url, missing, cursor):
    lines = [line for line in WHOLE if line is not missing]
    counts = replay_lines(database_url, lines)
    assert counts.stray_list_pages == (2 if missing is FIRST else 1)
    assert comment_ids(database_url) == {1, 2, 3, 4, 5} - ({1, 2} if missing is FIRST else {3, 4})
    assert (seed(database_url)["state"], seed(database_url)["cursor"]) == ("open", cursor)
    before = content(database_url)
    replay_lines(database_url, lines)
    assert content(database_url) == before


@pytest.mark.parametrize("missing", [FIRST, SECOND])
@pytest.mark.parametrize(
    "events",
    [
        [seed_line(8, NO, cursor=200), seed_line(8, REFUSED, cursor=200)],
        [seed_line(8, NO, cursor=200), seed_line(8, SeedParked("no", None, 200, 4), cursor=200)],
        [seed_line(8, NO, cursor=200), seed_line(8, ListEnded(), cursor=200)],
    ],
)
def test_what_became_of_a_seed_with_a_missing_page_does_not_end_it(sqlite_url, events, missing):
    lines = [line for line in (*WHOLE[:3], *events) if line is not missing]
    replay_lines(sqlite_url, lines)
    assert seed(sqlite_url)["state"] == "open"
    assert seed(sqlite_url)["cursor"] < 200


def test_a_new_listing_of_a_seed_with_a_missing_page_completes_it(sqlite_url):
    again = comments_line(20, 1, 9, has_more=False)
    replay_lines(sqlite_url, [FIRST, LAST, again])
    assert (seed(sqlite_url)["state"], seed(sqlite_url)["position"]) == ("complete", 2)
    assert comment_ids(sqlite_url) == {1, 2, 5, 9}


def test_a_page_that_the_crawl_could_not_store_is_stored_and_then_followed_again(database_url):
    # Killed after the archive had the last page, the crawl asks for it once more.
    replay_lines(database_url, [*WHOLE, seed_line(19, RawAnswer(500, {}, b""), cursor=200)])
    found = seed(database_url)
    assert (found["state"], found["cursor"], found["position"]) == ("open", 200, 4)
    assert (found["pages"], found["completed_at"], found["has_more"]) == (2, None, True)
    assert found["last_page_at"] == at(4)
    last_again = comments_line(30, 5, 6, cursor=200, has_more=False)
    replay_lines(database_url, [last_again])
    found = seed(database_url)
    assert (found["state"], found["pages"], found["position"]) == ("complete", 3, 6)
    assert len(content(database_url)["crawl"]) == 4


def test_an_older_answer_to_a_listing_that_has_gone_on_is_stored_and_moves_nothing(sqlite_url):
    replay_lines(sqlite_url, [FIRST, SECOND])
    before = seed(sqlite_url)
    late = replace(comments_line(3, 1, 99), asked=FIRST.asked)
    counts = replay_lines(sqlite_url, [late])
    assert (counts.new_pages, counts.stray_list_pages) == (1, 0)
    assert comment_ids(sqlite_url) == {1, 2, 3, 4, 99}
    assert seed(sqlite_url) == before


def test_a_limit_ends_a_listing_and_a_later_run_goes_on(sqlite_url):
    request = replace(FIRST.asked.request, limit=2)
    first = replace(FIRST, asked=replace(FIRST.asked, request=request))
    replay_lines(sqlite_url, [first])
    assert (seed(sqlite_url)["state"], seed(sqlite_url)["has_more"]) == ("complete", True)
    replay_lines(sqlite_url, [SECOND, LAST])
    assert (seed(sqlite_url)["state"], seed(sqlite_url)["has_more"]) == ("complete", False)
    assert seed(sqlite_url)["attempts"] == 1


def test_a_malformed_answer_is_a_page_only_if_the_crawl_believed_it(sqlite_url):
    malformed = seed_line(5, MALFORMED)
    replay_lines(sqlite_url, [malformed])
    assert content(sqlite_url)["crawl"] == []
    believed = replace(malformed, event=Believed())
    # The database was away when the crawl was to store what the line says.
    counts = replay_lines(sqlite_url, [malformed, believed, believed])
    assert (counts.new_pages, counts.known_pages) == (1, 0)
    assert (seed(sqlite_url)["state"], seed(sqlite_url)["suspicious"]) == ("complete", True)


def test_a_line_that_is_there_twice_counts_once(sqlite_url):
    parked = seed_line(6, SeedParked("no", "LOG", 0, 0))
    replay_lines(sqlite_url, [seed_line(6, NO), parked, parked])
    found = seed(sqlite_url)
    assert (found["state"], found["parked_count"], found["error"]) == ("parked", 1, "no")
    page = comments_line(20, 1, has_more=False)
    refused = replace(page, event=REFUSED)
    replay_lines(sqlite_url, [page, refused])
    found = seed(sqlite_url)
    assert (found["state"], found["error"], found["retry_at"]) == ("complete", None, None)


def test_a_refused_seed_that_is_asked_for_again_is_open_until_it_answers(sqlite_url):
    replay_lines(sqlite_url, [seed_line(6, NO), seed_line(6, REFUSED)])
    assert (seed(sqlite_url)["state"], seed(sqlite_url)["status"]) == ("refused", "refused")
    replay_lines(sqlite_url, [seed_line(20, RawAnswer(500, {}, b""))])
    assert (seed(sqlite_url)["state"], seed(sqlite_url)["status"]) == ("open", None)


def test_a_column_that_is_empty_is_filled_from_the_archive(database_url):
    replay_lines(database_url, WHOLE)
    engine = database.create_engine_for(database.database_url(database_url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE comment SET text = NULL WHERE id < 3"))
    engine.dispose()
    assert replay_lines(database_url, WHOLE).filled_records == 2
    assert {row["text"] for row in content(database_url)["comment"]} == set("12345")


def test_a_listing_that_is_being_crawled_is_not_replayed(sqlite_url):
    replay_lines(sqlite_url, WHOLE)
    engine = database.create_engine_for(database.database_url(sqlite_url))
    lock = QueryLock(engine, *lock_names(COMMENTS))
    lock.acquire()
    with pytest.raises(QueryLockedError):
        replay_lines(sqlite_url, WHOLE)
    lock.release()
    engine.dispose()
    replay_lines(sqlite_url, WHOLE)
