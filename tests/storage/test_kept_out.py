"""What persons asked to delete does not come back, and what comes with it is as ever."""

from __future__ import annotations

from datetime import timedelta

import pytest
from imported_pages import import_videos
from listed_pages import Crawl, stage, store_list
from sqlalchemy import update
from stored_pages import NOON, Search, hashtags, row, rows, video

from tiktok_crawler.planning.checks import RemovalReason
from tiktok_crawler.planning.task_states import Refused
from tiktok_crawler.research_api.endpoints import LISTINGS
from tiktok_crawler.research_api.verdicts import SeedStatus
from tiktok_crawler.storage.deletion.deletion import (
    Cause,
    delete_comments,
    delete_users,
    delete_videos,
)
from tiktok_crawler.storage.ledger.kept_out import read_list, take_list
from tiktok_crawler.storage.models.records import Video
from tiktok_crawler.storage.records.leaving_out import removed_number

LATER = NOON + timedelta(days=1)
ASKED = Cause(RemovalReason.ASKED)
GONE = Cause(RemovalReason.GONE)


def quiet(_what, _count):
    pass


def test_a_video_that_was_deleted_is_not_stored_again(engine, search):
    delete_videos(engine, [1], ASKED, NOON, quiet)
    run = search(tags=("t",))
    run.ask(run.first(), video(1, hashtag_names=["hers"]), video(2, hashtag_names=["his"]))

    assert [each["id"] for each in rows(engine, "video")] == [2]
    assert hashtags(engine) == [(2, "his")]
    assert [each["name"] for each in rows(engine, "hashtag")] == ["his"]
    assert run.saved.left_out == 1
    (removed, kept) = run.saved.page.records
    assert removed_number(removed)
    assert kept["id"] == 2


def test_a_page_with_a_record_that_is_left_out_counts_it(engine, search):
    delete_videos(engine, [1], ASKED, NOON, quiet)
    run = search()
    run.ask(run.first(), video(1), video(2), cursor=2)

    assert row(engine, "crawl")["record_count"] == 2
    assert row(engine, "crawl_window")["videos"] == 2
    found = [each for each in rows(engine, "window_day") if each["videos"]]
    assert [(each["videos"], each["withheld"], each["refused"]) for each in found] == [(2, 0, 0)]


def test_videos_of_a_person_and_mentions_are_left_out(engine, search):
    delete_users(engine, ["Ann.1"], ASKED, NOON, quiet)
    run = search()
    mentions = {"video_mention_list": ["ann.1", "bob"], "seen_by": {"name": "@ANN.1", "n": 1}}
    run.ask(run.first(), video(1, username="ann.1"), video(2, username="bob", **mentions))

    stored = row(engine, "video")
    assert stored["id"] == 2
    assert stored["video_mention_list"] == ["bob"]
    assert stored["extra_data"] is None


def test_captions_and_hashtags_of_others_stay_as_they_are(engine, search):
    delete_users(engine, ["ann"], ASKED, NOON, quiet)
    run = search()
    run.ask(run.first(), video(2, video_description="with @ann", hashtag_names=["ann"]))

    assert row(engine, "video")["video_description"] == "with @ann"
    assert hashtags(engine) == [(2, "ann")]


def test_comments_under_a_deleted_video_are_left_out(engine, prepared_url):
    delete_videos(engine, [7], ASKED, NOON, quiet)
    delete_comments(engine, [5], ASKED, NOON, quiet)
    comments = LISTINGS["comments"]
    store_list(
        prepared_url,
        comments,
        "8",
        {"id": 5, "video_id": 8},
        {"id": 6, "video_id": 8, "text": "stays"},
        {"id": 9, "video_id": 7},
        {"id": 10, "video_id": 8, "parent_comment_id": 5},
    )

    assert [each["id"] for each in rows(engine, "comment")] == [6]


def test_a_person_is_in_no_list(engine, prepared_url):
    delete_users(engine, ["ann"], ASKED, NOON, quiet)
    delete_videos(engine, [1], ASKED, NOON, quiet)
    followers, pinned = LISTINGS["followers"], LISTINGS["pinned_videos"]
    store_list(prepared_url, followers, "bob", {"username": "ann"}, {"username": "zoe"})
    store_list(prepared_url, pinned, "bob", video(1), video(2))
    playlist = {"playlist_id": 7, "playlist_video_ids": [1, 3]}
    store_list(prepared_url, LISTINGS["playlists"], "7", playlist)

    assert {each["username"] for each in rows(engine, "account")} == {"bob", "zoe"}
    assert len(rows(engine, "user_relation")) == 1
    assert [(e["video_id"], e["position"]) for e in rows(engine, "user_video")] == [(2, 2)]
    assert [(e["video_id"], e["position"]) for e in rows(engine, "playlist_video")] == [(3, 2)]


