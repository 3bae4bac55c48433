"""The main job in one process: pages followed, windows side by side, resumed, never repeated."""

from __future__ import annotations

import asyncio
from collections import Counter
from os import EX_OK, EX_TEMPFAIL

import pytest
from crawling import exit_status, stat
from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import Answer, ScriptedApi, page, serving

from tiktok_crawler.exceptions import ConfigurationError, UsageError
from tiktok_crawler.spiders.videos import VideosSpider

YEAR = {"start_date": "2023-01-01", "end_date": "2023-12-31"}


@deferred_f_from_coro_f
async def test_a_request_is_what_the_documentation_shows(folder):
    async with serving(ScriptedApi(page(2, has_more=True), page(1, cursor=145))) as api:
        await folder.crawl(api.url)
    query = {"and": [{"operation": "EQ", "field_name": "hashtag_name", "field_values": ["butter"]}]}
    first = {
        "query": query,
        "start_date": "20240101",
        "end_date": "20240102",
        "max_count": 100,
    }
    assert api.bodies == [first, first | {"cursor": 100, "search_id": "77"}]
    assert api.headers[0]["Content-Type"] == "application/json"


@pytest.mark.parametrize("concurrency", [1, 4])
@deferred_f_from_coro_f
async def test_at_most_so_many_windows_are_open_at_once(folder, concurrency):
    open_windows: list[int] = []

    def answer(body):
        state = "SELECT count(*) FROM crawl_window WHERE state = 'open'"
        open_windows.append(folder.rows(state)[0][0])
        return page(1) if "cursor" in body else page(2, has_more=True)

    async with serving(ScriptedApi(answer)) as api:
        crawler = await folder.crawl(api.url, {"CONCURRENT_REQUESTS": concurrency}, **YEAR)
    assert max(open_windows) == concurrency
    assert stat(crawler, "windows/completed_count") == 12
    assert exit_status(crawler) == EX_OK


@deferred_f_from_coro_f
async def test_a_page_is_stored_before_the_next_one_of_its_window_is_asked_for(folder):

    def answer(body):
        cursor = body.get("cursor", 0)
        stored = folder.rows("SELECT count(*) FROM video")[0][0]
        assert stored == cursor // 100
        return page(1000 - cursor, cursor=cursor + 100, has_more=cursor < 900)

    async with serving(ScriptedApi(answer)) as api:
        crawler = await folder.crawl(api.url)
    assert len(api.bodies) == 10
    assert exit_status(crawler) == EX_OK


@deferred_f_from_coro_f
async def test_a_completed_collection_sends_nothing_and_says_so(folder, caplog):
    caplog.set_level("INFO")
    async with serving(ScriptedApi(page(1))) as api:
        await folder.crawl(api.url)
        api.bodies.clear()
        crawler = await folder.crawl(api.url)
    assert api.bodies == []
    assert len(api.token_forms) == 1
    assert exit_status(crawler) == EX_OK
    assert "Nothing to collect: all 2 days from 2024-01-01 to 2024-01-02 are covered" in caplog.text


@deferred_f_from_coro_f
async def test_refresh_after_collects_old_days_again(folder):
    async with serving(ScriptedApi(page(1))) as api:
        await folder.crawl(api.url)
        folder.rows("UPDATE crawl_window SET searched_at = '2024-02-01 00:00:00.000000'")
        await folder.crawl(api.url)
        assert len(api.bodies) == 1
        await folder.crawl(api.url, refresh_after="7 days")
        await folder.crawl(api.url, refresh_after="7 days")
    assert len(api.bodies) == 2


@deferred_f_from_coro_f
async def test_a_refresh_can_be_rehearsed(folder):
    wanted = {"end_date": "2024-01-20", "refresh_after": "7 days"}
    for profile in ("changing", "a-month-later"):
        sandbox = {"TIKTOK_SANDBOX": True, "TIKTOK_SANDBOX_PROFILE": profile}
        crawler = await folder.crawl("http://127.0.0.1:1", sandbox, **wanted)
        assert exit_status(crawler) == EX_OK
        folder.rows("UPDATE crawl_window SET searched_at = '2024-02-01 00:00:00.000000'")
    [(videos,)] = folder.rows("SELECT count(*) FROM video")
    seen = Counter(number for (number,) in folder.rows("SELECT video_id FROM videos_to_crawls"))
    grown = folder.rows(
        "SELECT video_id FROM video_statistics WHERE view_count > 0 "
        "GROUP BY video_id HAVING max(view_count) > min(view_count)"
    )
    assert stat(crawler, "videos/new_count") == 0
    assert 0 < sum(times == 1 for times in seen.values()) < videos / 5, "vanished"
    assert len(grown) > videos / 2


