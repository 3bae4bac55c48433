"""`scrapy crawl SPIDER --help` lists all arguments of each spider, with examples that work."""

from __future__ import annotations

import shlex

import pytest
from processes import scrapy

from tiktok_crawler.arguments import listing_arguments, search_arguments
from tiktok_crawler.arguments.listing_arguments import SPIDERS
from tiktok_crawler.arguments.spider_help import arguments_text, spiders_text
from tiktok_crawler.clock import utc_now

ALLOWED = {
    "videos": search_arguments.VIDEOS_ARGUMENTS,
    **{name: listing_arguments.allowed(listing) for name, listing in SPIDERS.items()},
}


def examples(spider: str) -> list[list[str]]:
    """The arguments of the example commands, as a shell would pass them."""
    lines = arguments_text(spider).splitlines()
    command = f"  scrapy crawl {spider} "
    return [shlex.split(line)[4::2] for line in lines if line.startswith(command)]


@pytest.mark.parametrize("spider", ALLOWED)
def test_every_argument_of_a_spider_is_listed(spider):
    text = arguments_text(spider)
    for name in ALLOWED[spider]:
        assert f" {name}=" in text or f" '{name}=" in text or f" {name}" in text


@pytest.mark.parametrize("spider", SPIDERS)
def test_the_example_of_a_listing_works(spider):
    [example] = examples(spider)
    given = search_arguments.parse_pairs(example)
    assert listing_arguments.read(SPIDERS[spider], given, today=utc_now().date()).stages


def test_the_examples_of_videos_work():
    of_file, of_arguments = map(search_arguments.parse_pairs, examples("videos"))
    assert of_file == {"query": "query.yaml"}
    assert search_arguments.collection(of_arguments, today=utc_now().date())


def test_a_spider_of_ones_own_is_not_taken_for_another_one():
    assert arguments_text("greeter") == "greeter is a spider of your own"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("videos", "--help"), arguments_text("videos")),
        (("-h", "comments", "-L", "INFO"), arguments_text("comments")),
        (("--help",), spiders_text()),
    ],
)
def test_the_command_shows_it_before_the_options(tmp_path, arguments, words):
    run = scrapy(tmp_path, "crawl", *arguments)
    assert run.returncode == 0
    assert run.stdout.startswith(f"{words}\n\nUsage\n")
    assert "--overwrite-output" in run.stdout
    assert list(tmp_path.iterdir()) == []


def test_help_about_a_spider_that_does_not_exist_names_the_nearest(tmp_path):
    run = scrapy(tmp_path, "crawl", "vidoes", "--help")
    assert run.returncode == 64
    assert "did you mean 'videos'?" in run.stderr
