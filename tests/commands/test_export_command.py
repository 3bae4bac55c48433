"""`scrapy export` leaves a whole folder or the earlier one, and says what is in the way."""

from __future__ import annotations

import hashlib
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest
from marathon import first
from processes import scrapy, started
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.export.verify import verify
from tiktok_crawler.installed import require_installed

SANDBOX = ("-s", "TIKTOK_SANDBOX=True")
DATABASE = "tiktok-sandbox.db"
QUERY = """
start_date: 2024-01-01
end_date: 2024-01-02
include: {any_hashtags: [butter]}
tags: [all]
"""
BESIDE = ("DICTIONARY.md", "PROVENANCE.md", "SHA256SUMS", "datapackage.json")


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    (folder / "query.yaml").write_text(QUERY)
    crawl = scrapy(folder, "crawl", "videos", "-a", "query=query.yaml", *SANDBOX)
    assert crawl.returncode == 0, crawl.stderr
    assert export(folder).returncode == 0
    return folder


@pytest.fixture
def folder(collected, tmp_path):
    """A folder with a database and an export of it."""
    shutil.copy(collected / DATABASE, tmp_path)
    shutil.copytree(collected / "out", tmp_path / "out")
    return tmp_path


def export(folder, *options, target="out", **variables):
    return scrapy(folder, "export", target, *options, *SANDBOX, **variables)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def content(folder):
    """What a folder has: every file, as it is."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_folder_has_a_file_or_folder_a_table_and_what_tells_of_them(folder):
    run = export(folder, "--format", "csv", target="new")

    assert (run.returncode, run.stderr) == (0, "")
    assert f"Exported to {folder / 'new'} (csv, " in run.stdout
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM video").fetchone()
    assert re.search(rf"^  video +{count:,} rows$", run.stdout, flags=re.MULTILINE)
    assert set(BESIDE) < set(names(folder / "new"))
    assert names(folder) == ["new", "out", DATABASE]
    sums = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=folder / "new",
        capture_output=True,
        text=True,
        check=True,
    )
    assert sums.stdout.count(": OK\n") == len(names(folder / "new")) - 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--tables", "video,coment"), "no table 'coment'; did you mean 'comment'?"),
        (("--columns", "view_cuont"), "no column 'view_cuont'; did you mean 'view_count'?"),
        (("--columns", "coment.text"), "no table 'coment'; did you mean 'comment'?"),
        (("--tables", "query", "--columns", "id"), "the table video, which --tables leaves out"),
        (("--tables", "shop", "--tag", "all"), "--tables shop: its rows belong to no video"),
        (("--tag", "al"), "--tag 'al': nothing was collected with it; there are 'all'"),
        (("--tag", "\udcff"), "nothing was collected with it"),
        (("--where", "view_cuont > 1"), "did you mean 'view_count'?"),
        (("--where", "view_count"), "is no comparison"),
        (("--where", "view_count > many"), "'many' is not a whole number"),
        (("--where", "view_count > 99999999999999999999"), "is not a whole number that a database"),
        (("--where", "username > m"), "username is text, which is compared by = or !="),
        (("--where", "username = \udcff"), "is not text in UTF-8"),
        (("--where", "is_stem_verified = yes"), "'yes' is not true or false"),
        (("--where", "create_time > soon"), "'soon' is not a day"),
        (("--where", "crawled_at > 0001-01-01T00:00+14:00"), "is not a day"),
        (("--where", "url = x"), "url cannot be compared with a value"),
        (("--where", "video_label = x"), "video_label cannot be compared with a value"),
        (("--since", "2024-02-01", "--until", "2024-01-01"), "is after --until"),
        (("--since", "soon"), "--since 'soon'"),
        (("--sample", "0"), "1 or more"),
        (("--seed", "3"), "--seed goes with --sample"),
        (("--delimiter", ";"), "go with --format csv"),
        (
            ("--format", "csv", "--delimiter", "1"),
            "'1' cannot be used: give tab, a blank, or one of",
        ),
        (("--format", "csv", "--delimiter", "t"), "'t' cannot be used"),
        (("--query", "99"), "--query 99: there is no such query; the queries"),
        (("--format", "pdf"), "invalid choice: 'pdf'"),
        (("--tabels", "video"), "did you mean '--tables'?"),
    ],
)
def test_what_there_is_not_is_told_with_what_is_nearest(folder, options, words):
    run = export(folder, *options)

    assert (run.returncode, run.stdout) == (64, "")
    assert words in run.stderr
    assert run.stderr.count("\n") == 1


def test_all_mistakes_of_a_command_line_are_told_together(folder):
    wrong = ("--where", "view_cuont > 1", "--since", "soon", "--tables", "coment", "--seed", "3")
    run = export(folder, *wrong, "--key-file", "k", "--delimiter", ";")

    assert run.returncode == 64
    lines = run.stderr.splitlines()
    assert [re.match("(?:error: )?(--[a-z-]+)", line)[1] for line in lines] == [
        "--excel",
        "--seed",
        "--since",
        "--where",
        "--tables",
        "--key-file",
    ]


@pytest.mark.parametrize("written", ["tab", "\\t", "\t"])
def test_a_tab_can_be_named(folder, written):
    run = export(
        folder, "--format", "csv", "--delimiter", written, "--tables", "query", target="tabs"
    )

    assert run.returncode == 0, run.stderr
    assert (folder / "tabs" / "query.csv").read_text().startswith('"id"\t')


def test_a_query_is_named_by_its_number_or_its_file(folder):
    (folder / "query.yaml").write_text(QUERY)
    for written in ("1", "query.yaml"):
        options = ("--query", written, "--format", "csv", "--tables", "video")
        assert export(folder, *options, target=f"of-{written}").returncode == 0

    by_number, by_file = (
        (folder / f"of-{written}" / "video.csv").read_bytes() for written in ("1", "query.yaml")
    )
    assert by_number == by_file
    assert by_number.count(b"\n") > 1


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("", "name one folder"),
        ("/", "name one folder"),
        ("~nobody-there/out", "~nobody-there/out: "),
        (DATABASE, "is no folder"),
        ("photos", "has files in it, and no export"),
        ("missing/out", "there is no folder"),
        ("x" * 300, "File name too long"),
        ("nowhere", "it is a link to 'missing', which is not there"),
    ],
)
def test_what_cannot_be_an_export_is_left_as_it_is(folder, target, words):
    (folder / "photos").mkdir()
    (folder / "photos" / "datapackage.json").write_text('{"name": "photos"}')
    (folder / "nowhere").symlink_to("missing")
    before = content(folder)

    run = export(folder, target=target)

    assert run.returncode == 64
    assert words in run.stderr
    assert content(folder) == before


def test_a_link_leads_to_the_folder_that_is_replaced(folder):
    (folder / "disk").mkdir()
    (folder / "out").rename(folder / "disk" / "out")
    (folder / "out").symlink_to("disk/out")

    assert export(folder, "--format", "csv").returncode == 0
    assert (folder / "out").is_symlink()
    assert (folder / "disk" / "out" / "video.csv").is_file()


def test_two_exports_at_once_do_not_meet(folder):
    with stopped_export(folder, "--format", "csv") as other:
        refused = export(folder)
        assert refused.returncode == 70
        assert f"another export to {folder / 'out'} is at work" in refused.stderr
        other.send_signal(signal.SIGCONT)
        assert other.wait(60) == 0
    assert verify(folder / "out").others == []
    assert (folder / "out" / "video.csv").is_file()


def slow(folder):
    """Let an export take a while: comments of nobody's."""
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.executemany(
            "INSERT INTO comment (id, text, crawled_at, crawl_id, create_time)"
            " VALUES (?, ?, '2024-01-01 00:00:00.000000', 1, ?)",
            ((n, f"{n:0200}", f"20{n % 80:02}-01-01 00:00:00") for n in range(40_000)),
        )


