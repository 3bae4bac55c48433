"""Seeds as users write them, and the counts of stages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tallies import tally

from tiktok_crawler.planning.seeds import (
    GivenSeeds,
    RepliedComments,
    SeedsOfTag,
    Stage,
    StagePlan,
    StageResult,
)
from tiktok_crawler.query_file.seed_text import read_seeds
from tiktok_crawler.research_api import endpoints
from tiktok_crawler.research_api.endpoints import SeedKey

ID_KEYS = [SeedKey.VIDEO_ID, SeedKey.PLAYLIST_ID, SeedKey.SHOP_ID, SeedKey.PRODUCT_ID]


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (["ada"], ("ada",)),
        (["ada,bob", "cy"], ("ada", "bob", "cy")),
        (["@ada, @bob,cy"], ("ada", "bob", "cy")),
        (["b", "a", "@b", "a"], ("b", "a")),
        (["", "  ", ",,", " ada ,"], ("ada",)),
        (["some.body_1"], ("some.body_1",)),
        ([], ()),
    ],
)
def test_usernames_come_in_their_order_without_blanks_repeats_and_at_signs(texts, names):
    assert read_seeds(texts, SeedKey.USERNAME) == names


@pytest.mark.parametrize(
    "name", ["@", "@@ada", "ada@example.org", "ada bob", "a\tb", "a\0b", "x" * 201]
)
def test_what_no_username_can_be_is_refused_with_an_example(name):
    with pytest.raises(ValueError, match=r"^'.*' is not a username, such as some\.body1$"):
        read_seeds([f"ok,{name}"], SeedKey.USERNAME)


@pytest.mark.parametrize("key", ID_KEYS)
@pytest.mark.parametrize(
    ("texts", "ids"),
    [
        (["7318480000000000001"], ("7318480000000000001",)),
        (["9223372036854775807,1"], ("9223372036854775807", "1")),
        (["7, 07", "7"], ("7",)),
    ],
)
def test_ids_are_numbers_of_up_to_64_bits_in_their_order_without_repeats(key, texts, ids):
    assert read_seeds(texts, key) == ids


@pytest.mark.parametrize("key", ID_KEYS)
@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-7",
        "+7",
        "7.0",
        "7.31848E+18",
        "9223372036854775808",
        "73207681965695992750",
        "ada",
        "7 8",
        "\u0667",
        "\u00b2",
        "1_000",
        "0x7",
        "https://www.tiktok.example/@ada/video/7318480000000000001",
    ],
)
def test_what_is_no_id_is_refused_with_an_example(key, text):
    with pytest.raises(ValueError, match="is not an id, such as 7318480000000000001"):
        read_seeds([f"7,{text}"], key)


@pytest.mark.parametrize("key", ID_KEYS)
def test_an_id_that_a_spreadsheet_has_rounded_is_explained(key):
    with pytest.raises(ValueError, match="; a spreadsheet has rounded it: format the column"):
        read_seeds(["7.31848E+18"], key)


def test_a_long_mistake_is_shown_cut():
    with pytest.raises(ValueError, match="…' is not an id") as raised:
        read_seeds(["x" * 100_000], SeedKey.VIDEO_ID)

    assert len(str(raised.value)) < 200


def test_names_of_shops_may_have_blanks():
    assert read_seeds(["Ada & Sons , ÜBER-shop"], SeedKey.SHOP_NAME) == ("Ada & Sons", "ÜBER-shop")


@pytest.mark.parametrize(
    ("name", "words"), [("a\0b", "holds the unprintable character"), ("x" * 201, "is too long")]
)
def test_what_no_shop_can_be_called_is_refused_with_the_reason(name, words):
    with pytest.raises(ValueError, match=words):
        read_seeds([name], SeedKey.SHOP_NAME)


@given(st.lists(st.integers(1, 2**63 - 1), unique=True))
def test_no_digit_of_an_id_is_lost(ids):
    assert read_seeds([str(number) for number in ids], SeedKey.VIDEO_ID) == (*map(str, ids),)


@given(st.lists(st.text()), st.sampled_from(list(SeedKey)))
def test_seeds_that_were_read_are_read_again_as_they_are(texts, key):
    try:
        seeds = read_seeds(texts, key)
    except ValueError:
        return
    assert read_seeds(seeds, key) == seeds
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize("videos", [GivenSeeds(("7",)), SeedsOfTag("cats", 5)])
def test_replies_are_those_to_the_comments_of_the_same_videos_with_a_limit_of_their_own(videos):
    comments = Stage(endpoints.COMMENTS, videos, timedelta(days=7), limit=200)

    for limit in (None, 50):
        assert comments.of_replies(endpoints.REPLIES, limit) == Stage(
            endpoints.REPLIES, RepliedComments(videos), timedelta(days=7), limit
        )


def test_a_plan_counts_all_seeds_and_one_request_for_each_that_is_asked_for():
    plan = StagePlan(due=2, complete=3, refused=5, waiting=7)

    assert (plan.seeds, plan.least_requests) == (17, 2)


@pytest.mark.parametrize(
    ("left", "is_fulfilled"),
    [
        ({}, True),
        ({"complete": 3, "refused": 5}, True),
        ({"complete": 3, "open": 1}, False),
        ({"complete": 3, "parked": 1}, False),
    ],
)
def test_a_stage_is_fulfilled_when_each_seed_is_stored_or_refused(left, is_fulfilled):
    remains = StageResult(
        **{"open": 0, "complete": 0, "refused": 0, "parked": 0, **left}, tally=tally()
    )

    assert remains.is_fulfilled is is_fulfilled
    assert remains.seeds == sum(left.values())
