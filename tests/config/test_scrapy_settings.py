"""Each setting of Scrapy's holds here, does nothing here, or is refused with the reason."""

from __future__ import annotations

import pytest
from crawling import exit_status, project_settings
from scrapy.crawler import AsyncCrawlerProcess, AsyncCrawlerRunner, CrawlerProcess, CrawlerRunner
from scrapy.extensions.corestats import CoreStats
from scrapy.settings import Settings, default_settings
from scrapy.utils.defer import deferred_f_from_coro_f
from scrapys_settings import documented
from scripted_api import ScriptedApi, page, serving

from tiktok_crawler import settings as module
from tiktok_crawler.config import Config
from tiktok_crawler.config.rules import anything, date_format, headers, listing, log_file, text
from tiktok_crawler.config.scrapy_settings import COMPONENTS, HONOURED, REFUSED
from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.spiders.videos import VideosSpider

MAPPINGS = {name for name, value in vars(default_settings).items() if isinstance(value, dict)}


def check(**overrides):
    return Config.of(project_settings(**overrides), {})


def test_what_a_newer_scrapy_adds_or_drops_is_passed_over():
    chosen = project_settings(DOWNLOAD_OF_TOMORROW="x", SCHEDULER_OF_TOMORROW={"a": 1})
    for name in ("DOWNLOADER_STATS", "SCHEDULER_DISK_QUEUE", "DNS_RESOLVER", "MAIL_PORT"):
        chosen.delete(name)

    assert Config.of(chosen, {})


def test_the_project_has_the_components_without_which_no_crawl_is_possible():
    assert check()
    for name in ("EXTENSIONS", "DOWNLOADER_MIDDLEWARES", "ITEM_PIPELINES"):
        components = vars(module)[name]
        assert COMPONENTS[name].ours == tuple(
            key for key, place in components.items() if place is not None
        )
        assert COMPONENTS[name].replaced == tuple(
            key for key in components if key.startswith("scrapy.")
        )


