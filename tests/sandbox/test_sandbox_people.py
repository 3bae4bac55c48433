from __future__ import annotations

import json
from datetime import date

import pytest
from list_client import ListClient, sandbox, some_seeds
from sandbox_client import Clock, query

from tiktok_crawler.research_api.endpoints import USERS

SHARED = sandbox()
ALWAYS = set(USERS.endpoint.fields) - {"bio_url"}


def profiles() -> list[dict]:
    return [SHARED.truth("users", each)[0] for each in some_seeds(SHARED, "users", 400)]


def test_a_profile_is_the_data_itself_with_the_fields_of_the_api():
    for profile in profiles():
        assert ALWAYS <= profile.keys() <= {*USERS.endpoint.fields, "username"}
        assert isinstance(profile["is_verified"], bool)
        assert all(isinstance(profile[name], int) for name in ALWAYS if name.endswith("_count"))


def test_names_links_and_biographies_are_there_or_not():
    made = profiles()
    for name in ("username", "bio_url"):
        assert 0.1 < sum(name in each for each in made) / len(made) < 0.5
    assert 0.1 < sum(each["bio_description"] == "" for each in made) / len(made) < 0.3


def test_the_picture_has_another_address_on_another_day_and_nothing_else_changes():
    clock = Clock()
    asked = sandbox(clock)
    seed = some_seeds(asked, "users", 1)[0]
    before = asked.truth("users", seed)[0]
    clock.move(days=1)
    after = asked.truth("users", seed)[0]
    assert {name for name in before if before[name] != after[name]} == {"avatar_url"}


def test_authors_of_videos_have_profiles_but_for_a_few():
    day = date(2024, 1, 3)
    names = {video["username"] for video in SHARED.matches(query("region_code", "US"), day, day)}
    truths = [SHARED.truth("users", name) for name in names]
    assert 0.85 < sum(isinstance(truth, list) for truth in truths) / len(truths) < 1


@pytest.mark.parametrize(
    "name", ["nobody", "@icyorchard0", "quietotter", "quiet_otter7", "olive.otter0007", "9" * 40]
)
@pytest.mark.parametrize(
    "listing",
    ["users", "followers", "following", "liked_videos", "pinned_videos", "reposted_videos"],
)
def test_nobody_is_found_under_a_name_that_nobody_has(listing, name):
    problem = ListClient(SHARED).problem(listing, name)
    message = f"`username: {name}` is invalid: cannot find the user"
    assert problem == (400, "invalid_params", message)


def test_everybody_can_be_unknown_or_withheld_or_nobody():
    assert some_seeds(sandbox(unknown_users=1), "users") == []
    assert some_seeds(sandbox(withheld_users=1, unknown_users=0), "users") == []
    everybody = sandbox(withheld_users=0, unknown_users=0)
    assert len(some_seeds(everybody, "users", 5_000)) == 4_000


def test_about_one_in_fifty_is_unknown_and_three_of_a_hundred_are_withheld():
    assert 40 < len(some_seeds(SHARED, "users", 4_000, refusal="cannot find")) < 120
    withheld = ("API cannot return this user's information", "This account is private")
    assert 60 < sum(len(some_seeds(SHARED, "users", 4_000, refusal=w)) for w in withheld) < 180


def test_profiles_are_invented_from_the_seed():
    assert json.dumps(profiles()) == json.dumps(profiles())