class stopped_export:  # noqa: N801 - a context
    """An export that is stopped in the midst of its work."""

    def __init__(self, folder, *options):
        slow(folder)
        self._folder = folder
        self._started = started(folder, "export", "out", *options, *SANDBOX)

    def __enter__(self):
        process = self._started.__enter__()
        while not (self._folder / ".out.partial" / "video.csv").exists():
            assert process.poll() is None
            time.sleep(0.001)
        process.send_signal(signal.SIGSTOP)
        return process

    def __exit__(self, *error):
        return self._started.__exit__(*error)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_export_leaves_the_earlier_one(folder, number):
    before = content(folder / "out")
    with stopped_export(folder, "--format", "csv") as process:
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 75, output
    assert "interrupted; an earlier export in the folder is as it was" in output
    assert "Traceback" not in output
    assert content(folder / "out") == before
    assert names(folder) == ["out", DATABASE]


@pytest.mark.slow
@pytest.mark.parametrize("times", first(1, [15, 150]))
def test_whenever_it_is_killed_there_is_a_whole_export(folder, times):
    dice = random.Random(times)
    formats = ("csv", "parquet", "jsonl")
    for number in range(times):
        options = ("--format", formats[number % 3], "--by", ("month", "day")[number % 2])
        with started(folder, "export", "out", *options, *SANDBOX) as process:
            while process.poll() is None and not (folder / ".out.partial").exists():
                time.sleep(0.001)
            time.sleep(dice.uniform(0, 0.4))
            process.kill()
            process.wait()
        assert verify(folder / "out").others == []
        left = {name for name in names(folder) if not name.startswith(DATABASE)}
        assert left <= {"out", ".out.partial"}
    assert export(folder).returncode == 0
    assert names(folder) == ["out", DATABASE]
    assert verify(folder / "out").others == []