@deferred_f_from_coro_f
async def test_a_day_counts_as_covered_only_with_all_the_fields_wanted_now(folder):
    async with serving(ScriptedApi(page(1))) as api:
        await folder.crawl(api.url, {"TIKTOK_VIDEO_FIELDS": "id,username"})
        await folder.crawl(api.url, {"TIKTOK_VIDEO_FIELDS": "username,id"})
        assert len(api.bodies) == 1
        await folder.crawl(api.url, {"TIKTOK_VIDEO_FIELDS": "id,username,view_count"})
    assert len(api.bodies) == 2


@deferred_f_from_coro_f
async def test_an_item_that_cannot_be_stored_closes_the_crawl_before_the_next_page(folder):

    def break_the_table(_body):
        folder.rows("ALTER TABLE videos_to_crawls RENAME TO gone")
        return page(1, has_more=True)

    async with serving(ScriptedApi(break_the_table, page(2))) as api:
        crawler = await folder.crawl(api.url)
    assert len(api.bodies) == 1
    assert exit_status(crawler) == 70
    assert crawler.stats.get_value("finish_reason") == "storage_failed"
    assert folder.rows("SELECT count(*) FROM video") == [(0,)]
    assert folder.rows("SELECT state, pages FROM crawl_window") == [("open", 0)]


@deferred_f_from_coro_f
async def test_tags_are_given_to_what_was_collected_already_without_a_request(folder):
    tagged = (
        "SELECT name, video_id FROM query_tag"
        " JOIN videos_to_query_tags ON query_tag_id = query_tag.id ORDER BY name"
    )
    async with serving(ScriptedApi(page(1))) as api:
        await folder.crawl(api.url, tags="one")
        await folder.crawl(api.url, tags="two")
    assert len(api.bodies) == 1
    assert folder.rows(tagged) == [("one", 1), ("two", 1)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"qeury": "x"}, ["-a qeury=", "did you mean 'query'?", "max_requests"]),
        ({"max_requests": "0"}, ["-a max_requests=0", "whole number"]),
        ({"max_requests": "many"}, ["-a max_requests=many"]),
        ({"start_date": " "}, ["-a start_date=", "empty"]),
        ({"start_date": "2024-13-01"}, ["start_date", "2024-13-01"]),
    ],
)
@deferred_f_from_coro_f
async def test_an_argument_that_cannot_be_used_is_named(folder, arguments, words):
    with pytest.raises(UsageError) as error:
        await folder.crawl("http://127.0.0.1:1", **arguments)
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize("place", ["script", "spider"])
@deferred_f_from_coro_f
async def test_a_script_or_spider_with_a_setting_that_does_not_exist_is_refused(new_folder, place):
    misspelt = {"TIKTOK_SANDOX": True}
    of_spider, of_script = (misspelt, {}) if place == "spider" else ({}, misspelt)
    spider = type("Mine", (VideosSpider,), {"custom_settings": of_spider})
    crawler = Crawler(spider, new_folder.settings("http://127.0.0.1:1", **of_script))
    with pytest.raises(ConfigurationError, match=r"did you mean TIKTOK_SANDBOX\?"):
        await crawler.crawl_async(query=str(new_folder.query_file))
    assert not (new_folder.path / "crawl.db").exists()


@deferred_f_from_coro_f
async def test_records_that_cannot_be_stored_are_said_and_the_rest_is_kept(folder, caplog):
    odd = page(1, 2)
    odd.body["data"]["videos"] += [{"username": "bob"}, "nonsense"]
    odd.body["data"]["videos"][0] |= {"view_count": "many", "brand_new_field": 7}
    async with serving(ScriptedApi(odd)) as api:
        crawler = await folder.crawl(api.url)
    assert folder.rows("SELECT id FROM video ORDER BY id") == [(1,), (2,)]
    assert stat(crawler, "videos/refused_count") == 2
    assert "brand_new_field" in caplog.text
    warnings = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert sum("A record was not stored" in warning for warning in warnings) == 1
    assert "2 videos were not stored, since they have no usable id" in warnings
    assert exit_status(crawler) == EX_OK


@deferred_f_from_coro_f
async def test_of_many_and_long_unknown_fields_the_beginning_is_told(folder, caplog):
    answer = page(1)
    answer.body["data"]["videos"][0] |= {f"{number:02}{'y' * 100_000}": 1 for number in range(12)}
    async with serving(ScriptedApi(answer)) as api:
        await folder.crawl(api.url)

    (told,) = (r.getMessage() for r in caplog.records if "does not know" in r.getMessage())
    assert told.endswith(f"09{'y' * 57}… and 2 more")
    assert len(told) < 1_000


