"""What a replay makes of lines: nothing overwritten, and never more coverage than is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from archived import (
    JANUARY,
    NOON,
    SOURCE,
    answer_line,
    body,
    content,
    replay_lines,
    request,
    run_line,
    window_line,
)
from sqlalchemy import text

from tiktok_crawler.archive.answers import Believed, RawAnswer
from tiktok_crawler.archive.lines import SuspectLine, WindowParked, WindowShrunk, WindowSplit
from tiktok_crawler.exceptions import ConfigurationError, QueryLockedError
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.lock import QueryLock

# What is the same on every database is shown on SQLite alone.
FIRST = answer_line(10, body(30, 29, has_more=True))
SECOND = answer_line(20, body(20, 19, cursor=200, has_more=True), request(100))
LAST = answer_line(30, body(10, cursor=250), request(200))
WHOLE = (run_line(), FIRST, SECOND, LAST)


def execute(url, sql):
    engine = database.create_engine_for(database.database_url(url))
    with engine.begin() as connection:
        connection.execute(text(sql))
    engine.dispose()


def window(url):
    (only,) = content(url)["crawl_window"]
    return only


def video(url, video_id):
    (found,) = [row for row in content(url)["video"] if row["id"] == video_id]
    return found


def test_pages_complete_their_window(database_url):
    counts = replay_lines(database_url, WHOLE)
    assert (counts.lines, counts.answers, counts.new_pages, counts.new_videos) == (4, 3, 3, 5)
    found = window(database_url)
    assert found["state"] == "complete"
    assert (found["pages"], found["videos"], found["requests"]) == (3, 5, 3)
    assert found["searched_at"] == NOON + timedelta(seconds=9)
    assert found["completed_at"] == NOON + timedelta(seconds=30)


def test_a_run_is_registered_with_its_times(database_url):
    replay_lines(database_url, [run_line(NOON + timedelta(days=n)) for n in (3, 1, 2, 3)])
    (query,) = content(database_url)["query"]
    (collection,) = content(database_url)["collection"]
    days = NOON + timedelta(days=1), NOON + timedelta(days=3)
    assert (query["first_used_at"], query["last_used_at"]) == days
    assert (collection["first_run_at"], collection["last_run_at"]) == days
    assert collection["start_date"] == JANUARY.start


def test_tags_of_a_later_run_reach_what_was_stored_before(database_url):
    later = run_line(NOON + timedelta(days=1), tags=("late",))
    replay_lines(database_url, [*WHOLE, later])
    tagged = [row["query_tag_id"] for row in content(database_url)["crawls_to_query_tags"]]
    assert tagged.count(("late",)) == tagged.count(("dairy",)) == 3


@pytest.mark.parametrize("missing", [FIRST, SECOND])
def test_a_window_of_which_a_page_is_missing_is_not_complete(database_url, missing):
    lines = [line for line in WHOLE if line is not missing]
    counts = replay_lines(database_url, lines)
    found = window(database_url)
    assert counts.stray_pages >= 1
    assert counts.new_pages == 2
    assert (found["state"], found["cursor"], found["search_id"]) == ("parked", 0, None)
    assert found["error"] == "the archive lacks pages before cursor 200"
    (last,) = [row for row in content(database_url)["crawl"] if row["cursor"] == 200]
    assert (last["has_more"], last["next_cursor"], last["search_id"]) == (False, 250, "77")
    before = content(database_url)
    replay_lines(database_url, lines)
    assert content(database_url) == before


def test_a_new_search_of_a_window_with_a_missing_page_completes_it(sqlite_url):
    again = answer_line(40, body(30, 20, 10, cursor=150))
    replay_lines(sqlite_url, [FIRST, LAST, again])
    assert window(sqlite_url)["state"] == "complete"
    assert (window(sqlite_url)["pages"], window(sqlite_url)["videos"]) == (1, 3)


def test_a_page_of_another_search_does_not_continue_this_one(sqlite_url):
    other = request(100)
    other = type(other)(None, other.window, other.fields, 100, 100, "another search")
    replay_lines(sqlite_url, [FIRST, answer_line(20, body(20, cursor=150), other)])
    assert window(sqlite_url)["state"] == "parked"


@pytest.mark.parametrize("event", [WindowShrunk(JANUARY), WindowParked("no", None, 200, "77")])
def test_what_became_of_a_window_with_a_missing_page_is_no_checkpoint(sqlite_url, event):
    replay_lines(sqlite_url, [FIRST, window_line(25, event, request(200))])
    found = content(sqlite_url)["crawl_window"]
    assert {row["state"] for row in found} <= {"open", "parked"}
    assert len(found) == 1
    assert found[0]["cursor"] < 200


def test_a_page_that_the_crawl_could_not_store_is_stored_and_then_followed_again(database_url):
    # Killed after the archive had the pages, the crawl asks for the second one once more.
    second_again = answer_line(50, body(20, 19, cursor=200, has_more=True), request(100))
    last_again = answer_line(60, body(10, cursor=250), request(200))
    replay_lines(database_url, [*WHOLE, second_again])
    assert window(database_url)["state"] == "open"
    assert (window(database_url)["pages"], window(database_url)["videos"]) == (2, 4)
    assert window(database_url)["completed_at"] is None
    replay_lines(database_url, [*WHOLE, second_again, last_again])
    assert window(database_url)["state"] == "complete"
    assert (window(database_url)["pages"], window(database_url)["videos"]) == (3, 5)
    assert len(content(database_url)["crawl"]) == 5


def test_an_older_answer_to_a_window_that_has_gone_on_is_left_out(sqlite_url):
    replay_lines(sqlite_url, [FIRST, SECOND])
    late = answer_line(15, body(99, has_more=True))
    counts = replay_lines(sqlite_url, [late])
    assert counts.outdated_pages == 1
    assert window(sqlite_url)["cursor"] == 200


def test_failures_count_as_requests_and_nothing_else(sqlite_url):
    failure = window_line(5, RawAnswer(500, {}, b"<html>"))
    replay_lines(sqlite_url, [failure, FIRST])
    assert (window(sqlite_url)["requests"], window(sqlite_url)["attempts"]) == (2, 2)
    assert len(content(sqlite_url)["crawl"]) == 1


def test_a_malformed_answer_is_a_page_only_if_the_crawl_believed_it(sqlite_url):
    malformed = window_line(5, RawAnswer(200, {}, b'{"error": {"code": "ok", "message": ""}}'))
    replay_lines(sqlite_url, [malformed])
    assert content(sqlite_url)["crawl"] == []
    believed = type(malformed)(malformed.at, malformed.source, malformed.asked, Believed())
    replay_lines(sqlite_url, [malformed, believed])
    assert (window(sqlite_url)["state"], window(sqlite_url)["suspicious"]) == ("complete", True)
    assert replay_lines(sqlite_url, [believed]).pages == 0


SECOND_TRY = replace(request(), second_try=True)
NO = RawAnswer(400, {}, b'{"error": {"code": "invalid_params"}}')


def parked_line(second):
    return window_line(second, WindowParked("no", None, 0, None))


def test_a_line_that_is_there_twice_counts_once(sqlite_url):
    # The database was away when the crawl was to store what the lines say.
    parked = parked_line(6)
    malformed = window_line(2, RawAnswer(200, {}, b'{"error": {"code": "ok", "message": ""}}'))
    replay_lines(sqlite_url, [malformed, parked, parked])
    assert window(sqlite_url)["parked_count"] == 1
    assert window(sqlite_url)["retry_at"] == parked.at
    again = window_line(10, Believed(), SECOND_TRY)
    answer = replace(again, event=malformed.event)
    counts = replay_lines(sqlite_url, [answer, again, again])
    assert (counts.new_pages, counts.known_pages) == (1, 0)
    assert (window(sqlite_url)["state"], window(sqlite_url)["retry_at"]) == ("complete", None)


def test_a_second_try_leaves_its_window_parked_until_a_page_comes(database_url):
    failed = window_line(10, NO, SECOND_TRY)
    replay_lines(database_url, [window_line(2, NO), parked_line(3), failed])
    assert (window(database_url)["state"], window(database_url)["error"]) == ("parked", "no")
    page = answer_line(20, body(30, has_more=True), SECOND_TRY)
    replay_lines(database_url, [failed, page])
    found = window(database_url)
    assert (found["state"], found["error"], found["parked_count"]) == ("open", None, 1)


def test_a_second_try_tells_that_its_window_was_parked(sqlite_url):
    # Killed after the database had it parked and before the archive had.
    replay_lines(sqlite_url, [window_line(2, NO), window_line(10, NO, SECOND_TRY)])
    assert (window(sqlite_url)["state"], window(sqlite_url)["parked_count"]) == ("parked", 1)


def test_a_second_try_whose_page_was_not_stored_goes_on_as_one(sqlite_url):
    first = answer_line(10, body(30), SECOND_TRY)
    replay_lines(sqlite_url, [parked_line(3), first, window_line(20, NO, SECOND_TRY)])
    found = window(sqlite_url)
    assert (found["state"], found["parked_count"], found["pages"]) == ("parked", 1, 0)
    assert (found["suspicious"], found["completed_at"]) == (False, None)


@pytest.mark.parametrize("first_is_there", [True, False])
def test_a_second_search_says_why_it_is_there(sqlite_url, first_is_there):
    first, failed = window_line(1, NO, SECOND_TRY), window_line(10, NO, SECOND_TRY)
    lines = [first, failed] if first_is_there else [failed]
    replay_lines(sqlite_url, lines)
    found = window(sqlite_url)
    assert (found["state"], found["parked_count"]) == ("parked", 0)
    assert (found["error"] is None) == (not first_is_there)


def test_a_complete_search_becomes_suspicious(database_url):
    empty = answer_line(10, body())
    searched_at = empty.asked.requested_at
    suspected = SuspectLine(NOON + timedelta(seconds=20), SOURCE, JANUARY, searched_at)
    other = replace(suspected, searched_at=NOON)
    replay_lines(database_url, [empty, other])
    assert not window(database_url)["suspicious"]
    replay_lines(database_url, [empty, suspected])
    assert window(database_url)["suspicious"]
    replay_lines(database_url, [empty, suspected])
    assert window(database_url)["suspicious"]


def test_a_search_of_which_pages_are_missing_does_not_become_suspicious(sqlite_url):
    empty = answer_line(10, body(), request(100))
    suspected = SuspectLine(empty.at, SOURCE, JANUARY, empty.asked.requested_at)
    replay_lines(sqlite_url, [empty, suspected])
    assert (window(sqlite_url)["state"], window(sqlite_url)["suspicious"]) == ("parked", False)


@pytest.mark.parametrize("cursor", [50, 100])
def test_a_page_that_leads_back_is_followed_where_it_was_asked_for(sqlite_url, cursor):
    back = answer_line(20, body(20, cursor=cursor, has_more=True), request(100))
    last = answer_line(30, body(10, cursor=200), request(100))
    replay_lines(sqlite_url, [FIRST, back, last])
    assert window(sqlite_url)["state"] == "complete"
    assert (window(sqlite_url)["pages"], window(sqlite_url)["videos"]) == (3, 4)


def test_a_window_that_was_split_only_in_the_archive_goes_on(sqlite_url):
    split = window_line(15, WindowSplit("HTTP 500", "2024LOG"))
    replay_lines(sqlite_url, [window_line(10, NO), split, answer_line(20, body(30))])
    assert window(sqlite_url)["state"] == "complete"
    assert (window(sqlite_url)["error"], window(sqlite_url)["error_log_id"]) == (None, None)


def test_a_window_is_split_or_parked_at_the_time_of_the_crawl(sqlite_url):
    parked = window_line(6, WindowParked("HTTP 500", "2024LOG", 0, None))
    replay_lines(sqlite_url, [parked])
    assert window(sqlite_url)["state"] == "parked"
    assert window(sqlite_url)["updated_at"] == parked.at
    split = window_line(9, WindowSplit("HTTP 504", "2025LOG"))
    replay_lines(sqlite_url, [parked, split])
    found = window(sqlite_url)
    assert (found["state"], found["error"], found["error_log_id"]) == (
        "split",
        "HTTP 504",
        "2025LOG",
    )
    # What is older than that changes nothing any more.
    replay_lines(sqlite_url, [parked, split])
    assert window(sqlite_url) == found


def test_older_answers_do_not_overwrite_newer_values(database_url):
    newer = answer_line(100, body(30), request(days=type(JANUARY)(JANUARY.end, JANUARY.end)))
    older = window_line(10, RawAnswer(200, {}, body(30).replace(b"ann", b"eve")))
    replay_lines(database_url, [older, newer])
    assert video(database_url, 30)["username"] == "ann"
    assert video(database_url, 30)["crawled_at"] == older.at
    replay_lines(database_url, [older, newer])
    assert video(database_url, 30)["username"] == "ann"


def test_a_new_column_is_filled_from_old_answers_and_the_latest_value_wins(database_url):
    lines = [
        run_line(),
        window_line(10, RawAnswer(200, {}, body(30).replace(b"ann", b"eve"))),
        answer_line(100, body(30)),
    ]
    replay_lines(database_url, lines)
    before = content(database_url)
    execute(database_url, "UPDATE video SET username = NULL")
    counts = replay_lines(database_url, lines)
    assert content(database_url) == before
    assert counts.filled_videos == 2
    assert replay_lines(database_url, lines).filled_videos == 0


def test_a_query_that_is_being_crawled_is_left_alone(database_url):
    replay_lines(database_url, [run_line()])
    engine = database.create_engine_for(database.database_url(database_url))
    lock = QueryLock(engine, run_line().source.query.fingerprint)
    lock.acquire()
    try:
        with pytest.raises(QueryLockedError):
            replay_lines(database_url, WHOLE)
    finally:
        lock.release()
        engine.dispose()
    assert content(database_url)["crawl"] == []


def test_a_database_of_another_origin_is_refused(sqlite_url):
    replay_lines(sqlite_url, [], origin="https://open.tiktokapis.com")
    with pytest.raises(ConfigurationError, match="must not be mixed"):
        replay_lines(sqlite_url, WHOLE)
