from __future__ import annotations

from collections import Counter
from datetime import date
from functools import cache

import pytest

from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.sandbox.faults.profile import DataBehaviour
from tiktok_crawler.sandbox.world.corpus import Corpus, SandboxVideo
from tiktok_crawler.sandbox.world.records import SandboxRecords

ALWAYS = {
    "id",
    "create_time",
    "username",
    "region_code",
    "video_description",
    "view_count",
    "comment_count",
    "share_count",
}


@cache
def videos() -> tuple[SandboxVideo, ...]:
    corpus = Corpus(seed=1, videos_per_day=2_000, behaviour=DataBehaviour())
    return corpus.videos_of_day(date(2024, 2, 29))


def records(fields: frozenset[str] | None = None, **behaviour: float) -> list[dict]:
    maker = SandboxRecords(seed=1, behaviour=DataBehaviour(**behaviour))
    return [maker.record(video, fields) for video in videos()]


def test_every_field_occurs_with_the_type_that_the_api_gives_it():
    types = {(name, type(value).__name__) for record in records() for name, value in record.items()}
    texts = {"video_description", "region_code", "username", "voice_to_text"}
    lists = {name for name in VIDEO_QUERY.fields if name.endswith(("_list", "_names", "_ids"))}
    assert types == {
        (name, "str")
        if name in texts
        else (name, "list")
        if name in lists
        else (name, "dict")
        if name in {"video_label", "video_tag"}
        else (name, "bool" if name == "is_stem_verified" else "int")
        for name in VIDEO_QUERY.fields
    }


def test_some_keys_are_always_there_and_others_go_missing():
    made = records()
    counts = Counter(name for record in made for name in record)
    assert all(counts[name] == len(made) for name in ALWAYS)
    assert 0.9 < counts["like_count"] / len(made) < 1
    assert 0.1 < counts["voice_to_text"] / len(made) < 0.2
    assert 0 < counts["playlist_id"] / len(made) < 0.05
    assert 0.9 < counts["music_id"] / len(made) < 1


def test_a_video_without_hashtags_has_an_empty_list_or_none():
    kinds = {str(record.get("hashtag_names", "missing"))[:2] for record in records()}
    assert {"[]", "mi"} < kinds


def test_hashtags_agree_with_their_details():
    for record in records():
        details = record.get("hashtag_info_list", [])
        assert [each["hashtag_name"] for each in details] == record.get("hashtag_names", [])


def test_effect_ids_are_strings():
    effects = [record["effect_ids"] for record in records() if "effect_ids" in record]
    assert effects
    assert all(isinstance(each, str) for effect_ids in effects for each in effect_ids)


def test_only_the_fields_asked_for_come():
    assert {frozenset(each) for each in records(frozenset({"id", "username"}))} == {
        frozenset({"id", "username"})
    }


def test_key_order_changes_from_object_to_object_and_repeats_itself():
    first, again = [list(each) for each in records()], [list(each) for each in records()]
    assert first == again
    assert len({tuple(each) for each in records(frozenset(ALWAYS))}) > 50


def test_what_is_asked_for_does_not_change_the_values():
    for part, whole in zip(records(frozenset({"like_count", "id"})), records(), strict=True):
        assert part == {name: whole[name] for name in part}


@pytest.mark.parametrize(
    ("behaviour", "is_so"),
    [
        ("lower_case_regions", lambda record: record["region_code"].islower()),
        ("nul_characters", lambda record: "\0" in record["username"][1:-1]),
        ("nul_characters", lambda record: all("\0" in n for n in record.get("hashtag_names", ""))),
        ("nul_characters", lambda record: "so\0urce" in record.get("video_label", {})),
        ("lone_surrogates", lambda record: record["video_description"].endswith("\ud83d")),
        ("ids_as_strings", lambda record: isinstance(record["id"], str)),
        ("ids_as_strings", lambda record: isinstance(record.get("music_id", ""), str)),
        ("without_create_time", lambda record: "create_time" not in record),
        ("without_id", lambda record: "id" not in record),
        ("nulls", lambda record: set(VIDEO_QUERY.fields) == record.keys()),
        ("nulls", lambda record: None in record.values()),
        ("unknown_fields", lambda record: {"content_origin", "is_longform"} < record.keys()),
    ],
)
def test_a_blemish_strikes_its_share(behaviour, is_so):
    assert all(is_so(record) for record in records(**{behaviour: 1.0}))
    assert not all(is_so(record) for record in records(**{behaviour: 0.0}))


def test_unknown_fields_come_whatever_is_asked_for():
    for record in records(frozenset({"id"}), unknown_fields=1.0):
        assert record.keys() == {"id", "content_origin", "is_longform"}


def test_a_missing_create_time_can_be_null():
    made = records(without_create_time=1.0, nulls=0.5)
    assert {record.get("create_time", "missing") for record in made} == {None, "missing"}
