"""A deletion reaches the archive: its replay makes what the database has after it."""

from __future__ import annotations

import gzip
import json

import pytest
from archived import content, replay
from crawling import CrawlFolder
from listing_crawls import ListingDatabase
from new_databases import new_database
from sandboxes import recording_sandbox
from scrapy.utils.defer import deferred_f_from_coro_f
from sqlalchemy import insert, select

from tiktok_crawler.archive import rewriting
from tiktok_crawler.archive.rewriting import pending_archives, rewrite_archive
from tiktok_crawler.clock import utc_now
from tiktok_crawler.planning.checks import RemovalReason
from tiktok_crawler.reports.deletion_report import archive_lines
from tiktok_crawler.sandbox.faults.profile import Profile
from tiktok_crawler.sandbox.faults.schedule import FaultName, Requests, ScheduledFault
from tiktok_crawler.storage.deletion.deletion import (
    Cause,
    delete_comments,
    delete_users,
    delete_videos,
)
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.models.existence import ArchiveRemoval
from tiktok_crawler.storage.models.records import Account, Comment, Video

QUERY = """
start_date: 2024-01-01
end_date: 2024-01-04
tags: [dairy]
include: {any_hashtags: [butter, cheese]}
also_collect: {comments: {max_per_video: 50}}
"""


def quiet(_what, _count):
    pass


@pytest.fixture
def opened():
    engines = []

    def open_(url):
        engines.append(database.create_engine_for(database.database_url(url)))
        return engines[-1]

    yield open_
    for engine in engines:
        engine.dispose()


async def crawled(folder, url):
    """Collect videos, and what hangs on them, with an archive; name some persons of it."""
    archive = {"TIKTOK_ARCHIVE": str(folder.path / "archive"), "TIKTOK_RATE_LIMIT_DELAY": 0.1}
    query = folder.path / "query.yaml"
    query.write_text(QUERY)
    with recording_sandbox(daily_quota=None, videos_per_day=30) as (_, api):
        data = ListingDatabase(url, api)
        await data.crawl("videos", archive, query=str(query))
        counted = "SELECT username FROM video GROUP BY username ORDER BY count(*) DESC, username"
        names = list(data.column(f"{counted} LIMIT 4"))
        named = ",".join(names)
        for listing in ("users", "pinned_videos"):
            await data.crawl(listing, archive, usernames=named)
        for listing in ("followers", "following", "liked_videos"):
            await data.crawl(listing, archive, usernames=named, max_per_user="200")
    return names


def without_leftovers(tables):
    """Leave out what a replay cannot have: deletions themselves, and names that nobody has."""
    for name in ("removal", "archive_removal", "kept_out", "query_value"):
        tables.pop(name, None)
    for name, column in (("hashtag", "name"), ("effect", "effect_id")):
        tables[name] = [row for row in tables[name] if not row[column].startswith("-")]
    return tables


def lines(folder):
    return b"".join(gzip.decompress(path.read_bytes()) for path in folder.glob("archive/*.gz"))


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_a_replay_makes_what_is_left(tmp_path, unused_url, opened):
    folder = CrawlFolder(tmp_path)
    names = await crawled(folder, unused_url)
    engine = opened(unused_url)
    with engine.connect() as connection:
        hers = set(connection.scalars(select(Video.id).where(Video.username.in_(names[:2]))))
        others = list(connection.scalars(select(Video.id).where(Video.id.not_in(hers)).limit(9)))
        comments = list(connection.scalars(select(Comment.id).limit(7)))
        liked = connection.scalar(select(Account.username).where(Account.username.not_in(names)))
    now = utc_now()
    archives = (tmp_path / "archive",)
    asked, old = Cause(RemovalReason.ASKED, archives), Cause(RemovalReason.AGE, archives)
    delete_users(engine, [*names[:2], liked], asked, now, quiet)
    delete_videos(engine, others[:5], old, now, quiet)
    delete_comments(engine, comments, asked, now, quiet)

    rewritten = rewrite_archive(engine, [tmp_path / "archive"])

    assert rewritten.is_done
    assert rewritten.records
    assert not pending_archives(engine)
    archived = lines(tmp_path)
    for text in (*names[:2], liked, *map(str, (*hers, *others[:5], *comments))):
        assert text.encode() not in archived, text
    url = new_database(tmp_path / "replayed.db")
    counts = replay(url, tmp_path / "archive")
    assert counts.stray_pages == 0
    found, expected = without_leftovers(content(url)), without_leftovers(content(unused_url))
    for name, rows in expected.items():
        assert found[name] == rows, name
    assert expected["video"]
    assert expected["comment"]
    assert expected["user_info"]
    assert expected["user_relation"]


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_crawls_that_end_meanwhile_leave_nothing_in_the_archive(
    tmp_path, unused_url, opened, monkeypatch
):
    await crawled(CrawlFolder(tmp_path), unused_url)
    engine, archive = opened(unused_url), tmp_path / "archive"
    with engine.connect() as connection:
        ids = list(connection.scalars(select(Video.id).limit(4)))

    def crawl_ends(_what, _count):
        assert rewrite_archive(engine, [archive]).is_done

    monkeypatch.setattr("tiktok_crawler.storage.deletion.deletion.BATCH", 1)
    delete_videos(engine, ids, Cause(RemovalReason.ASKED, (archive,)), utc_now(), crawl_ends)

    archived = lines(tmp_path)
    assert not [id_ for id_ in ids if str(id_).encode() in archived]
    assert rewrite_archive(engine, [archive]).files == 0
    assert not pending_archives(engine)


