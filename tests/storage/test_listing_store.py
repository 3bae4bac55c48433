"""What the pages of listings leave in the database."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from listed_pages import Crawl, stage
from marathon import on_both
from sqlalchemy import select
from stored_pages import (
    NOON,
    content,
    crawl_tags,
    first_request,
    hashtags,
    page,
    row,
    rows,
    video,
    video_tags,
)

from tiktok_crawler.planning.task_states import Refused
from tiktok_crawler.research_api.endpoints import (
    COMMENTS,
    FOLLOWERS,
    FOLLOWING,
    LIKED_VIDEOS,
    LISTINGS,
    PINNED_VIDEOS,
    PLAYLISTS,
    PRODUCTS,
    REPLIES,
    REPOSTED_VIDEOS,
    REVIEWS,
    SHOPS,
    USERS,
)
from tiktok_crawler.research_api.verdicts import SeedStatus
from tiktok_crawler.storage.models.records import Account, UserRelation

HOUR = timedelta(hours=1)
PROFILE = {
    "display_name": "Ann",
    "bio_description": "Tea",
    "avatar_url": "https://cdn.example/a.jpg?x-expires=1&sign=a",
    "is_verified": True,
    "follower_count": 5,
    "following_count": 3,
    "likes_count": 2**40,
    "video_count": 9,
    "bio_url": "https://example.org",
}


def begun_late(url, listing, seed):
    """A run that lists a seed anew, and has begun after all answers."""
    return Crawl(url, stage(listing, seed, max_age=-1000 * HOUR), now=NOON + 100 * HOUR)


@pytest.fixture
def see(prepared_url, store):
    """Stores records as a page that was received some hours after noon, in any order."""

    def see(hours, listing, seed, *records, **answer):
        at = NOON + hours * HOUR
        with begun_late(prepared_url, listing, seed) as crawl:
            booked = crawl.book(crawl.requests[0])
            return store.save(page(booked, *records, received_at=at, **answer), tags=("t",))

    return see


def refuse(url, hours, username, status=SeedStatus.NOT_FOUND):
    with begun_late(url, USERS, username) as crawl:
        booked = crawl.book(crawl.requests[0])
        crawl.session.end(booked, Refused(status, "no", None), NOON + hours * HOUR)


def history(engine):
    return [
        (found["field"], found["old_value"], (found["until"] - NOON) / HOUR)
        for found in rows(engine, "user_info_history")
    ]


def edges(engine):
    """Who follows whom."""
    names = {found["id"]: found["username"] for found in rows(engine, "account")}
    return sorted(
        (names[edge["follower_id"]], names[edge["followed_id"]])
        for edge in rows(engine, "user_relation")
    )


def test_a_comment_is_stored_with_all_that_was_delivered(engine, see):
    saved = see(
        0,
        COMMENTS,
        "7",
        {
            "id": 7318000000000000001,
            "video_id": 7,
            "parent_comment_id": 7,
            "text": "🍵",
            "like_count": 2**40,
            "reply_count": 1,
            "create_time": 1_700_000_000,
            "display_name": "Bob",
            "novelty": {"a": [1]},
        },
    )

    assert row(engine, "comment") == {
        "id": 7318000000000000001,
        "video_id": 7,
        "parent_comment_id": 7,
        "text": "🍵",
        "like_count": 2**40,
        "reply_count": 1,
        "create_time": datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        "display_name": "Bob",
        "extra_data": {"novelty": {"a": [1]}},
        "crawled_at": NOON,
        "crawled_updated_at": None,
        "crawl_id": row(engine, "crawl")["id"],
        "last_returned_at": NOON,
        "missing_since": None,
        "gone_at": None,
    }
    assert (saved.new_count, saved.updated_count, saved.read.unknown_fields) == (1, 0, {"novelty"})
    assert [tag for _, tag in crawl_tags(engine)] == ["t"]


def test_a_comment_seen_again_gets_new_values_and_keeps_what_is_absent(engine, see):
    see(0, COMMENTS, "7", {"id": 1, "text": "a", "like_count": 1, "old": 1})
    same = see(1, COMMENTS, "7", {"id": 1, "like_count": 1})
    assert (same.new_count, same.updated_count) == (0, 0)
    assert row(engine, "comment")["crawled_updated_at"] is None
    saved = see(2, COMMENTS, "7", {"id": 1, "text": None, "like_count": 2, "new": [2]})

    stored = row(engine, "comment")
    assert (stored["text"], stored["like_count"]) == ("a", 2)
    assert stored["extra_data"] == {"old": 1, "new": [2]}
    assert (stored["crawled_at"], stored["crawled_updated_at"]) == (NOON, NOON + 2 * HOUR)
    assert stored["crawl_id"] == rows(engine, "crawl")[-1]["id"]
    assert (saved.new_count, saved.updated_count) == (0, 1)


def test_a_late_page_fills_gaps_and_replaces_nothing(engine, see):
    see(2, COMMENTS, "7", {"id": 1, "like_count": 2})
    first_crawl = row(engine, "comment")["crawl_id"]
    see(1, COMMENTS, "7", {"id": 1, "like_count": 1, "text": "a", "old": 1})

    stored = row(engine, "comment")
    assert (stored["text"], stored["like_count"]) == ("a", 2)
    assert stored["extra_data"] == {"old": 1}
    assert stored["crawled_at"] == NOON + HOUR
    assert stored["crawled_updated_at"] == NOON + 2 * HOUR
    assert stored["crawl_id"] == first_crawl


def test_a_reply_belongs_to_its_comment(engine, see):
    see(0, REPLIES, "5", {"id": 6, "text": "yes"})

    stored = row(engine, "comment")
    assert (stored["video_id"], stored["parent_comment_id"]) == (None, 5)


def test_a_profile_is_stored_under_the_name_that_was_asked_for(engine, see):
    see(0, USERS, "ann", PROFILE | {"novelty": 1})

    assert row(engine, "user_info") == PROFILE | {
        "username": "ann",
        "status": "found",
        "extra_data": {"novelty": 1},
        "first_seen_at": NOON,
        "last_seen_at": NOON,
        "last_returned_at": NOON,
        "missing_since": None,
        "gone_at": None,
        "crawl_id": row(engine, "crawl")["id"],
    }
    assert history(engine) == []


def test_what_changes_in_a_profile_is_kept(engine, see):
    see(0, USERS, "ann", PROFILE | {"novelty": 1})
    saved = see(
        1,
        USERS,
        "ann",
        PROFILE | {"follower_count": 6, "is_verified": False, "novelty": 2, "bio_url": None},
    )

    assert history(engine) == [
        ("is_verified", True, 1),
        ("follower_count", 5, 1),
        ("extra_data.novelty", 1, 1),
    ]
    assert saved.updated_count == 1
    assert rows(engine, "user_info_history")[0]["crawl_id"] == rows(engine, "crawl")[-1]["id"]
    stored = row(engine, "user_info")
    assert (stored["bio_url"], stored["last_seen_at"]) == ("https://example.org", NOON + HOUR)


def test_a_new_signature_of_a_picture_is_no_change(engine, see):
    see(0, USERS, "ann", PROFILE)
    again = "https://cdn.example/a.jpg?x-expires=2"
    saved = see(1, USERS, "ann", PROFILE | {"avatar_url": again})

    assert (history(engine), saved.updated_count) == ([], 0)
    stored = row(engine, "user_info")
    assert (stored["avatar_url"], stored["crawl_id"]) == (again, rows(engine, "crawl")[0]["id"])
    see(2, USERS, "ann", PROFILE | {"avatar_url": "https://cdn.example/b.jpg"})
    assert history(engine) == [("avatar_url", again, 2)]


def test_a_user_who_is_gone_keeps_the_last_values(engine, see, prepared_url):
    see(0, USERS, "ann", PROFILE)
    refuse(prepared_url, 1, "ann")

    stored = row(engine, "user_info")
    assert (stored["status"], stored["display_name"]) == ("not_found", "Ann")
    assert stored["last_seen_at"] == NOON + HOUR
    assert history(engine) == [("status", "found", 1)]
    assert row(engine, "user_info_history")["crawl_id"] is None
    see(2, USERS, "ann", PROFILE)
    assert row(engine, "user_info")["status"] == "found"
    assert history(engine)[-1] == ("status", "not_found", 2)


@pytest.mark.parametrize("status", SeedStatus)
def test_why_there_is_no_profile_is_an_answer(engine, prepared_url, status):
    refuse(prepared_url, 0, "ann", status)

    stored = row(engine, "user_info")
    assert (stored["status"], stored["crawl_id"]) == (status, None)
    assert stored["display_name"] is None


def test_a_late_refusal_says_nothing_new(engine, see, prepared_url):
    see(2, USERS, "ann", PROFILE)
    refuse(prepared_url, 1, "ann")

    stored = row(engine, "user_info")
    assert (stored["status"], history(engine)) == ("found", [])
    assert (stored["first_seen_at"], stored["last_seen_at"]) == (NOON + HOUR, NOON + 2 * HOUR)


def test_followers_are_edges_of_two_numbers(engine, see):
    bob, cleo = {"username": "bob", "display_name": "Bob"}, {"username": "cleo"}
    saved = see(0, FOLLOWERS, "ann", bob, cleo)
    see(0, FOLLOWING, "ann", bob)

    assert edges(engine) == [("ann", "bob"), ("bob", "ann"), ("cleo", "ann")]
    names = {found["username"]: found["display_name"] for found in rows(engine, "account")}
    assert names == {"ann": None, "bob": "Bob", "cleo": None}
    assert saved.new_count == 3


@pytest.mark.parametrize(
    ("listing", "kind"),
    [(LIKED_VIDEOS, "liked"), (PINNED_VIDEOS, "pinned"), (REPOSTED_VIDEOS, "reposted")],
)
def test_videos_of_users_are_stored_as_all_videos_are(engine, see, listing, kind):
    records = [video(2, like_count=5, hashtag_names=["tea"]), video(1, username="zoe")]
    saved = see(0, listing, "ann", *records)
    see(1, listing, "ann", records[0] | {"like_count": 6, "hashtag_names": ["milk"]})

    assert saved.new_count == 2
    assert hashtags(engine) == [(2, "milk")]
    assert [(r["video_id"], r["like_count"]) for r in rows(engine, "video_statistics")] == [
        (2, 5),
        (2, 6),
    ]
    assert [r["field"] for r in rows(engine, "video_revision")] == ["hashtag_names"]
    assert len(rows(engine, "videos_to_crawls")) == 3
    assert video_tags(engine) == [(1, "t"), (2, "t")]
    found = [
        (r["username"], r["kind"], r["video_id"], r["position"]) for r in rows(engine, "user_video")
    ]
    assert found == [("ann", kind, 1, 2), ("ann", kind, 2, 1)]
    assert rows(engine, "user_video")[1]["last_seen_at"] == NOON + HOUR


def test_places_go_on_with_the_next_page(engine, prepared_url):
    with Crawl(prepared_url, stage(LIKED_VIDEOS, "ann")) as crawl:
        following = crawl.ask(crawl.requests[0], video(5), video(4), has_more=True)
        crawl.ask(following, video(3))

    places = {r["video_id"]: r["position"] for r in rows(engine, "user_video")}
    assert places == {5: 1, 4: 2, 3: 3}


def test_a_video_of_a_search_and_of_a_list_is_one(engine, see, store):
    store.save(page(first_request(engine), video(1, like_count=5)), tags=())
    saved = see(1, LIKED_VIDEOS, "ann", video(1, like_count=5))

    assert (saved.new_count, saved.updated_count) == (0, 0)
    assert len(rows(engine, "video")) == 1


def test_a_playlist_is_stored_with_its_videos(engine, prepared_url):
    teas = {"playlist_id": 7, "playlist_name": "teas", "playlist_item_total": 3}
    with Crawl(prepared_url, stage(PLAYLISTS, "7")) as crawl:
        following = crawl.ask(
            crawl.requests[0],
            teas | {"playlist_video_ids": [9, 8], "playlist_last_updated": 1_700_000_000_000},
            has_more=True,
            cursor=2,
        )
        crawl.ask(following, teas | {"playlist_video_ids": [2**62 + 1]})

    stored = row(engine, "playlist")
    assert (stored["id"], stored["name"], stored["item_total"]) == (7, "teas", 3)
    assert stored["last_updated"] == 1_700_000_000_000
    places = {r["video_id"]: r["position"] for r in rows(engine, "playlist_video")}
    assert places == {9: 1, 8: 2, 2**62 + 1: 3}


def test_shops_products_and_reviews_are_stored(engine, see):
    see(
        0,
        SHOPS,
        "Tea & Co",
        {
            "shop_id": 8,
            "shop_name": "Tea & Co",
            "shop_rating": "4.5",
            "shop_review_count": 3,
            "item_sold_count": 4,
            "shop_performance_value": "90",
        },
    )
    see(
        0,
        PRODUCTS,
        "8",
        {
            "product_id": "10",
            "product_price": ["20.79GBP", "25GBP"],
            "product_rating": 4.5,
            **{f"product_rating_{stars}_count": stars for stars in range(1, 6)},
        },
    )
    review = {"review_text": "good", "create_time": 1_700_000_000_500, "review_rating": "FIVE"}
    see(0, REVIEWS, "10", review | {"review_like_count": 1}, {"review_text": "bad"})
    see(1, REVIEWS, "10", review | {"review_like_count": 2})

    shop, product = row(engine, "shop"), row(engine, "product")
    assert (shop["shop_rating"], shop["shop_performance_value"]) == ("4.5", "90")
    assert (product["id"], product["shop_id"], product["product_rating"]) == ("10", 8, "4.5")
    assert product["product_price"] == ["20.79GBP", "25GBP"]
    assert product["product_rating_5_count"] == 5
    assert product["extra_data"] is None
    good = next(r for r in rows(engine, "review") if r["review_text"] == "good")
    assert (good["product_id"], good["review_like_count"]) == ("10", 2)
    assert good["create_time"] == datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=UTC)
    assert len(rows(engine, "review")) == 2


def test_a_json_value_written_in_another_way_is_the_same(see):
    see(0, PRODUCTS, "8", {"product_id": "10", "product_price": [{"b": 1e2, "a": 1}]})
    saved = see(1, PRODUCTS, "8", {"product_id": "10", "product_price": [{"a": 1, "b": 100.0}]})

    assert saved.updated_count == 0


@pytest.mark.slow
@pytest.mark.parametrize("order", [(2, 1, 0), (0, 0, 1, 2, 1)])
def test_pages_in_any_order_end_in_the_same_latest_values(engine, see, order):
    for hours in order:
        see(hours, COMMENTS, "7", {"id": 1, "like_count": hours, "text": str(hours)})
        see(hours, USERS, "ann", PROFILE | {"follower_count": hours})
        see(hours, FOLLOWERS, "ann", {"username": "bob", "display_name": str(hours)})

    comment, user = row(engine, "comment"), row(engine, "user_info")
    assert (comment["like_count"], comment["text"]) == (2, "2")
    assert (comment["crawled_at"], comment["crawled_updated_at"]) == (NOON, NOON + 2 * HOUR)
    assert (user["follower_count"], user["last_seen_at"]) == (2, NOON + 2 * HOUR)
    with engine.connect() as connection:
        names = dict(connection.execute(select(Account.username, Account.display_name)).all())
    assert names["bob"] == "2"
    with engine.connect() as connection:
        times = connection.execute(select(UserRelation.first_seen_at, UserRelation.last_seen_at))
        assert times.all() == [(NOON, NOON + 2 * HOUR)]


@pytest.mark.parametrize(
    ("prepared_url", "listing"), on_both(LISTINGS.values()), indirect=["prepared_url"]
)
def test_records_that_are_no_objects_are_told_and_change_nothing(engine, see, listing):
    before = content(engine)
    saved = see(0, listing, "7", None, 7, "x")

    assert len(saved.read.refused) == 3
    stored = {"crawl", "seed", "api_quota", "api_quota_share", "crawls_to_query_tags", "query_tag"}
    changed = {name for name, found in content(engine).items() if found != before[name]}
    assert changed - {"account"} == stored


@pytest.mark.slow
def test_many_random_pages_keep_the_tables_consistent(engine, see):
    """Repeats, overlaps and late pages: each edge and account is there once."""
    random.seed(7)
    people = [f"user{number}" for number in range(12)]
    expected = set()
    for _ in range(25):
        ann, others = random.choice(people), random.sample(people, 5)
        see(random.randrange(50), FOLLOWERS, ann, *({"username": name} for name in others))
        expected |= {(name, ann) for name in others if name != ann}

    assert edges(engine) == sorted(expected)
