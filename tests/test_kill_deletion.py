"""`kill -9` in the midst of a deletion: nothing is half deleted, and done again it ends."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time

import pytest
from crawling import QUICK
from listing_crawls import ListingDatabase
from marathon import first
from postgres_server import temporary_database
from processes import environment, scrapy
from sqlalchemy import text

from tiktok_crawler.storage.engine.database import create_engine_for, database_url

pytestmark = pytest.mark.slow

FAST = [part for name, value in QUICK.items() for part in ("-s", f"{name}={value}")]
QUERY = """
start_date: 2024-01-01
end_date: 2024-01-10
tags: [one]
include: {any_hashtags: [butter, cheese, milk, bread, tea]}
"""
BELOW = {
    "video_statistics": "video_id",
    "video_revision": "video_id",
    "videos_to_crawls": "video_id",
    "videos_to_hashtags": "video_id",
    "videos_to_query_tags": "video_id",
}


def options(url):
    return ("-s", "TIKTOK_SANDBOX=True", "-s", "TIKTOK_ARCHIVE=archive", *database(url))


def database(url):
    return ("-s", f"TIKTOK_DATABASE_URL={url}")


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """An archive of videos, to be replayed into any database."""
    folder = tmp_path_factory.mktemp("collected")
    (folder / "query.yaml").write_text(QUERY)
    crawl = scrapy(
        folder,
        *("crawl", "videos", "-a", "query=query.yaml", *FAST),
        *options("sqlite:///crawl.db"),
        *("-a", "max_requests=40"),
    )
    assert crawl.returncode in (0, 75), crawl.stderr
    return folder


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'project' / 'crawl.db'}"
        return
    with temporary_database(request.getfixturevalue("postgres_url")) as made:
        yield made


def deleted_of(url):
    return sum(ListingDatabase(url, "").column("SELECT records FROM removal"))


def check_whole(url):
    """Make sure that no row is left of a video that is not there."""
    engine = create_engine_for(database_url(url))
    with engine.connect() as connection:
        for table, column in BELOW.items():
            orphans = f"SELECT count(*) FROM {table} WHERE {column} NOT IN (SELECT id FROM video)"
            assert connection.scalar(text(orphans)) == 0, table
        left = connection.scalar(text("SELECT count(*) FROM video"))
    engine.dispose()
    return left, deleted_of(url)


def killed_at(folder, url, command, *, records, chance):
    """Begin a deletion in parts of three videos, and kill it some time after so many."""
    code = f"""
from scrapy.cmdline import execute
from tiktok_crawler.storage.deletion import deletion
deletion.BATCH = 3
execute(['scrapy', *{command!r}])
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, env=environment(folder), stdout=subprocess.DEVNULL
    )
    try:
        while process.poll() is None and deleted_of(url) < records:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.02))
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("seed", first(1, range(12)))
def test_a_killed_deletion_is_whole_and_goes_on(collected, tmp_path, url, seed):
    folder = tmp_path / "project"
    folder.mkdir(exist_ok=True)
    shutil.copytree(collected / "archive", folder / "archive")
    replayed = scrapy(folder, "replay", "archive", *database(url))
    assert replayed.returncode == 0, replayed.stderr
    data = ListingDatabase(url, "")
    ids = [str(id_) for id_ in data.column("SELECT id FROM video ORDER BY id")]
    chosen = ids[::2]
    (folder / "ids.txt").write_text("\n".join(chosen))
    command = ("delete", "--video-ids", "@ids.txt", "--yes", *options(url))
    chance = random.Random(seed)
    for kill in range(1, 3):
        killed_at(folder, url, command, records=kill * len(chosen) // 6, chance=chance)
        left, deleted = check_whole(url)
        assert left + deleted == len(ids)
        assert deleted >= len(chosen) // 6
    done = scrapy(folder, *command)

    assert done.returncode == 0, done.stderr
    left, deleted = check_whole(url)
    assert (left, deleted) == (len(ids) - len(chosen), len(chosen))
    assert not data.rows("SELECT * FROM archive_removal")
    (folder / "again.db").unlink(missing_ok=True)
    again = scrapy(folder, "replay", "archive", *database("sqlite:///again.db"))
    assert again.returncode == 0, again.stderr
    found = ListingDatabase(f"sqlite:///{folder / 'again.db'}", "")
    assert set(found.column("SELECT id FROM video")) == set(map(int, ids)) - set(map(int, chosen))
