from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from stored_pages import (
    JANUARY_10,
    NOON,
    content,
    crawl_tags,
    effects,
    first_request,
    hashtags,
    page,
    row,
    rows,
    video,
    video_tags,
)

from tiktok_crawler.research_api.endpoints import VIDEO_QUERY

LATER = NOON + timedelta(days=1)

FULL_RECORD = {
    "id": 7318000000000000001,
    "video_description": "Beurre ou fromage? 🧈 #butter",
    "create_time": JANUARY_10,
    "region_code": "fr",
    "share_count": 2**40,
    "view_count": 2**62,
    "like_count": 0,
    "comment_count": 12,
    "music_id": 7318000000000000002,
    "hashtag_names": ["butter", "زبدة"],
    "username": "marie.dupond",
    "effect_ids": ["0", "123"],
    "playlist_id": 7318000000000000003,
    "voice_to_text": "bonjour",
    "is_stem_verified": False,
    "favorites_count": 3,
    "video_duration": 15,
    "hashtag_info_list": [{"hashtag_id": 2**60, "hashtag_name": "butter"}],
    "sticker_info_list": [],
    "effect_info_list": [{"effect_id": "0"}],
    "video_mention_list": ["jean dupond"],
    "video_label": {"type": 1, "vote": False},
    "video_tag": {"type": "AIGC", "number": 1},
}


@pytest.fixture
def request_(engine):
    return first_request(engine)


@pytest.fixture
def save(store, request_):
    """Saves records as the next page of the window."""
    requests = [request_]

    def save(*records, received_at=NOON, tags=(), **kwargs):
        answer = page(requests[-1], *records, received_at=received_at, has_more=True, **kwargs)
        requests.append(answer.next_request)
        return store.save(answer, tags=tags)

    return save


def test_every_field_of_the_api_is_stored(engine, save):
    assert set(FULL_RECORD) == set(VIDEO_QUERY.fields)

    saved = save(FULL_RECORD)

    names = {"hashtag_names", "effect_ids"}
    expected = {key: value for key, value in FULL_RECORD.items() if key not in names}
    assert row(engine, "video") == expected | {
        "create_time": datetime(2024, 1, 10, tzinfo=UTC),
        "region_code": "FR",
        "extra_data": None,
        "crawled_at": NOON,
        "crawled_updated_at": None,
        "missing_since": None,
        "gone_at": None,
    }
    assert hashtags(engine) == [(FULL_RECORD["id"], "butter"), (FULL_RECORD["id"], "زبدة")]
    assert effects(engine) == [(FULL_RECORD["id"], "0"), (FULL_RECORD["id"], "123")]
    assert (saved.new_count, saved.updated_count, saved.read.misfits) == (1, 0, [])


def test_a_video_seen_again_gets_new_values_and_keeps_when_it_was_first_seen(engine, save):
    save(video(1, like_count=5, username="marie"))
    saved = save(video(1, like_count=6, username="marie.new"), received_at=LATER)

    stored = row(engine, "video")
    assert (stored["like_count"], stored["username"]) == (6, "marie.new")
    assert (stored["crawled_at"], stored["crawled_updated_at"]) == (NOON, LATER)
    assert (saved.new_count, saved.updated_count) == (0, 1)


def test_a_video_seen_again_unchanged_is_not_written(engine, save):
    save(video(1, like_count=5, video_label={"a": 1, "b": 2}, novelty=[1]))
    saved = save(
        video(1, video_label={"b": 2, "a": 1}, like_count=5, novelty=[1]), received_at=LATER
    )

    assert row(engine, "video")["crawled_updated_at"] is None
    assert (saved.new_count, saved.updated_count) == (0, 0)
    assert len(rows(engine, "videos_to_crawls")) == 2


def test_extra_data_gains_keys_and_replaces_values_whole(engine, save):
    save({"id": 1, "old": 1, "both": {"kept": False}, "nested": {"a": None}})
    save({"id": 1, "both": {"new": True}, "new": "x"}, received_at=LATER)

    assert row(engine, "video")["extra_data"] == {
        "old": 1,
        "both": {"new": True},
        "nested": {"a": None},
        "new": "x",
    }


def test_names_differ_by_case_and_have_one_row_each(engine, save):
    save(video(1, hashtag_names=["Butter", "butter"]), video(2, hashtag_names=["butter"]))
    save(video(3, hashtag_names=["butter"]))

    assert [found["name"] for found in rows(engine, "hashtag")] == ["Butter", "butter"]


