"""A midnight at which much is removed, renamed and grown: every answer tells the same of it."""

from __future__ import annotations

from array import array
from datetime import UTC, date, datetime
from functools import cache
from itertools import islice
from typing import Any

import pytest
from list_client import ListClient
from sandbox_client import EVERYTHING, Client, Clock, query

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.sandbox import Profile, Sandbox, load_profile
from tiktok_crawler.sandbox.compliance.upload import Upload
from tiktok_crawler.sandbox.faults.profile import Category, DataBehaviour, ListBehaviour, Turnover
from tiktok_crawler.sandbox.faults.profile_file import parse_profile

FIRST, LAST = date(2024, 1, 1), date(2024, 1, 20)
ON = date(2024, 6, 2)
BEFORE = datetime(2024, 6, 1, 23, 59, tzinfo=UTC)
AFTER = datetime(2024, 6, 2, tzinfo=UTC)
MUCH = Turnover(on=ON, videos=0.2, accounts=0.1, renamed=0.1, growth=0.5)
LISTS = ListBehaviour(
    comments=20, replies=3, unknown_users=0, withheld_users=0, private_likes=0, private_following=0
)


def sandbox(moment: datetime, turnover: Turnover | None = MUCH, **options: Any) -> Sandbox:
    profile = Profile(data=DataBehaviour(turnover=turnover), lists=LISTS)
    options = {"videos_per_day": 200, "daily_quota": None, **options}
    return Sandbox(profile=profile, now=Clock(moment), **options)


@cache
def before() -> Sandbox:
    return sandbox(BEFORE)


@cache
def after() -> Sandbox:
    return sandbox(AFTER)


def videos(asked: Sandbox) -> dict[int, dict[str, Any]]:
    return {video["id"]: video for video in asked.matches(EVERYTHING, FIRST, LAST)}


@cache
def owners() -> dict[int, str]:
    """Whose the videos were."""
    return {number: video["username"] for number, video in videos(before()).items()}


@cache
def names() -> dict[str, str | None]:
    """The owners' names afterwards."""
    return after().names_now(set(owners().values()))


def removed() -> list[str]:
    return [name for name, now in names().items() if now is None]


def renamed() -> dict[str, str]:
    return {name: now for name, now in names().items() if now is not None and now != name}


def test_nothing_has_changed_the_minute_before():
    assert videos(before()) == videos(sandbox(BEFORE, None))
    assert before().still_there("video", owners()) == list(owners())
    assert set(before().names_now(owners().values()).items()) == {
        (name, name) for name in owners().values()
    }


def test_the_shares_are_those_of_the_profile():
    number = len(names())
    assert len(removed()) == pytest.approx(number * 0.1, rel=0.3)
    assert len(renamed()) == pytest.approx(number * 0.9 * 0.1, rel=0.3)
    kept = {each for each, owner in owners().items() if names()[owner]}
    left = after().still_there("video", kept)
    assert len(left) == pytest.approx(len(kept) * 0.8, rel=0.05)


def test_searches_and_checks_agree_on_what_is_left():
    left = videos(after())
    assert after().still_there("video", owners()) == [each for each in owners() if each in left]
    assert not any(names()[owners()[each]] is None for each in left)
    assert {video["username"] for video in left.values()} <= set(names().values())
    assert {video["username"] for video in left.values()} & set(renamed().values())


def test_a_sandbox_that_goes_on_over_midnight_tells_the_same():
    clock = Clock(BEFORE)
    profile = Profile(data=DataBehaviour(turnover=MUCH), lists=LISTS)
    asked = Sandbox(videos_per_day=200, profile=profile, now=clock)
    assert videos(asked) == videos(before())
    first = Client(asked).page()["search_id"]
    clock.time = AFTER
    assert videos(asked) == videos(after())
    assert Client(asked).page()["search_id"] != first
    assert asked.names_now(names()) == names()


