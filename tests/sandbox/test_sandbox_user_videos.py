from __future__ import annotations

from datetime import UTC, datetime

import pytest
from list_client import ListClient, sandbox, some_seeds
from sandbox_client import query

from tiktok_crawler.research_api.endpoints import USER_VIDEO_FIELDS

LISTINGS = ("liked_videos", "pinned_videos", "reposted_videos")
SHARED = sandbox(private_likes=0)


@pytest.mark.parametrize("listing", LISTINGS)
def test_the_videos_are_those_that_searches_find(listing):
    found = {}
    for seed in some_seeds(SHARED, listing, 3, at_least=1):
        found |= {video["id"]: video for video in SHARED.truth(listing, seed)}
    for video_id in list(found)[:20]:
        video = found[video_id]
        day = datetime.fromtimestamp(video["create_time"], UTC).date()
        [match] = [
            each
            for each in SHARED.matches(query("username", video["username"]), day, day)
            if each["id"] == video_id
        ]
        assert video == {n: v for n, v in match.items() if n in USER_VIDEO_FIELDS}


@pytest.mark.parametrize("listing", LISTINGS)
@pytest.mark.parametrize(
    "field", ["favourites_count", "effect_ids", "playlist_id", "voice_to_text"]
)
def test_fields_that_the_lists_do_not_have_are_refused(listing, field):
    seed = some_seeds(SHARED, listing, 1)[0]
    problem = ListClient(SHARED).problem(listing, seed, fields=f"id,{field}")
    assert problem == (400, "invalid_params", f"Invalid fields: {field}")


def test_the_cursor_of_likes_is_in_milliseconds_and_falls():
    seed = some_seeds(SHARED, "liked_videos", 1, at_least=150)[0]
    pages = ListClient(SHARED).pages("liked_videos", seed, max_count=50)
    cursors = [page["cursor"] for page in pages]
    assert cursors == sorted(cursors, reverse=True)
    assert all(10**12 < cursor < 10**13 for cursor in cursors)
    assert min(len(page["user_liked_videos"]) for page in pages[:-1]) < 50


def test_likes_are_not_in_the_order_of_the_videos():
    seed = some_seeds(SHARED, "liked_videos", 1, at_least=50)[0]
    times = [video["create_time"] for video in SHARED.truth("liked_videos", seed)]
    assert times != sorted(times, reverse=True)


def test_nearly_nobody_shows_what_they_like_and_both_refusals_occur():
    asked = sandbox()
    asking = ListClient(asked)
    answers = [asking.ask("liked_videos", seed) for seed in some_seeds(asked, "users", 200)]
    statuses = [status for status, _ in answers]
    assert 0 < statuses.count(200) < 20
    assert min(statuses.count(403), statuses.count(400)) > 50
    words = {body["error"]["message"] for status, body in answers if status == 400}
    assert words == {"This user's information cannot be returned"}


def test_pins_are_up_to_three_own_videos_without_pages():
    seeds = some_seeds(SHARED, "pinned_videos", 10, at_least=1)
    pages = [ListClient(SHARED).data("pinned_videos", seed) for seed in seeds]
    assert all(page.keys() == {"pinned_videos_list"} for page in pages)
    assert {len(page["pinned_videos_list"]) for page in pages} == {1, 2, 3}
    for seed, page in zip(seeds, pages, strict=True):
        assert {video["username"] for video in page["pinned_videos_list"]} == {seed}


def test_without_pins_there_is_no_list():
    seed = next(s for s in SHARED.seeds("pinned_videos") if not SHARED.truth("pinned_videos", s))
    assert ListClient(SHARED).data("pinned_videos", seed) == {}


def test_the_key_of_reposted_videos_differs_from_user_to_user():
    seeds = some_seeds(SHARED, "reposted_videos", 20, at_least=1)
    keys = {frozenset(ListClient(SHARED).data("reposted_videos", seed)) for seed in seeds}
    more = {"cursor", "has_more"}
    assert keys == {
        frozenset({name, *more}) for name in ("reposted_videos", "user_reposted_videos")
    }


@pytest.mark.parametrize(("share", "key"), [(0, "reposted_videos"), (1, "user_reposted_videos")])
def test_the_key_of_reposted_videos_can_be_chosen(share, key):
    asked = sandbox(other_reposted_key=share, reposted_videos=5)
    for seed in some_seeds(asked, "reposted_videos", 10):
        assert key in ListClient(asked).data("reposted_videos", seed)


def test_the_cursor_of_reposted_videos_counts_more_than_was_asked_for():
    asked = sandbox(reposted_videos=200)
    pages = ListClient(asked).pages(
        "reposted_videos", some_seeds(asked, "users", 1)[0], max_count=60
    )
    for number, page in enumerate(pages[:-1], start=1):
        assert len(page.get("reposted_videos") or page["user_reposted_videos"]) == 60
        assert page["cursor"] > number * 60
    assert pages[-1]["cursor"] == 200


@pytest.mark.parametrize("listing", ["liked_videos", "reposted_videos"])
def test_the_number_can_be_chosen(listing):
    asked = sandbox(private_likes=0, **{listing: 700})
    seed = some_seeds(asked, listing, 1)[0]
    assert 600 < len({video["id"] for video in asked.truth(listing, seed)}) < 700
