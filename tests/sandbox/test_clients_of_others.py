"""Clients that others wrote for the real API collect from the sandbox, by every method they have.

They have the API's address built in: what they send there is sent to the sandbox.
"""

from __future__ import annotations

import inspect
from datetime import date
from importlib import import_module
from itertools import islice
from json import dumps
from typing import TYPE_CHECKING

import pandas as pd
import pytest
import requests
import researchtikpy
import tiktok_research_api as ttw
from imported import import_into
from researchtikpy import Condition, Fields, Operators, Query, shops, social_graph
from sandboxes import recording_sandbox
from sqlalchemy import create_engine
from trials import expected_row, videos_in

from tiktok_crawler.research_api.endpoints import DEFAULT_URL, PRODUCTS, REVIEWS, SHOPS
from tiktok_crawler.sandbox import CLIENT_KEY, CLIENT_SECRET, Profile
from tiktok_crawler.sandbox.faults.profile import ListBehaviour

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

START, END = date(2024, 1, 1), date(2024, 2, 15)
DAYS = ("20240101", "20240215")
WEEK = ("20240101", "20240107")
BUTTER = {
    "and": [{"operation": "IN", "field_name": "hashtag_name", "field_values": ["butter", "cheese"]}]
}


@pytest.fixture(scope="module")
def served():
    lists = ListBehaviour(comments=250, followers=250, following=150, private_likes=0.5)
    with recording_sandbox(profile=Profile(lists=lists), videos_per_day=50) as (sandbox, url):
        yield sandbox, url


@pytest.fixture(autouse=True)
def sandbox(served, monkeypatch):
    """The sandbox to which all goes that is sent to the API."""
    sandbox, url = served
    send = requests.Session.send

    def redirected(session, request, **options):
        assert request.url.startswith(f"{DEFAULT_URL}/")
        request.url = request.url.replace(DEFAULT_URL, url)
        return send(session, request, **options)

    monkeypatch.setattr(requests.Session, "send", redirected)
    return sandbox


@pytest.fixture
def wrapper(sandbox):  # noqa: ARG001 - it is asked for a token
    return ttw.TikTokResearchAPI(CLIENT_KEY, CLIENT_SECRET, qps=10_000)


@pytest.fixture
def token(sandbox):  # noqa: ARG001
    return researchtikpy.get_access_token(CLIENT_KEY, CLIENT_SECRET)["access_token"]


def ids(records: Iterable[dict[str, object]], key: str = "id") -> list[object]:
    return [record[key] for record in records]


def user(sandbox, listing: str, **wanted: object) -> str:
    return next(sandbox.seeds(listing, **wanted))


def liking(sandbox) -> str:
    return user(sandbox, "liked_videos", at_least=1)


def reposting(sandbox) -> Iterator[str]:
    return sandbox.seeds("reposted_videos", at_least=1)


def truth(sandbox, listing: str, seed: object) -> list[dict[str, object]]:
    return sandbox.truth(listing, str(seed))


# --- TikTok's own wrapper -----------------------------------------------------------------------


def test_tiktoks_wrapper_searches_videos(sandbox, wrapper):
    criteria = ttw.Criteria("IN", "hashtag_name", ["butter", "cheese"])
    query = ttw.Query(and_criteria=[criteria])
    request = ttw.QueryVideoRequest(query, *DAYS, max_count=100)
    videos, search_id, _cursor, has_more, *_ = wrapper.query_videos(request, fetch_all_pages=True)
    assert ids(videos) == ids(
        [
            *sandbox.matches(BUTTER, START, date(2024, 1, 30)),
            *sandbox.matches(BUTTER, date(2024, 1, 31), END),
        ]
    )
    assert search_id
    assert has_more is False


def test_tiktoks_wrapper_gets_a_new_token(wrapper):
    first = wrapper.client_token
    wrapper.refresh_token()
    assert wrapper.client_token != first


def test_tiktoks_wrapper_reads_profiles(sandbox, wrapper):
    name = user(sandbox, "users", at_least=1)
    profile = wrapper.query_user_info(ttw.QueryUserInfoRequest(name))
    [expected] = truth(sandbox, "users", name)
    assert profile["follower_count"] == expected["follower_count"]


def test_tiktoks_wrapper_lists_comments(sandbox, wrapper):
    video = user(sandbox, "comments", at_least=150)
    request = ttw.QueryVideoCommentsRequest(int(video), max_count=100)
    comments, _, has_more = wrapper.query_video_comments(request, fetch_all_pages=True)
    assert ids(comments) == ids(truth(sandbox, "comments", video))
    assert has_more is False


