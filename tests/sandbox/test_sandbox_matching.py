from __future__ import annotations

import pytest
from sandbox_client import condition

from tiktok_crawler.sandbox.faults.profile import KeywordForm
from tiktok_crawler.sandbox.search.conditions import parse_query
from tiktok_crawler.sandbox.search.matching import test_of as matcher
from tiktok_crawler.sandbox.world.accounts import SandboxAccount
from tiktok_crawler.sandbox.world.corpus import SandboxVideo
from tiktok_crawler.sandbox.world.vocabulary import FRENCH

VIDEO = SandboxVideo(
    id=7_319_283_881_829_467_169,
    create_time=1_704_153_599,  # the last second of 2024-01-01
    appears_at=1_704_153_599,
    account=SandboxAccount("quiet.otter7", "FR", FRENCH),
    video_description="Du Pain avec beurre, #Fromage 🧀",
    hashtag_names=("fromage", "fyp"),
    music_id=6_700_000_000_000_000_001,
    effect_ids=("0", "17"),
    video_duration=15,
    view_count=1_000,
    comment_count=20,
    hidden=False,
)


def finds(query: dict, **changes: object) -> bool:
    return matcher(parse_query(query), tuple(KeywordForm))(VIDEO._replace(**changes))


@pytest.mark.parametrize(
    ("field_name", "values", "found"),
    [
        ("username", ["quiet.otter7"], True),
        ("username", ["Quiet.Otter7", "nobody"], True),
        ("username", ["quiet.otter"], False),
        ("region_code", ["US", "FR"], True),
        ("region_code", ["US"], False),
        ("video_id", [7_319_283_881_829_467_169, 1], True),
        ("video_id", ["1"], False),
        ("music_id", ["6700000000000000001"], True),
        ("music_id", [1], False),
        ("effect_id", ["17"], True),
        ("effect_id", ["1"], False),
        ("hashtag_name", ["FROMAGE"], True),
        ("hashtag_name", ["from", "age"], False),
        ("keyword", ["PAIN"], True),
        ("keyword", ["pain fromage"], True),
        ("keyword", ["#fromage"], True),
        ("keyword", ["beurre"], True),
        ("keyword", ["🧀"], True),
        ("keyword", ["pain butter"], False),
        ("keyword", ["butter", "pain"], True),
        ("keyword", ["fyp"], False),
        ("create_date", ["20240101"], True),
        ("create_date", ["20240102", "20240101"], True),
        ("create_date", ["20240102"], False),
        ("view_count", ["1000"], True),
        ("comment_count", ["21", "20"], True),
        ("comment_count", ["21"], False),
    ],
)
def test_equality(field_name, values, found):
    assert finds({"and": [condition(field_name, *values)]}) is found
    assert finds({"or": [condition(field_name, *values)]}) is found
    assert finds({"not": [condition(field_name, *values)]}) is not found


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("GT", [True, False, False]),
        ("GTE", [True, True, False]),
        ("LT", [False, False, True]),
        ("LTE", [False, True, True]),
    ],
)
@pytest.mark.parametrize(
    ("field_name", "values"),
    [
        ("create_date", ["20231231", "20240101", "20240102"]),
        ("view_count", ["999", "1000", "1001"]),
        ("comment_count", ["9", "20", "100"]),
    ],
)
def test_comparison(operation, expected, field_name, values):
    found = [finds({"and": [condition(field_name, v, operation=operation)]}) for v in values]
    assert found == expected


@pytest.mark.parametrize(
    ("seconds", "length"),
    [
        (1, "SHORT"),
        (14, "SHORT"),
        (15, "MID"),
        (60, "MID"),
        (61, "LONG"),
        (300, "LONG"),
        (301, "EXTRA_LONG"),
    ],
)
def test_lengths(seconds, length):
    lengths = ["SHORT", "MID", "LONG", "EXTRA_LONG"]
    found = [
        each
        for each in lengths
        if finds({"and": [condition("video_length", each)]}, video_duration=seconds)
    ]
    assert found == [length]


def test_a_video_without_music_or_effects_is_found_by_neither():
    assert not finds({"and": [condition("music_id", 1)]}, music_id=None)
    assert not finds({"and": [condition("effect_id", "0")]}, effect_ids=())


TRUE, FALSE = condition("region_code", "FR"), condition("region_code", "US")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"and": [TRUE, TRUE]}, True),
        ({"and": [TRUE, FALSE]}, False),
        ({"or": [FALSE, TRUE]}, True),
        ({"or": [FALSE, FALSE]}, False),
        ({"not": [FALSE, FALSE]}, True),
        ({"not": [FALSE, TRUE]}, False),
        ({"and": [TRUE], "or": [TRUE], "not": [FALSE]}, True),
        ({"and": [TRUE], "or": [FALSE], "not": [FALSE]}, False),
        ({"and": [TRUE], "or": [TRUE], "not": [TRUE]}, False),
        ({"and": [FALSE], "or": [TRUE], "not": [FALSE]}, False),
    ],
)
def test_groups_hold_together(query, found):
    assert finds(query) is found
