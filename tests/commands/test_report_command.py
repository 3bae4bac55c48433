"""`scrapy report`: one file that is there as a whole, and a methods section as text."""

from __future__ import annotations

import re
import resource
import sqlite3
import stat
import sys
from contextlib import closing

import pytest
from processes import scrapy

from tiktok_crawler.commands.report import _check_extra
from tiktok_crawler.exceptions import ConfigurationError, ReportError
from tiktok_crawler.html_report.report_file import write_report

QUERY = """
start_date: 2024-01-01
end_date: 2024-02-29
tags: [dairy]
include: {any_hashtags: [butter, cheese]}
regions: [US]
exclude: {usernames: [somebody]}
"""
SANDBOX = ("-s", "TIKTOK_SANDBOX=True")


def collect(folder, *options):
    (folder / "query.yaml").write_text(QUERY)
    crawl = ("crawl", "videos", "-a", "query=query.yaml", *SANDBOX, *options)
    assert (run := scrapy(folder, *crawl)).returncode == 0, run.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which January was collected, and nothing else of the query."""
    folder = tmp_path_factory.mktemp("report")
    collect(folder, "-a", "end_date=2024-01-31")
    assert (
        scrapy(
            folder, "crawl", "videos", "-a", "query=query.yaml", "-a", "max_requests=1", *SANDBOX
        ).returncode
        == 75
    )
    return folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def column(folder, select):
    with closing(sqlite3.connect(folder / "tiktok-sandbox.db")) as connection:
        return [row[0] for row in connection.execute(select)]


@pytest.mark.slow
def test_it_writes_one_file_and_says_what_is_incomplete(folder):
    before = names(folder)
    run = scrapy(folder, "report", "-o", "report.html", *SANDBOX)

    assert (run.returncode, run.stderr) == (0, "")
    (videos,) = column(folder, "SELECT count(*) FROM video")
    incomplete, written = run.stdout.splitlines()
    assert incomplete.startswith("Incomplete: Query 1: 29 of 60 days are not covered: 2024-02-01..")
    assert written == f"Report of {videos:,} videos written to {folder / 'report.html'}"
    assert names(folder) == sorted([*before, "report.html"])
    report = folder / "report.html"
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    text = report.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert text.endswith("</html>")
    assert f"<b>{videos:,}</b>" in text


@pytest.mark.slow
def test_an_earlier_report_is_replaced_and_no_other_file(folder):
    report = folder / "again.html"
    assert scrapy(folder, "report", "-o", "again.html", *SANDBOX).returncode == 0
    first = report.stat().st_ino
    assert scrapy(folder, "report", "-o", "again.html", *SANDBOX).returncode == 0
    assert report.stat().st_ino != first

    for name, words in (("query.yaml", QUERY), ("page.html", "<!DOCTYPE html><p>mine</p>")):
        (folder / name).write_text(words)
        run = scrapy(folder, "report", "-o", name, *SANDBOX)
        assert run.returncode == 64
        assert run.stderr.startswith(f"error: {folder / name} exists, and is no report of")
        assert (folder / name).read_text() == words


def test_what_cannot_be_written_is_said_before_anything_is_read(folder):
    (folder / "leading_nowhere.html").symlink_to("gone/report.html")
    for name, words in (
        ("no/report.html", f"there is no folder {folder / 'no'} for report.html"),
        (".", "is no file: name one"),
        ("x" * 300, "could not be written: File name too long"),
        ("leading_nowhere.html", "could not be written: it is a link to 'gone/report.html'"),
    ):
        run = scrapy(folder, "report", "-o", name, *SANDBOX)
        assert (run.returncode, run.stdout) == (64, "")
        assert words in run.stderr


def test_on_a_full_disk_the_report_before_stays(tmp_path):
    target = tmp_path / "report.html"
    write_report(target, ['<meta name="generator" content="tiktok_crawler report">', "before"])
    before = target.read_text()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, limits[1]))
    try:
        with pytest.raises(ReportError, match=r"report\.html could not be written: File too large"):
            write_report(target, ["after" * 1_000])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert target.read_text() == before
    assert names(tmp_path) == ["report.html"]


def test_methods_are_printed_as_text(folder):
    before = names(folder)
    run = scrapy(folder, "report", "--methods", *SANDBOX)

    assert (run.returncode, run.stderr) == (0, "")
    assert names(folder) == before
    paragraphs = run.stdout.split("\n\n")
    assert paragraphs[0].startswith("The data are invented")
    (requests,) = column(folder, "SELECT sum(requests) FROM api_quota")
    assert f"They sent {requests} requests on 1 day." in paragraphs[1]
    (matches,) = column(folder, "SELECT sum(videos + withheld) FROM window_day")
    (delivered,) = column(folder, "SELECT sum(videos) FROM window_day")
    assert f"the API counted {matches:,} matches and delivered {delivered:,} videos" in run.stdout
    assert "videos from US with #butter or #cheese, NOT by @somebody" in run.stdout
    assert "for all 23 fields of videos that this version knows." in run.stdout


@pytest.mark.slow
def test_pseudonyms_name_no_account(folder):
    assert scrapy(folder, "report", "--pseudonyms", "-o", "p.html", *SANDBOX).returncode == 0
    methods = scrapy(folder, "report", "--pseudonyms", "--methods", *SANDBOX).stdout
    words = set(re.findall(r"[\w.]+", (folder / "p.html").read_text() + methods))
    usernames = set(column(folder, "SELECT DISTINCT username FROM video"))

    assert len(usernames) > 100
    assert words.isdisjoint({*usernames, "somebody"})
    assert re.search(r"NOT by @user_[a-z2-7]{13}\b", methods)


def test_of_no_data_there_is_no_report(tmp_path):
    for arguments in (("--methods",), ("-o", "report.html")):
        run = scrapy(tmp_path, "report", *arguments)
        assert (run.returncode, run.stdout) == (78, "")
        assert "there is nothing to report, as no crawl has used it yet" in run.stderr
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "say where the report shall be, as in `scrapy report -o report.html`"),
        (("--key-file", "k"), "`scrapy report --methods`\n--key-file goes with --pseudonyms"),
        (("-o", "report.pdf"), "report.pdf is to be an HTML file: name one that ends in .html"),
        (("-o", "a.html", "--methods"), "say where the report shall be"),
        (("-o", "a.html", "query.yaml"), "say where the report shall be"),
        (("-o", "a.html", "--refresh-after", "0"), "expected a number of days from 1 to 3650"),
        (("-o", "a.html", "--pseudonym=1"), "--pseudonym"),
    ],
)
def test_wrong_usage_is_refused(tmp_path, arguments, words):
    run = scrapy(tmp_path, "report", *arguments)

    assert run.returncode == 64
    assert words in run.stderr


@pytest.mark.parametrize("name", ["altair", "jinja2", "vl_convert"])
def test_what_is_not_installed_is_named_with_the_command(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigurationError) as refused:
        _check_extra()

    assert str(refused.value) == (
        f"a report needs what is not installed ({name}): pip install 'tiktok-crawler[report]'"
    )


@pytest.mark.slow
def test_postgresql_is_reported_too(tmp_path, postgresql_url):
    database = ("-s", f"TIKTOK_DATABASE_URL={postgresql_url}")
    collect(tmp_path, "-a", "end_date=2024-01-05", *database)
    run = scrapy(tmp_path, "report", "-o", "report.html", *SANDBOX, *database)

    assert (run.returncode, run.stderr) == (0, "")
    assert "Complete." in (tmp_path / "report.html").read_text()
