"""Several query files are crawled in one run: each as if alone, none at another's cost."""

from __future__ import annotations

from collections import Counter
from os import EX_CONFIG, EX_OK, EX_TEMPFAIL

import pytest
from archived import assert_replayed
from crawling import CrawlFolder, exit_status, stat
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import ScriptedApi, error, page, serving

from tiktok_crawler.crawling.components import item_pipeline
from tiktok_crawler.exceptions import QueryFileError, UsageError
from tiktok_crawler.pipelines.storage import StoragePipeline
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.lock import QueryLock

ONE_BY_ONE = {"CONCURRENT_REQUESTS": 1, "TIKTOK_RETRY_TIMES": 1, "TIKTOK_PROBE_INTERVAL": 0.01}
FAILURES_OF_ALL = 4 + 4
"""Of two files: a window each, and the newest day alone of each, all tried twice."""
BUSY = error(500, "internal_error", "busy")
REFUSED = error(400, "invalid_params", "no such field")


class Files(CrawlFolder):
    """A folder with query files, each for a hashtag of its name and for 93 days."""

    def add(self, name: str, *lines: str, hashtag: str | None = None, **dates: str) -> None:
        self.queries.mkdir(exist_ok=True)
        days = {"start_date": "2024-01-01", "end_date": "2024-04-02"} | dates
        keys = [*(f"{key}: {day}" for key, day in days.items()), *lines]
        keys.append(f"include: {{any_hashtags: [{hashtag or name}]}}")
        (self.queries / f"{name}.yaml").write_text("\n".join(keys))

    @property
    def queries(self):
        return self.path / "queries"

    async def run(self, api, settings=None, **arguments):
        settings = ONE_BY_ONE | (settings or {})
        return await self.crawl(api.url, settings, query=str(self.queries), **arguments)


class ApiOfHashtags(ScriptedApi):
    """Answers a search by its hashtag, with a page unless something else is said."""

    def __init__(self, **answers):
        super().__init__(self.answer)
        self.by_hashtag = answers
        self.videos = 0

    def answer(self, body):
        if "query" not in body:
            return page()
        answer = self.by_hashtag.get(hashtag_of(body))
        if callable(answer):
            return answer(body)
        self.videos += 1
        return answer or page(self.videos)

    @property
    def asked(self):
        return [hashtag_of(body) for body in self.bodies if "query" in body]


def hashtag_of(body):
    [condition] = body["query"]["and"]
    return condition["field_values"][0]


def search_ends(crawler):
    ends = item_pipeline(crawler, StoragePipeline).search_ends()
    return {end.name.rpartition("/")[2].removesuffix(".yaml"): end for end in ends}


@pytest.fixture
def folder(tmp_path, unused_url):
    return Files(tmp_path, unused_url)


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_each_file_has_its_turn(folder):
    folder.add("ann")
    folder.add("ben")
    async with serving(ApiOfHashtags()) as api:
        crawler = await folder.run(api)
    assert exit_status(crawler) == EX_OK
    assert api.asked == ["ann", "ben"] * 3
    ends = search_ends(crawler)
    assert [ends[name].budget.requests for name in ("ann", "ben")] == [3, 3]
    assert [ends[name].budget.new for name in ("ann", "ben")] == [3, 3]
    assert all(end.is_done for end in ends.values())
    assert folder.rows("SELECT count(*) FROM run") == [(1,)]
    assert folder.rows("SELECT count(DISTINCT query_id) FROM crawl") == [(2,)]
    assert list(folder.path.glob("*.lock")) == []


@deferred_f_from_coro_f
async def test_a_file_of_higher_priority_is_asked_for_more_often(folder):
    folder.add("ann")
    folder.add("ben", "priority: 3")
    async with serving(ApiOfHashtags()) as api:
        await folder.run(api, max_requests="4")
    assert Counter(api.asked) == {"ann": 1, "ben": 3}


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_a_file_takes_no_more_requests_of_a_run_than_it_may_and_goes_on_in_the_next(folder):
    folder.add("ann", "max_requests: 2")
    folder.add("ben")

    def pages_without_end(body):
        return page(9, cursor=body.get("cursor", 0) + 100, has_more=True)

    async with serving(ApiOfHashtags(ann=pages_without_end)) as api:
        first = await folder.run(api)
        assert exit_status(first) == EX_TEMPFAIL
        assert Counter(api.asked) == {"ann": 2, "ben": 3}
        await folder.run(api)
    cursors = [body.get("cursor", 0) for body in api.bodies if hashtag_of(body) == "ann"]
    assert cursors == [0, 100, 200, 300]
    assert not search_ends(first)["ann"].is_done


