from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.storage.models.column_types import dump_json
from tiktok_crawler.storage.records.video import SEARCHED, VIDEO

FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text(max_size=5),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3)
    ),
    max_leaves=5,
)
KEYS = st.sampled_from([*VIDEO_QUERY.fields, "video_id", "novelty"])
READERS, NAME_KEYS = VIDEO.shape.readers, VIDEO.shape.name_keys
RECORDS = st.lists(JSON | st.dictionaries(KEYS, JSON, max_size=5), max_size=4)


def read_videos(records):
    return SEARCHED.read(records, None)


def read(**record):
    """The only video of a page with one record, and what is said about the page."""
    videos = read_videos([{"id": 1, **record}])
    (video,) = videos.by_id.values()
    return video, videos


def test_every_field_of_the_api_has_its_place():
    assert {*READERS, *NAME_KEYS, "id"} == set(VIDEO_QUERY.fields)
    assert set(VIDEO.table.columns.keys()) == {
        *READERS,
        "id",
        "extra_data",
        "crawled_at",
        "crawled_updated_at",
        "missing_since",
        "gone_at",
    }


@pytest.mark.parametrize(
    ("record", "video_id"),
    [
        ({"id": 7}, 7),
        ({"id": "7318000000000000001"}, 7318000000000000001),
        ({"video_id": 7}, 7),
        ({"id": None, "video_id": "7"}, 7),
        ({"id": 7, "video_id": 8}, 7),
        ({"id": 2**63 - 1}, 2**63 - 1),
        ({"id": "\x007"}, 7),
    ],
)
def test_ids_are_numbers_or_digits_under_either_key(record, video_id):
    assert list(read_videos([record]).by_id) == [video_id]


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"id": None},
        {"id": 0},
        {"id": -7},
        {"id": 2**63},
        {"id": 7.0},
        {"id": True},
        {"id": "seven"},
        {"id": "\u0667"},
        {"id": "9" * 5000},
        {"id": [7]},
        None,
        "7",
        7,
        [7],
    ],
)
def test_a_record_without_usable_id_is_refused_and_the_rest_kept(record):
    videos = read_videos([{"id": 1}, record, {"id": 2}])

    assert list(videos.by_id) == [1, 2]
    (reason,) = videos.refused
    assert reason.startswith("record 2 of its page has no usable id: ")
    assert len(reason) < 150


@pytest.mark.parametrize("key", ["id", "video_id"])
def test_an_id_that_is_not_used_is_kept_aside(key):
    other = {"id": "video_id", "video_id": "id"}[key]
    videos = read_videos([{key: 7, other: "seven"}])

    assert videos.by_id[7].extra_data == {other: "seven"}
    assert list(map(str, videos.misfits)) == [f"{other} of video 7: text"]


@pytest.mark.parametrize(
    ("key", "value", "stored"),
    [
        ("create_time", 1704067200, datetime(2024, 1, 1, tzinfo=UTC)),
        ("create_time", 2**32 - 1, datetime(2106, 2, 7, 6, 28, 15, tzinfo=UTC)),
        ("region_code", "us", "US"),
        ("like_count", 2**63 - 1, 2**63 - 1),
        ("like_count", 0, 0),
        ("music_id", "7318000000000000001", 7318000000000000001),
        ("playlist_id", 7, 7),
        ("username", "", ""),
        ("is_stem_verified", False, False),
        ("video_label", {}, {}),
        ("video_mention_list", ["a", 1], ["a", 1]),
        ("hashtag_info_list", {"struct": 1}, {"struct": 1}),
    ],
)
def test_values_that_fit_go_to_their_column(key, value, stored):
    video, videos = read(**{key: value})

    assert video.values == {key: stored}
    assert (video.extra_data, videos.misfits) == ({}, [])


@pytest.mark.parametrize(
    ("key", "value", "word"),
    [
        ("create_time", 0, "a number"),
        ("create_time", -1, "a number"),
        ("create_time", 1704067200000, "a number"),
        ("create_time", 1704067200.5, "a number"),
        ("create_time", "1704067200", "text"),
        ("like_count", 2**63, "a number"),
        ("like_count", -(2**63) - 1, "a number"),
        ("like_count", "12", "text"),
        ("like_count", 12.0, "a number"),
        ("like_count", True, "a boolean"),
        ("music_id", "x", "text"),
        ("music_id", "9" * 20, "text"),
        ("region_code", 1, "a number"),
        ("username", ["marie"], "a list"),
        ("is_stem_verified", 1, "a number"),
        ("video_label", "label", "text"),
        ("video_tag", 1, "a number"),
        ("hashtag_names", "butter", "text"),
        ("effect_ids", {"0": 1}, "an object"),
    ],
)
def test_values_that_do_not_fit_are_kept_aside_and_named(key, value, word):
    video, videos = read(**{key: value})

    assert (video.values, video.names) == ({}, {})
    assert video.extra_data == {key: value}
    assert list(map(str, videos.misfits)) == [f"{key} of video 1: {word}"]
    assert videos.unknown_fields == set()


@pytest.mark.parametrize("key", NAME_KEYS)
def test_names_are_text_and_what_is_none_is_kept_aside(key):
    video, videos = read(**{key: ["b", "a", "b", 7, None, "x" * 2001]})

    assert video.names == {key: {"a", "b"}}
    assert video.extra_data == {key: [7, None, "x" * 2001]}
    assert list(map(str, videos.misfits)) == [f"{key} of video 1: a list"]
    assert videos.names(key) == {"a", "b"}


@pytest.mark.parametrize("key", [*READERS, *NAME_KEYS, "novelty"])
def test_null_says_as_much_as_a_missing_key(key):
    assert read(**{key: None}) == read()


def test_an_empty_list_of_names_is_not_a_missing_one():
    assert read(hashtag_names=[])[0].names == {"hashtag_names": frozenset()}
    assert read()[0].names == {}


def test_unknown_fields_are_kept_and_named():
    video, videos = read(novelty={"a": [1]}, crawled_at=5)

    assert video.extra_data == {"novelty": {"a": [1]}, "crawled_at": 5}
    assert videos.unknown_fields == {"novelty", "crawled_at"}


def test_two_records_of_a_video_are_one_with_the_last_values():
    videos = read_videos(
        [
            {"id": 1, "like_count": 1, "share_count": 2, "hashtag_names": ["a"], "x": 1},
            {"id": "1", "like_count": 3, "effect_ids": ["7"], "y": 2},
        ]
    )

    (video,) = videos.by_id.values()
    assert video.values == {"like_count": 3, "share_count": 2}
    assert video.names == {"hashtag_names": {"a"}, "effect_ids": {"7"}}
    assert video.extra_data == {"x": 1, "y": 2}


@given(RECORDS)
def test_any_json_is_read_and_every_record_accounted_for(records):
    videos = read_videos(records)

    ids = {video.id for video in videos.by_id.values()}
    assert len(records) - len(videos.refused) >= len(ids)
    assert bool(records) == bool(ids or videos.refused)
    for video in videos.by_id.values():
        assert 0 < video.id < 2**63
        assert set(video.values) <= set(READERS)
        dump_json(video.extra_data)


@given(st.dictionaries(KEYS, JSON))
def test_nothing_delivered_is_lost(record):
    record = {**record, "id": 1}
    (video,) = read_videos([record]).by_id.values()

    kept = {*video.values, *video.names, *video.extra_data}
    said_nothing = {key for key, value in record.items() if value is None or value in (1, "1")}
    assert kept | said_nothing == set(record)