def test_what_is_deleted_while_files_are_read_is_not_forgotten(tmp_path, unused_url, opened):
    engine, archive = opened(unused_url), tmp_path / "archive"
    database.prepare(engine, "sandbox")
    archive.mkdir()
    asked = Cause(RemovalReason.ASKED, (archive,))
    delete_videos(engine, [1], asked, utc_now(), quiet)
    with engine.connect() as connection:
        (read,) = rewriting._pending(connection)
    with engine.begin() as connection:
        connection.execute(insert(ArchiveRemoval).values(removal_id=read.removal_id, digest="a"))

    with engine.begin() as connection:
        rewriting._forget(connection, (read,), str(archive))

    assert pending_archives(engine) == {archive}
    assert rewrite_archive(engine, [archive]).is_done
    assert not pending_archives(engine)


def test_a_folder_that_is_not_named_again_is_not_forgotten(tmp_path, opened):
    engine = opened(new_database(tmp_path / "crawl.db"))
    database.prepare(engine, "sandbox")
    whole, damaged = tmp_path / "whole", tmp_path / "damaged"
    for folder in (whole, damaged):
        folder.mkdir()
    (damaged / "a.jsonl.gz").write_bytes(gzip.compress(b"{}\n")[:-12] + b"damaged, long")
    delete_videos(engine, [1], Cause(RemovalReason.ASKED, (whole, damaged)), utc_now(), quiet)

    assert not rewrite_archive(engine, [whole, damaged]).is_done
    assert pending_archives(engine) == {damaged}
    assert rewrite_archive(engine, [whole]).is_done
    assert pending_archives(engine) == {damaged}
    (damaged / "a.jsonl.gz").unlink()
    assert rewrite_archive(engine, [damaged]).is_done
    assert not pending_archives(engine)


def test_a_folder_with_a_link_to_one_that_is_away_is_not_forgotten(tmp_path, opened):
    engine = opened(new_database(tmp_path / "crawl.db"))
    database.prepare(engine, "sandbox")
    archive, disk, away = (tmp_path / name for name in ("archive", "disk", "away"))
    archive.mkdir()
    away.mkdir()
    (archive / "2024").symlink_to(disk)
    (away / "a.jsonl.gz").write_bytes(gzip.compress(b'{"kind":"end","reason":"no 17"}\n'))
    delete_videos(engine, [17], Cause(RemovalReason.ASKED, (archive,)), utc_now(), quiet)

    rewritten = rewrite_archive(engine, [archive])

    assert rewritten.failed == [(disk, "No such file or directory")]
    assert pending_archives(engine) == {archive}
    away.rename(disk)
    assert rewrite_archive(engine, [archive]).files == 1
    assert b"no [deleted]" in gzip.decompress((disk / "a.jsonl.gz").read_bytes())
    assert not pending_archives(engine)