@deferred_f_from_coro_f
async def test_requests_side_by_side_keep_to_the_limit_of_a_file(folder):
    folder.add("ann", "max_requests: 3", end_date="2024-12-31")
    async with serving(ApiOfHashtags()) as api:
        await folder.run(api, {"CONCURRENT_REQUESTS": 8})
    assert len(api.asked) == 3


@deferred_f_from_coro_f
async def test_a_file_with_all_the_videos_it_wants_is_done_in_later_runs_too(folder):
    folder.add("ann", "max_videos: 2")
    async with serving(ApiOfHashtags()) as api:
        first = await folder.run(api)
        second = await folder.run(api)
    assert [exit_status(each) for each in (first, second)] == [EX_OK, EX_OK]
    assert len(api.asked) == 2
    assert search_ends(first)["ann"].result.plan.standings.missing, "and it says what is not there"


@deferred_f_from_coro_f
async def test_videos_that_another_query_has_brought_count_among_those_a_file_wants(folder):
    folder.add("ann")
    folder.add("ben", "max_videos: 2")

    def the_same(body):
        return page(int(body["start_date"]))

    async with serving(ApiOfHashtags(ann=the_same, ben=the_same)) as api:
        crawler = await folder.run(api)
    assert exit_status(crawler) == EX_OK
    assert Counter(api.asked) == {"ann": 3, "ben": 2}
    assert stat(crawler, "videos/new_count") == 3


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_a_query_that_only_fails_does_not_use_up_the_others_day(folder):
    for name in ("ann", "ben", "eve"):
        folder.add(name)
    async with serving(ApiOfHashtags(ann=BUSY)) as api:
        crawler = await folder.run(api, {"TIKTOK_RETRY_TIMES": 5})
        assert exit_status(crawler) == EX_TEMPFAIL
        asked = Counter(api.asked)
        assert (asked["ben"], asked["eve"]) == (3, 3)
        assert asked["ann"] <= 8, "its window, and its newest day alone"
        assert crawler.stats.get_value("finish_reason") == "finished"
        assert "busy" in search_ends(crawler)["ann"].budget.failure
        api.by_hashtag.clear()
        api.bodies.clear()
        assert exit_status(await folder.run(api)) == EX_OK
    assert set(api.asked) == {"ann"}


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_an_api_that_is_down_for_all_is_waited_for(folder):
    folder.add("ann")
    folder.add("ben")
    count = 0

    def down_for_a_while(_body):
        nonlocal count
        count += 1
        return BUSY if count <= FAILURES_OF_ALL else page(count)

    async with serving(ApiOfHashtags(ann=down_for_a_while, ben=down_for_a_while)) as api:
        crawler = await folder.run(api)
    assert stat(crawler, "breaker/opened_count") == 1
    assert exit_status(crawler) == EX_OK
    assert all(end.is_done for end in search_ends(crawler).values())


@deferred_f_from_coro_f
async def test_a_query_that_is_refused_ends_alone_with_the_status_of_a_refused_one(folder, caplog):
    folder.add("ann")
    folder.add("ben")
    async with serving(ApiOfHashtags(ann=REFUSED)) as api:
        crawler = await folder.run(api)
    assert exit_status(crawler) == EX_CONFIG
    assert Counter(api.asked) == {"ann": 1, "ben": 3}
    assert "no such field" in caplog.text
    assert search_ends(crawler)["ben"].is_done