def test_what_is_left_where_names_cannot_be_exchanged_is_put_right(folder):
    before = content(folder / "out")
    (folder / "out").rename(folder / ".out.before")
    refused = export(folder, "--tag", "x")
    assert refused.returncode == 64
    assert content(folder / "out") == before

    shutil.copytree(folder / "out", folder / ".out.before")
    assert export(folder, "--format", "csv").returncode == 0
    assert names(folder) == ["out", DATABASE]


@pytest.mark.slow
@pytest.mark.parametrize("format_", ["parquet", "csv", "jsonl", "xlsx"])
def test_a_disk_without_room_leaves_the_earlier_export(folder, format_):
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "none", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        assert export(folder, "--tables", "run", target="disk/out").returncode == 0
        before = content(disk)
        run = export(folder, "--format", format_, target="disk/out")
        assert run.returncode == 70, run.stderr
        assert run.stderr.startswith(f"error: {disk / 'out'} could not be written: No space left")
        assert run.stderr.count("\n") == 1
        assert content(disk) == before
        assert names(disk) == ["out"]
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        run = export(folder, target="disk/out")
        assert run.returncode == 64
        assert "Read-only file system" in run.stderr
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.parametrize("name", ["pyarrow", "xlsxwriter"])
def test_what_is_not_installed_is_named_with_the_command(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigurationError) as refused:
        require_installed("an export", "export", ("pyarrow", "xlsxwriter"))

    assert str(refused.value) == (
        f"an export needs what is not installed ({name}): pip install 'tiktok-crawler[export]'"
    )


def test_a_database_that_is_not_there_is_not_exported(tmp_path):
    run = scrapy(tmp_path, "export", "out")

    assert run.returncode == 78
    assert f"SQLite database {tmp_path}/tiktok.db has nothing to export yet" in run.stderr
    assert names(tmp_path) == []


