"""Imported records are kept as of when they were collected, and count as searched nowhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from imported_pages import START, import_pages, import_videos, imported_page
from listed_pages import store_list
from sqlalchemy import func, select
from stored_pages import NOON, content, first_request, page, row, rows, video, video_tags

from tiktok_crawler.research_api.endpoints import COMMENTS
from tiktok_crawler.storage.engine.transactions import reading
from tiktok_crawler.storage.import_rehearsal import ImportRehearsal
from tiktok_crawler.storage.import_store import ImportStore
from tiktok_crawler.storage.ledger.imports import past_imports
from tiktok_crawler.storage.models.ledger import Crawl
from tiktok_crawler.storage.records.imported import Kind

DAY = timedelta(days=1)
EARLIER, LATER = NOON - DAY, NOON + DAY


@pytest.fixture
def crawled(engine, store):
    """What a crawl has stored of video 1 at noon."""
    request = first_request(engine)
    store.save(page(request, video(1, username="ann", like_count=5)), tags=[])
    return engine


def counts(new=0, updated=0, filled=0, unchanged=0):
    return {"new": new, "updated": updated, "filled": filled, "unchanged": unchanged}


def test_older_values_only_fill_gaps(crawled):
    import_ = import_videos(
        crawled, {"id": 1, "username": "old", "like_count": 3, "region_code": "fr"}, at=EARLIER
    )

    stored = row(crawled, "video")
    assert (stored["username"], stored["region_code"], stored["like_count"]) == ("ann", "FR", 5)
    assert import_.counts == {"videos": counts(filled=1)}
    readings = [
        (each["observed_at"], each["like_count"]) for each in rows(crawled, "video_statistics")
    ]
    assert readings == [(EARLIER, 3), (NOON, 5)]
    assert rows(crawled, "video_revision") == []


def test_newer_values_replace_older_ones_and_these_are_kept(crawled):
    import_ = import_videos(crawled, {"id": 1, "username": "new", "like_count": 9}, at=LATER)

    stored = row(crawled, "video")
    assert (stored["username"], stored["like_count"]) == ("new", 9)
    assert stored["crawled_updated_at"] == LATER
    assert import_.counts == {"videos": counts(updated=1)}
    (revision,) = rows(crawled, "video_revision")
    assert (revision["field"], revision["old_value"]) == ("username", "ann")


def test_what_says_nothing_else_changes_nothing(crawled):
    import_ = import_videos(crawled, {"id": 1, "username": "ann"}, at=LATER)

    assert import_.counts == {"videos": counts(unchanged=1)}
    assert row(crawled, "video")["crawled_updated_at"] is None


def test_what_the_api_says_later_wins_over_an_import(engine, store):
    import_videos(engine, {"id": 1, "username": "old", "region_code": "DE"}, at=EARLIER)
    store.save(page(first_request(engine), video(1, username="ann")), tags=[])

    stored = row(engine, "video")
    assert (stored["username"], stored["region_code"]) == ("ann", "DE")
    assert (stored["crawled_at"], stored["crawled_updated_at"]) == (EARLIER, NOON)


def test_pages_of_imports_are_neither_a_windows_nor_a_seeds(crawled):
    import_videos(crawled, {"id": 2}, {"id": 3}, at=EARLIER, tags=("old",))

    imported = rows(crawled, "crawl")[-1]
    expected = {"import_id": 1, "record_count": 2, "crawl_started_at": EARLIER, "cursor": 0}
    assert expected.items() <= imported.items()
    assert {imported[key] for key in ("crawl_window_id", "query_id", "seed_id", "run_id")} == {None}
    assert video_tags(crawled) == [(2, "old"), (3, "old")]
    pairs = {(each["crawl_id"], each["video_id"]) for each in rows(crawled, "videos_to_crawls")}
    assert pairs == {(1, 1), (imported["id"], 2), (imported["id"], 3)}


def test_comments_and_profiles_are_kept_with_their_page(engine):
    import_ = import_pages(
        engine,
        imported_page(Kind.COMMENTS, {"id": 5, "text": "Yes", "video_id": 1}, at=EARLIER),
        imported_page(Kind.PROFILES, {"username": "ann", "follower_count": 3}, at=NOON),
    )

    assert import_.counts == {"comments": counts(new=1), "profiles": counts(new=1)}
    comment, user = row(engine, "comment"), row(engine, "user_info")
    assert (comment["crawled_at"], comment["video_id"]) == (EARLIER, 1)
    assert (user["status"], user["first_seen_at"], user["last_seen_at"]) == ("found", NOON, NOON)
    assert {comment["crawl_id"], user["crawl_id"]} == {1, 2}


def test_nothing_of_an_import_counts_as_listed(engine, prepared_url):
    import_pages(engine, imported_page(Kind.COMMENTS, {"id": 5, "text": "Yes", "video_id": 7}))
    assert rows(engine, "seed") == []

    store_list(prepared_url, COMMENTS, "7", {"id": 6, "text": "No"})

    (seed,) = rows(engine, "seed")
    assert seed["position"] == 1


def test_an_import_is_begun_with_its_first_batch_and_ends_once(engine):
    store = ImportStore(engine, START)
    import_ = store.find(NOON)
    assert rows(engine, "import") == []

    import_ = store.save(import_, [])
    assert (import_.batches, rows(engine, "import")) == (1, [])
    import_ = store.save(import_, [imported_page(Kind.VIDEOS, {"id": 1})])
    assert store.find(LATER) == import_
    assert (import_.batches, import_.ended_at) == (2, None)

    ended = store.end(import_, 3, LATER)

    with reading(engine) as connection:
        assert past_imports(connection) == [ended]
    assert (ended.ended_at, ended.refused, ended.begun_at) == (LATER, 3, NOON)


def test_a_batch_is_stored_as_a_whole_or_not_at_all(engine, interrupted):
    store = ImportStore(engine, START)
    pages = [imported_page(Kind.VIDEOS, {"id": n}, at=NOON + n * DAY) for n in (1, 2)]

    with interrupted(engine, "UPDATE import", 'UPDATE "import"'):
        store.save(store.find(NOON), pages)

    assert not any(content(engine)[name] for name in ("video", "crawl", "import"))


def test_imports_are_told_apart_by_their_checksum(engine):
    import_videos(engine, {"id": 1})
    other = replace(START, sha256="cd" * 32)
    import_pages(engine, imported_page(Kind.VIDEOS, {"id": 2}), start=other)

    with reading(engine) as connection:
        assert [each.sha256 for each in past_imports(connection)] == ["ab" * 32, "cd" * 32]
        of_imports = select(func.count()).where(Crawl.import_id == 2)
        assert connection.scalar(of_imports) == 1


@pytest.mark.parametrize("is_new", [True, False])
def test_a_rehearsal_counts_as_the_import_does_and_writes_nothing(crawled, is_new):
    first = {"id": 1, "username": "old", "region_code": "fr", "hashtag_names": ["a", "b"]}
    batches = [
        [
            imported_page(Kind.VIDEOS, first, {"id": 2, "hashtag_names": ["a"]}, at=EARLIER),
            imported_page(Kind.VIDEOS, {"id": 2, "like_count": 1}, {"id": 3}, at=NOON, tags=("x",)),
            imported_page(Kind.PROFILES, {"username": "ann", "follower_count": 1}),
        ],
        [
            imported_page(Kind.VIDEOS, {"id": 2, "hashtag_names": ["a"]}, at=LATER),
            imported_page(Kind.VIDEOS, {"id": 3, "like_count": 2}, at=LATER),
            imported_page(Kind.VIDEOS, {"id": 1, "username": "ann"}, at=EARLIER),
            imported_page(Kind.PROFILES, {"username": "ann", "follower_count": 2}, at=LATER),
        ],
    ]
    before = content(crawled)
    rehearsal = ImportRehearsal(None if is_new else crawled, START)
    rehearsed = rehearsal.find(NOON)
    for batch in batches:
        rehearsed = rehearsal.save(rehearsed, batch)
    rehearsal.close()
    assert content(crawled) == before

    store = ImportStore(crawled, START)
    imported = store.find(NOON)
    for batch in batches:
        imported = store.save(imported, batch)

    if is_new:
        expected = {"new": 3, "updated": 2, "filled": 0, "unchanged": 1}
        assert rehearsed.counts["videos"] == expected
    else:
        assert rehearsed.counts == imported.counts
        assert rehearsed.counts["videos"] == {"new": 2, "updated": 1, "filled": 1, "unchanged": 2}
    assert rehearsed.counts["profiles"] == {"new": 1, "updated": 1, "filled": 0, "unchanged": 0}
