"""What tiktok-library has collected comes over value by value, whichever generation wrote it."""

from __future__ import annotations

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest
from imported import COLLECTED, import_into, names_of, table
from libraries import (
    FIRST_AT,
    LATER,
    LATEST_TABLES,
    OLDEST_TABLES,
    SUMMER,
    TABLES,
    WINTER,
    Library,
    id_at,
)

from tiktok_crawler.exceptions import ImportFileError, UsageError
from tiktok_crawler.imports.rows import NO_ZONE

LARGE = 2**62
VIDEO, OTHER = id_at(WINTER), id_at(SUMMER, 2, seconds=50)
COMMENT = id_at(SUMMER + timedelta(hours=1), 3, seconds=90)
QUERY = '{"and": [{"field_name": "hashtag_name", "operation": "EQ", "field_values": ["a"]}]}'


@pytest.fixture(params=["sqlite", "postgresql"])
def library_url(request, tmp_path):
    """The URL of an empty database of somebody else."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'old.db'}"
    return request.getfixturevalue("postgresql_url")


@pytest.fixture
def url(prepared_sqlite_url):
    return prepared_sqlite_url


def fill(library):
    library.video(
        VIDEO, WINTER, names=["a", "b"], effects=["0"], tags=["old study"], username="ann",
        video_description="Tea #a", music_id=LARGE, like_count=0, comment_count=None,
        share_count=LARGE, view_count=LARGE + 1, playlist_id=7, voice_to_text="tea",
        extra_data={"favorites_count": 3, "novel": [1]},
    )  # fmt: skip
    library.video(OTHER, SUMMER, tags=["old study", "b"], region_code="DE", like_count=5,
                  crawled_updated_at=LATER)  # fmt: skip
    library.crawl(QUERY)
    library.crawl(QUERY, has_more=True)


@pytest.mark.parametrize("tag", ["crawl_tag", "query_tag"])
def test_every_value_of_a_video_comes_over(library_url, url, tag):
    with Library(library_url, tag=tag) as library:
        fill(library)

    import_, notes = import_into(url, library_url, collected_at=None)

    assert import_.counts == {"videos": {"new": 2, "updated": 0, "filled": 0, "unchanged": 0}}
    first, second = table(url, "video")
    told = {key: value for key, value in first.items() if value is not None}
    assert told == {
        "id": VIDEO, "create_time": WINTER, "username": "ann", "region_code": "US",
        "video_description": "Tea #a", "music_id": LARGE, "like_count": 0, "share_count": LARGE,
        "view_count": LARGE + 1, "playlist_id": 7, "voice_to_text": "tea", "favorites_count": 3,
        "extra_data": {"novel": [1]}, "crawled_at": FIRST_AT,
    }  # fmt: skip
    told = {key: value for key, value in second.items() if value is not None}
    assert told == {
        "id": OTHER, "create_time": SUMMER, "username": "ann", "region_code": "DE",
        "like_count": 5, "crawled_at": FIRST_AT, "crawled_updated_at": LATER,
    }  # fmt: skip
    assert names_of(url, "videos_to_hashtags", "hashtag", "name") == {VIDEO: {"a", "b"}}
    assert names_of(url, "videos_to_effect_ids", "effect", "effect_id") == {VIDEO: {"0"}}
    tags = {VIDEO: {"old study"}, OTHER: {"old study", "b"}}
    assert names_of(url, "videos_to_query_tags", "query_tag", "name") == tags
    assert notes.tags == {"old study": 2, "b": 1}
    readings = table(url, "video_statistics", "video_id", "observed_at", "like_count")
    assert [tuple(row.values()) for row in readings] == [(VIDEO, FIRST_AT, 0), (OTHER, LATER, 5)]
    (row,) = table(url, "import")
    assert row["queries"] == [{"query": QUERY, "crawls": 2, "unfinished": 1}]
    assert row["kind"].startswith("database of tiktok-library, with ")


def test_comments_and_profiles_come_over(library_url, url):
    with Library(library_url) as library:
        fill(library)
        library.insert(
            "comment", id=COMMENT, text="Yes", video_id=VIDEO, parent_comment_id=VIDEO,
            like_count=LARGE, create_time=library.local(SUMMER + timedelta(hours=1)),
        )  # fmt: skip
        profile = {
            "username": "ann", "display_name": "Ann", "bio_description": "", "avatar_url": "x",
            "is_verified": True, "likes_count": LARGE, "video_count": 2, "follower_count": 3,
            "following_count": 4,
        }  # fmt: skip
        library.insert("user_info", **profile)

    import_into(url, library_url)

    (comment,) = table(url, "comment")
    assert {key: value for key, value in comment.items() if value is not None} == {
        "id": COMMENT, "text": "Yes", "video_id": VIDEO, "parent_comment_id": VIDEO,
        "like_count": LARGE, "create_time": SUMMER + timedelta(hours=1), "crawled_at": COLLECTED,
        "crawl_id": comment["crawl_id"], "last_returned_at": COLLECTED,
    }  # fmt: skip
    (user,) = table(url, "user_info")
    times = ("first_seen_at", "last_seen_at", "last_returned_at")
    seen = dict.fromkeys(times, COLLECTED) | {"crawl_id": user["crawl_id"]}
    told = {key: value for key, value in user.items() if value is not None}
    assert told == profile | {"status": "found"} | seen
    pages = {row["id"]: row["import_id"] for row in table(url, "crawl")}
    assert pages[comment["crawl_id"]] == pages[user["crawl_id"]] == 1


def test_it_has_to_be_said_when_comments_were_collected(library_url, url):
    with Library(library_url) as library:
        fill(library)
        library.insert("comment", id=1, text="Yes", video_id=1, parent_comment_id=1,
                       create_time=library.local(WINTER))  # fmt: skip

    with pytest.raises(UsageError, match=r"when its comments were .* --collected-at 2024-07-23T08"):
        import_into(url, library_url, collected_at=None)


def test_the_oldest_generation_has_lists_and_unix_times(library_url, url):
    with Library(library_url, tables=OLDEST_TABLES) as library:
        library.insert(
            "video", id=VIDEO, create_time=int(WINTER.timestamp()), username="ann",
            region_code="US", hashtag_names={"list": ["a", "b"]}, effect_ids={"list": ["0"]},
            source={"list": ["old study"]}, crawled_at=FIRST_AT,
        )  # fmt: skip
        library.insert("video", id=OTHER, create_time=int(SUMMER.timestamp()), username="bob",
                       region_code="US", crawled_at=FIRST_AT)  # fmt: skip
        library.crawl("Query(and=...)", has_more=True, table="Crawl")

    import_, notes = import_into(url, library_url, collected_at=None)

    assert import_.kind == (
        "database of tiktok-library, with lists of hashtags in its table of videos, as until April "
        "2024"
    )
    assert [video["create_time"] for video in table(url, "video")] == [WINTER, SUMMER]
    assert names_of(url, "videos_to_hashtags", "hashtag", "name") == {VIDEO: {"a", "b"}}
    assert names_of(url, "videos_to_effect_ids", "effect", "effect_id") == {VIDEO: {"0"}}
    assert notes.tags == {"old study": 1}
    assert table(url, "import", "queries") == [
        {"queries": [{"query": "Query(and=...)", "crawls": 1, "unfinished": 1}]}
    ]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland"])
def test_local_times_become_utc_wherever_they_were_written(tmp_path, url, zone):
    times = [WINTER + timedelta(days=20 * n, hours=n) for n in range(18)]
    file = tmp_path / "old.db"
    with Library(f"sqlite:///{file}", zone=ZoneInfo(zone)) as library:
        for number, at in enumerate(times):
            library.video(id_at(at, number, seconds=18 + number), at)

    _, notes = import_into(url, file)

    assert [video["create_time"] for video in table(url, "video")] == times
    assert not notes.untold


def test_a_time_whose_zone_cannot_be_told_stays_unknown(tmp_path, url):
    file = tmp_path / "old.db"
    with Library(f"sqlite:///{file}") as library:
        library.video(id_at(WINTER), WINTER)
        library.video(id_at(SUMMER, 2), SUMMER)
        library.video(5, WINTER)
        library.video(id_at(SUMMER, 3, seconds=500), SUMMER)

    _, notes = import_into(url, file)

    assert [video["create_time"] for video in table(url, "video")] == [None, WINTER, None, SUMMER]
    assert notes.untold == {NO_ZONE: 2}


def test_nul_and_lone_surrogates_are_taken_out(tmp_path, url):
    file = tmp_path / "old.db"
    with Library(f"sqlite:///{file}") as library:
        library.video(VIDEO, WINTER, names=["a\0b"], tags=["t\0"], username="an\0n")

    _, notes = import_into(url, file)

    assert table(url, "video", "username") == [{"username": "ann"}]
    assert names_of(url, "videos_to_hashtags", "hashtag", "name") == {VIDEO: {"ab"}}
    assert names_of(url, "videos_to_query_tags", "query_tag", "name") == {VIDEO: {"t"}}
    assert notes.cleaned == 2


def test_the_other_database_is_left_as_it_is(tmp_path, url):
    file = tmp_path / "old" / "old.db"
    file.parent.mkdir()
    with Library(f"sqlite:///{file}") as library:
        fill(library)
    before = file.read_bytes()
    file.chmod(0o400)
    file.parent.chmod(0o500)

    import_into(url, file)

    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["old.db"]


@pytest.mark.slow
def test_more_rows_than_are_read_at_once_come_over(postgresql_url, prepared_url):
    times = [WINTER + timedelta(minutes=n) for n in range(2_345)]
    with Library(postgresql_url, tables=TABLES + LATEST_TABLES) as library:
        rows = [
            f"({id_at(at, n)}, '{library.local(at)}', 'ann', 'US', '{FIRST_AT + (at - WINTER)}')"
            for n, at in enumerate(times)
        ]
        library.run(
            "INSERT INTO video (id, create_time, username, region_code, crawled_at) VALUES "
            + ", ".join(rows)
        )

    import_, _ = import_into(prepared_url, postgresql_url)

    assert import_.counts["videos"]["new"] == len(times)
    found = table(prepared_url, "video", "create_time", "crawled_at")
    assert [row["create_time"].astimezone(UTC) for row in found] == times
    assert import_.batches == 3
    again, _ = import_into(prepared_url, postgresql_url)
    assert again == import_


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (["CREATE TABLE bookmarks (id INTEGER)"], "it has the tables bookmarks"),
        (["CREATE TABLE video (id INTEGER, name TEXT)"], "no database of tiktok-library"),
        (
            ["CREATE TABLE video (id INTEGER)", "CREATE TABLE crawl_window (id INTEGER)"],
            "database of tiktok_crawler itself: export it",
        ),
    ],
)
def test_other_databases_are_refused(library_url, url, statements, words):
    with Library(library_url, tables=";".join(statements)):
        pass

    with pytest.raises(ImportFileError, match=words):
        import_into(url, library_url)


def test_a_damaged_database_is_refused(tmp_path, url):
    file = tmp_path / "old.db"
    file.write_bytes(b"SQLite format 3\0" + b"x" * 4096)

    with pytest.raises(
        ImportFileError, match=r"old\.db cannot be read: .*malformed|not a database"
    ):
        import_into(url, file)


def test_rows_without_a_usable_id_are_refused(tmp_path, url):
    file = tmp_path / "old.db"
    with Library(f"sqlite:///{file}") as library:
        library.video(VIDEO, WINTER)
        library.video(-1, WINTER)

    import_, notes = import_into(url, file)

    assert import_.counts["videos"]["new"] == 1
    assert notes.refused == import_.refused == 1
    assert "has no usable id" in notes.examples[0]
