"""Seeds that the database names: of videos, a step on in the follow network, the first of many."""

from __future__ import annotations

from datetime import date

import pytest
from listed_pages import store_list
from stored_pages import (
    JANUARY_10,
    NOON,
    OTHER_QUERY,
    QUERY,
    first_request,
    page,
    video,
)

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.seeds import (
    FirstSeeds,
    GivenSeeds,
    ProductsOfShops,
    RelatedUsers,
    RepliedComments,
    SeedsOfQuery,
    SeedsOfTag,
    ShopsByName,
    Stage,
)
from tiktok_crawler.research_api.endpoints import (
    COMMENTS,
    FOLLOWERS,
    FOLLOWING,
    PLAYLISTS,
    PRODUCTS,
    REPLIES,
    REVIEWS,
    SHOPS,
    USERS,
)
from tiktok_crawler.storage.stage_session import look_up_stage

TENTH = DateRange(date(2024, 1, 10), date(2024, 1, 10))
OF_QUERY = SeedsOfQuery(QUERY.fingerprint, TENTH, 1)
OF_TAG = SeedsOfTag("tea", 1)
FOLLOWS = {"ann": ["bob", "cy"], "bob": ["cy", "dee"], "eve": ["fay"]}
ANN_AND_BOB = GivenSeeds(("ann", "bob"))
DAY_SECONDS = 86_400


@pytest.fixture
def seeds(prepared_url):
    """Looks up the seeds of a source."""

    def seeds(listing, source, **limits):
        plan = look_up_stage(prepared_url, "sandbox", Stage(listing, source, **limits), NOON)
        seeds.plan = plan
        return [request.seed.key for request in plan.first_requests]

    return seeds


@pytest.fixture
def searched(engine, store):
    """Two queries, the first with a tag; videos of two days."""
    tea = (
        video(1, username="ann", comment_count=5, playlist_id=70),
        video(2, username="bob", comment_count=500, playlist_id=71),
        video(3, username="bob", comment_count=0, playlist_id=71),
        video(4, username="bob"),
        video(5, username="cleo", comment_count=9) | {"create_time": JANUARY_10 + DAY_SECONDS},
    )
    milk = (video(2, username="bob", comment_count=500), video(6, username="zoe", comment_count=1))
    store.save(page(first_request(engine, tags=("tea",)), *tea), tags=("tea",))
    store.save(page(first_request(engine, query=OTHER_QUERY), *milk), tags=("milk",))


@pytest.fixture
def network(prepared_url):
    """Who follows whom, listed from both ends."""
    for follower, names in FOLLOWS.items():
        found = [{"username": name} for name in names]
        store_list(prepared_url, FOLLOWING, follower, *found)
    store_list(prepared_url, FOLLOWERS, "ann", {"username": "gus"}, {"username": "eve"})


@pytest.mark.slow
@pytest.mark.usefixtures("searched")
def test_videos_name_seeds_in_the_order_of_what_they_promise(seeds):
    for listing, source, expected in (
        (COMMENTS, OF_QUERY, ["2", "1", "4"]),
        (COMMENTS, SeedsOfQuery(QUERY.fingerprint, TENTH, 6), ["2", "4"]),
        (COMMENTS, SeedsOfQuery(QUERY.fingerprint, TENTH), ["2", "1", "3", "4"]),
        (COMMENTS, SeedsOfQuery(OTHER_QUERY.fingerprint, TENTH, 1), ["2", "6"]),
        (COMMENTS, SeedsOfQuery("unknown", TENTH), []),
        (COMMENTS, OF_TAG, ["2", "5", "1", "4"]),
        (COMMENTS, FirstSeeds(OF_TAG, 2), ["2", "5"]),
        (COMMENTS, SeedsOfTag("unknown"), []),
        (USERS, OF_QUERY, ["bob", "ann"]),
        (USERS, OF_TAG, ["bob", "ann", "cleo"]),
        (FOLLOWERS, SeedsOfTag("milk"), ["bob", "zoe"]),
        (PLAYLISTS, OF_QUERY, ["71", "70"]),
        (PLAYLISTS, SeedsOfTag("milk"), ["71"]),
    ):
        assert seeds(listing, source) == expected, source


@pytest.mark.slow
@pytest.mark.usefixtures("searched")
def test_replies_are_listed_of_comments_that_have_some(seeds, prepared_url):
    store_list(prepared_url, COMMENTS, "1", {"id": 11, "reply_count": 2}, {"id": 12})
    store_list(
        prepared_url, COMMENTS, "2", {"id": 21, "reply_count": 0}, {"id": 22, "reply_count": 130}
    )

    for videos, expected in (
        (GivenSeeds(("1", "2")), ["22", "11"]),
        (GivenSeeds(("1",)), ["11"]),
        (GivenSeeds(("6", "99")), []),
        (OF_QUERY, ["22", "11"]),
        (SeedsOfQuery(QUERY.fingerprint, TENTH, 6), ["22"]),
        (SeedsOfTag("milk"), ["22"]),
    ):
        assert seeds(REPLIES, RepliedComments(videos)) == expected, videos