@pytest.mark.parametrize("listing", ["followers", "following"])
def test_tiktoks_wrapper_lists_the_follow_graph(sandbox, wrapper, listing):
    name = user(sandbox, listing, at_least=120)
    asked = {
        "followers": ttw.QueryUserFollowersRequest,
        "following": ttw.QueryUserFollowingRequest,
    }[listing](name, max_count=100)
    people, _, has_more = getattr(wrapper, f"query_user_{listing}")(asked, fetch_all_pages=True)
    assert {person["username"] for person in people} == {
        person["username"] for person in truth(sandbox, listing, name)
    }
    assert has_more is False


def test_tiktoks_wrapper_lists_liked_videos(sandbox, wrapper):
    name = liking(sandbox)
    request = ttw.QueryUserLikedVideosRequest(name, max_count=5)
    videos, _, _ = wrapper.query_user_liked_videos(request, fetch_all_pages=True)
    assert set(ids(videos)) == set(ids(truth(sandbox, "liked_videos", name)))


def test_tiktoks_wrapper_lists_pinned_videos(sandbox, wrapper):
    name = user(sandbox, "pinned_videos", at_least=1)
    videos = wrapper.query_user_pinned_videos(ttw.QueryUserPinnedVideosRequest(name))
    assert ids(videos) == ids(truth(sandbox, "pinned_videos", name))


def test_tiktoks_wrapper_lists_reposted_videos(sandbox, wrapper):
    """It reads them under one of the two keys that the API has."""
    for name in islice(reposting(sandbox), 20):
        request = ttw.QueryUserRepostedVideosRequest(name, max_count=20)
        videos, _, _ = wrapper.query_user_reposted_videos(request, fetch_all_pages=True)
        if videos:
            assert ids(videos) == ids(truth(sandbox, "reposted_videos", name))
            return
    pytest.fail("no user had a list under the key that it reads")


def test_all_of_tiktoks_wrapper_is_tried():
    methods = {
        name for name in vars(ttw.TikTokResearchAPI) if name.startswith(("query_", "refresh"))
    }
    source = inspect.getsource(import_module(__name__)).replace("{listing}", "followers")
    source += source.replace("followers", "following")
    assert all(f"{name}(" in source or name in source for name in methods)


# --- ResearchTikPy ------------------------------------------------------------------------------


def test_researchtikpy_searches_by_query(sandbox, token):
    query = Query(and_=[Condition(Fields.hashtag_name, Operators.isin, ["butter", "cheese"])])
    found = researchtikpy.get_videos_query(query, token, *WEEK, total_max_count=10_000)
    assert list(found["id"]) == ids(sandbox.matches(BUTTER, START, date(2024, 1, 7)))


def test_researchtikpy_searches_by_hashtag(sandbox, token):
    found = researchtikpy.get_videos_hashtag(["butter", "cheese"], token, *WEEK, 10_000)
    assert list(found["id"]) == ids(sandbox.matches(BUTTER, START, date(2024, 1, 7)))


def test_researchtikpy_cannot_search_by_username():
    """In this version the method leaves out an argument of its own; nothing is sent."""
    with pytest.raises(TypeError, match="total_max_count"):
        researchtikpy.get_videos_info(["ann"], "token", *WEEK)


def test_researchtikpy_reads_profiles(sandbox, token):
    names = list(islice(sandbox.seeds("users", at_least=1), 3))
    profiles = researchtikpy.get_users_info(names, token)
    assert list(profiles["follower_count"]) == [
        truth(sandbox, "users", name)[0]["follower_count"] for name in names
    ]


def test_researchtikpy_lists_comments(sandbox, token):
    query = Query(and_=[Condition(Fields.hashtag_name, Operators.isin, ["butter", "cheese"])])
    videos = researchtikpy.get_videos_query(query, token, *WEEK, total_max_count=2)
    comments = researchtikpy.get_video_comments(videos, token)
    assert list(comments["id"]) == [
        number for video in videos["id"] for number in ids(truth(sandbox, "comments", video))
    ]


@pytest.mark.parametrize("listing", ["followers", "following"])
def test_researchtikpy_lists_the_follow_graph(sandbox, token, listing):
    name = user(sandbox, listing, at_least=120)
    expected = {person["username"] for person in truth(sandbox, listing, name)}
    older = import_module(f"researchtikpy.get_{listing}")
    for collect in (getattr(module, f"get_{listing}") for module in (social_graph, older)):
        assert set(collect([name], token)["username"]) == expected
    pages = getattr(social_graph, f"iter_{listing}_responses")(token, name)
    extract = getattr(social_graph, f"extract_{listing}")
    assert {person["username"] for page in pages for person in extract(page)} == expected