@pytest.mark.parametrize(("whose", "found"), [("old", 0), ("new", 1)])
def test_a_search_by_name_finds_the_new_one_alone(whose, found):
    old, new = next(iter(renamed().items()))
    asked = query("username", old if whose == "old" else new)
    own = {number for number, owner in owners().items() if owner == old}
    assert own
    there = {video["id"] for video in after().matches(asked, FIRST, LAST)}
    assert there == (set(after().still_there("video", own)) if found else set())


def test_profiles_are_found_under_the_names_of_now():
    client = ListClient(after())
    for name in removed()[:3]:
        assert "cannot find the user" in client.problem("users", name)[2]
    for old, new in islice(renamed().items(), 3):
        assert "cannot find the user" in client.problem("users", old)[2]
        assert (
            client.data("users", new)["follower_count"]
            == (ListClient(before()).data("users", old)["follower_count"])
        )


@pytest.mark.parametrize(
    "listing", ["users", "followers", "following", "liked_videos", "pinned_videos"]
)
def test_removed_and_renamed_users_have_no_lists_under_their_old_names(listing):
    client = ListClient(after())
    old, new = next(iter(renamed().items()))
    for name in (removed()[0], old):
        assert "cannot find the user" in client.problem(listing, name)[2]
    assert client.ask(listing, new)[0] == 200


def test_who_is_removed_follows_nobody_and_others_come_with_their_names_of_now():
    seed = next(before().seeds("followers", at_least=50))
    follower_names = [each["username"] for each in before().truth("followers", seed)]
    now = after().names_now([seed, *follower_names])
    assert now[seed]
    left = [each["username"] for each in after().truth("followers", now[seed])]
    assert left == [now[name] for name in follower_names if now[name]]
    assert None in now.values()
    assert left != [name for name in follower_names if now[name]]


def test_a_user_lists_no_removed_videos_and_those_of_others_by_their_names():
    seed = next(
        name for name in before().seeds("reposted_videos", at_least=40) if name not in removed()
    )
    reposted = before().truth("reposted_videos", seed)
    now = after().names_now([seed, *(video["username"] for video in reposted)])
    told = after().truth("reposted_videos", now[seed])
    ids = [video["id"] for video in reposted]
    assert [video["id"] for video in told] == after().still_there("video", ids)
    assert len(told) < len(reposted)
    by_id = {video["id"]: video["username"] for video in reposted}
    assert all(video["username"] == now[by_id[video["id"]]] for video in told)


def test_pinned_videos_stay_pinned_under_a_new_name():
    pinned = {old: before().truth("pinned_videos", old) for old in islice(renamed(), 40)}
    assert any(pinned.values())
    for old, records in pinned.items():
        told = after().truth("pinned_videos", renamed()[old])
        assert {video["username"] for video in told} <= {renamed()[old]}
        assert bool(told) >= bool(after().still_there("video", [each["id"] for each in records]))


def comments_of(asked: Sandbox, video: int) -> list[int] | None:
    told = asked.truth("comments", str(video))
    return [comment["id"] for comment in told] if isinstance(told, list) else None


def test_comments_go_with_their_video_and_with_their_author():
    with_authors_gone = 0
    for video in islice(owners(), 60):
        comments = comments_of(before(), video) or []
        assert len(comments) > 10
        left = comments_of(after(), video)
        assert (left is not None) == bool(after().still_there("video", [video]))
        assert after().still_there("comment", comments) == (left or [])
        with_authors_gone += left is not None and len(left) < len(comments)
    assert with_authors_gone > 10


def test_replies_go_with_their_comment():
    gone = 0
    for video in islice(owners(), 20):
        comments = comments_of(before(), video) or []
        there = set(after().still_there("comment", comments))
        for comment in comments:
            replies = [reply["id"] for reply in before().truth("replies", str(comment))]
            told = after().truth("replies", str(comment))
            left = [reply["id"] for reply in told] if isinstance(told, list) else []
            assert after().still_there("comment", replies) == left
            assert isinstance(told, list) == (comment in there)
            gone += not left and bool(replies)
    assert gone > 10