def test_products_are_listed_of_stored_shops(seeds, prepared_url):
    acme = {"shop_id": 8, "shop_name": "Acme"}
    store_list(prepared_url, SHOPS, "acme", acme, {"shop_id": 9, "shop_name": "Acme Tea"})
    store_list(prepared_url, SHOPS, "other", {"shop_id": 7, "shop_name": "Other"})

    assert seeds(PRODUCTS, ShopsByName(("Acme",))) == ["8"]
    assert seeds(PRODUCTS, ShopsByName(("acme",))) == ["8", "9"]
    assert seeds(PRODUCTS, ShopsByName(("Acme", "Other"))) == ["8", "7"]
    assert seeds(PRODUCTS, ShopsByName(("unknown",))) == []


def test_reviews_are_listed_of_stored_products(seeds, prepared_url):
    products = [{"product_id": "1"}, {"product_id": "2", "product_review_count": 30}]
    store_list(prepared_url, PRODUCTS, "8", *products)
    store_list(prepared_url, PRODUCTS, "9", {"product_id": "3"})

    assert seeds(REVIEWS, ProductsOfShops(GivenSeeds(("8",)))) == ["2", "1"]
    assert seeds.plan.most_requests is None
    store_list(prepared_url, SHOPS, "Tea", {"shop_id": 8, "shop_name": "Tea & Co"})
    assert seeds(REVIEWS, ProductsOfShops(ShopsByName(("Tea",)))) == ["2", "1"]
    assert seeds(REVIEWS, GivenSeeds(("2",))) == ["2"]
    assert seeds.plan.most_requests == 4


@pytest.mark.slow
@pytest.mark.usefixtures("searched")
def test_counts_in_the_database_bound_the_requests(seeds, prepared_url):
    seeds(COMMENTS, OF_QUERY)
    assert (seeds.plan.least_requests, seeds.plan.most_requests) == (3, 16)
    seeds(COMMENTS, OF_QUERY, limit=200)
    assert seeds.plan.most_requests == 5
    seeds(COMMENTS, GivenSeeds(("2", "99")))
    assert seeds.plan.most_requests == 15

    store_list(prepared_url, USERS, "ann", {"follower_count": 250, "following_count": 101})
    for listing, most in ((FOLLOWERS, 3), (FOLLOWING, 2)):
        seeds(listing, GivenSeeds(("ann",)))
        assert seeds.plan.most_requests == most
    seeds(FOLLOWING, GivenSeeds(("ann", "bob")))
    assert seeds.plan.most_requests is None

    store_list(prepared_url, PLAYLISTS, "70", {"playlist_item_total": 250})
    seeds(PLAYLISTS, GivenSeeds(("70",)))
    assert seeds.plan.complete == 1


def test_a_database_that_is_not_there_yet_names_nothing(sqlite_url, tmp_path):
    plan = look_up_stage(sqlite_url, "sandbox", Stage(COMMENTS, OF_TAG), NOON)

    assert (plan.seeds, plan.most_requests) == (0, 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.usefixtures("network")
def test_a_step_leads_to_those_in_the_lists_the_most_listed_first(seeds):
    for listing, users, found in (
        (FOLLOWING, ANN_AND_BOB, ["cy", "bob", "dee"]),
        (FOLLOWING, GivenSeeds(("cy",)), []),
        (FOLLOWERS, GivenSeeds(("ann",)), ["eve", "gus"]),
        (FOLLOWERS, GivenSeeds(("cy", "fay")), ["ann", "bob", "eve"]),
        (FOLLOWERS, GivenSeeds(("cy", "bob")), ["ann", "bob"]),
    ):
        assert seeds(USERS, RelatedUsers(users, listing)) == found, users
    assert seeds(FOLLOWING, RelatedUsers(ANN_AND_BOB, FOLLOWING)) == ["cy", "dee"], "no list twice"
    first = FirstSeeds(RelatedUsers(ANN_AND_BOB, FOLLOWING), 2)
    assert seeds(USERS, first) == ["cy", "bob"], "the most listed alone"


@pytest.mark.usefixtures("network", "searched")
def test_a_step_can_start_from_the_authors_of_videos(seeds):
    source = RelatedUsers(SeedsOfTag("tea"), FOLLOWING)

    assert seeds(USERS, source) == ["cy", "bob", "dee"]


@pytest.mark.usefixtures("searched")
def test_replies_are_looked_for_among_the_comments_of_the_first_videos_alone(prepared_url, seeds):
    for number in (2, 3):
        comment = {"id": number * 10, "video_id": number, "reply_count": 1}
        store_list(prepared_url, COMMENTS, str(number), comment)

    first = FirstSeeds(OF_TAG, 1)

    assert seeds(REPLIES, RepliedComments(first)) == ["20"]
    assert seeds(REPLIES, RepliedComments(SeedsOfTag("tea"))) == ["20", "30"]


def test_the_first_shops_of_a_name_are_those_alone(prepared_url, seeds):
    shops = [{"shop_id": number, "shop_name": "Tea & Co"} for number in (7, 8)]
    store_list(prepared_url, SHOPS, "Tea", *shops)

    assert seeds(PRODUCTS, FirstSeeds(ShopsByName(("Tea",)), 1)) == ["7"]


@pytest.mark.parametrize(
    "source",
    [
        RelatedUsers(ANN_AND_BOB, FOLLOWING),
        FirstSeeds(RelatedUsers(ANN_AND_BOB, FOLLOWING), 2),
    ],
)
def test_a_step_from_an_empty_database_leads_to_nobody(tmp_path, source):
    url = f"sqlite:///{tmp_path}/none.db"

    assert look_up_stage(url, "sandbox", Stage(USERS, source), NOON).seeds == 0
