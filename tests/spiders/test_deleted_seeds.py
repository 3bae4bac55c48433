"""Query files that still name whom a deletion has taken out: nobody asks for them again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from os import EX_OK

import pytest
from crawling import CrawlFolder, exit_status
from marathon import on_both
from sandboxes import recording_sandbox, searches
from scrapy.utils.defer import deferred_f_from_coro_f

from tiktok_crawler.commands import status as status_command
from tiktok_crawler.config import Config
from tiktok_crawler.planning.checks import RemovalReason
from tiktok_crawler.query_file.collection import read_collection
from tiktok_crawler.sandbox import CLIENT_KEY, CLIENT_SECRET
from tiktok_crawler.storage.asked_for import without_deleted
from tiktok_crawler.storage.deletion.deletion import Cause, delete_users
from tiktok_crawler.storage.engine import database

pytestmark = pytest.mark.slow

DAYS = "start_date: 2024-01-01\nend_date: 2024-01-31\n"


def quiet(_what, _count):
    pass


class Deleted(CrawlFolder):
    """A study of some accounts, one of which is deleted between two crawls."""

    async def crawl_twice(self, wanted, days_then=DAYS):
        """Crawl accounts, then what is wanted, then that once more when one was deleted."""
        with recording_sandbox(daily_quota=None, videos_per_day=30) as (sandbox, url):
            self.query_file.write_text(f"{DAYS}include: {{any_hashtags: [butter]}}")
            await self.crawl(url)
            found = self.rows("SELECT DISTINCT username FROM video ORDER BY username LIMIT 3")
            names = [name for (name,) in found]
            self.query_file.write_text(DAYS + wanted(names))
            await self.crawl(url)
            with database.opened(self.database_url) as engine:
                cause = Cause(RemovalReason.ASKED)
                delete_users(engine, names[:1], cause, datetime.now(UTC), quiet)
            before = len(searches(sandbox))
            self.query_file.write_text(days_then + wanted(names))
            crawler = await self.crawl(url)
            return names[0], crawler, searches(sandbox)[before:]

    def named(self, name):
        tables = ("query", "value_batch", "query_value", "crawl_window", "run", "seed")
        return [table for table in tables if name in repr(self.rows(f"SELECT * FROM {table}"))]


@pytest.fixture
def folder(tmp_path, unused_url):
    found = Deleted(tmp_path, unused_url)
    found.secrets_file.write_text(f"client_key: {CLIENT_KEY}\nclient_secret: {CLIENT_SECRET}\n")
    return found


WANTED = (
    lambda names: f"each: {{usernames: [{', '.join(names)}]}}",
    lambda names: f"each: {{usernames: [{names[0]}]}}",
    lambda names: f"usernames: [{', '.join(names)}]",
    lambda names: f"usernames: [{names[0].upper()}]",
    lambda names: f"exclude: {{usernames: [{', '.join(names)}]}}\nregions: [FR]",
)


@pytest.mark.parametrize(("unused_url", "wanted"), on_both(WANTED), indirect=["unused_url"])
@deferred_f_from_coro_f
async def test_who_was_deleted_is_neither_asked_for_nor_named_again(folder, wanted, caplog):
    name, crawler, sent = await folder.crawl_twice(wanted)

    assert exit_status(crawler) == EX_OK
    assert not sent, "what is stored is searched again"
    assert not folder.named(name)
    assert "names persons or videos that were deleted as persons have asked" in caplog.text


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        (lambda names: f"usernames: [{names[0]}]", []),
        (lambda names: f"exclude: {{usernames: [{names[0]}]}}\nregions: [FR]", ["region_code"]),
        (lambda names: f"usernames: [{', '.join(names[:2])}]", ["username"]),
    ],
)
@deferred_f_from_coro_f
async def test_nobody_is_asked_for_in_the_place_of_who_was_deleted(folder, wanted, left):
    name, crawler, sent = await folder.crawl_twice(wanted, DAYS.replace("01-31", "02-01"))

    assert exit_status(crawler) == EX_OK
    conditions = [each for body in sent for group in body["query"].values() for each in group]
    assert [each["field_name"] for each in conditions] == left
    assert not {name, "deleted:"} & {value for each in conditions for value in each["field_values"]}
    settings = folder.settings("http://127.0.0.1")
    (*_, query) = json.loads(status_command._report(settings, as_json=True))["queries"]
    covered = 100 if left else 96.8
    assert (query["coverage_percent"], query["unseen"]) == (covered, []), "a day was not searched"
    told = status_command._report(settings, as_json=False)
    assert ("those whom it asked for were deleted" in told) is (not left)
    assert not status_command._check(settings)


def test_a_database_that_is_not_there_keeps_nothing_out(tmp_path):
    folder = CrawlFolder(tmp_path)
    folder.query_file.write_text(f"{DAYS}usernames: [ann]")
    wanted = (read_collection(folder.query_file, today=datetime.now(UTC).date()),)
    config = Config.of(folder.settings("http://127.0.0.1"))
    url = f"sqlite:///{tmp_path / 'none.db'}"
    assert without_deleted(url, config.origin, wanted) == wanted
    assert without_deleted(url, None, wanted) == wanted