def test_tables_of_another_revision_are_not_exported(folder):
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")

    assert export(folder).returncode == 78


def test_a_database_that_is_damaged_leaves_the_earlier_export(folder):
    before = content(folder / "out")
    damage_a_page_of_videos(folder / DATABASE)

    run = export(folder, "--format", "csv")

    assert run.returncode == 70, run.stderr
    assert "could not be read to the end: database disk image is malformed" in run.stderr
    assert run.stderr.count("\n") == 1
    assert content(folder / "out") == before


def damage_a_page_of_videos(path):
    with closing(sqlite3.connect(path)) as connection:
        longest = "SELECT video_description FROM video ORDER BY length(video_description) DESC"
        (text_of_video,) = connection.execute(longest).fetchone()
        (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        found = file.read().index(text_of_video.encode())
        file.seek(found - found % page_size)
        file.write(b"\x99" * 100)


def test_a_server_that_goes_away_leaves_the_earlier_export(folder, prepared_postgresql_url):
    engine = create_engine(
        prepared_postgresql_url, poolclass=NullPool, isolation_level="AUTOCOMMIT"
    )
    comments = (
        "INSERT INTO comment (id, text, crawled_at, crawl_id, create_time)"
        " SELECT n, repeat('x', 200), now(), 1, to_timestamp(n::bigint * 40000)"
        " FROM generate_series(1, 60000) AS n"
    )
    with engine.connect() as connection:
        connection.execute(text("ALTER TABLE comment DISABLE TRIGGER ALL"))
        connection.execute(text(comments))
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE :name"
    url = {"TIKTOK_DATABASE_URL": prepared_postgresql_url}
    options = ("--format", "csv", *SANDBOX)
    with started(folder, "export", "new", *options, **url) as process:
        while not (folder / ".new.partial" / "comment.csv").exists():
            assert process.poll() is None, process.communicate()
            time.sleep(0.001)
        process.send_signal(signal.SIGSTOP)
        with engine.connect() as connection:
            connection.execute(text(end), {"name": f"tiktok_crawler % {process.pid}"})
            connection.execute(text("ALTER TABLE comment ENABLE TRIGGER ALL"))
        process.send_signal(signal.SIGCONT)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 70, output
    assert "could not be read to the end: " in output
    assert "Traceback" not in output
    assert names(folder) == ["out", DATABASE]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda out: (out / "run.parquet").unlink(), "run.parquet is missing"),
        (lambda out: (out / "run.parquet").write_bytes(b"x"), "run.parquet has changed"),
        (lambda out: (out / "DICTIONARY.md").write_text("x"), "DICTIONARY.md has changed"),
        (lambda out: (out / "SHA256SUMS").unlink(), "has no SHA256SUMS that can be read"),
        (lambda out: (out / "SHA256SUMS").write_text(""), "SHA256SUMS is not that of these files"),
        (lambda out: append(out / "datapackage.json"), "datapackage.json has changed"),
        (lambda out: folder_for(out / "run.parquet"), "run.parquet cannot be read: Is a directory"),
    ],
)
def test_each_kind_of_damage_is_found(folder, spoil, words):
    whole = export(folder, "--verify")
    assert (whole.returncode, whole.stderr) == (0, "")
    spoil(folder / "out")

    run = export(folder, "--verify")

    assert run.returncode == 70
    assert words in run.stderr


def append(path):
    path.write_text(path.read_text() + "\n")


def folder_for(path):
    path.unlink()
    path.mkdir()


def test_files_beside_the_export_are_named_and_what_is_no_export_is_refused(folder):
    (folder / "out" / "comment" / "mine.parquet").write_text("x")
    run = export(folder, "--verify")
    assert run.returncode == 0
    assert run.stderr == "WARNING: comment/mine.parquet is no part of the export\n"

    refused = export(folder, "--verify", target="missing")
    assert refused.returncode == 64
    assert "has no export in it" in refused.stderr
