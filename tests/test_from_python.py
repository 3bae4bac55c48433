"""Crawls that a Python script runs do what `scrapy crawl` does, and say why they are refused."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from crawling import QUERY
from marathon import in_marathon
from processes import environment
from scrapy.crawler import Crawler
from scrapy.settings import Settings
from scrapy.utils.defer import deferred_f_from_coro_f

from tiktok_crawler.arguments.search_arguments import as_written
from tiktok_crawler.crawling.refusal import crawl_refused
from tiktok_crawler.exceptions import ConfigurationError, CredentialsError, UsageError
from tiktok_crawler.spiders.videos import VideosSpider

pytestmark = pytest.mark.slow

DOCUMENT = (Path(__file__).parents[1] / "docs" / "python.md").read_text(encoding="utf-8")

BEGINNING = """
import asyncio, json, os, sys
os.umask(0o022)
from scrapy import crawler as scrapy_crawler
from scrapy.utils.defer import deferred_f_from_coro_f, maybe_deferred_to_future
from scrapy.utils.log import configure_logging
from scrapy.utils.project import get_project_settings
from scrapy.utils.reactor import install_reactor
from tiktok_crawler.extensions.outcome import Outcome

kind = getattr(scrapy_crawler, sys.argv[1])
settings = get_project_settings()
settings.set("LOG_FILE", "crawl.log")
settings.set("FEEDS", {"videos.jsonl": {"format": "jsonlines"}})
settings.set("TIKTOK_ARCHIVE", "archive")

def tell(crawler, error):
    outcome = None if error else crawler.get_extension(Outcome)
    error = error or outcome.error
    print(json.dumps([str(error), outcome.exit_status if outcome else error.exit_status]))
"""

OF_PROCESS = """
process = kind(settings)
crawlers = [process.create_crawler("videos") for _ in range(3)]
queries = ["query.yaml", "query.yaml", "none.yaml"]
crawls = [process.crawl(one, query=query) for one, query in zip(crawlers, queries)]
errors = [None] * 3
for number, crawl in enumerate(crawls):
    if hasattr(crawl, "addErrback"):
        crawl.addErrback(lambda failure, n=number: errors.__setitem__(n, failure.value))
process.start()
for crawler, crawl, error in zip(crawlers, crawls, errors):
    tell(crawler, error or (hasattr(crawl, "exception") and crawl.exception()))
"""

OF_RUNNER = """
configure_logging(settings)
install_reactor(settings["TWISTED_REACTOR"])

@deferred_f_from_coro_f
async def main(_reactor):
    runner = kind(settings)
    crawlers = [runner.create_crawler("videos") for _ in range(3)]
    queries = ["query.yaml", "query.yaml", "none.yaml"]
    crawls = [runner.crawl(one, query=query) for one, query in zip(crawlers, queries)]
    ends = [asyncio.ensure_future(maybe_deferred_to_future(crawl)) if hasattr(crawl, "addErrback")
            else crawl for crawl in crawls]
    for crawler, error in zip(crawlers, await asyncio.gather(*ends, return_exceptions=True)):
        tell(crawler, error)