@pytest.mark.slow
@pytest.mark.parametrize("later", ["2024-04-02", "2024-05-03"])
@deferred_f_from_coro_f
async def test_two_files_with_one_query_pay_once_and_tag_what_each_asks_for(folder, later):
    folder.add("ann", "tags: [first]", hashtag="art")
    folder.add("ben", "tags: [second]", hashtag="art", end_date=later)
    async with serving(ApiOfHashtags()) as api:
        crawler = await folder.run(api)
    assert exit_status(crawler) == EX_OK
    days = api.bodies
    assert len({(body["start_date"], body["end_date"]) for body in days}) == len(days)
    assert len(days) == (3 if later == "2024-04-02" else 4)
    tagged = dict(
        folder.rows(
            "SELECT name, count(*) FROM query_tag JOIN videos_to_query_tags "
            "ON query_tag.id = query_tag_id GROUP BY name"
        )
    )
    assert tagged == {"first": 3, "second": len(days)}
    assert folder.rows("SELECT count(*) FROM query") == [(1,)]


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_what_each_file_wants_besides_is_collected_with_the_tags_of_all_that_want_it(folder):
    folder.add("ann", "tags: [first]", "also_collect: [users]")
    folder.add("ben", "tags: [second]", "also_collect: [comments: {max_per_video: 9}]")
    async with serving(ApiOfHashtags()) as api:
        crawler = await folder.run(api)
    assert exit_status(crawler) == EX_OK
    stages = crawler.spider.stages
    assert [stage.listing.name for stage in stages] == ["users", "comments"]
    results = item_pipeline(crawler, StoragePipeline).storage.stage_results
    assert all(results[stage].is_fulfilled for stage in stages)


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_a_query_that_another_crawl_is_at_work_on_is_left_to_it(folder, caplog):
    folder.add("ann")
    folder.add("ben")
    async with serving(ApiOfHashtags()) as api:
        first = await folder.run(api, max_requests="1")
        [collection, _] = first.spider.collections
        engine = database.create_engine_for(database.database_url(folder.database_url))
        lock = QueryLock(engine, collection.query.fingerprint)
        lock.acquire()
        try:
            crawler = await folder.run(api)
        finally:
            lock.release()
            engine.dispose()
    assert exit_status(crawler) == EX_TEMPFAIL
    assert Counter(api.asked) == {"ann": 1, "ben": 3}
    assert "Left for a later run: " in caplog.text
    assert "ann.yaml: another crawl of this query is running" in caplog.text


@deferred_f_from_coro_f
async def test_several_files_are_not_probed(folder):
    folder.add("ann")
    folder.add("ben")
    async with serving(ApiOfHashtags()) as api:
        with pytest.raises(UsageError, match="-a probes is about one query file, not 2"):
            await folder.run(api, probes="2")
    assert api.bodies == []


@deferred_f_from_coro_f
async def test_nothing_starts_while_one_of_the_files_has_a_mistake(folder):
    folder.add("ann")
    folder.add("ben", "priority: low")
    async with serving(ApiOfHashtags()) as api:
        with pytest.raises(QueryFileError, match=r"ben\.yaml:3:11: priority: 'low'"):
            await folder.run(api)
    assert api.bodies == []
    assert folder.rows("SELECT id FROM run") == []


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_an_archive_of_several_queries_gives_the_same_tables(folder):
    folder.add("ann", "tags: [first]", "also_collect: [users]", hashtag="art")
    folder.add("ben", "tags: [second]", "also_collect: [users]", hashtag="art")
    folder.add("eve", end_date="2024-02-09")
    async with serving(ApiOfHashtags()) as api:
        settings = ONE_BY_ONE | {"TIKTOK_ARCHIVE": str(folder.path / "archive")}
        crawler = await folder.crawl(api.url, settings, query=str(folder.queries))
    assert exit_status(crawler) == EX_OK
    assert_replayed(folder)


@deferred_f_from_coro_f
async def test_a_file_that_goes_on_later_leaves_the_others_done(folder):
    folder.add("ann")
    folder.add("ben", "max_requests: 2")
    async with serving(ApiOfHashtags()) as api:
        crawler = await folder.run(api)
    assert exit_status(crawler) == EX_TEMPFAIL
    assert Counter(api.asked) == {"ann": 3, "ben": 2}
    assert [end.is_done for end in search_ends(crawler).values()] == [True, False]
