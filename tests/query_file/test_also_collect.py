"""What a query file wants besides its videos."""

from __future__ import annotations

from datetime import timedelta

import pytest
from query_files import DATES, mistake, mistakes, read

from tiktok_crawler.planning.seeds import (
    FirstSeeds,
    RepliedComments,
    SeedsOfQuery,
    Stage,
    stages_of,
)
from tiktok_crawler.query_file.also_collect import COLLECTABLE, AlsoCollect
from tiktok_crawler.research_api import endpoints

FILE = f"{DATES}regions: [US]\n"
USERS = AlsoCollect(endpoints.USERS)


def wishes(folder, text):
    return read(folder, FILE + text).also_collect


@pytest.mark.parametrize(
    "text",
    [
        "also_collect: users",
        "also_collect: [users]",
        "also_collect:\n  - users",
        "also_collect: {users: }",
        "also_collect: {users: {}}",
        "also_collect:\n  users:\n",
        "also_collect:\n  - users:\n",
        "also_collect: ' users '",
    ],
)
def test_a_single_wish_is_a_name_in_any_form(tmp_path, text):
    assert wishes(tmp_path, text) == (USERS,)


@pytest.mark.parametrize(
    "text",
    [
        "also_collect: [users, comments: {max_per_video: 200, min_comment_count: 5}]",
        "also_collect:\n  - users\n  - comments: {max_per_video: 200, min_comment_count: 5}",
        "also_collect:\n  - users: \n    comments: {min_comment_count: 5, max_per_video: 200}",
        "also_collect:\n  users:\n  comments:\n    max_per_video: 200\n    min_comment_count: '5'",
    ],
)
def test_several_wishes_are_kept_in_their_order_with_their_limits(tmp_path, text):
    comments = AlsoCollect(endpoints.COMMENTS, limit=200, min_comment_count=5)

    assert wishes(tmp_path, text) == (USERS, comments)


@pytest.mark.parametrize("text", ["", "also_collect: []", "also_collect: {}"])
def test_without_wishes_videos_alone_are_collected(tmp_path, text):
    collection = read(tmp_path, FILE + text)

    assert collection.also_collect == ()
    assert stages_of(collection) == ()


def test_all_that_videos_lead_to_can_be_collected(tmp_path):
    names = "users, comments, followers, following, liked_videos, pinned_videos, reposted_videos"

    found = wishes(tmp_path, f"also_collect: [{names}, playlists]")

    assert (
        {wish.listing.name for wish in found}
        == set(COLLECTABLE)
        == {
            *names.split(", "),
            "playlists",
        }
    )


@pytest.mark.parametrize("name", ["followers", "following", "liked_videos", "reposted_videos"])
def test_lists_of_users_can_be_limited(tmp_path, name):
    (wish,) = wishes(tmp_path, f"also_collect:\n  {name}: {{max_per_user: 1000}}")

    assert wish == AlsoCollect(endpoints.LISTINGS[name], limit=1000)


@pytest.mark.parametrize(
    ("written", "replies"), [("yes", True), ("no", False), ("true", True), ("false", False)]
)
def test_replies_are_wanted_or_not(tmp_path, written, replies):
    (wish,) = wishes(tmp_path, f"also_collect: {{comments: {{replies: {written}}}}}")

    assert (wish.switches == ((endpoints.REPLIES, None),)) is replies


def test_replies_have_a_limit_of_their_own(tmp_path):
    written = "also_collect: {comments: {replies: yes, max_per_comment: 50, max_per_video: 200}}"
    (wish,) = wishes(tmp_path, written)

    assert wish.switches == ((endpoints.REPLIES, 50),)
    assert wish.limit == 200


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("also_collect: replies", "4:15: also_collect: 'replies' cannot be collected; allowed: "),
        (
            "also_collect: {comments: {max_per_comment: 9}}",
            "4:44: also_collect.comments.max_per_comment: requires replies: yes",
        ),
        ("also_collect: [usres]", "4:16: also_collect: 'usres' cannot be collected; allowed: "),
        ("also_collect: {shops: }", "4:16: also_collect: 'shops' cannot be collected; allowed: "),
        ("also_collect: [users, users]", "4:23: also_collect: 'users' stands there twice"),
        (
            "also_collect:\n  - users\n  - users: {}",
            "6:5: also_collect: 'users' stands there twice",
        ),
        ("also_collect:", "4:14: also_collect: has no value"),
        ("also_collect: users, comments", "4:15: also_collect: 'users, comments': write several"),
        ("also_collect: [[users]]", "4:16: also_collect: must be one value, found a list"),
        ("also_collect: [users, ]\nalso_collect: [users]", "5:1: also_collect: stands twice"),
        (
            "also_collect: {comments: 200}",
            "4:26: also_collect.comments: must hold keys with values, found '200'; allowed: max",
        ),
        (
            "also_collect: {comments: {max_per_vidoe: 200}}",
            "4:27: also_collect.comments.max_per_vidoe: is not a key here; allowed: max_per_video",
        ),
        (
            "also_collect: {followers: {max_per_video: 200}}",
            "4:28: also_collect.followers.max_per_video: is not a key here; allowed: max_per_user",
        ),
        (
            "also_collect: {comments: {replies: maybe}}",
            "4:36: also_collect.comments.replies: 'maybe' is neither; allowed: yes, no",
        ),
        (
            "also_collect: {comments: {max_per_video: }}",
            "4:42: also_collect.comments.max_per_video: has no value",
        ),
        (
            "also_collect: {comments: {max_per_video: [1]}}",
            "4:42: also_collect.comments.max_per_video: must be one value, found a list",
        ),
    ],
)
def test_a_mistake_is_named_at_its_place(tmp_path, text, line):
    assert mistake(tmp_path, FILE + text).startswith(line)


