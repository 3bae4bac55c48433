"""From every folder of a project the commands work on the same files, and say on which."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from processes import scrapy

pytestmark = pytest.mark.slow

QUERY = """
start_date: 2024-01-01
end_date: 2024-01-03
include: {any_hashtags: [butter]}
"""
CRAWL = ("crawl", "videos", "-a", "query=query.yaml", "-s", "TIKTOK_SANDBOX=True")
STRANGE = "50% of? #1 a+b%20c"
ENCODED = "50%25%20of%3F%20%231%20a+b%2520c"


@pytest.fixture
def project(tmp_path):
    """A folder of this name, with a query file in itself and in a subfolder."""
    folder = tmp_path / STRANGE
    (folder / "deep/down").mkdir(parents=True)
    (folder / "scrapy.cfg").write_text("[settings]\ndefault = tiktok_crawler.settings\n")
    for place in (folder, folder / "deep/down"):
        (place / "query.yaml").write_text(QUERY)
    return folder


def videos(path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT count(*) FROM video").fetchone()[0]


def test_the_same_command_in_a_subfolder_pays_nothing_again(project):
    first = scrapy(project, *CRAWL)
    again = scrapy(project / "deep/down", *CRAWL)
    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert "Nothing to collect" in again.stderr
    assert [path.name for path in (project / "deep/down").iterdir()] == ["query.yaml"]
    assert videos(project / "tiktok-sandbox.db") > 0


def test_every_command_names_the_database_on_its_first_line(project):
    url = ("-s", "TIKTOK_DATABASE_URL=sqlite:///~/mine.db")
    place = project / "deep/down"
    home = {"HOME": str(project)}
    archive = ("-s", "TIKTOK_ARCHIVE=kept")
    named = f"SQLite database {project / 'mine.db'}"
    of_home = ("-a", "query=~/query.yaml")
    crawl = scrapy(place, *CRAWL[:2], *of_home, *CRAWL[4:], *archive, *url, **home)
    assert crawl.returncode == 0, crawl.stderr
    assert crawl.stderr.splitlines()[0] == named
    for command in (
        ("plan", "query.yaml"),
        ("plan", "users", "-a", "usernames=ann"),
        ("status",),
        ("migrate",),
        ("backup", "~/copy.db"),
    ):
        run = scrapy(place, *command, *CRAWL[-2:], *url, **home)
        assert run.returncode == 0, run.stderr
        assert run.stdout.splitlines()[0].startswith(named)
    replay = scrapy(
        place, "replay", str(project / "kept"), "-s", "TIKTOK_DATABASE_URL=sqlite:///new.db"
    )
    assert replay.returncode == 0, replay.stderr
    assert replay.stdout.splitlines()[0] == f"SQLite database {project / 'new.db'}"
    assert videos(project / "new.db") == videos(project / "mine.db") > 0


def test_the_database_of_a_spider_with_settings_of_its_own_is_named(project):
    (project / "mine.py").write_text(
        "from tiktok_crawler.spiders.videos import VideosSpider\n"
        "class Mine(VideosSpider):\n"
        "    name = 'mine'\n"
        "    custom_settings = {'TIKTOK_DATABASE_URL': 'sqlite:///mine.db'}\n"
        "del VideosSpider\n"
    )
    run = scrapy(project, CRAWL[0], "mine", *CRAWL[2:], "-s", "SPIDER_MODULES=mine")
    assert run.returncode == 0, run.stderr
    assert run.stderr.splitlines()[0] == f"SQLite database {project / 'mine.db'}"
    assert videos(project / "mine.db") > 0


def test_a_file_can_have_any_name(project):
    url = ("-s", f"TIKTOK_DATABASE_URL=sqlite:///{ENCODED}.db")
    run = scrapy(project, *CRAWL, *url, "-s", f"TIKTOK_ARCHIVE={STRANGE}")
    assert run.returncode == 0, run.stderr
    assert videos(project / f"{STRANGE}.db") > 0
    assert list((project / STRANGE).iterdir())
