"""An archive that cannot be written stops the crawl, and nothing is stored that is not archived."""

from __future__ import annotations

import os
import resource
from contextlib import contextmanager
from os import EX_CONFIG, EX_OK, EX_SOFTWARE

import pytest
from archived import archived_crawl, content, replay, texts
from crawling import exit_status
from listing_crawls import ListingDatabase
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import Answer, ScriptedApi, error, page, serving

from tiktok_crawler.crawling.components import extension
from tiktok_crawler.extensions.outcome import Outcome
from tiktok_crawler.pipelines.storage import StoragePipeline
from tiktok_crawler.storage.engine import database

pytestmark = pytest.mark.slow


def engine_of(url):
    return database.create_engine_for(database.database_url(url))


@contextmanager
def files_of_at_most(size):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@deferred_f_from_coro_f
async def test_a_full_disk_ends_the_crawl_and_its_page_is_not_stored(folder, caplog, request):
    url = request.getfixturevalue("unused_postgresql_url")  # its files are not this process's
    noise = {"noise": os.urandom(60_000).hex()}
    script = ScriptedApi(page(3, has_more=True), page(2, has_more=True, **noise), page(1))
    settings = {"TIKTOK_DATABASE_URL": url}
    async with serving(script) as api:
        with files_of_at_most(20_000):
            crawler = await archived_crawl(folder, api.url, settings)
    assert exit_status(crawler) == EX_SOFTWARE
    assert crawler.stats.get_value("finish_reason") == "storage_failed"
    assert [row["id"] for row in content(url)["video"]] == [3]
    assert [row["state"] for row in content(url)["crawl_window"]] == ["open"]
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.getMessage() for record in errors] == [
        f"the archive in {folder.path / 'archive'} cannot be written: File too large"
    ]
    assert not any(record.exc_info for record in errors)


@deferred_f_from_coro_f
async def test_a_disk_that_is_full_at_the_end_leaves_corrections_to_the_next_crawl(
    folder, caplog, request
):
    """A window that was parked is needless when other fields of its days are collected, too."""
    url = request.getfixturevalue("unused_postgresql_url")
    settings = {"TIKTOK_DATABASE_URL": url}
    script = ScriptedApi(page(9), error(400, "invalid_params", "no"), page(1))
    archive = folder.path / "archive"

    class FillsTheDisk:
        def process_item(self, item):
            """After a page, which is archived and stored."""
            newest = max(archive.glob("*.gz"), key=lambda file: file.stat().st_mtime_ns)
            limits = (newest.stat().st_size, resource.RLIM_INFINITY)
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            return item

    full = settings | {"ITEM_PIPELINES": {StoragePipeline: 100, FillsTheDisk: 200}}
    async with serving(script) as api:
        for days in ({"end_date": "2023-06-01", "start_date": "2023-06-01"}, {}):
            await archived_crawl(folder, api.url, settings, **days)
        with engine_of(url).begin() as connection:
            fewer = "UPDATE crawl_window SET fields = '[\"id\"]' WHERE state = 'parked'"
            connection.exec_driver_sql(fewer)
        with files_of_at_most(resource.RLIM_INFINITY):
            crawler = await archived_crawl(folder, api.url, full)
        left = content(url)["crawl_window"]
        later = await archived_crawl(folder, api.url, settings)
    assert exit_status(crawler) == EX_SOFTWARE
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.getMessage() for record in errors] == [
        f"the archive in {archive} cannot be written: File too large"
    ]
    assert sorted(row["state"] for row in left) == ["complete", "complete", "parked"]
    assert exit_status(later) == EX_OK
    states = sorted(row["state"] for row in content(url)["crawl_window"])
    assert states == ["complete", "complete", "split"]


@deferred_f_from_coro_f
async def test_a_full_disk_ends_a_crawl_of_a_listing_and_its_page_is_not_stored(
    tmp_path, caplog, request
):
    url = request.getfixturevalue("unused_postgresql_url")

    def comments(id_, **noise):
        data = {"comments": [{"id": id_, **noise}], "cursor": id_ * 100, "has_more": True}
        return Answer(body={"data": data, "error": {"code": "ok", "message": ""}})

    script = ScriptedApi(comments(1), comments(2, noise=os.urandom(60_000).hex()), comments(3))
    async with serving(script) as api:
        settings = {"TIKTOK_ARCHIVE": str(tmp_path / "archive")}
        with files_of_at_most(20_000):
            crawler = await ListingDatabase(url, api.url).crawl("comments", settings, video_ids="7")
        assert exit_status(crawler) == EX_SOFTWARE
        assert [row["id"] for row in content(url)["comment"]] == [1]
        assert [(row["state"], row["cursor"]) for row in content(url)["seed"]] == [("open", 100)]
        assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == [
            f"the archive in {tmp_path / 'archive'} cannot be written: File too large"
        ]

        # From the start, it is said once, and nothing is sent.
        api.bodies.clear()
        with files_of_at_most(10):
            crawler = await ListingDatabase(url, api.url).crawl("comments", settings, video_ids="8")
        assert "cannot be written: File too large" in str(extension(crawler, Outcome).error)
        assert exit_status(crawler) == EX_SOFTWARE
        assert api.bodies == []
    assert len(content(url)["seed"]) == 1


@deferred_f_from_coro_f
async def test_a_folder_that_cannot_be_made_stops_the_crawl_before_it_begins(folder):
    (folder.path / "archive").write_text("")
    async with serving(ScriptedApi(page(1))) as api:
        crawler = await archived_crawl(folder, api.url)
        assert exit_status(crawler) == EX_CONFIG
        assert api.bodies == api.token_forms == []
        (folder.path / "archive").unlink()
        # The lock was given back.
        crawler = await archived_crawl(folder, api.url)
    assert exit_status(crawler) == EX_OK


@deferred_f_from_coro_f
async def test_an_answer_is_in_the_archive_before_its_page_is_in_the_database(folder):

    def answer(body):
        pages = body.get("cursor", 0) // 100
        if pages:
            stored = content(folder.database_url)["crawl"]
            assert len(stored) == pages
            (file,) = (folder.path / "archive").glob("*.gz")
            # The file is not closed yet.
            assert file.stat().st_size > 0
            replayed = f"sqlite:///{folder.path / f'{pages}.db'}"
            replay(replayed, folder.path / "archive")
            assert content(replayed)["crawl"] == stored
        return page(9 - pages, cursor=100 * pages + 100, has_more=pages < 3)

    async with serving(ScriptedApi(answer)) as api:
        crawler = await archived_crawl(folder, api.url)
    assert exit_status(crawler) == EX_OK
    assert [line["kind"] for line in texts(folder.path / "archive")].count("answer") == 4


@pytest.mark.parametrize("value", ["", None])
@deferred_f_from_coro_f
async def test_an_empty_setting_is_none(folder, value):
    async with serving(ScriptedApi(page(1))) as api:
        crawler = await folder.crawl(api.url, {"TIKTOK_ARCHIVE": value})
    assert exit_status(crawler) == EX_OK
    assert sorted(path.name for path in folder.path.iterdir()) == [
        "crawl.db",
        "query.yaml",
        "secrets.yaml",
    ]
