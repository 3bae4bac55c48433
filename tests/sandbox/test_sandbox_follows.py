from __future__ import annotations

import pytest
from list_client import ListClient, sandbox, some_seeds

SHARED = sandbox()


def test_relations_are_a_name_and_a_display_name_that_is_sometimes_missing():
    seed = some_seeds(SHARED, "followers", 1, at_least=1_000)[0]
    keys = {frozenset(each) for each in SHARED.truth("followers", seed)}
    assert keys == {frozenset({"username", "display_name"}), frozenset({"username"})}


@pytest.mark.parametrize("listing", ["followers", "following"])
def test_pages_are_short_and_cursors_fall(listing):
    seed = some_seeds(SHARED, listing, 1, at_least=400)[0]
    pages = ListClient(SHARED).pages(listing, seed, max_count=100)
    assert 85 < min(len(page[f"user_{listing}"]) for page in pages[:-1]) < 100
    cursors = [page["cursor"] for page in pages[:-1]]
    assert cursors == sorted(set(cursors), reverse=True)
    assert all(10**9 < cursor < 1_704_067_200 for cursor in cursors)
    assert not pages[-1]["has_more"]


def test_what_was_made_in_the_second_of_the_cursor_comes_again():
    asked = sandbox(followers=300, same_second=0.5, deleted=0)
    seed = some_seeds(asked, "followers", 1)[0]
    names = [each["username"] for each in ListClient(asked).records("followers", seed)]
    assert len(names) > 300
    assert list(dict.fromkeys(names)) == [
        each["username"] for each in asked.truth("followers", seed)
    ]


def test_more_relations_of_one_second_than_a_page_holds_stop_the_cursor():
    asked = sandbox(followers=300, same_second=1, deleted=0)
    asking, seed = ListClient(asked), some_seeds(asked, "followers", 1)[0]
    first = asking.data("followers", seed)
    again = asking.data("followers", seed, cursor=first["cursor"])
    assert (again["cursor"], again["has_more"]) == (first["cursor"], True)


def test_a_cursor_in_between_begins_with_what_is_older():
    seed = some_seeds(SHARED, "followers", 1, at_least=400)[0]
    asking = ListClient(SHARED)
    second = asking.data("followers", seed, max_count=50)["cursor"]
    assert asking.data("followers", seed, cursor=second + 1) != asking.data("followers", seed)
    assert asking.data("followers", seed, cursor=2**40) == asking.data("followers", seed)


@pytest.mark.parametrize("listing", ["followers", "following"])
def test_an_empty_list_has_no_key(listing):
    asked = sandbox(followers=0, following=0)
    data = ListClient(asked).data(listing, some_seeds(asked, listing, 1)[0])
    assert data == {"cursor": 0, "has_more": False}


def test_only_the_latest_followers_are_listed():
    asked = sandbox(followers=7_000, deleted=0)
    seed = some_seeds(asked, "followers", 1)[0]
    assert len(asked.truth("followers", seed)) == 5_000
    assert asked.truth("users", seed)[0]["follower_count"] == 7_000


def test_sizes_reach_from_nothing_to_beyond_the_cap():
    sizes = [SHARED.truth("users", each)[0] for each in some_seeds(SHARED, "users", 600)]
    counts = [each["follower_count"] for each in sizes]
    assert min(counts) == 0
    assert max(counts) > 5_000
    assert max(each["following_count"] for each in sizes) > 500


def test_followers_have_profiles_of_their_own_and_many_post_nothing():
    posting = set(some_seeds(SHARED, "users", 4_000))
    seed = some_seeds(SHARED, "followers", 1, at_least=1_000)[0]
    names = [each["username"] for each in SHARED.truth("followers", seed)]
    found = [name for name in names if isinstance(SHARED.truth("users", name), list)]
    assert 0.9 < len(found) / len(names) < 1
    assert 0 < len(posting.intersection(names)) < len(names) / 10


def test_some_do_not_show_whom_they_follow():
    asked = sandbox(private_following=1)
    seed = some_seeds(asked, "users", 1)[0]
    problem = ListClient(asked).problem("following", seed)
    assert problem == (400, "invalid_params", "This user's information cannot be returned")
    assert isinstance(asked.truth("followers", seed), list)
