"""What a replay makes of lines: nothing overwritten, and never more coverage than is known."""

from __future__ import annotations

from datetime import timedelta

import pytest
from archived import (
    JANUARY,
    NOON,
    answer_line,
    body,
    content,
    replay_lines,
    request,
    run_line,
    window_line,
)
from sqlalchemy import text

from tiktok_crawler.archive.lines import Answer, Believed, WindowParked, WindowShrunk, WindowSplit
from tiktok_crawler.exceptions import ConfigurationError, QueryLockedError
from tiktok_crawler.storage import database
from tiktok_crawler.storage.lock import QueryLock

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


def test_a_new_search_of_a_window_with_a_missing_page_completes_it(database_url):
    again = answer_line(40, body(30, 20, 10, cursor=150))
    replay_lines(database_url, [FIRST, LAST, again])
    assert window(database_url)["state"] == "complete"
    assert (window(database_url)["pages"], window(database_url)["videos"]) == (1, 3)


def test_a_page_of_another_search_does_not_continue_this_one(database_url):
    other = request(100)
    other = type(other)(None, other.window, other.fields, 100, 100, "another search")
    replay_lines(database_url, [FIRST, answer_line(20, body(20, cursor=150), other)])
    assert window(database_url)["state"] == "parked"


@pytest.mark.parametrize("event", [WindowShrunk(JANUARY), WindowParked("no", None, 200, "77")])
def test_what_became_of_a_window_with_a_missing_page_is_no_checkpoint(database_url, event):
    replay_lines(database_url, [FIRST, window_line(25, event, request(200))])
    found = content(database_url)["crawl_window"]
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


def test_an_older_answer_to_a_window_that_has_gone_on_is_left_out(database_url):
    replay_lines(database_url, [FIRST, SECOND])
    late = answer_line(15, body(99, has_more=True))
    counts = replay_lines(database_url, [late])
    assert counts.outdated_pages == 1
    assert window(database_url)["cursor"] == 200


def test_failures_count_as_requests_and_nothing_else(database_url):
    failure = window_line(5, Answer(500, {}, b"<html>"))
    replay_lines(database_url, [failure, FIRST])
    assert (window(database_url)["requests"], window(database_url)["attempts"]) == (2, 2)
    assert len(content(database_url)["crawl"]) == 1


def test_a_malformed_answer_is_a_page_only_if_the_crawl_believed_it(database_url):
    malformed = window_line(5, Answer(200, {}, b'{"error": {"code": "ok", "message": ""}}'))
    replay_lines(database_url, [malformed])
    assert content(database_url)["crawl"] == []
    believed = type(malformed)(malformed.at, malformed.source, malformed.asked, Believed())
    replay_lines(database_url, [malformed, believed])
    assert (window(database_url)["state"], window(database_url)["suspicious"]) == ("complete", True)
    assert replay_lines(database_url, [believed]).pages == 0


def test_a_window_is_split_or_parked_at_the_time_of_the_crawl(database_url):
    parked = window_line(6, WindowParked("HTTP 500", "2024LOG", 0, None))
    replay_lines(database_url, [parked])
    assert window(database_url)["state"] == "parked"
    assert window(database_url)["updated_at"] == parked.at
    split = window_line(9, WindowSplit("HTTP 504", "2025LOG"))
    replay_lines(database_url, [parked, split])
    found = window(database_url)
    assert (found["state"], found["error"], found["error_log_id"]) == (
        "split",
        "HTTP 504",
        "2025LOG",
    )
    # What is older than that changes nothing any more.
    replay_lines(database_url, [parked, split])
    assert window(database_url) == found


def test_older_answers_do_not_overwrite_newer_values(database_url):
    newer = answer_line(100, body(30), request(days=type(JANUARY)(JANUARY.end, JANUARY.end)))
    older = window_line(10, Answer(200, {}, body(30).replace(b"ann", b"eve")))
    replay_lines(database_url, [older, newer])
    assert video(database_url, 30)["username"] == "ann"
    assert video(database_url, 30)["crawled_at"] == older.at
    replay_lines(database_url, [older, newer])
    assert video(database_url, 30)["username"] == "ann"


def test_a_new_column_is_filled_from_old_answers_and_the_latest_value_wins(database_url):
    lines = [
        run_line(),
        window_line(10, Answer(200, {}, body(30).replace(b"ann", b"eve"))),
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


def test_a_database_of_another_origin_is_refused(database_url):
    replay_lines(database_url, [], origin="https://open.tiktokapis.com")
    with pytest.raises(ConfigurationError, match="must not be mixed"):
        replay_lines(database_url, WHOLE)
