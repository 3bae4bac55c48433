"""Seeds that a database has: those of a step in the follow network, and the first of many."""

from __future__ import annotations

import pytest
from listed_pages import store_list
from stored_pages import NOON

from tiktok_crawler.planning.seeds import (
    FirstSeeds,
    GivenSeeds,
    ProductsOfShops,
    RelatedUsers,
    RepliedComments,
    SeedsOfTag,
    ShopsByName,
    Stage,
)
from tiktok_crawler.research_api import endpoints
from tiktok_crawler.storage.stage_session import look_up_stage

FOLLOWS = {"ann": ["bob", "cy"], "bob": ["cy", "dee"], "eve": ["fay"]}
ANN_AND_BOB = GivenSeeds(("ann", "bob"))


@pytest.fixture
def seeds(prepared_url):
    """Finds the seeds of a source, all of them due."""

    def seeds(listing, source):
        plan = look_up_stage(prepared_url, "sandbox", Stage(listing, source), NOON)
        return [request.seed.key for request in plan.first_requests]

    return seeds


@pytest.fixture
def network(prepared_url):
    """Who follows whom, listed from both ends."""
    for follower, names in FOLLOWS.items():
        found = [{"username": name} for name in names]
        store_list(prepared_url, endpoints.FOLLOWING, follower, *found)
    store_list(prepared_url, endpoints.FOLLOWERS, "ann", {"username": "gus"}, {"username": "eve"})


@pytest.fixture
def videos(search):
    """Three videos with a tag; the last has most comments."""
    run = search(tags=("tea",))
    records = [
        {"id": number, "create_time": 1_704_067_200, "username": name, "comment_count": number}
        for number, name in ((1, "ann"), (2, "ann"), (3, "bob"))
    ]
    run.ask(run.first(), *records)


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize(
    ("listing", "users", "found"),
    [
        (endpoints.FOLLOWING, ANN_AND_BOB, ["cy", "bob", "dee"]),
        (endpoints.FOLLOWING, GivenSeeds(("cy",)), []),
        (endpoints.FOLLOWERS, GivenSeeds(("ann",)), ["eve", "gus"]),
        (endpoints.FOLLOWERS, GivenSeeds(("cy", "fay")), ["ann", "bob", "eve"]),
        (endpoints.FOLLOWERS, GivenSeeds(("cy", "bob")), ["ann", "bob"]),
    ],
)
def test_a_step_leads_to_those_in_the_lists_the_most_listed_first(seeds, listing, users, found):
    assert seeds(endpoints.USERS, RelatedUsers(users, listing)) == found


@pytest.mark.usefixtures("network", "videos")
def test_a_step_can_start_from_the_authors_of_videos(seeds):
    source = RelatedUsers(SeedsOfTag("tea"), endpoints.FOLLOWING)

    assert seeds(endpoints.USERS, source) == ["cy", "bob", "dee"]


@pytest.mark.usefixtures("network")
def test_a_step_asks_for_nobody_whose_list_is_stored(seeds):
    assert seeds(endpoints.FOLLOWING, RelatedUsers(ANN_AND_BOB, endpoints.FOLLOWING)) == [
        "cy",
        "dee",
    ]


@pytest.mark.usefixtures("network")
def test_a_step_can_go_to_the_most_listed_alone(seeds):
    source = FirstSeeds(RelatedUsers(ANN_AND_BOB, endpoints.FOLLOWING), 2)

    assert seeds(endpoints.USERS, source) == ["cy", "bob"]


@pytest.mark.usefixtures("videos")
def test_the_first_videos_are_the_most_discussed(seeds):
    assert seeds(endpoints.COMMENTS, FirstSeeds(SeedsOfTag("tea"), 2)) == ["3", "2"]


@pytest.mark.usefixtures("videos")
def test_replies_are_looked_for_among_the_comments_of_the_first_videos_alone(prepared_url, seeds):
    for video in (2, 3):
        comment = {"id": video * 10, "video_id": video, "reply_count": 1}
        store_list(prepared_url, endpoints.COMMENTS, str(video), comment)

    first = FirstSeeds(SeedsOfTag("tea"), 1)

    assert seeds(endpoints.REPLIES, RepliedComments(first)) == ["30"]
    assert seeds(endpoints.REPLIES, RepliedComments(SeedsOfTag("tea"))) == ["20", "30"]


def test_the_first_shops_of_a_name_are_those_alone(prepared_url, seeds):
    shops = [{"shop_id": number, "shop_name": "Tea & Co"} for number in (7, 8)]
    store_list(prepared_url, endpoints.SHOPS, "Tea", *shops)

    assert seeds(endpoints.PRODUCTS, FirstSeeds(ShopsByName(("Tea",)), 1)) == ["7"]


def test_the_products_of_shops_of_a_name_are_found_the_most_reviewed_first(prepared_url, seeds):
    store_list(prepared_url, endpoints.SHOPS, "Tea", {"shop_id": 7, "shop_name": "Tea & Co"})
    products = [
        {"product_id": "10", "product_review_count": 1},
        {"product_id": "11", "product_review_count": 5},
    ]
    store_list(prepared_url, endpoints.PRODUCTS, "7", *products)
    store_list(prepared_url, endpoints.PRODUCTS, "8", {"product_id": "12"})

    assert seeds(endpoints.REVIEWS, ProductsOfShops(ShopsByName(("Tea",)))) == ["11", "10"]
    assert seeds(endpoints.REVIEWS, ProductsOfShops(GivenSeeds(("8",)))) == ["12"]


@pytest.mark.parametrize(
    "source",
    [
        RelatedUsers(ANN_AND_BOB, endpoints.FOLLOWING),
        FirstSeeds(RelatedUsers(ANN_AND_BOB, endpoints.FOLLOWING), 2),
    ],
)
def test_a_step_from_an_empty_database_leads_to_nobody(tmp_path, source):
    url = f"sqlite:///{tmp_path}/none.db"

    assert look_up_stage(url, "sandbox", Stage(endpoints.USERS, source), NOON).seeds == 0