@deferred_f_from_coro_f
async def test_the_first_oddity_of_a_kind_is_told_and_then_their_number(folder, caplog):
    caplog.set_level("DEBUG")
    first, second = page(4, 3, has_more=True), page(2, 1, cursor=200)
    for record in first.body["data"]["videos"] + second.body["data"]["videos"]:
        record["view_count"] = "many"
    second.body["data"]["videos"][0] |= {"like_count": [], "brand\x1bnew": 7}
    second.body["data"]["videos"].append({"id": "\x1b[31m"})
    async with serving(ScriptedApi(first, second)) as api:
        crawler = await folder.crawl(api.url)

    lines = [(r.levelname, r.getMessage()) for r in caplog.records]
    assert [line for line in lines if "Kept in" in line[1]] == [
        ("WARNING", "Kept in video.extra_data: view_count of video 4: text"),
        ("DEBUG", "Kept in video.extra_data: view_count of video 3: text"),
        ("DEBUG", "Kept in video.extra_data: view_count of video 2: text"),
        ("WARNING", "Kept in video.extra_data: like_count of video 2: a list"),
        ("DEBUG", "Kept in video.extra_data: view_count of video 1: text"),
        ("WARNING", "Kept in video.extra_data, 4 times: view_count of video: text"),
    ]
    assert stat(crawler, "videos/misfit_count") == 5
    told = [text for level, text in lines if level == "WARNING"]
    assert "video.extra_data: brand�new" in " ".join(told)
    assert "1 video" not in " ".join(told)
    assert "\x1b" not in " ".join(told)


@deferred_f_from_coro_f
async def test_ctrl_c_while_the_database_is_opened_is_not_forgotten(folder):
    async with serving(ScriptedApi(page(1))) as api:
        crawler = Crawler(VideosSpider, folder.settings(api.url))
        running = asyncio.ensure_future(crawler.crawl_async(query=str(folder.query_file)))
        await asyncio.sleep(0)
        await crawler.stop_async()
        await running
    assert api.bodies == []
    assert exit_status(crawler) == EX_TEMPFAIL
    assert crawler.stats.get_value("finish_reason") == "shutdown"


@deferred_f_from_coro_f
async def test_a_bug_in_a_callback_is_loud_and_ends_with_70(folder, monkeypatch):
    monkeypatch.setattr("tiktok_crawler.spiders.task_runner.read_page", None)
    async with serving(ScriptedApi(page(1))) as api:
        crawler = await folder.crawl(api.url)
    assert exit_status(crawler) == 70
    assert crawler.stats.get_value("finish_reason") == "unexpected_error"


@deferred_f_from_coro_f
async def test_an_answer_that_is_too_large_is_a_failure_and_not_a_crash(folder):
    big = Answer(200, b" " * 3000)
    async with serving(ScriptedApi(big)) as api:
        crawler = await folder.crawl(
            api.url, {"DOWNLOAD_MAXSIZE": 2000, "TIKTOK_RETRY_TIMES": 1}, end_date="2024-01-01"
        )
    assert exit_status(crawler) == EX_TEMPFAIL
    assert folder.rows("SELECT state FROM crawl_window") == [("parked",)]


class DropsEverything:
    def process_item(self, item):  # noqa: ARG002 - Scrapy's signature
        raise DropItem("as the user wants it")


@deferred_f_from_coro_f
async def test_a_users_pipeline_that_drops_pages_does_not_keep_the_crawl_open(folder):
    pipelines = {
        "tiktok_crawler.pipelines.storage.StoragePipeline": 100,
        DropsEverything: 200,
    }
    async with serving(ScriptedApi(page(1))) as api:
        async with asyncio.timeout(20):
            crawler = await folder.crawl(api.url, {"ITEM_PIPELINES": pipelines}, **YEAR)
    assert stat(crawler, "windows/completed_count") == 12
    assert exit_status(crawler) == EX_OK


@deferred_f_from_coro_f
async def test_an_open_search_that_began_before_its_days_were_final_starts_anew(folder):
    async with serving(ScriptedApi(page(2, has_more=True))) as api:
        await folder.crawl(api.url, max_requests="1")
        folder.rows("UPDATE crawl_window SET searched_at = '2024-01-02 12:00:00.000000'")
        api.answers = [page(1)]
        api.bodies.clear()
        crawler = await folder.crawl(api.url)
    assert [body.get("cursor") for body in api.bodies] == [None]
    assert exit_status(crawler) == EX_OK


@deferred_f_from_coro_f
async def test_of_equal_complaints_in_a_page_ten_are_told_and_then_a_number(folder, caplog):
    caplog.set_level("DEBUG", logger="tiktok_crawler")
    async with serving(ScriptedApi(page(1, videos=[{}] * 30))) as api:
        await folder.crawl(api.url, end_date="2024-01-01")
    assert caplog.text.count("A record was not stored") == 10
    assert "20 more of this page: not stored" in caplog.text
    assert "30 videos were not stored" in caplog.text