@pytest.mark.parametrize("name", ["users", "pinned_videos", "playlists"])
@pytest.mark.parametrize("limits", ["{max_per_user: 5}", "5", "{x: 1}"])
def test_what_is_listed_in_one_request_takes_no_limit_of_records(tmp_path, name, limits):
    line = mistake(tmp_path, f"{FILE}also_collect: {{{name}: {limits}}}")

    assert "max_seeds" in line.split("; allowed: ")[1]


@pytest.mark.parametrize("name", sorted(COLLECTABLE))
def test_everything_can_be_collected_of_the_first_seeds_alone(tmp_path, name):
    collection = read(tmp_path, f"{FILE}also_collect: {{{name}: {{max_seeds: 100}}}}")
    found = SeedsOfQuery(collection.query.fingerprint, collection.dates, int(name == "comments"))

    (stage,) = stages_of(collection)

    assert stage == Stage(COLLECTABLE[name], FirstSeeds(found, 100))


def test_replies_are_those_to_comments_of_the_first_videos_alone(tmp_path):
    collection = read(tmp_path, f"{FILE}also_collect: {{comments: {{max_seeds: 9, replies: yes}}}}")

    comments, replies = stages_of(collection)

    assert replies.source == RepliedComments(comments.source)


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "many", "1_000", "1000000000", "''"])
@pytest.mark.parametrize("key", ["max_per_video", "min_comment_count"])
def test_limits_are_whole_numbers_of_at_least_1(tmp_path, key, number):
    line = mistake(tmp_path, f"{FILE}also_collect: {{comments: {{{key}: {number}}}}}")

    assert f"also_collect.comments.{key}: " in line
    assert "is no whole number of at least 1" in line


def test_all_mistakes_are_named_at_once(tmp_path):
    lines = mistakes(
        tmp_path, f"{FILE}also_collect:\n  - usres\n  - comments: {{max_per_video: 0, x: 1}}"
    )

    assert [line.split(":")[0] for line in lines] == ["5", "6", "6"]


def test_a_limit_at_the_top_of_the_file_is_no_key_there(tmp_path):
    assert "max_per_video" in mistake(tmp_path, f"{FILE}max_per_video: 7")


def test_what_else_is_collected_makes_no_other_query(tmp_path):
    alone = read(tmp_path, FILE).query

    assert read(tmp_path, f"{FILE}also_collect: [users, comments]").query == alone


def test_the_stages_are_those_of_the_querys_videos_in_the_order_of_the_file(tmp_path):
    collection = read(
        tmp_path,
        f"{FILE}also_collect:\n"
        "  - comments: {max_per_video: 200, min_comment_count: 5, replies: yes}\n"
        "  - users\n",
    )
    fingerprint, days = collection.query.fingerprint, collection.dates
    discussed = SeedsOfQuery(fingerprint, days, min_comment_count=5)

    assert stages_of(collection) == (
        Stage(endpoints.COMMENTS, discussed, limit=200),
        Stage(endpoints.REPLIES, RepliedComments(discussed)),
        Stage(endpoints.USERS, SeedsOfQuery(fingerprint, days)),
    )


def test_what_a_query_refreshes_is_listed_anew_too(tmp_path):
    collection = read(tmp_path, f"{FILE}refresh_after: 7 days\nalso_collect: users")

    (stage,) = stages_of(collection)

    assert stage.max_age == timedelta(days=7)