def test_a_video_twice_on_a_page_is_one_video_with_the_last_values(engine, save):
    saved = save(
        video(1, like_count=5, share_count=1, hashtag_names=["a"]),
        video(1, like_count=6, hashtag_names=["b"]),
    )

    stored = row(engine, "video")
    assert (stored["like_count"], stored["share_count"]) == (6, 1)
    assert hashtags(engine) == [(1, "b")]
    assert (saved.new_count, saved.updated_count) == (1, 0)


def test_ids_of_64_bits_are_exact(engine, save):
    save(video(2**63 - 1, music_id=-(2**63) + 1))

    stored = row(engine, "video")
    assert (stored["id"], stored["music_id"]) == (2**63 - 1, -(2**63) + 1)


def test_tags_go_to_the_page_and_its_videos(engine, save):
    save(video(1), tags=["bread", "elections-2024"])
    save(video(2), tags=["bread"])

    assert video_tags(engine) == [(1, "bread"), (1, "elections-2024"), (2, "bread")]
    assert [tag for _, tag in crawl_tags(engine)] == ["bread", "elections-2024", "bread"]


def test_a_page_is_a_crawl_with_what_was_asked_and_received(engine, save, request_):
    save(video(1), {"no": "id"}, cursor=100, search_id="7001", log_id="20240601")

    crawl = row(engine, "crawl")
    crawl_id, query_id = crawl.pop("id"), crawl.pop("query_id")
    assert crawl == {
        "crawl_window_id": request_.task.row_id,
        "seed_id": None,
        "import_id": None,
        "cursor": 0,
        "next_cursor": 100,
        "search_id": "7001",
        "has_more": True,
        "max_count": 100,
        "record_count": 2,
        "run_id": None,
        "log_id": "20240601",
        "crawl_started_at": NOON,
    }
    assert query_id == row(engine, "query")["id"]
    assert rows(engine, "videos_to_crawls") == [{"crawl_id": crawl_id, "video_id": 1}]


@pytest.mark.parametrize("has_more", [True, False])
def test_a_page_that_is_stored_already_changes_nothing(engine, store, request_, has_more):
    answer = page(request_, video(1, hashtag_names=["a"]), has_more=has_more)
    store.save(answer, tags=["t"])
    before = content(engine)

    saved = store.save(answer, tags=["t"])

    assert content(engine) == before
    assert (saved.new_count, saved.updated_count) == (0, 0)


def test_what_databases_refuse_is_taken_out_everywhere(engine, save):
    saved = save(
        video(
            1,
            username="ma\0rie",
            hashtag_names=["a\0b", "c\ud800d"],
            video_label={"k\0ey": ["x\0", float("inf")]},
            novelty={"\0": "\udfff"},
        ),
        search_id="70\0",
        log_id="\0l",
    )

    stored = row(engine, "video")
    assert stored["username"] == "marie"
    assert stored["video_label"] == {"key": ["x", None]}
    assert stored["extra_data"] == {"novelty": {"": ""}}
    assert hashtags(engine) == [(1, "ab"), (1, "cd")]
    assert row(engine, "crawl")["log_id"] == "l"
    assert row(engine, "crawl_window")["search_id"] == "70"
    assert saved.read.cleaned_count == 8


@pytest.mark.slow
def test_large_values_and_many_names_are_stored(engine, save):
    names = [f"name {number}" for number in range(40_000)]
    save(video(1, video_description="x" * 5_000_000, hashtag_names=names))

    assert len(row(engine, "video")["video_description"]) == 5_000_000
    assert len(hashtags(engine)) == 40_000


@pytest.mark.parametrize("statement", ["INSERT INTO videos_to_hashtags", "UPDATE"])
def test_a_page_that_fails_half_way_leaves_nothing(engine, store, request_, interrupted, statement):
    before = content(engine)

    with interrupted(engine, statement):
        store.save(page(request_, video(1, hashtag_names=["a"])), tags=["t"])

    # Names are committed ahead of the page where others may wait for them.
    harmless = {"hashtag", "query_tag"} if engine.dialect.name == "postgresql" else set()
    left = content(engine)
    assert {name for name in before if left[name] != before[name]} <= harmless

    store.save(page(request_, video(1, hashtag_names=["a"])), tags=["t"])
    assert hashtags(engine) == [(1, "a")]