from twisted.internet.task import react
react(main)
"""


def run(path, *arguments, **variables):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=path,
        env=environment(path, TIKTOK_SANDBOX="1", **variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def script(title):
    (found,) = re.findall(rf"<!-- script: {title} -->\n```python\n(.*?)```", DOCUMENT, re.DOTALL)
    return found


def modes(path):
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.rglob("*")}


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("AsyncCrawlerProcess", OF_PROCESS),
        ("CrawlerRunner", OF_RUNNER),
        in_marathon("CrawlerProcess", OF_PROCESS),
        in_marathon("AsyncCrawlerRunner", OF_RUNNER),
    ],
)
def test_each_way_says_why_crawls_are_refused_and_keeps_files_to_their_owner(folder, kind, how):
    before = set(modes(folder.path))
    done = run(folder.path, "-c", BEGINNING + how, kind)
    assert done.returncode == 0, done.stderr
    ends = sorted(json.loads(line) for line in done.stdout.splitlines())
    (ended, ended_with), (taken, taken_with), (missing, missing_with) = sorted(
        ends, key=lambda end: (end[0] != "None", end[1])
    )
    assert (ended, ended_with) == ("None", 0)
    assert ("another crawl of this query is running" in taken, taken_with) == (True, 75)
    assert ("none.yaml: cannot be read" in missing, missing_with) == (True, 78)
    log = (folder.path / "crawl.log").read_text()
    assert f"ERROR: The crawl is refused: {taken}\n" in log
    assert f"ERROR: The crawl is refused: {missing}\n" in log
    made = {name: mode for name, mode in modes(folder.path).items() if name not in before}
    assert {"tiktok-sandbox.db", "crawl.log", "videos.jsonl", "archive"} <= set(made)
    assert all(mode & 0o077 == 0 for mode in made.values()), made


def test_the_script_of_one_crawl_works_as_it_stands(folder):
    (folder.path / "crawl.py").write_text(script("one crawl"))
    done = run(folder.path, "crawl.py")
    assert done.returncode == 0, done.stderr
    assert modes(folder.path)["tiktok-sandbox.db"] == 0o600
    wrong = run(folder.path, "crawl.py", TIKTOK_WINDOW_DAYS="32")
    assert wrong.returncode == 1
    assert "The crawl is refused: TIKTOK_WINDOW_DAYS=32 is not" in wrong.stderr


def test_the_script_of_several_crawls_works_as_it_stands(folder):
    for name in ("butter", "cheese"):
        (folder.path / f"{name}.yaml").write_text(QUERY.replace("butter", name))
    (folder.path / "crawl.py").write_text(script("one after the other"))
    done = run(folder.path, "crawl.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "butter.yaml: ended, exit status 0",
        "cheese.yaml: ended, exit status 0",
    ]
    (folder.path / "cheese.yaml").write_text(QUERY)
    (folder.path / "butter.yaml").unlink()
    done = run(folder.path, "crawl.py")
    refused, again = done.stdout.splitlines()
    assert refused.startswith("butter.yaml: butter.yaml: cannot be read")
    assert again == "cheese.yaml: ended, exit status 0"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("butter, cheese", "butter, cheese"),
        (50, "50"),
        (True, "1"),
        (date(2024, 1, 31), "2024-01-31"),
        (Path("a/query.yaml"), "a/query.yaml"),
        (["ann", 7], "ann,7"),
        (("ann",), "ann"),
    ],
)
def test_values_of_python_are_what_would_stand_behind_a(value, text):
    assert as_written({"name": value, "other": None}) == {"name": text}


@pytest.mark.parametrize("value", [{"gte": 1}, b"butter", object(), ["a,b", "c"], 1.5])
def test_what_cannot_stand_there_is_refused_by_its_name(value):
    with pytest.raises(UsageError, match="-a name"):
        as_written({"name": value})


@deferred_f_from_coro_f
async def test_settings_without_those_of_the_project_are_refused(folder, caplog):
    crawler = Crawler(VideosSpider, Settings({"TIKTOK_SANDBOX": True}))
    with pytest.raises(ConfigurationError, match="get_project_settings"):
        await crawler.crawl_async(query=str(folder.query_file))
    assert "The crawl is refused: the settings of tiktok_crawler are missing" in caplog.text


@deferred_f_from_coro_f
async def test_what_a_crawl_cannot_do_without_is_missed_before_anything_is_begun(
    new_folder, caplog
):
    off = {"tiktok_crawler.extensions.outcome.Outcome": None}
    for settings, error in (
        ({"TIKTOK_SECRETS_FILE": str(new_folder.path / "none.yaml")}, CredentialsError),
        ({"TIKTOK_SANDBOX": True, "TIKTOK_SANDBOX_PROFILE": "nonne"}, ConfigurationError),
        ({"FEEDS": {"a.txt": {"format": "text"}}}, ConfigurationError),
        ({"EXTENSIONS": off}, ConfigurationError),
    ):
        crawler = Crawler(VideosSpider, new_folder.settings("http://127.0.0.1:9", **settings))
        with pytest.raises(error) as refused:
            await crawler.crawl_async(query=str(new_folder.query_file))
        assert f"The crawl is refused: {refused.value}" in caplog.text
    assert not list(new_folder.path.glob("*.db"))


@deferred_f_from_coro_f
async def test_whoever_listens_is_told_instead_of_the_log(folder, caplog):
    told = []

    def listen(error):
        told.append(error)

    crawler = Crawler(VideosSpider, folder.settings("http://127.0.0.1:9"))
    crawler.signals.connect(listen, signal=crawl_refused)
    with pytest.raises(UsageError) as refused:
        await crawler.crawl_async()
    assert told == [refused.value]
    assert "refused" not in caplog.text