def test_nobody_asks_about_a_person_who_was_deleted(engine, prepared_url):
    delete_users(engine, ["ann"], ASKED, NOON, quiet)
    wanted = stage(LISTINGS["users"], "ann", "bob")
    with Crawl(prepared_url, wanted) as crawl:
        assert [request.seed.key for request in crawl.requests] == ["bob"]
        assert crawl.session.left_out == 1


@pytest.mark.parametrize("listing", ["users", "followers", "liked_videos"])
def test_a_list_of_a_person_who_is_deleted_meanwhile_says_nothing_of_her(
    engine, prepared_url, listing
):
    records = {
        "users": {"display_name": "Ann Shown"},
        "followers": {"username": "bob"},
        "liked_videos": video(3),
    }
    with Crawl(prepared_url, stage(LISTINGS[listing], "ann.person")) as crawl:
        request = crawl.book(crawl.requests[0])
        delete_users(engine, ["ann.person"], ASKED, NOON, quiet)
        crawl.store(request, records[listing])

    found = repr({name: rows(engine, name) for name in ("user_info", "account", "seed", "run")})
    assert "ann.person" not in found
    assert "Ann Shown" not in found
    assert not rows(engine, "user_relation")
    assert not rows(engine, "user_video")


def test_a_refusal_says_nothing_of_a_person_who_is_deleted_meanwhile(engine, prepared_url):
    with Crawl(prepared_url, stage(LISTINGS["users"], "ann.person")) as crawl:
        request = crawl.book(crawl.requests[0])
        delete_users(engine, ["ann.person"], ASKED, NOON, quiet)
        crawl.session.end(request, Refused(SeedStatus.NOT_FOUND, "no", None), crawl.later())

    assert not rows(engine, "user_info")


def test_an_import_leaves_out_what_was_deleted(engine):
    with Search(engine.url.render_as_string(hide_password=False)):
        delete_users(engine, ["ann"], ASKED, NOON, quiet)
        delete_videos(engine, [4], ASKED, NOON, quiet)
    store = import_videos(
        engine,
        {"id": 3, "username": "ann"},
        {"id": 4, "hashtag_names": ["hers"]},
        {"id": 5, "username": "bob", "video_mention_list": ["ann"]},
    )

    del store
    stored = row(engine, "video")
    assert (stored["id"], stored["video_mention_list"]) == (5, [])
    assert not rows(engine, "hashtag")


def delete_gone_video(engine, number):
    with engine.begin() as connection:
        gone = {"missing_since": NOON, "gone_at": NOON}
        connection.execute(update(Video).where(Video.id == number).values(gone))
    delete_videos(engine, [number], GONE, LATER, quiet)


def test_what_is_gone_is_stored_when_it_comes_again(engine, search):
    run = search()
    run.ask(run.first(), video(1, hashtag_names=["tea", "milk"]))
    delete_gone_video(engine, 1)
    assert not rows(engine, "video")
    run.ask(run.first(), video(1, hashtag_names=["tea"]))

    assert hashtags(engine) == [(1, "tea")]
    assert not rows(engine, "kept_out")


def test_a_crawl_that_remembers_hashtags_looks_them_up_anew(engine, search):
    run = search()
    run.ask(run.first(), video(1, hashtag_names=["tea"]))
    delete_gone_video(engine, 1)
    other = search(tags=("t",))
    other.ask(other.first(), video(2, hashtag_names=["milk"]))
    run = search()
    run.ask(run.first(), video(3, hashtag_names=["tea"]))

    assert hashtags(engine) == [(2, "milk"), (3, "tea")]


def test_a_list_of_what_is_kept_out_works_in_another_database(engine, search):
    delete_videos(engine, [1], ASKED, NOON, quiet)
    with engine.begin() as connection:
        kept_out = read_list(connection)
        connection.exec_driver_sql("DELETE FROM kept_out")
        connection.exec_driver_sql("UPDATE database_origin SET salt = NULL")
        assert read_list(connection) is None
        take_list(connection, kept_out)
    run = search()
    run.ask(run.first(), video(1), video(2))

    assert [each["id"] for each in rows(engine, "video")] == [2]


def test_nothing_is_looked_up_where_nothing_is_kept_out(search, statements):
    run = search()
    run.ask(run.first(), video(1))
    statements.clear()
    run.ask(run.first(), video(2, username="ann"))

    assert not [text for text in statements if "kept_out" in text and "EXISTS" not in text]
