"""What the readers make of the records of listings."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Text
from test_storage_records import JSON

from tiktok_crawler.research_api import endpoints
from tiktok_crawler.research_api.endpoints import LISTINGS, Listing, SeedKey
from tiktok_crawler.research_api.tasks import Seed
from tiktok_crawler.storage.records.all_types import LISTED, listed, seed_of
from tiktok_crawler.storage.records.comment import COMMENT
from tiktok_crawler.storage.records.field_readers import long_time, words
from tiktok_crawler.storage.records.playlist import listed_videos
from tiktok_crawler.storage.records.shape import Record
from tiktok_crawler.storage.records.user import USER

LATEST = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
NAMES = sorted(listing.name for listing in LISTED)
NEW = Listing("likers", endpoints.COMMENTS.endpoint, SeedKey.VIDEO_ID)


def read(name, *records, seed="7"):
    listing = LISTINGS[name]
    return listed(listing).read(records, seed_of(Seed(listing, seed)))


def type_of(name):
    return listed(LISTINGS[name]).type


def only(listing, seed="7", **record):
    """The only record of a page."""
    (found,) = read(listing, record, seed=seed).by_id.values()
    return found


def test_every_listing_brings_a_type_of_records():
    assert set(LISTED) == set(LISTINGS.values())


def test_a_listing_that_no_file_declares_is_an_error():
    with pytest.raises(LookupError, match="no type of records is declared for the listing likers"):
        listed(NEW)


@pytest.mark.parametrize("name", NAMES)
def test_every_field_of_the_api_is_read(name):
    kind = type_of(name)

    assert all(kind.shape.knows(field) for field in LISTINGS[name].endpoint.fields)
    columns = {kind.renamed.get(key, key) for key in kind.shape.readers}
    assert columns - {"playlist_video_ids"} <= set(kind.table.columns.keys())


@pytest.mark.parametrize("name", NAMES)
def test_what_a_listing_is_declared_with_is_in_its_tables(name):
    found, listing = listed(LISTINGS[name]), LISTINGS[name]
    state = found.type.state(Record(7), "2024-06-01", 1, {key: {} for key in found.type.names})

    assert len(found.type.row(state)) == len(found.type.table_columns)
    assert found.seed_column in (None, *found.type.table.columns.keys())
    if found.known_total is not None:
        (key,) = found.known_total.table.primary_key.columns
        assert isinstance(key.type, Text) is not listing.seed_key.is_number
    for link in found.links:
        assert link.table.columns.keys()[-2:] == ["first_seen_at", "last_seen_at"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("record", [None, 7, "x", ["id"], True])
def test_what_is_no_object_is_refused_with_a_reason(name, record):
    found = read(name, record)

    assert set(found.by_id) <= {"7"}
    assert found.refused[0].startswith("record 1 of its page has no usable id: it is ")


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("comments", {"text": "x"}),
        ("comments", {"id": 0}),
        ("comments", {"id": True}),
        ("comments", {"id": 2**63}),
        ("followers", {"display_name": "Ann"}),
        ("followers", {"username": ""}),
        ("followers", {"username": "x" * 3000}),
        ("shops", {"shop_id": "no number"}),
        ("products", {"product_id": 1.5}),
    ],
)
def test_a_record_without_a_usable_id_is_refused(name, record):
    assert len(read(name, record).refused) == 1


@pytest.mark.parametrize(
    ("name", "record", "id_"),
    [
        ("comments", {"id": 2**62 + 1}, 2**62 + 1),
        ("comments", {"comment_id": "7318000000000000001"}, 7318000000000000001),
        ("followers", {"username": "7"}, "7"),
        ("playlists", {"playlist_id": "8"}, 8),
        ("playlists", {"playlist_name": "teas"}, 7),
        ("shops", {"shop_id": 8}, 8),
        ("products", {"product_id": "8"}, "8"),
        ("products", {"product_id": 2**62 + 1}, str(2**62 + 1)),
        ("users", {"display_name": "Ann"}, "7"),
    ],
)
def test_ids_are_numbers_or_text(name, record, id_):
    assert list(read(name, record).by_id) == [id_]


def test_a_user_has_the_name_that_was_asked_for():
    assert only("users", "ann", username="ann").extra_data == {}
    assert only("users", "ann", username="Ann").extra_data == {"username": "Ann"}


@pytest.mark.parametrize("key", ["bio_url", "bio_URL"])
def test_a_link_is_read_in_both_spellings(key):
    record = only("users", **{key: "https://example.org"})
    state = USER.state(record, "2024-06-01", 1, {})
    columns = [column.name for column in USER.value_columns]

    assert state.values[columns.index("bio_url")] == "https://example.org"
    assert record.extra_data == {}


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("comments", "video_id", 7),
        ("replies", "parent_comment_id", 7),
        ("products", "shop_id", 7),
        ("reviews", "product_id", "7"),
    ],
)
def test_a_record_that_does_not_say_of_whom_it_is_gets_the_seed(name, column, value):
    record = {"id": 1, "product_id": "1"} if name != "reviews" else {"review_text": "x"}

    assert read(name, record).by_id.popitem()[1].values[column] == value


def test_what_a_record_says_counts_more_than_the_seed():
    assert only("comments", id=1, video_id="8").values["video_id"] == 8


def test_what_databases_refuse_is_cleaned_and_counted():
    found = read("comments", {"id": 1, "text": "a\0b", "n\0ew": {"x": "\ud800"}})
    (record,) = found.by_id.values()

    assert (record.values["text"], record.extra_data) == ("ab", {"new": {"x": ""}})
    assert found.cleaned_count == 3


def test_a_playlist_has_no_paging_keys_and_keeps_what_are_no_ids():
    record = {"playlist_id": 7, "playlist_video_ids": [3, "4", "x", 3, None, -1]}
    found = read("playlists", record | {"cursor": 6})

    assert listed_videos([record]) == [3, 4]
    assert found.by_id[7].extra_data == {"playlist_video_ids": ["x", None, -1]}
    assert (list(map(str, found.misfits)), found.unknown_fields) == (
        ["playlist_video_ids of playlist 7: a list"],
        set(),
    )
    assert only("playlists", playlist_name="x", cursor=1, has_more=True).extra_data == {}
    assert only("playlists", playlist_video_ids="x").extra_data == {"playlist_video_ids": "x"}


@pytest.mark.parametrize(
    ("value", "time"),
    [
        (1_700_000_000, LATEST),
        (1_700_000_000_000, LATEST),
        (1_700_000_000_789, LATEST.replace(microsecond=789_000)),
        (0, None),
        (-5, None),
        ("1700000000", None),
        (2**62, None),
    ],
)
def test_the_size_of_a_time_tells_its_unit(value, time):
    assert long_time(value) == time


@pytest.mark.parametrize(
    ("value", "text"), [("4.5", "4.5"), (4.5, "4.5"), (5, "5"), (True, None), ([4], None)]
)
def test_ratings_are_text_as_delivered(value, text):
    assert words(value) == text


def test_reviews_are_told_apart_by_all_but_their_likes():
    review = {"review_text": "good", "create_time": 1, "review_rating": "FIVE"}
    others = [
        review | change
        for change in (
            {"review_text": "bad"},
            {"create_time": 2},
            {"review_rating": "ONE"},
            {"display_name": "Ann"},
        )
    ]
    found = read("reviews", review, review | {"review_like_count": 3}, *others)

    assert len(found.by_id) == 5
    assert all(0 < id_ < 2**63 for id_ in found.by_id)
    assert not found.by_id.keys() & read("reviews", review, *others, seed="8").by_id.keys()


@given(st.sampled_from(NAMES), st.lists(JSON, max_size=3), st.data())
def test_nothing_that_was_delivered_is_lost(name, records, data):
    """Each value is in its column or beside it; nothing makes a reader fail."""
    keys = st.sampled_from([*type_of(name).shape.readers, "id", "username", "novelty"])
    drawn = data.draw(st.lists(st.dictionaries(keys, JSON, max_size=4), max_size=3))
    found = read(name, *records, *drawn)

    kind = type_of(name)
    for record in found.by_id.values():
        ids = {key: dict.fromkeys(record.names.get(key, ()), 1) for key in kind.names}
        state = kind.state(record, "2024-06-01 00:00:00.000000", 1, ids)
        assert len(state.values) == len(kind.value_columns)
    of_seed = listed(LISTINGS[name]).with_seed
    assert len(found.by_id) + len(found.refused) <= len(records) + len(drawn) + of_seed


def test_comments_and_replies_are_one_kind():
    assert type_of("comments") is type_of("replies") is COMMENT
