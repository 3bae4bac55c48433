"""`scrapy backup` makes a whole copy at any moment, and leaves no half of one."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import time
from contextlib import closing

import pytest
from marathon import first
from processes import scrapy, served_sandbox, started
from sandboxes import served_by_thread
from trials import QUERY_FILE, WatchedSandbox, asked_again

from tiktok_crawler.sandbox.faults.profile import Latency, Profile

SANDBOX = ("-s", "TIKTOK_SANDBOX=True")
DATABASE = "tiktok-sandbox.db"


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("backup")
    (folder / "query.yaml").write_text(QUERY_FILE)
    crawl = scrapy(folder, "crawl", "videos", "-a", "query=query.yaml", *SANDBOX)
    assert crawl.returncode == 0, crawl.stderr
    return folder


@pytest.fixture
def folder(collected, tmp_path):
    shutil.copy(collected / DATABASE, tmp_path)
    return tmp_path


def rows(path, statement="SELECT id FROM video ORDER BY id"):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


def changed(path, statement):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_copy_has_all_and_is_its_owners_alone(folder):
    run = scrapy(folder, "backup", "copy.db", *SANDBOX)

    assert (run.returncode, run.stderr) == (0, "")
    first, second = run.stdout.splitlines()
    assert first == f"SQLite database {folder / DATABASE}"
    assert re.fullmatch(rf"Copied to {folder}/copy\.db \(\d\.\d MB\), and checked", second)
    assert rows(folder / "copy.db") == rows(folder / DATABASE) != []
    assert stat.S_IMODE((folder / "copy.db").stat().st_mode) == 0o600
    assert names(folder) == ["copy.db", DATABASE]


@pytest.mark.slow
def test_a_copy_is_whole_in_the_midst_of_a_crawl_and_a_crawl_goes_on_with_it(tmp_path):
    (tmp_path / "query.yaml").write_text(QUERY_FILE)
    sandbox = WatchedSandbox(Profile(latency=Latency(seconds=0.2)))
    crawl = ("crawl", "videos", "-a", "query=query.yaml", "-s", "TIKTOK_WINDOW_DAYS=1", *SANDBOX)
    with served_by_thread(sandbox) as url:
        crawl += ("-s", f"TIKTOK_SANDBOX_URL={url}")
        with started(tmp_path, *crawl) as process:
            while len(sandbox.exchanges) < 5:
                time.sleep(0.01)
            backup = scrapy(tmp_path, "backup", "copy.db", *SANDBOX)
            process.communicate(timeout=60)
            assert process.returncode == 0
        assert backup.returncode == 0, backup.stderr
        pages = {log_id for (log_id,) in rows(tmp_path / "copy.db", "SELECT log_id FROM crawl")}
        assert pages
        answered = {each.log_id: each for each in sandbox.exchanges}
        kept = [answered[log_id] for log_id in pages]
        sandbox.exchanges.clear()
        again = scrapy(tmp_path, *crawl, TIKTOK_DATABASE_URL="sqlite:///copy.db")
        assert again.returncode == 0, again.stderr
    assert asked_again([*kept, *sandbox.exchanges]) == []
    assert rows(tmp_path / "copy.db") == rows(tmp_path / DATABASE)


@pytest.mark.slow
def test_while_a_crawl_waits_for_quota_the_file_alone_has_all(tmp_path):
    (tmp_path / "query.yaml").write_text(QUERY_FILE + "also_collect: [users]\n")
    crawl = ("crawl", "videos", "-a", "query=query.yaml", *SANDBOX)
    with (
        served_sandbox(tmp_path, "--daily-quota", "7", "--videos-per-day", "28") as url,
        started(tmp_path, *crawl, "-s", f"TIKTOK_SANDBOX_URL={url}") as process,
    ):
        until = iter(process.stdout.readline, "")
        assert any("The day's quota is used up" in line for line in until)
        time.sleep(1)
        shutil.copy(tmp_path / DATABASE, tmp_path / "copy.db")
        assert (tmp_path / f"{DATABASE}-wal").stat().st_size == 0
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 75
    assert len(rows(tmp_path / "copy.db", "SELECT id FROM crawl")) == 7
    assert rows(tmp_path / "copy.db") == rows(tmp_path / DATABASE)


def test_a_file_is_replaced_only_if_that_is_asked_for(folder):
    shutil.copy(folder / DATABASE, folder / "copy.db")
    changed(folder / "copy.db", "DELETE FROM video")

    refused = scrapy(folder, "backup", "copy.db", *SANDBOX)
    assert refused.returncode == 64
    assert "copy.db exists: name another file, or replace it with --overwrite" in refused.stderr
    assert rows(folder / "copy.db") == []

    assert scrapy(folder, "backup", "copy.db", "--overwrite", *SANDBOX).returncode == 0
    assert rows(folder / "copy.db") == rows(folder / DATABASE)


def test_nothing_is_replaced_but_a_copy_of_the_same_database(folder):
    others = {"query.yaml": b"start_date: 2024-01-01", "notes.db": b"SQLite format 3\0 no more"}
    for name, content in others.items():
        (folder / name).write_bytes(content)
    shutil.copy(folder / DATABASE, folder / "tiktok.db")
    changed(folder / "tiktok.db", "UPDATE database_origin SET origin = 'https://api'")
    (folder / "empty.db").touch()
    before = {name: (folder / name).read_bytes() for name in (*others, "tiktok.db")}

    for name, content in before.items():
        run = scrapy(folder, "backup", "--overwrite", name, *SANDBOX)
        assert run.returncode == 64
        assert f"{name} exists, and is no copy of this database: name another" in run.stderr
        assert (folder / name).read_bytes() == content
    assert scrapy(folder, "backup", "--overwrite", "empty.db", *SANDBOX).returncode == 0


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (DATABASE, "is the database itself"),
        ("link.db", "is the database itself"),
        (f"{DATABASE}-wal", "is the database itself"),
        (f"{DATABASE}-journal", "is the database itself"),
        ("query", "is no file"),
        ("missing/copy.db", "there is no folder"),
        ("used.db", "used.db-wal is there"),
        ("linked.db", "linked.db-shm is there"),
        ("older.db", "older.db-journal is there"),
    ],
)
def test_what_cannot_be_a_copy_is_left_as_it_is(folder, target, words):
    (folder / "link.db").symlink_to(folder / DATABASE)
    (folder / "query").mkdir()
    (folder / "used.db-wal").write_text("log")
    (folder / "linked.db-shm").symlink_to("nowhere")
    (folder / "older.db-journal").write_text("log")
    before = names(folder), (folder / DATABASE).read_bytes()

    run = scrapy(folder, "backup", target, "--overwrite", *SANDBOX)

    assert run.returncode == 64
    assert words in run.stderr
    assert (names(folder), (folder / DATABASE).read_bytes()) == before


def test_a_name_that_no_file_can_have_is_told(folder):
    run = scrapy(folder, "backup", "x" * 300, *SANDBOX)
    assert run.returncode == 70
    assert run.stderr.endswith(" could not be written: File name too long\n")


def test_a_link_leads_to_the_file_that_is_replaced(folder):
    (folder / "disk").mkdir()
    shutil.copy(folder / DATABASE, folder / "disk" / "copy.db")
    changed(folder / "disk" / "copy.db", "DELETE FROM video")
    (folder / "copy.db").symlink_to("disk/copy.db")

    assert scrapy(folder, "backup", "--overwrite", "copy.db", *SANDBOX).returncode == 0

    assert (folder / "copy.db").is_symlink()
    assert rows(folder / "disk" / "copy.db") == rows(folder / DATABASE)


def test_without_one_name_it_says_how_to_use_it(folder):
    for arguments in ((), ("a.db", "b.db")):
        run = scrapy(folder, "backup", *arguments, *SANDBOX)
        assert run.returncode == 64
        assert "scrapy backup tiktok-backup.db" in run.stderr


def test_a_database_that_is_not_there_is_not_copied(tmp_path):
    run = scrapy(tmp_path, "backup", "copy.db")

    assert run.returncode == 78
    assert f"there is no database {tmp_path}/tiktok.db to copy" in run.stderr
    assert names(tmp_path) == []


def test_a_damaged_database_is_told_and_no_copy_is_left(folder):
    with (folder / DATABASE).open("r+b") as file:
        file.seek(-40_000, os.SEEK_END)
        file.write(b"\x99" * 20_000)
    before = names(folder)

    run = scrapy(folder, "backup", "copy.db", *SANDBOX)

    assert run.returncode == 70
    assert "is damaged" in run.stderr
    assert names(folder) == before


def test_rows_that_refer_to_nothing_are_copied_and_told(folder):
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        connection.execute("DELETE FROM video WHERE id = (SELECT min(id) FROM video)")

    run = scrapy(folder, "backup", "copy.db", *SANDBOX)

    assert run.returncode == 0
    assert "refer to rows which are gone" in run.stderr
    assert "videos_to_crawls" in run.stderr
    assert rows(folder / "copy.db") == rows(folder / DATABASE)


def test_a_disk_without_room_gets_nothing(folder):
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "none", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        run = scrapy(folder, "backup", "disk/copy.db", *SANDBOX)
        assert run.returncode == 70
        assert "copy.db could not be written: database or disk is full" in run.stderr
        assert names(disk) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("number", first(1, [signal.SIGTERM, signal.SIGINT]))
def test_an_interrupted_copy_leaves_nothing(folder, number):
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        connection.executemany(
            "INSERT INTO hashtag (name) VALUES (?)", ((f"{n:02000}",) for n in range(100_000))
        )
    before = names(folder)
    with started(folder, "backup", "copy.db", *SANDBOX) as process:
        while names(folder) == before:
            time.sleep(0.002)
        process.send_signal(number)
        output, _ = process.communicate(timeout=30)
        assert process.returncode == 75
    assert "interrupted; nothing is left of the copy" in output
    assert names(folder) == before


def test_of_postgresql_it_says_what_to_use(tmp_path):
    run = scrapy(
        tmp_path, "backup", "c.dump", TIKTOK_DATABASE_URL="postgresql://ann:s3cr3t@db.host/videos"
    )

    assert run.returncode == 78
    file = f"{tmp_path}/c.dump"
    command = f"pg_dump --format=custom --host=db.host --username=ann --file={file} videos"
    assert f"(umask 077; {command})" in run.stderr
    assert "s3cr3t" not in run.stderr + run.stdout
    assert names(tmp_path) == []
