"""What table `run` has of a crawl."""

from __future__ import annotations

from datetime import UTC, datetime
from os import EX_CONFIG, EX_OK, EX_SOFTWARE, EX_TEMPFAIL
from pathlib import Path

import pytest
from crawling import exit_status
from ftp_servers import full_ftp_server
from scrapy import signals
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import Answer, ScriptedApi, error, page, serving
from sqlalchemy import make_url, select

from tiktok_crawler.extensions.run_record import faults_in, without_secrets
from tiktok_crawler.pipelines.storage import StoragePipeline
from tiktok_crawler.settings import EXTENSIONS
from tiktok_crawler.storage.engine.database import create_engine_for, database_url
from tiktok_crawler.storage.models.ledger import Crawl, RunRow

PROFILE = Answer(body={"data": {"display_name": "Ann"}, "error": {"code": "ok"}})


def rows(folder, model):
    engine = create_engine_for(database_url(folder.database_url))
    with engine.connect() as connection:
        found = list(connection.execute(select(model.__table__)))
    engine.dispose()
    return found


@deferred_f_from_coro_f
async def test_a_crawl_leaves_a_row_that_its_pages_refer_to(folder):
    began = datetime.now(UTC)
    feed = folder.path / "videos.jsonl"
    feeds = {"FEEDS": {str(feed): {"format": "jsonlines"}}}
    async with serving(ScriptedApi(error(500, "internal_error"), page(1))) as api:
        await folder.crawl(api.url, feeds, tags="a,b", _job="26c5")
    [run] = rows(folder, RunRow)
    assert run.spider == "videos"
    assert run.arguments == {"query": str(folder.query_file), "tags": "a,b"}
    assert run.job == "26c5"
    assert began <= run.begun_at <= run.ended_at <= datetime.now(UTC)
    assert (run.close_reason, run.exit_status, run.requests) == ("finished", EX_OK, 2)
    assert (run.faults, run.feeds) == ({"fault": 1}, [str(feed)])
    assert [crawl.run_id for crawl in rows(folder, Crawl)] == [run.id]


@deferred_f_from_coro_f
async def test_a_search_and_what_is_collected_besides_are_one_run(folder):
    folder.query_file.write_text(f"{folder.query_file.read_text()}also_collect: [users]\n")
    async with serving(ScriptedApi(page(1), PROFILE)) as api:
        await folder.crawl(api.url)
    [run] = rows(folder, RunRow)
    assert [crawl.run_id for crawl in rows(folder, Crawl)] == [run.id] * 2


@pytest.mark.parametrize(
    ("answers", "settings", "reason", "status"),
    [
        pytest.param(
            [error(400, "invalid_params")], {}, "query_refused", EX_CONFIG, id="query refused"
        ),
        pytest.param(
            [page(1, has_more=True)],
            {"CLOSESPIDER_PAGECOUNT": 1},
            "closespider_pagecount",
            EX_TEMPFAIL,
            id="stopped",
        ),
    ],
)
@deferred_f_from_coro_f
async def test_how_it_ended_is_written(folder, answers, settings, reason, status):
    async with serving(ScriptedApi(*answers)) as api:
        crawler = await folder.crawl(api.url, settings)
    [run] = rows(folder, RunRow)
    assert (run.close_reason, run.exit_status) == (reason, exit_status(crawler))
    assert run.exit_status == status
    assert run.ended_at


class Unwilling:
    """A pipeline of the user's own that fails when its spider opens."""

    async def open_spider(self):
        raise RuntimeError("unwilling")


@deferred_f_from_coro_f
async def test_a_run_that_never_started_leaves_nothing(new_folder):
    pipelines = {"ITEM_PIPELINES": {StoragePipeline: 100, Unwilling: 200}}
    async with serving(ScriptedApi(page(1))) as api:
        with pytest.raises(RuntimeError, match="unwilling"):
            await new_folder.crawl(api.url, pipelines)
        assert api.bodies == []
    assert not (new_folder.path / "crawl.db").exists()


@deferred_f_from_coro_f
async def test_a_feed_that_fails_at_the_very_end_counts(folder):
    with full_ftp_server() as host:
        feeds = {"FEEDS": {f"ftp://ann:s3cr3t@{host}/videos.csv": {"format": "csv"}}}
        async with serving(ScriptedApi(page(1))) as api:
            crawler = await folder.crawl(api.url, feeds)
    [run] = rows(folder, RunRow)
    assert run.exit_status == exit_status(crawler) == EX_SOFTWARE
    assert run.feeds == []


def test_secrets_are_hidden_in_arguments():
    given = {"query": "key-of-ann.yaml", "tags": "a,s3cr3t"}

    shown = dict(without_secrets(given, ["s3cr3t", "key-of-ann"]))

    assert shown == {"query": "***.yaml", "tags": "a,***"}


def test_faults_are_what_went_wrong_by_kind():
    stats = {
        "tiktok/answers/page_count": 9,
        "tiktok/answers/fault_count": 2,
        "tiktok/searches/lost_count": 1,
        "downloader/exception_type_count/twisted.internet.error.TimeoutError": 3,
        "downloader/exception_type_count/builtins.ConnectionError": 1,
        "downloader/exception_type_count/tiktok_crawler.crawling.failures.QuotaUsedUpError": 7,
        "start_time": None,
    }

    assert faults_in(stats) == {"fault": 2, "search_lost": 1, "no_answer": 4}


class Remover:
    """Removes the database as soon as the spider is closed."""

    def __init__(self, crawler):
        self.file = Path(make_url(crawler.settings["TIKTOK_DATABASE_URL"]).database)
        crawler.signals.connect(self.spider_closed, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler):
        return cls(crawler)

    def spider_closed(self):
        self.file.unlink()


@deferred_f_from_coro_f
async def test_a_database_that_is_removed_at_the_very_end_is_told(folder, caplog):
    async with serving(ScriptedApi(page(1))) as api:
        crawler = await folder.crawl(api.url, {"EXTENSIONS": EXTENSIONS | {Remover: 1}})

    assert exit_status(crawler) == EX_SOFTWARE
    assert "crawl.db was removed or renamed" in caplog.text
    assert not (folder.path / "crawl.db").exists()
