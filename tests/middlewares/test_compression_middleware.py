"""An answer that cannot be unpacked is told as what it is, and its request is sent again."""

from __future__ import annotations

import gzip
import json
import zlib
from os import EX_OK, EX_TEMPFAIL

import brotli
import pytest
from crawling import exit_status, stat
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import TOKEN, Answer, ScriptedApi, page, serving

SMALL = {"DOWNLOAD_MAXSIZE": 100_000, "TIKTOK_RETRY_TIMES": 1}
ONE_DAY = {"start_date": "2024-01-01", "end_date": "2024-01-01"}
MUCH = bytes(200_000)
BOMB = Answer(200, gzip.compress(MUCH), {"Content-Encoding": "gzip"})
PACKED = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "gzip, gzip": lambda body: gzip.compress(gzip.compress(body)),
}


@pytest.mark.parametrize("encoding", PACKED)
@deferred_f_from_coro_f
async def test_an_answer_that_unpacks_to_too_much_is_told_as_that(folder, encoding):
    body = PACKED[encoding](MUCH)
    bomb = Answer(200, body, {"Content-Encoding": encoding})
    async with serving(ScriptedApi(bomb)) as api:
        crawler = await folder.crawl(api.url, SMALL, **ONE_DAY)
    assert exit_status(crawler) == EX_TEMPFAIL
    assert folder.rows("SELECT state, error FROM crawl_window") == [
        (
            "parked",
            f"HTTP 200: {len(body):,} bytes that unpack to more than DOWNLOAD_MAXSIZE allows",
        )
    ]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
@deferred_f_from_coro_f
async def test_damaged_data_is_told_as_that(folder, encoding):
    damaged = Answer(200, b"no such thing", {"Content-Encoding": encoding})
    async with serving(ScriptedApi(damaged)) as api:
        await folder.crawl(api.url, SMALL, **ONE_DAY)
    ((error,),) = folder.rows("SELECT error FROM crawl_window")
    assert error.startswith("HTTP 200: compressed data that is damaged (")


def changed(packed: bytes) -> bytes:
    return packed.replace(b"ann", b"bob")


def cut_off(packed: bytes) -> bytes:
    return packed[:-4]


@pytest.mark.parametrize("damage", [changed, cut_off])
@deferred_f_from_coro_f
async def test_what_its_checksum_denies_is_not_stored(folder, damage):
    """Scrapy takes it as far as it goes: here that is a page."""
    body = json.dumps(page(1).body).encode()
    damaged = Answer(200, damage(gzip.compress(body, 0)), {"Content-Encoding": "gzip"})
    async with serving(ScriptedApi(damaged, page(2))) as api:
        crawler = await folder.crawl(api.url, SMALL, **ONE_DAY)
    assert exit_status(crawler) == EX_OK
    assert folder.rows("SELECT id, username FROM video") == [(2, "ann")]


@deferred_f_from_coro_f
async def test_gzip_in_several_parts_is_read_whole(folder):
    body = json.dumps(page(1).body).encode()
    parts = gzip.compress(body[:50]) + gzip.compress(body[50:]) + bytes(8)
    async with serving(ScriptedApi(Answer(200, parts, {"Content-Encoding": "gzip"}))) as api:
        await folder.crawl(api.url, SMALL, **ONE_DAY)
    assert len(api.bodies) == 1
    assert folder.rows("SELECT id FROM video") == [(1,)]


@deferred_f_from_coro_f
async def test_an_answer_that_is_too_large_as_it_is_is_told_as_that(folder):
    async with serving(ScriptedApi(Answer(200, MUCH))) as api:
        await folder.crawl(api.url, SMALL, **ONE_DAY)
    assert folder.rows("SELECT error FROM crawl_window") == [
        ("an answer that is larger than DOWNLOAD_MAXSIZE allows",)
    ]


@deferred_f_from_coro_f
async def test_after_a_bomb_the_page_is_asked_for_again(folder):
    async with serving(ScriptedApi(BOMB, page(1))) as api:
        crawler = await folder.crawl(api.url, SMALL)
    assert len(api.bodies) == 2
    assert exit_status(crawler) == EX_OK
    assert stat(crawler, "answers/fault_count") == 1


@deferred_f_from_coro_f
async def test_a_bomb_in_place_of_a_token_is_told_too(folder, caplog):
    api = ScriptedApi(page(1))
    api.token_answers = [BOMB]
    async with serving(api):
        crawler = await folder.crawl(api.url, SMALL)
        assert exit_status(crawler) == EX_TEMPFAIL
        assert "bytes that unpack to more than DOWNLOAD_MAXSIZE allows" in caplog.text
        api.token_answers = [BOMB, Answer(body=TOKEN)]
        assert exit_status(await folder.crawl(api.url, SMALL)) == EX_OK
