"""The sandbox that a crawl brings itself."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from check_client import begin, signed_in, state, status
from scrapy.settings import Settings
from scrapy.utils.defer import deferred_f_from_coro_f
from scrapy.utils.test import get_crawler

from tiktok_crawler.crawling.components import extension
from tiktok_crawler.extensions.sandbox import SandboxServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp


@asynccontextmanager
async def own_sandbox() -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the sandbox of a crawl in the current folder."""
    settings = Settings()
    settings.setmodule("tiktok_crawler.settings")
    settings.set("TIKTOK_SANDBOX", value=True)
    server = extension(get_crawler(settings_dict=settings), SandboxServer)
    await server.spider_opened()
    try:
        assert server.url
        async with signed_in(server.url) as client:
            yield client
    finally:
        await server.spider_closed()


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A function that goes to another project."""

    def go(name):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "scrapy.cfg").touch()
        monkeypatch.chdir(folder)
        return folder

    return go


@deferred_f_from_coro_f
async def test_the_next_crawl_of_a_project_knows_the_checks_of_the_last_one(project):
    project("one")
    async with own_sandbox() as client:
        task_id = await begin(client, [7_000_000_000_000_000_001])
    async with own_sandbox() as client:
        assert await state(client, task_id) == "Completed"
    project("other")
    async with own_sandbox() as client:
        assert (await status(client, task_id))[0] == 400


@deferred_f_from_coro_f
async def test_a_sandbox_that_is_asked_for_no_checks_leaves_no_files(project):
    folder = project("one")
    async with own_sandbox() as client:
        assert (await status(client, 10**19))[0] == 400
    assert [each.name for each in folder.iterdir()] == ["scrapy.cfg"]