def test_playlists_go_with_their_owner():
    owned = {}
    for video in videos(before()).values():
        owned.setdefault(video.get("playlist_id"), video["username"])
    owned.pop(None)
    refused = [number for number in owned if not isinstance(playlist(after(), number), list)]
    assert refused
    assert refused == [number for number, owner in owned.items() if names()[owner] is None]
    for number in owned.keys() - set(refused):
        ids = playlist(before(), number)[0]["playlist_video_ids"]
        left = playlist(after(), number)[0].get("playlist_video_ids", [])
        assert left == after().still_there("video", ids)


def playlist(asked: Sandbox, number: int) -> Any:
    return asked.truth("playlists", str(number))


def test_a_video_grows_out_of_a_query_and_is_still_there():
    few = query("view_count", "1000", operation="LT")
    had = {video["id"]: video for video in before().matches(few, FIRST, LAST)}
    has = {video["id"] for video in after().matches(few, FIRST, LAST)}
    there = set(after().still_there("video", had))
    grown = there - has
    assert grown
    assert grown == {each for each in there if int(had[each]["view_count"] * 1.5) >= 1000}
    everything = videos(after())
    assert all(
        everything[each]["view_count"] == int(had[each]["view_count"] * 1.5) for each in grown
    )


def test_videos_that_came_later_are_not_struck_but_with_their_owner():
    asked = sandbox(datetime(2024, 8, 1, tzinfo=UTC))
    plain = sandbox(datetime(2024, 8, 1, tzinfo=UTC), None)
    days = date(2024, 7, 1), date(2024, 7, 5)
    came = plain.matches(EVERYTHING, *days)
    now = asked.names_now(video["username"] for video in came)
    expected = [
        video | {"username": now[video["username"]]} for video in came if now[video["username"]]
    ]
    assert len(expected) < len(came)
    assert asked.matches(EVERYTHING, *days) == expected


def test_the_profile_of_removals_has_them_behind_it():
    moment = Clock(datetime(2024, 3, 1, tzinfo=UTC))
    plain = Sandbox(profile=load_profile("none"), now=moment)
    asked = Sandbox(profile=load_profile("removals"), now=moment)
    had = {video["id"]: video["username"] for video in plain.matches(EVERYTHING, FIRST, LAST)}
    now = asked.names_now(had.values())
    gone = set(had) - set(asked.still_there("video", had))
    owned = {number for number, name in had.items() if now[name] is None}
    assert owned < gone
    assert len(gone - owned) == pytest.approx(len(had) * 0.03, rel=0.2)
    people = asked.names_now(set(plain.seeds("users")))
    counts = [
        sum(each is None for each in people.values()),
        sum(each not in (None, name) for name, each in people.items()),
    ]
    assert counts == [pytest.approx(len(people) * 0.01, rel=0.4)] * 2


@pytest.mark.parametrize("text", ["videos: 1.5", "growth: -1", "accounts: -0.1", "on: today"])
def test_what_is_no_turnover_is_refused(text):
    with pytest.raises(ConfigurationError, match=r"data\.turnover"):
        parse_profile(f"data: {{turnover: {{{text}}}}}", "mine")


@pytest.mark.slow
def test_a_check_finds_what_was_there_when_it_was_begun():
    clock = Clock(BEFORE)
    profile = Profile(data=DataBehaviour(turnover=MUCH))
    asked = Sandbox(videos_per_day=200, profile=profile, now=clock)
    upload = Upload(Category.VIDEO, array("Q", owners()))
    early = asked._checks.begin(upload, None)
    clock.time = AFTER
    late = asked._checks.begin(upload, None)
    assert asked._checks.valid_ids(early) == list(owners())
    assert asked._checks.valid_ids(late) == after().still_there("video", owners())