def test_lines_that_cannot_be_read_are_counted_and_told(tmp_path, opened):
    engine = opened(new_database(tmp_path / "crawl.db"))
    database.prepare(engine, "sandbox")
    archive = tmp_path / "archive"
    archive.mkdir()
    delete_videos(engine, [1], Cause(RemovalReason.ASKED, (archive,)), utc_now(), quiet)
    (archive / "a.jsonl.gz").write_bytes(gzip.compress(b'{"kind": "x"}\nno line\n{"torn'))
    (archive / "b.jsonl.gz").write_bytes(gzip.compress(b'{"kind": "x"}\n'))

    rewritten = rewrite_archive(engine, [archive])

    assert lines(tmp_path) == b'{"kind": "x"}\n' * 2
    assert rewritten.unreadable == {archive / "a.jsonl.gz": 1}
    assert rewritten.torn == [archive / "a.jsonl.gz"]
    told = "\n".join(archive_lines(rewritten, has_folders=True))
    assert "a.jsonl.gz: 1 line that cannot be read left out" in told
    assert "a.jsonl.gz ended in the middle" in told
    assert "b.jsonl.gz" not in told


@deferred_f_from_coro_f
async def test_a_crawl_warns_of_lines_that_it_leaves_out(tmp_path, opened, caplog):
    url = new_database(tmp_path / "crawl.db")
    engine = opened(url)
    database.prepare(engine, "sandbox")
    archive = tmp_path / "archive"
    archive.mkdir()
    delete_videos(engine, [1], Cause(RemovalReason.ASKED, (archive,)), utc_now(), quiet)
    (archive / "a.jsonl.gz").write_bytes(gzip.compress(b"no line\n"))
    with recording_sandbox(daily_quota=None) as (_, api):
        await ListingDatabase(url, api).crawl(
            "users", {"TIKTOK_ARCHIVE": str(archive)}, usernames="quokka.one"
        )

    assert "a.jsonl.gz: 1 line that cannot be read left out" in caplog.text
    assert not pending_archives(engine)


NO_PAGES = Profile(
    faults=(
        ScheduledFault(fault=FaultName.TRUNCATED_JSON, of=Requests.SEARCHES, request=1),
        ScheduledFault(fault=FaultName.LISTS_AS_OBJECTS, of=Requests.SEARCHES, request=2),
    )
)


@deferred_f_from_coro_f
async def test_answers_that_make_no_page_leave_the_archive_whole(tmp_path, opened):
    url, archive = new_database(tmp_path / "crawl.db"), tmp_path / "archive"
    settings = {"TIKTOK_ARCHIVE": str(archive), "TIKTOK_RETRY_DELAY": 0.01}
    for tag in ("butter", "cheese"):
        query = f"start_date: 2024-01-01\nend_date: 2024-01-02\ninclude: {{any_hashtags: [{tag}]}}"
        (tmp_path / f"{tag}.yaml").write_text(query)
    crawl = {"settings": settings, "query": str(tmp_path / "butter.yaml")}
    with recording_sandbox(daily_quota=None, videos_per_day=30, profile=NO_PAGES) as (_, api):
        await ListingDatabase(url, api).crawl("videos", **crawl)
    engine = opened(url)
    with engine.connect() as connection:
        videos = dict(connection.execute(select(Video.id, Video.video_description)).all())
        names = connection.scalars(select(Video.username).order_by(Video.id))
        name = max(names, key=lambda name: lines(tmp_path).count(name.encode()))
        hers = set(connection.scalars(select(Video.id).where(Video.username == name)))
    assert lines(tmp_path).count(name.encode()) > len(hers)
    delete_users(engine, [name], Cause(RemovalReason.ASKED, (archive,)), utc_now(), quiet)

    rewritten = rewrite_archive(engine, [archive])

    assert rewritten.is_done
    assert rewritten.bodies == 2
    told = list(archive_lines(rewritten, has_folders=True))
    assert told[1].startswith("  2 answers taken out whole: no page can be read from them")
    words = [name, *map(str, hers), *(videos[id_] for id_ in hers)]
    with recording_sandbox(daily_quota=None, videos_per_day=30, profile=NO_PAGES) as (_, api):
        for tag in ("cheese", "butter"):
            crawl["query"] = str(tmp_path / f"{tag}.yaml")
            await ListingDatabase(url, api).crawl("videos", **crawl)
    assert not [word for word in words if json.dumps(word)[1:-1].encode() in lines(tmp_path)]
    made = new_database(tmp_path / "replayed.db")
    assert replay(made, archive).stray_pages == 0
    found, expected = without_leftovers(content(made)), without_leftovers(content(url))
    for table, rows in expected.items():
        assert found[table] == rows, table
