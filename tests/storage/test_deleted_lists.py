"""A list of which something is deleted for its age is missing, and listed from the start."""

from __future__ import annotations

from datetime import timedelta

import pytest
from listed_pages import RECORDS, Crawl, stage, store_list
from sqlalchemy import update
from stored_pages import NOON, Search, rows, video

from tiktok_crawler.exceptions import QueryLockedError
from tiktok_crawler.research_api.endpoints import (
    COMMENTS,
    FOLLOWERS,
    FOLLOWING,
    LISTINGS,
    PINNED_VIDEOS,
    USERS,
)
from tiktok_crawler.storage.deletion import selecting
from tiktok_crawler.storage.deletion.deletion import (
    Cause,
    delete_comments,
    delete_profiles,
    delete_videos,
)
from tiktok_crawler.storage.deletion.take_back import HeldQueries
from tiktok_crawler.storage.models.records import Account, Comment

LATER = NOON + timedelta(days=30)
OLD = NOON - timedelta(days=900)
EMPTIED = sorted(set(LISTINGS) - {"shops", "products", "reviews"})


def quiet(_what, _count):
    pass


def too_old(connection):
    return selecting.older_than(connection, LATER)


def long_ago(connection):
    return selecting.older_than(connection, NOON)


def delete(engine, selected):
    cause = Cause(selected.why, last_page=selected.last_page)
    delete_videos(engine, selected.videos, cause, LATER, quiet)
    delete_comments(engine, selected.comments, cause, LATER, quiet)
    delete_profiles(engine, selected.profiles, cause, LATER, quiet)


def delete_old(engine, select=too_old):
    with HeldQueries(engine) as held:
        selected = held.select(select)
        held.take_back(selected, LATER)
        delete(engine, selected)
    return selected


def due(url, listing, *seeds):
    with Crawl(url, stage(listing, *seeds), now=LATER) as crawl:
        return [request.seed.key for request in crawl.requests]


def collected_long_ago(engine, record, **which):
    with engine.begin() as connection:
        connection.execute(update(record).filter_by(**which).values(crawled_at=OLD))


@pytest.mark.parametrize("name", EMPTIED)
def test_a_list_whose_records_go_is_listed_from_the_start(engine, prepared_url, name):
    listing = LISTINGS[name]
    store_list(prepared_url, PINNED_VIDEOS, "zoe", video(1))
    store_list(prepared_url, listing, "7", RECORDS[name])
    assert due(prepared_url, listing, "7") == []

    selected = delete_old(engine)

    assert selected.seeds
    with Crawl(prepared_url, stage(listing, "7"), now=LATER) as again:
        (request,) = again.requests
        assert request.starts_task
        again.ask(request, RECORDS[name])
    (seed,) = [each for each in rows(engine, "seed") if each["seed"] == "7"]
    assert (seed["state"], seed["pages"], seed["requests"]) == ("complete", 1, 2)


def test_a_list_that_was_begun_is_begun_anew(engine, prepared_url):
    with Crawl(prepared_url, stage(COMMENTS, "7")) as crawl:
        crawl.ask(crawl.requests[0], {"id": 5}, has_more=True)

    delete_old(engine)

    (seed,) = rows(engine, "seed")
    assert (seed["state"], seed["cursor"], seed["position"], seed["pages"]) == ("open", 0, 0, 0)
    assert (seed["begun_at"], seed["has_more"], seed["requests"]) == (None, None, 1)


def test_what_lists_nothing_that_goes_stays_as_it_is(engine, prepared_url):
    store_list(prepared_url, COMMENTS, "7", {"id": 5})
    store_list(prepared_url, COMMENTS, "8", {"id": 6})
    store_list(prepared_url, USERS, "ann", RECORDS["users"])
    collected_long_ago(engine, Comment, id=5)

    selected = delete_old(engine, long_ago)

    assert len(selected.seeds) == 1
    assert due(prepared_url, COMMENTS, "7", "8") == ["7"]
    assert due(prepared_url, USERS, "ann") == []


def test_an_account_that_goes_is_missing_in_the_lists_of_others(engine, prepared_url):
    store_list(prepared_url, FOLLOWERS, "ann", {"username": "bob"}, {"username": "zoe"})
    store_list(prepared_url, FOLLOWING, "zoe", {"username": "ann"})
    store_list(prepared_url, FOLLOWING, "eve", {"username": "bob"})
    collected_long_ago(engine, Account, username="bob")

    delete_old(engine, long_ago)

    assert due(prepared_url, FOLLOWERS, "ann") == ["ann"]
    assert due(prepared_url, FOLLOWING, "zoe", "eve") == ["eve"]


def test_seeds_that_go_themselves_are_not_begun_anew(engine, prepared_url):
    with Search(prepared_url) as run:
        run.ask(run.first(), video(7))
    store_list(prepared_url, COMMENTS, "7", {"id": 5}, {"id": 6})
    store_list(prepared_url, LISTINGS["replies"], "5", {"id": 8, "video_id": 7})

    assert not delete_old(engine).seeds
    assert {each["state"] for each in rows(engine, "seed")} == {"complete"}
    assert due(prepared_url, COMMENTS, "7") == ["7"]


def test_comments_under_a_video_that_a_crawl_brings_meanwhile_stay(engine, prepared_url):
    with Search(prepared_url) as run:
        run.ask(run.first(), video(7), video(9))
    store_list(prepared_url, COMMENTS, "7", {"id": 5})
    with HeldQueries(engine) as held:
        selected = held.select(too_old)
        held.take_back(selected, LATER)
        with Search(prepared_url, now=LATER) as run:
            run.ask(run.first(), video(7))
        delete(engine, selected)

    assert [each["id"] for each in rows(engine, "video")] == [7]
    assert [each["id"] for each in rows(engine, "comment")] == [5]


def test_a_list_that_is_being_crawled_loses_nothing(engine, prepared_url):
    with Crawl(prepared_url, stage(COMMENTS, "7")) as crawl:
        crawl.ask(crawl.requests[0], {"id": 5}, has_more=True)
        words = r"nothing was deleted: .* comments is running"
        with pytest.raises(QueryLockedError, match=words):
            delete_old(engine)

    assert rows(engine, "comment")


def test_nobody_lists_anew_what_is_still_to_go(engine, prepared_url):
    store_list(prepared_url, COMMENTS, "7", {"id": 5})
    with HeldQueries(engine) as held:
        held.take_back(held.select(too_old), LATER)
        with pytest.raises(QueryLockedError), Crawl(prepared_url, stage(COMMENTS, "7")):
            pass

    assert due(prepared_url, COMMENTS, "7") == ["7"]


def test_a_tag_that_goes_is_missing_in_lists(engine, prepared_url):
    store_list(prepared_url, PINNED_VIDEOS, "ann", video(7), tags=("one",))

    selected = delete_old(engine, lambda connection: selecting.of_tag(connection, "one"))

    assert list(selected.videos) == [7]
    assert due(prepared_url, PINNED_VIDEOS, "ann") == ["ann"]
