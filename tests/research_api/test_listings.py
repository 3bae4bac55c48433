"""What is asked of the endpoints that list things (api_facts.md 4 to 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from asked import seed_request
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.research_api import endpoints
from tiktok_crawler.research_api.endpoints import DEFAULT_URL, LISTINGS, Listing, Pool, SeedKey
from tiktok_crawler.research_api.paging import Paging

if TYPE_CHECKING:
    from tiktok_crawler.research_api.tasks import PageRequest

VIDEO_LIST_FIELDS = (
    "id, create_time, username, region_code, video_description, music_id, like_count, "
    "comment_count, share_count, view_count, hashtag_names, is_stem_verified, favorites_count, "
    "video_duration, hashtag_info_list, sticker_info_list, effect_info_list, video_mention_list, "
    "video_label, video_tag"
)
USER_FIELDS = (
    "display_name, bio_description, avatar_url, is_verified, follower_count, following_count, "
    "likes_count, video_count, bio_url"
)
PRODUCT_FIELDS = (
    "product_id, product_sold_count, product_description, product_price, product_review_count, "
    "product_name, product_rating_1_count, product_rating_2_count, product_rating_3_count, "
    "product_rating_4_count, product_rating_5_count"
)
DOCUMENTED = {
    # api_facts.md 4 to 10: path, fields, largest page
    endpoints.COMMENTS: (
        "video/comment/list/",
        "id, video_id, text, like_count, reply_count, parent_comment_id, create_time",
        100,
    ),
    endpoints.USERS: (
        "user/info/",
        USER_FIELDS,
        1,
    ),
    endpoints.FOLLOWERS: ("user/followers/", "", 100),
    endpoints.FOLLOWING: ("user/following/", "", 100),
    endpoints.LIKED_VIDEOS: ("user/liked_videos/", VIDEO_LIST_FIELDS, 100),
    endpoints.PINNED_VIDEOS: ("user/pinned_videos/", VIDEO_LIST_FIELDS, 100),
    endpoints.REPOSTED_VIDEOS: ("user/reposted_videos/", VIDEO_LIST_FIELDS, 100),
    endpoints.PLAYLISTS: ("playlist/info/", "", 100),
    endpoints.SHOPS: (
        "tts/shop/",
        "shop_name, shop_rating, shop_review_count, item_sold_count, shop_id",
        10,
    ),
    endpoints.PRODUCTS: (
        "tts/product/",
        PRODUCT_FIELDS,
        10,
    ),
    endpoints.REVIEWS: (
        "tts/review/",
        "product_name, review_text, review_like_count, create_time, review_rating",
        10,
    ),
}
ID = "7318480000000000001"


def request(listing: Listing, seed: str = "ada", cursor: int = 0) -> PageRequest:
    return seed_request(listing, ID if listing.seed_key.is_number else seed, 5, cursor=cursor)


@pytest.mark.parametrize(("listing", "documented"), DOCUMENTED.items(), ids=lambda x: str(x)[:20])
def test_an_endpoint_is_asked_at_its_path_for_all_documented_fields(listing, documented):
    path, fields, largest_page = documented
    url = urlsplit(request(listing).url(DEFAULT_URL))

    assert url.path == f"/v2/research/{path}"
    asked = parse_qs(url.query).get("fields", [""])[0]
    assert sorted(asked.split(",")) == sorted(fields.split(", "))
    assert listing.endpoint.max_count == largest_page


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=list(LISTINGS))
def test_the_refused_spelling_of_favorites_is_never_asked_for(listing):
    assert "favourites_count" not in listing.endpoint.record_keys


def test_followers_and_following_draw_on_a_quota_of_their_own():
    own = {listing.name for listing in LISTINGS.values() if listing.endpoint.pool is Pool.FOLLOW}

    assert own == {"followers", "following"}


def test_replies_are_asked_for_where_comments_are_and_by_the_comment_alone():
    assert endpoints.REPLIES.endpoint is endpoints.COMMENTS.endpoint
    assert request(endpoints.REPLIES).body == {"comment_id": int(ID), "max_count": 100}


BODIES = [
    (endpoints.COMMENTS, {"video_id": int(ID), "max_count": 100}),
    (endpoints.USERS, {"username": "ada"}),
    (endpoints.FOLLOWERS, {"username": "ada", "max_count": 100}),
    (endpoints.FOLLOWING, {"username": "ada", "max_count": 100}),
    (endpoints.LIKED_VIDEOS, {"username": "ada", "max_count": 100}),
    (endpoints.PINNED_VIDEOS, {"username": "ada"}),
    (endpoints.REPOSTED_VIDEOS, {"username": "ada", "max_count": 100}),
    (endpoints.PLAYLISTS, {"playlist_id": int(ID), "max_count": 100}),
]
SHOP_BODIES = [
    (endpoints.SHOPS, {"shop_name": "ada", "limit": 10}),
    (endpoints.PRODUCTS, {"shop_id": int(ID), "page_start": 1, "page_size": 10}),
    (endpoints.REVIEWS, {"product_id": "ada", "page_start": 1, "page_size": 10}),
]


@pytest.mark.parametrize(("listing", "body"), BODIES, ids=lambda x: getattr(x, "name", ""))
def test_a_first_page_is_asked_for_without_a_cursor(listing, body):
    assert request(listing).body == body


@pytest.mark.parametrize(("listing", "body"), SHOP_BODIES, ids=lambda x: getattr(x, "name", ""))
def test_the_fields_of_shop_endpoints_stand_in_the_body_too(listing, body):
    fields = ",".join(listing.endpoint.fields)

    assert request(listing).body == body | {"fields": fields}


PAGED = [
    listing
    for listing in LISTINGS.values()
    if listing.endpoint.paging in (Paging.INDEX, Paging.FALLING, Paging.OPAQUE)
]


@pytest.mark.parametrize("listing", PAGED, ids=lambda listing: listing.name)
def test_a_later_page_echoes_the_cursor_as_it_came(listing):
    first = request(listing).body

    assert request(listing, cursor=700).body == first | {"cursor": 700}


@pytest.mark.parametrize("listing", [endpoints.PRODUCTS, endpoints.REVIEWS])
def test_pages_of_shops_are_counted_from_1(listing):
    assert [request(listing, cursor=n).body["page_start"] for n in (0, 1, 9)] == [1, 2, 10]


@pytest.mark.parametrize(
    ("cursor", "count"), [(0, 100), (900, 100), (901, 99), (950, 50), (999, 1), (1000, 100)]
)
@pytest.mark.parametrize("listing", [endpoints.COMMENTS, endpoints.REPLIES])
def test_comments_are_not_asked_for_across_the_cap(listing, cursor, count):
    # api_facts.md 4: cursor + max_count <= 1000; beyond it the API may refuse, or have more.
    assert request(listing, cursor=cursor).body["max_count"] == count


@pytest.mark.parametrize(
    ("key", "is_number"),
    [
        (SeedKey.VIDEO_ID, True),
        (SeedKey.COMMENT_ID, True),
        (SeedKey.PLAYLIST_ID, True),
        (SeedKey.SHOP_ID, True),
        (SeedKey.PRODUCT_ID, False),
        (SeedKey.USERNAME, False),
        (SeedKey.SHOP_NAME, False),
    ],
)
def test_ids_are_numbers_but_for_those_of_products(key, is_number):
    assert key.is_number is is_number


@given(st.integers(1, 2**63 - 1))
def test_an_id_is_sent_with_all_its_digits(video_id):
    asked = seed_request(endpoints.COMMENTS, str(video_id), 5)

    assert asked.body["video_id"] == video_id


def test_what_comes_in_one_answer_has_no_pages():
    single = {listing.name for listing in LISTINGS.values() if not listing.has_pages}

    assert single == {"users", "pinned_videos", "shops"}


def test_listings_are_known_by_their_names():
    assert all(listing.name == name for name, listing in LISTINGS.items())
    assert len(LISTINGS) == 12


@pytest.mark.parametrize(
    ("listing", "words"),
    [
        (endpoints.COMMENTS, f"comments of video_id {ID}"),
        (endpoints.LIKED_VIDEOS, "liked videos of username ada"),
    ],
)
def test_a_request_reads_as_what_is_listed_of_what(listing, words):
    assert str(request(listing)) == words


@pytest.mark.parametrize(
    "listing", [endpoints.LIKED_VIDEOS, endpoints.PINNED_VIDEOS, endpoints.REPOSTED_VIDEOS]
)
def test_what_the_lists_of_users_do_not_tell_of_videos_is_not_asked_for(listing):
    assert not {"effect_ids", "playlist_id", "voice_to_text"} & {*listing.endpoint.fields}


def test_what_lists_tell_unasked_is_known_and_not_asked_for():
    assert "display_name" not in endpoints.COMMENTS.endpoint.fields
    assert "display_name" in endpoints.COMMENTS.endpoint.record_keys
