"""How far the listings of a database are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from listed_pages import Crawl, stage, store_list
from marathon import on_both
from sqlalchemy import update
from stored_pages import NOON, row
from tallies import tally

from tiktok_crawler.planning.task_states import Parked, Refused, SeedState
from tiktok_crawler.research_api.endpoints import (
    COMMENTS,
    FOLLOWERS,
    FOLLOWING,
    LIKED_VIDEOS,
    PLAYLISTS,
    PRODUCTS,
    REPLIES,
    REVIEWS,
    SHOPS,
    USERS,
)
from tiktok_crawler.research_api.verdicts import SeedStatus
from tiktok_crawler.storage.engine.transactions import reading
from tiktok_crawler.storage.ledger.listing_status import ListingStatus, listing_statuses
from tiktok_crawler.storage.ledger.status import read_status
from tiktok_crawler.storage.models.ledger import SeedRow
from tiktok_crawler.storage.models.records import Video


def statuses(engine):
    with reading(engine) as connection:
        return listing_statuses(connection)


def counts(**states):
    return dict.fromkeys(SeedState, 0) | {SeedState(name): n for name, n in states.items()}


def test_seeds_are_counted_by_listing_and_state(engine, prepared_url):
    with Crawl(prepared_url, stage(USERS, "ann", "bob", "cleo")) as users:
        first, second, third = users.requests
        users.ask(first, {"display_name": "Ann"})
        withheld = Refused(SeedStatus.WITHHELD, "private", None)
        users.session.end(users.book(second), withheld, users.later())
        users.session.open_task(third, users.later())
    with Crawl(prepared_url, stage(COMMENTS, "1", "2")) as comments:
        first, second = comments.requests
        comments.ask(first, {"id": 1}, {"id": 2}, suspicious=True)
        booked = comments.book(second)
        for _ in range(2):
            parked_at = comments.later()
            comments.session.end(booked, Parked("HTTP 500", None, booked.place), parked_at)

    due = parked_at + timedelta(hours=1)
    expected = [
        ListingStatus(
            COMMENTS,
            counts(complete=1, parked=1),
            tally({"complete": 1}, seeds=2, stored=2),
            suspicious=1,
            records=2,
            requests=2,
            next_retry_at=due,
        ),
        ListingStatus(
            USERS,
            counts(open=1, complete=1, refused=1),
            tally({"complete": 1}, {"withheld": 1}, seeds=2, stored=1),
            suspicious=0,
            records=1,
            requests=2,
            next_retry_at=None,
        ),
    ]
    assert statuses(engine) == expected
    assert [listing.seeds for listing in expected] == [2, 3]
    assert read_status(prepared_url, None, NOON).listings == tuple(expected)


def test_a_database_without_listings_has_none(engine):
    assert statuses(engine) == []


def tally_in(engine, listing):
    """The tally of a listing."""
    (found,) = (each for each in statuses(engine) if each.listing is listing)
    return found.tally


def store_videos(engine, **comment_counts):
    """Let there be videos, named `v` and their id, with these counters."""
    rows = [
        {"id": int(name[1:]), "comment_count": count, "crawled_at": NOON}
        for name, count in comment_counts.items()
    ]
    with engine.begin() as connection:
        connection.execute(Video.__table__.insert(), rows)


def many(number):
    return [{"id": id_} for id_ in range(1, number + 1)]


def test_each_complete_seed_has_one_end(engine, prepared_url):
    with Crawl(prepared_url, stage(COMMENTS, *"1234", limit=2)) as crawl:
        below, at, beyond, cut = crawl.requests
        crawl.ask(below, {"id": 1}, cursor=999)
        crawl.ask(at, {"id": 2}, cursor=1_000)
        crawl.ask(beyond, {"id": 3}, cursor=1_050)
        crawl.ask(cut, {"id": 4}, {"id": 5}, cursor=1_000, has_more=True)

    expected = {"complete": 2, "api_limit": 1, "cut": 1}
    assert tally_in(engine, COMMENTS).ends == crawl.result.tally.ends == expected


def test_a_list_whose_cursor_is_refused_past_the_cap_is_complete_up_to_the_limit(
    engine, prepared_url
):
    with Crawl(prepared_url, stage(REPLIES, "7")) as crawl:
        (first,) = crawl.requests
        following = crawl.ask(first, {"id": 1}, cursor=1_100, has_more=True)
        crawl.ask(following, cursor=1_100, is_refusal=True)

    assert row(engine, "seed")["at_api_limit"]
    assert tally_in(engine, REPLIES).ends["api_limit"] == 1


def test_a_list_that_is_believed_to_be_empty_has_reached_no_limit(engine, prepared_url):
    with Crawl(prepared_url, stage(COMMENTS, "7")) as crawl:
        crawl.ask(crawl.requests[0], cursor=1_000, suspicious=True)

    assert tally_in(engine, COMMENTS).ends["complete"] == 1


def test_a_higher_limit_of_a_later_run_decides_anew(engine, prepared_url):
    with Crawl(prepared_url, stage(COMMENTS, "7", limit=1)) as crawl:
        crawl.ask(crawl.requests[0], {"id": 1}, has_more=True)
    assert crawl.result.tally.ends["cut"] == 1

    with Crawl(prepared_url, stage(COMMENTS, "7"), now=NOON + timedelta(hours=1)) as crawl:
        crawl.ask(crawl.requests[0], {"id": 2}, cursor=1_000)
    assert crawl.result.tally.ends == {"complete": 0, "api_limit": 1, "cut": 0}

    later, max_age = NOON + timedelta(days=2), timedelta(days=1)
    with Crawl(prepared_url, stage(COMMENTS, "7", max_age=max_age), now=later) as crawl:
        crawl.ask(crawl.requests[0], {"id": 2}, cursor=1)
    assert crawl.result.tally.ends == {"complete": 1, "api_limit": 0, "cut": 0}
    assert not row(engine, "seed")["at_api_limit"]


def test_a_seed_with_enough_for_a_run_counts_as_cut_in_it(prepared_url):
    with Crawl(prepared_url, stage(COMMENTS, "7")) as crawl:
        crawl.ask(crawl.requests[0], {"id": 1}, {"id": 2}, has_more=True)
    with Crawl(prepared_url, stage(COMMENTS, "7", limit=2), now=crawl.later()) as crawl:
        assert not crawl.requests

    assert (crawl.result.complete, crawl.result.tally.ends["cut"]) == (1, 1)


def test_what_the_records_count_stands_beside_what_came(engine, prepared_url):
    store_videos(engine, v1=900, v2=50, v3=None, v5=70)
    with Crawl(prepared_url, stage(COMMENTS, *"12345")) as crawl:
        for request, number in zip(crawl.requests[:4], (3, 2, 4, 1), strict=True):
            crawl.ask(request, *many(number))
        refused = Refused(SeedStatus.REFUSED, "HTTP 400", None)
        crawl.session.end(crawl.book(crawl.requests[4]), refused, crawl.later())

    expected = tally(
        {"complete": 4},
        {"refused": 1},
        seeds=4,
        stored=10,
        counted=2,
        counted_stored=5,
        total=950,
    )
    assert tally_in(engine, COMMENTS) == crawl.result.tally == expected


def test_a_stage_counts_its_own_seeds_alone(engine, prepared_url):
    store_videos(engine, v1=900, v2=50)
    store_list(prepared_url, COMMENTS, "1", {"id": 1})

    result = store_list(prepared_url, COMMENTS, "2", {"id": 2}).result

    assert (result.tally.stored, result.tally.total) == (1, 50)
    assert tally_in(engine, COMMENTS).total == 950


PLAYLIST = {"playlist_id": 7, "playlist_item_total": 9}


SEED_COUNTERS = {
    FOLLOWERS: (USERS, {"follower_count": 90}, {"username": "bob"}, (1, 1, 90)),
    FOLLOWING: (USERS, {"following_count": 80}, {"username": "bob"}, (1, 1, 80)),
    REPLIES: (COMMENTS, {"id": 7, "reply_count": 60}, {"id": 8}, (1, 1, 60)),
    REVIEWS: (PRODUCTS, {"product_id": "7", "product_review_count": 50}, {}, (1, 1, 50)),
    PLAYLISTS: (USERS, {}, PLAYLIST | {"playlist_video_ids": [1, 2, 3]}, (3, 1, 9)),
    PRODUCTS: (SHOPS, {"shop_id": 7, "item_sold_count": 8}, {"product_id": "1"}, (1, 0, 0)),
    LIKED_VIDEOS: (USERS, {"likes_count": 5}, {"id": 1}, (1, 0, 0)),
}
"""A listing that tells of a seed, what it tells, a record of that seed, and what is known then."""


@pytest.mark.parametrize(
    ("prepared_url", "listing"), on_both(SEED_COUNTERS), indirect=["prepared_url"]
)
def test_each_listing_has_the_counter_of_its_seed(engine, prepared_url, listing):
    source, told, record, expected = SEED_COUNTERS[listing]
    store_list(prepared_url, source, "7", told)
    result = store_list(prepared_url, listing, "7", record).result

    found = tally_in(engine, listing)
    assert (found.stored, found.counted, found.total) == expected
    assert found == result.tally


def test_a_counter_may_be_larger_than_32_bits(engine, prepared_url):
    store_videos(engine, v1=2**40, v2=2**40)
    for video in "12":
        store_list(prepared_url, COMMENTS, video, {"id": int(video)})

    assert tally_in(engine, COMMENTS).total == 2**41


def test_a_list_that_is_refused_in_its_midst_is_there_in_part(engine, prepared_url):
    with Crawl(prepared_url, stage(COMMENTS, "1", "2")) as crawl:
        first, second = crawl.requests
        withheld = Refused(SeedStatus.WITHHELD, "private", None)
        begun = crawl.ask(first, {"id": 1}, {"id": 2}, has_more=True)
        crawl.session.end(crawl.book(begun), withheld, crawl.later())
        crawl.session.end(crawl.book(second), withheld, crawl.later())

    expected = tally({}, {"withheld": 2}, broken_off=1, broken_off_records=2)
    assert tally_in(engine, COMMENTS) == crawl.result.tally == expected


def test_a_seed_without_a_status_is_refused_for_another_reason(engine, prepared_url):
    store_list(prepared_url, USERS, "ann", {"display_name": "Ann"})
    with engine.begin() as connection:
        connection.execute(update(SeedRow).values(state=SeedState.REFUSED))

    assert tally_in(engine, USERS).refusals[SeedStatus.REFUSED] == 1
