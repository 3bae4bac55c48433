"""A SQLite file that is removed, renamed or replaced during a crawl is noticed at once."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time

import pytest
from processes import scrapy, started
from sandboxes import recording_sandbox, searches
from sqlalchemy import create_engine, text
from trials import QUERY_FILE

from tiktok_crawler.sandbox.faults.profile import Latency, Profile

DISTURBED_AFTER = 5
IN_FLIGHT = 4
CRAWL = ("crawl", "videos", "-a", "query=query.yaml", "-s", "TIKTOK_SANDBOX=True")
CRAWL += ("-s", "TIKTOK_WINDOW_DAYS=1")


def remove(data):
    (data / "crawl.db").unlink()


def rename(data):
    (data / "crawl.db").rename(data / "old.db")


def remove_all(data):
    for path in data.glob("crawl.db*"):
        path.unlink()


def remove_log(data):
    (data / "crawl.db-wal").unlink()


def remove_index(data):
    (data / "crawl.db-shm").unlink()


def replace(data):
    shutil.copy(data / "crawl.db", data / "new.db")
    (data / "new.db").replace(data / "crawl.db")


def write_over(data):
    (data / "crawl.db").write_bytes((data / "before.db").read_bytes()[:100_000])


def remove_folder(data):
    shutil.rmtree(data)


def rename_folder(data):
    data.rename(data.with_name("moved"))


def unmount(data):
    subprocess.run(["umount", "--lazy", str(data)], check=True)


@pytest.fixture
def data(tmp_path):
    """The folder of the database."""
    (tmp_path / "query.yaml").write_text(QUERY_FILE)
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def disk(data):
    """The same, on a disk of its own."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(data)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a disk")
    yield data
    subprocess.run(["umount", str(data)], capture_output=True, check=False)


def disturbed_crawl(data, disturb, command=CRAWL):
    """Crawl until some requests were answered, and disturb it.

    Returns:
        The exit status, what was printed, and how many requests came after the disturbance.
    """
    options = {"videos_per_day": 150, "profile": Profile(latency=Latency(seconds=0.1))}
    with recording_sandbox(**options) as (sandbox, url):
        command = (*command, "-L", "INFO", "-s", f"TIKTOK_SANDBOX_URL={url}")
        database = f"sqlite:///{data / 'crawl.db'}"
        with started(data.parent, *command, TIKTOK_DATABASE_URL=database) as process:
            while len(searches(sandbox)) < DISTURBED_AFTER and process.poll() is None:
                time.sleep(0.005)
            disturb(data)
            asked = len(searches(sandbox))
            output, _ = process.communicate(timeout=60)
            return process.returncode, output, len(searches(sandbox)) - asked


@pytest.mark.slow
@pytest.mark.parametrize(
    ("disturb", "words"),
    [
        (remove, "{data}/crawl.db was removed or renamed"),
        (remove_all, "{data}/crawl.db was removed or renamed"),
        (rename, "{data}/crawl.db was removed or renamed"),
        (replace, "there is another file at {data}/crawl.db now"),
        (remove_log, "{data}/crawl.db-wal was removed or renamed"),
        (remove_index, "{data}/crawl.db-shm was removed or renamed"),
        (remove_folder, "its folder {data} was removed, renamed or unmounted"),
        (rename_folder, "its folder {data} was removed, renamed or unmounted"),
    ],
)
def test_a_crawl_whose_database_is_moved_ends_at_once_and_says_so(data, disturb, words):
    status, output, asked = disturbed_crawl(data, disturb)

    check_end(status, output, asked)
    assert output.count(words.format(data=data)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("disturb", [remove, rename_folder])
def test_so_does_a_crawl_of_a_listing(data, disturb):
    names = ",".join(f"name{number}" for number in range(50))
    users = ("crawl", "users", "-a", f"usernames={names}", "-s", "TIKTOK_SANDBOX=True")

    check_end(*disturbed_crawl(data, disturb, users))


def test_a_disk_that_is_unmounted_ends_the_crawl_and_nothing_is_left_in_its_folder(disk):
    check_end(*disturbed_crawl(disk, unmount))
    assert not list(disk.iterdir())


@pytest.mark.slow
def test_a_file_that_is_written_over_ends_the_crawl_too(data):
    first = ("crawl", "videos", "-a", "query=query.yaml", "-a", "end_date=2024-01-02")
    first += ("-s", "TIKTOK_SANDBOX=True")
    run = scrapy(data.parent, *first, TIKTOK_DATABASE_URL=f"sqlite:///{data / 'crawl.db'}")
    assert run.returncode == 0, run.stderr
    shutil.copy(data / "crawl.db", data / "before.db")

    status, output, asked = disturbed_crawl(data, write_over)

    check_end(status, output, asked)
    assert output.count(f"{data}/crawl.db was written over by another program") == 1


def check_end(status, output, asked):
    assert status == 70, output
    assert "Spider closed (storage_failed)" in output
    assert len([line for line in output.splitlines() if "] ERROR" in line]) == 1, output
    assert "Traceback" not in output
    assert asked <= IN_FLIGHT


@pytest.mark.slow
def test_of_a_database_that_is_gone_an_archive_has_all(data):
    archive = ("-s", f"TIKTOK_ARCHIVE={data.parent / 'archive'}")
    status, output, asked = disturbed_crawl(data, remove_all, (*CRAWL, *archive))
    check_end(status, output, asked)

    database = f"sqlite:///{data / 'crawl.db'}"
    replay = scrapy(data.parent, "replay", "archive", TIKTOK_DATABASE_URL=database)

    assert replay.returncode == 0, replay.stderr
    assert pages_in(data / "crawl.db") >= said_to_be_stored(output)


def test_put_back_it_has_all_that_was_said_to_be_stored(data):
    _, output, _ = disturbed_crawl(data, rename)

    assert pages_in(data / "old.db") >= said_to_be_stored(output)


def said_to_be_stored(output):
    return int(re.search(r"tiktok/pages/stored_count': (\d+)", output)[1])


def pages_in(file):
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        pages = connection.scalar(text("SELECT count(*) FROM crawl"))
    engine.dispose()
    return pages