def test_researchtikpy_writes_whom_users_follow_to_a_file(sandbox, tmp_path, monkeypatch):
    """A line a page: this version looks for the records under a key that no answer has."""
    monkeypatch.setenv("TIKTOK_CLIENT_KEY", CLIENT_KEY)
    monkeypatch.setenv("TIKTOK_CLIENT_SECRET", CLIENT_SECRET)
    names = pd.Series(list(islice(sandbox.seeds("following", at_least=120), 2)))
    social_graph.dump_users_following(names, tmp_path / "following.jsonl")
    written = pd.read_json(tmp_path / "following.jsonl", lines=True)
    assert list(written["username"]) == [name for name in names for _ in range(2)]
    assert set(written["status_code"]) == {200}


def test_researchtikpy_lists_liked_and_pinned_videos(sandbox, token):
    name, other = liking(sandbox), user(sandbox, "pinned_videos", at_least=1)
    liked = researchtikpy.get_liked_videos([name], token, max_count=5)
    pinned = researchtikpy.get_pinned_videos([other], token)
    assert set(liked["id"]) == set(ids(truth(sandbox, "liked_videos", name)))
    assert list(pinned["id"]) == ids(truth(sandbox, "pinned_videos", other))


def test_researchtikpy_lists_shops_products_and_reviews(sandbox, token):
    name = user(sandbox, "shops", at_least=1)
    shop = user(sandbox, "products", at_least=1)
    product = user(sandbox, "reviews", at_least=1)
    for answer, listing, seed, key in (
        (shops.get_shop_info(name, token), SHOPS, name, "shop_id"),
        (shops.get_product_info(shop, token), PRODUCTS, shop, "product_id"),
        (shops.get_product_reviews(product, token), REVIEWS, product, "product_name"),
    ):
        found = answer.json()["data"][listing.endpoint.records_keys[0]]
        assert ids(found, key) == ids(truth(sandbox, listing.name, seed), key)[:10]


def test_all_of_researchtikpy_is_tried():
    functions = {name for name in researchtikpy.__all__ if name.startswith("get_")}
    source = inspect.getsource(import_module(__name__))
    source += source.replace("{listing}", "followers") + source.replace("{listing}", "following")
    assert all(f"get_{name.removeprefix('get_')}" in source for name in functions)


# --- What they save, imported -------------------------------------------------------------------


def imported(url: str) -> dict[int, dict[str, object]]:
    """The videos of a database, by id."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = videos_in(connection)
    engine.dispose()
    return found


def expected(records: Iterable[dict[str, object]], keys: Iterable[str]) -> dict[int, object]:
    """The rows of records of which a client has asked for these fields."""
    wanted = set(keys)
    return dict(expected_row({k: v for k, v in each.items() if k in wanted}) for each in records)


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_what_researchtikpy_saves_is_imported(sandbox, token, tmp_path, prepared_url, ending):
    query = Query(and_=[Condition(Fields.hashtag_name, Operators.isin, ["butter", "cheese"])])
    found = researchtikpy.get_videos_query(query, token, *WEEK, total_max_count=10_000)
    path = tmp_path / f"videos.{ending}"
    if ending == "csv":
        found.to_csv(path)
    else:
        found.to_json(path, orient="records")
    import_into(prepared_url, path)
    truth = list(sandbox.matches(BUTTER, START, date(2024, 1, 7)))
    assert len(truth) > 10
    # Where a video has none, pandas makes floating point of the others' ids, which rounds them.
    kept = [each for each in found.columns if each != "music_id" or found[each].dtype != float]
    wanted = expected(truth, kept)
    if ending == "csv":  # where empty text is none
        wanted = {id_: {k: v for k, v in row.items() if v != ""} for id_, row in wanted.items()}
    assert imported(prepared_url) == wanted


def test_what_tiktoks_wrapper_gives_is_imported(sandbox, wrapper, tmp_path, prepared_url):
    criteria = ttw.Criteria("IN", "hashtag_name", ["butter", "cheese"])
    request = ttw.QueryVideoRequest(ttw.Query(and_criteria=[criteria]), *WEEK, max_count=100)
    videos, *_ = wrapper.query_videos(request, fetch_all_pages=True)
    path = tmp_path / "videos.json"
    path.write_text(dumps(videos))
    import_into(prepared_url, path)
    truth = sandbox.matches(BUTTER, START, date(2024, 1, 7))
    keys = {key for video in videos for key in video}
    assert imported(prepared_url) == expected(truth, keys)