@pytest.mark.parametrize(
    "name",
    sorted(
        name
        for name, rule in {**COMPONENTS, **REFUSED, **HONOURED}.items()
        if rule not in (anything, date_format, headers, listing, log_file, text)
    ),
)
def test_a_value_that_cannot_be_is_refused_by_the_name_of_the_setting(name):
    with pytest.raises(ConfigurationError, match=f"^{name}\\b.*[^:]$"):
        check(**{name: {"?": 999} if name in MAPPINGS else "?"})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CONCURRENT_ITEMS", "2", "must be 1: a page is stored before"),
        ("CONCURRENT_ITEMS", "1.0", "is not a whole number in digits"),
        ("JOBDIR", "job", "must not be set: it writes the access token"),
        ("HTTPCACHE_ENABLED", "1", "must be False: it writes the access token"),
        ("DEPTH_LIMIT", 1, "must be 0: .* -a max_requests=50"),
        ("TWISTED_REACTOR", None, "must be twisted.internet.asyncioreactor"),
        ("TWISTED_REACTOR", "twisted.internet.epollreactor.EPollReactor", "asyncio"),
        ("DOWNLOAD_VERIFY_CERTIFICATES", False, "must be True: the client secret"),
        ("SCHEDULER", "scrapy.core.scheduler.BaseScheduler", "or a class that is derived from it"),
        ("STATS_CLASS", "scrapy.statscollectors.DummyStatsCollector", "derived from it: what"),
        ("LOG_FORMATTER", "scrapy.logformatter.LogFormatter", "into the log"),
        ("LOG_LEVEL", "debug", "did you mean 'DEBUG'"),
        ("LOG_LEVEL", "notice", "did you mean 'NOTICE'"),
        ("LOG_LEVEL", None, "is not one of DEBUG, INFO, NOTICE, WARNING, ERROR, CRITICAL"),
        ("LOG_LEVEL", ["INFO"], "is not one of DEBUG, INFO"),
        ("CONCURRENT_REQUESTS_PER_IP", "", "is not a number"),
        ("CONCURRENT_REQUESTS_PER_IP", 2, "must be 0: use CONCURRENT_REQUESTS_PER_DOMAIN"),
        ("LOG_FILE", "/no/such/folder/x.log", "cannot be written: No such file or directory"),
        ("LOG_FILE", "/", "cannot be written: Is a directory"),
        ("LOG_FORMAT", "%(nosuch)s", "is not a format such as"),
        ("LOG_ENCODING", "hex", "is not an encoding such as utf-8"),
        ("DOWNLOADER_CLIENT_TLS_CIPHERS", "none", "is not a list of ciphers"),
        ("DOWNLOADER_CLIENT_TLS_CIPHERS", "eNULL:@SECLEVEL=0", "must be without .*unencrypted"),
        ("DOWNLOADER_CLIENT_TLS_CIPHERS", "HIGH:aNULL:@SECLEVEL=0", "must be without ADH-"),
        ("FEED_STORAGE_S3_ACL", "public-read", "must be one of private, .*anybody could read"),
        ("FEED_STORAGE_S3_ACL", "authenticated-read", "anybody could read"),
        ("FEED_STORAGE_GCS_ACL", "publicRead", "anybody could read"),
        ("CONCURRENT_REQUESTS", 0, "of at least 1"),
        ("CONCURRENT_REQUESTS", "4.0", "a whole number in digits"),
        ("CONCURRENT_REQUESTS", 1.5, "whole number"),
        ("DOWNLOAD_DELAY", "fast", "is not a number of at least 0"),
        ("DEPTH_PRIORITY", "x", "is not a number$"),
        ("DOWNLOAD_SLOTS", {"a.b": {"concurrency": 0}}, "a.b: concurrency=0 is not a number"),
        ("URLLENGTH_LIMIT", 100, "0 .* or at least 2083"),
        ("MEMUSAGE_LIMIT_MB", 64, "0 .* or at least 256"),
        ("DOWNLOAD_BIND_ADDRESS", "192.0.2.7", "is not an address of this machine"),
        ("ASYNCIO_EVENT_LOOP", "builtins.dict", "asyncio.events.AbstractEventLoop, or a class"),
        ("RETRY_EXCEPTIONS", "builtins.dict", "dict is no Exception"),
        ("USER_AGENT", 7, "is not text"),
        ("FEED_EXPORT_FIELDS", 7, "is not a list"),
        ("EXTENSIONS_BASE", {}, "use EXTENSIONS"),
        ("EXTENSIONS", {}, "lacks tiktok_crawler.extensions.sandbox.SandboxServer: add to"),
        (
            "EXTENSIONS",
            module.EXTENSIONS | {"scrapy.extensions.logstats.LogStats": 0},
            "must not have scrapy.extensions.logstats.LogStats",
        ),
        ("EXTENSIONS", module.EXTENSIONS | {"no.such.Thing": 1}, "no.such.Thing cannot be loaded"),
        ("EXTENSIONS", module.EXTENSIONS | {"a.B": "x"}, "the place of a.B is no number: x"),
        ("ITEM_PIPELINES", module.ITEM_PIPELINES | {"a.B": 1}, "must begin with tiktok_crawler"),
        (
            "DOWNLOADER_MIDDLEWARES",
            module.DOWNLOADER_MIDDLEWARES
            | {"tiktok_crawler.middlewares.verdict.VerdictMiddleware": 1},
            "must keep this order: tiktok_crawler.middlewares.retry.RetryMiddleware, ",
        ),
        ("DOWNLOAD_HANDLERS", {}, ": http must be .*GracefulDownloadHandler"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("priority", ["project", "spider", "cmdline"])
def test_the_refusal_says_why_wherever_the_setting_comes_from(name, value, words, priority):
    chosen = project_settings()
    chosen.set(name, value, priority=priority)

    with pytest.raises(ConfigurationError, match=rf"(?s)^{name}\b.*{words}"):
        Config.of(chosen, {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ASYNCIO_EVENT_LOOP", "asyncio.SelectorEventLoop"),
        ("CONCURRENT_REQUESTS", "1"),
        ("DEPTH_PRIORITY", -1),
        ("DOWNLOAD_SLOTS", {"a.b": {"concurrency": 1, "delay": 0.5, "jitter": 0}}),
        ("DOWNLOAD_BIND_ADDRESS", ("127.0.0.1", 0)),
        ("DOWNLOAD_TLS_MIN_VERSION", "TLSv1.3"),
        ("DOWNLOADER_CLIENT_TLS_CIPHERS", "ECDHE-RSA-AES128-GCM-SHA256"),
        ("FEED_STORAGE_S3_ACL", "bucket-owner-full-control"),
        ("EXTENSIONS", module.EXTENSIONS | {"scrapy.extensions.periodic_log.PeriodicLog": 9}),
        ("EXTENSIONS", module.EXTENSIONS | {CoreStats: None, type("Local", (), {}): 7}),
        ("FEED_EXPORT_FIELDS", '{"id": "video"}'),
        ("LOG_FILE", "/dev/null"),
        ("LOG_LEVEL", 15),
        ("RETRY_EXCEPTIONS", [OSError]),
        ("TWISTED_DNS_RESOLVER", "scrapy.resolver.CachingHostnameResolver"),
        ("URLLENGTH_LIMIT", "0"),
    ],
)  # fmt: skip
def test_what_scrapy_can_work_with_is_honoured(name, value):
    chosen = project_settings()
    chosen.set(name, value, priority="project")

    assert Config.of(chosen, {})


def test_the_lowest_tls_version_is_not_above_the_highest():
    with pytest.raises(ConfigurationError, match=r"^DOWNLOAD_TLS_.*above the highest"):
        check(DOWNLOAD_TLS_MIN_VERSION="TLSv1.3", DOWNLOAD_TLS_MAX_VERSION="TLSv1.2")


def test_a_database_is_no_log(tmp_path):
    path = tmp_path / "tiktok.db"
    path.write_bytes(b"SQLite format 3\0...")
    with pytest.raises(ConfigurationError, match=r"LOG_FILE=.* cannot be written: it is no text"):
        check(LOG_FILE=str(path))


def test_a_log_file_is_left_to_whoever_opens_it(tmp_path):
    (tmp_path / "old.log").write_text("old")
    for name in ("new.log", "old.log"):
        assert check(LOG_FILE=str(tmp_path / name))

    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_no_log_is_added_to_a_query_file_or_a_list(tmp_path):
    for name in ("query.yaml", "names.CSV"):
        (tmp_path / name).write_text("mine")
        with pytest.raises(ConfigurationError, match=r"cannot be written: it is no log, by its"):
            check(LOG_FILE=str(tmp_path / name))
        assert (tmp_path / name).read_text() == "mine"
    (tmp_path / "empty.json").touch()
    assert check(LOG_FILE=str(tmp_path / "empty.json"))


def test_standard_output_cannot_go_to_the_log_and_be_a_feed():
    feeds = {"stdout:": {"format": "jsonl"}}

    assert check(LOG_STDOUT=True)
    with pytest.raises(ConfigurationError, match="LOG_STDOUT must be False: a feed goes to"):
        check(LOG_STDOUT=True, FEEDS=feeds)


@deferred_f_from_coro_f
async def test_what_is_said_to_be_without_effect_is_not_even_read(folder):
    nonsense = {name: {"?": "?"} if name in MAPPINGS else "?" for name in documented()["no effect"]}
    async with serving(ScriptedApi(page(1))) as api:
        crawler = await folder.crawl(api.url, nonsense)

    assert exit_status(crawler) == 0
    assert folder.rows("SELECT id FROM video") == [(1,)]


class SetsJobdir:
    """An add-on."""

    def update_settings(self, settings):
        settings.set("JOBDIR", "job", priority="cmdline")


@deferred_f_from_coro_f
async def test_what_an_add_on_sets_is_refused_too(new_folder):
    with pytest.raises(ConfigurationError, match="JOBDIR must not be set"):
        await new_folder.crawl("http://127.0.0.1:1", {"ADDONS": {SetsJobdir: 1}})

    assert not (new_folder.path / "crawl.db").exists()


@pytest.mark.parametrize(
    "runner", [AsyncCrawlerProcess, AsyncCrawlerRunner, CrawlerProcess, CrawlerRunner]
)
def test_a_python_script_is_told_before_its_log_is_opened(tmp_path, runner):
    log = tmp_path / "crawl.log"

    with pytest.raises(ConfigurationError, match="LOG_LEVEL=debug is not one of"):
        runner(project_settings(LOG_FILE=str(log), LOG_LEVEL="debug"))

    assert not log.exists()


class ShallowSpider(VideosSpider):
    custom_settings = {"DEPTH_LIMIT": 1}  # noqa: RUF012 - as users write it


@deferred_f_from_coro_f
async def test_a_python_script_is_told_what_is_wrong_with_a_spider():
    with pytest.raises(ConfigurationError, match="DEPTH_LIMIT must be 0"):
        await AsyncCrawlerRunner(project_settings()).crawl(ShallowSpider, query="query.yaml")


def test_settings_that_are_not_those_of_the_project_are_refused():
    with pytest.raises(ConfigurationError, match=r"lacks .* get_project_settings"):
        Config.of(Settings({"TIKTOK_SANDBOX": True}), {})
