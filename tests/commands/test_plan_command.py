"""`scrapy plan` says what a crawl costs; without `--probe` it sends, writes and creates nothing."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing

import pytest
from processes import scrapy

QUERY = """
start_date: 2024-01-01
end_date: 2024-03-31
include: {any_hashtags: [butter, cheese]}
"""
SANDBOX = ("-s", "TIKTOK_SANDBOX=True")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "query.yaml").write_text(QUERY)
    return tmp_path


def plan(folder, *words):
    """What the plan says to programs."""
    run = scrapy(folder, "plan", "query.yaml", *words, "--json")
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_it_says_what_is_asked_for_and_what_that_costs_and_leaves_no_trace(folder):
    run = scrapy(folder, "plan", "query.yaml")
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    _, words, cost, unknown, blank, wanted, *_ = run.stdout.splitlines()
    assert words == "Videos with #butter or #cheese"
    assert cost == "At least 3 requests, and one more for each further 100 matches of a window"
    assert unknown.endswith("which a crawl need not pay again: add --probe 12")
    assert blank == ""
    assert "2024-01-01..2024-03-31 (91 UTC days" in wanted
    assert (
        "3 (2024-01-01..2024-01-31, 2024-02-01..2024-03-02, 2024-03-03..2024-03-31)" in run.stdout
    )
    assert "{" not in run.stdout
    assert [path.name for path in folder.iterdir()] == ["query.yaml"]


def test_programs_get_the_first_request_and_the_forecast(folder):
    found = plan(folder)
    assert found["request"]["url"].startswith("/v2/research/video/query/?fields=id,video_")
    assert found["request"]["body"] == {
        "query": {
            "and": [
                {
                    "operation": "IN",
                    "field_name": "hashtag_name",
                    "field_values": ["butter", "cheese"],
                }
            ]
        },
        "start_date": "20240101",
        "end_date": "20240131",
        "max_count": 100,
    }
    assert found["query"] == "videos with #butter or #cheese"
    assert found["forecast"] is None
    assert found["least_requests"] == 3
    assert found["quota"] == {"a_day": 1000, "today": 1000}
    assert found["days"] == {"wanted": 91, "covered": 0, "missing": 91}
    assert [path.name for path in folder.iterdir()] == ["query.yaml"]


def test_two_kinds_that_both_have_to_hold_are_named_with_the_way_to_either(folder):
    def said(query):
        (folder / "query.yaml").write_text(f"start_date: 2024-01-01\nend_date: 2024-01-31\n{query}")
        return scrapy(folder, "plan", "query.yaml").stdout.splitlines()[1:3]

    both = said(
        "include: {any_hashtags: [cheese, butter], any_keywords: [bread]}\nregions: [AT, DE]"
    )
    assert both[0] == "Videos from AT or DE with #butter or #cheese, AND the keyword bread"
    assert "one OR the other write them under either: " in both[1]
    either = said("include: {either: {hashtags: [cheese], keywords: [bread]}}")
    assert either[0] == "Videos with at least one of: #cheese OR the keyword bread"
    assert "either" not in either[1]


@pytest.mark.slow
def test_probes_tell_what_a_crawl_costs_and_are_not_paid_again(folder):
    probed = scrapy(folder, "plan", "query.yaml", "--probe", "12", *SANDBOX)
    assert probed.returncode == 0, probed.stderr
    assert probed.stderr == ""
    assert "Probed: 12 requests, 12 first pages; a crawl goes on" in probed.stdout
    assert max(map(len, probed.stdout.splitlines())) < 240
    assert re.search(
        r"^Open windows:  12 \(.*\.2024-\d\d-\d\d and 7 more\)$", probed.stdout, re.MULTILINE
    )
    again = scrapy(folder, "plan", "query.yaml", "--probe", "12", *SANDBOX)
    assert "Nothing was probed: searches have begun in all parts" in again.stdout
    found = plan(folder, *SANDBOX)["forecast"]
    assert found["most"] <= 2 * found["least"]

    crawl = scrapy(folder, "crawl", "videos", "-a", "query=query.yaml", *SANDBOX)

    assert crawl.returncode == 0, crawl.stderr
    assert scrapy(folder, "plan", "query.yaml", *SANDBOX).stdout.splitlines()[2] == (
        "No requests: nothing is missing"
    )
    with closing(sqlite3.connect(folder / "tiktok-sandbox.db")) as connection:
        rows = "SELECT count(*), count(DISTINCT crawl_window_id || ' ' || cursor) FROM crawl"
        pages, distinct = connection.execute(rows).fetchone()
    assert pages == distinct, "no page was paid for twice"
    assert found["least"] <= pages - 12 <= found["most"]


@pytest.mark.slow
@pytest.mark.parametrize(("regions", "is_said"), [("US,GB,FR,DE,JP", True), ("JP", False)])
def test_first_pages_that_reach_back_some_hours_only_are_told_as_such(folder, regions, is_said):
    wish = ("-a", f"regions={regions}", "-a", "start_date=2024-01-01", "-a", "end_date=2024-02-01")
    run = scrapy(folder, "plan", "videos", *wish, "--probe", "2", *SANDBOX)
    assert "Probed: 2 requests" in run.stdout
    assert ("the last hours of days (UTC)" in run.stdout) is is_said


def test_where_fewer_days_are_missing_nothing_is_probed(folder):
    days = ("-a", "end_date=2024-01-05")
    run = scrapy(folder, "plan", "query.yaml", *days, "--probe", "12", *SANDBOX)
    assert run.returncode == 0
    assert "Nothing was probed: there are 5 missing days, fewer than 12" in run.stdout
    assert not (folder / "tiktok-sandbox.db").exists()


def test_a_probe_that_cannot_begin_says_why_after_it_has_named_the_database(folder):
    run = scrapy(folder, "plan", "query.yaml", "--probe", "3")
    assert run.returncode == 77
    assert run.stdout.strip() == f"SQLite database {folder / 'tiktok.db'}"
    assert run.stderr.startswith("error: ")
    assert "TIKTOK_CLIENT_KEY" in run.stderr


def test_probes_end_with_the_quota(folder):
    quota = ("-s", "TIKTOK_DAILY_BUDGET=5")
    run = scrapy(folder, "plan", "query.yaml", "--probe", "12", *SANDBOX, *quota)
    assert run.returncode == 75
    assert "Probed: 5 requests, 5 first pages; " in run.stdout
    spent = "not all that was to be asked for: the day's requests of TIKTOK_DAILY_BUDGET are spent"
    assert spent in run.stdout


def test_a_query_is_forecast_by_others_that_name_the_same(folder):
    crawl = ("crawl", "videos", "-a", "any_hashtags=butter", "-a", "start_date=2024-05-01")
    assert scrapy(folder, *crawl, "-a", "end_date=2024-05-02", *SANDBOX).returncode == 0
    run = scrapy(folder, "plan", "query.yaml", *SANDBOX)
    assert "By 1 other query here that name the same: " in run.stdout


@pytest.mark.slow
def test_it_prints_the_body_as_it_is_sent(folder):
    (folder / "query.yaml").write_text(
        "start_date: 2024-01-01\nend_date: 2024-02-29\ninclude: {all_keywords: [butter]}"
    )

    def sent():
        found = plan(folder, *SANDBOX)
        body = found["request"]["body"]
        return body["query"]["and"][0]["operation"], body["start_date"], found["least_requests"]

    def text():
        return scrapy(folder, "plan", "query.yaml", *SANDBOX).stdout

    assert sent()[:2] == ("IN", "20240101")
    only_eq = ("-s", "TIKTOK_SANDBOX_PROFILE=keywords-as-eq")
    crawl = ("crawl", "videos", "-a", "query=query.yaml", *SANDBOX, *only_eq)
    assert scrapy(folder, *crawl, "-a", "max_requests=1").returncode == 75
    assert sent() == ("EQ", "20240101", 2)
    assert (
        "Keywords:      no video was found: 2024-01-01..2024-01-31 is searched once more, with "
        "keywords sent as EQ\n"
    ) in text()
    assert scrapy(folder, *crawl).returncode == 0
    assert sent()[0] == "EQ"
    assert "Keywords:      sent as EQ: searches with IN found nothing\n" in text()
    assert "No requests: nothing is missing" in text()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "user",
            "'user' is neither a query file that is there nor a spider; did you mean 'users'?",
        ),
        ("xyz", "'xyz' is neither a query file that is there nor a spider"),
    ],
)
def test_a_name_that_is_no_file_and_no_spider_is_refused(folder, name, words):
    run = scrapy(folder, "plan", name, "-a", "usernames=ann")
    assert run.returncode == 64
    assert run.stderr == f"error: {words}\n"


@pytest.mark.parametrize("name", [("videos",), ()])
def test_a_query_in_arguments_is_planned_and_shown_as_a_query_file(folder, name):
    arguments = ("any_hashtags=butter,cheese", "start_date=2024-01-01", "end_date=2024-03-31")
    given = [word for argument in arguments for word in ("-a", argument)]

    run = scrapy(folder, "plan", *name, *given)

    assert run.returncode == 0, run.stderr
    database, rest = run.stdout.split("As a query file:\n")
    written, plan = rest.split("\n\n", 1)
    (folder / "written.yaml").write_text(written)
    assert database + plan == scrapy(folder, "plan", "query.yaml").stdout
    assert database + plan == scrapy(folder, "plan", "written.yaml").stdout


def test_what_is_also_collected_has_its_cost(folder):
    (folder / "query.yaml").write_text(QUERY + "also_collect: {comments: {max_seeds: 3}, users: }")
    crawl = ("crawl", "videos", "-a", "query=query.yaml", "-a", "end_date=2024-01-31")
    assert scrapy(folder, *crawl, "-a", "max_requests=3", *SANDBOX).returncode == 75
    run = scrapy(folder, "plan", "query.yaml", *SANDBOX)
    comments, users = run.stdout.split("Comments:")[1].split("Users:")
    assert "About 30 requests, 3 to 30: " in comments
    assert re.search(r"About [\d,]+ requests, [\d,]+ to [\d,]+: ", users)
    assert "of these, some are for videos that are still to come" in users
    assert "Together:      About " in users


@pytest.mark.slow
def test_what_the_database_has_is_covered(folder):
    crawl = ("crawl", "videos", "-a", "query=query.yaml", "-a", "end_date=2024-01-31")
    assert scrapy(folder, *crawl, *SANDBOX).returncode == 0
    run = scrapy(folder, "plan", "query.yaml", *SANDBOX)
    assert "Covered:       31 of 91 days (34.0 %)" in run.stdout
    assert "Gaps:          2024-02-01..2024-03-31" in run.stdout
    assert "New windows:   2 (2024-02-01..2024-03-02, 2024-03-03..2024-03-31)" in run.stdout
    complete = scrapy(folder, "plan", "query.yaml", "-a", "end_date=2024-01-31", *SANDBOX)
    assert "No requests: nothing is missing" in complete.stdout


def test_unsettled_days_are_named_with_the_time_from_which_they_can_be_final(folder):
    recent = ("-a", "start_date=yesterday", "-a", "end_date=today")
    crawl = scrapy(folder, "crawl", "videos", "-a", "query=query.yaml", *recent, *SANDBOX)
    assert crawl.returncode == 0, crawl.stderr
    run = scrapy(folder, "plan", "query.yaml", *recent, *SANDBOX)
    assert "Not final yet: " in run.stdout
    assert re.search(r"collected once more from [\d-]{10} \d\d:\d\d UTC on\n", run.stdout)
    assert "(2 UTC days; " in run.stdout
    one_day = scrapy(folder, "plan", "query.yaml", *recent[:3], "end_date=yesterday")
    assert "(1 UTC day; " in one_day.stdout
    assert "not final" in crawl.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ((), 64, "name one query file"),
        (("a", "b"), 64, "name one query file"),
        (("query.yaml", "-a", "oops"), 64, "NAME=VALUE"),
        (("query.yaml", "-a", "tags=a", "-a", "tags=b"), 64, "-a tags=... stands there twice"),
        (("query.yaml", "--probe", "0"), 64, "--probe=0: not a whole number"),
        (("users", "-a", "usernames=a", "--probe", "3"), 64, "--probe is about videos"),
        (("users", *("-a", "usernames=a") * 2), 64, "-a usernames=... stands there twice"),
        (("query.yaml", "-a", "start=2024-01-01"), 64, "start_date"),
        (("missing.yaml",), 78, "missing.yaml"),
        (
            ("query.yaml", "-s", "TIKTOK_VIDEO_FIELDS=id,view_cuont"),
            78,
            "did you mean 'view_count'?",
        ),
    ],
)
def test_mistakes_are_one_message_and_a_status(folder, arguments, status, words):
    run = scrapy(folder, "plan", *arguments)
    assert run.returncode == status
    assert run.stdout == ""
    assert run.stderr.startswith("error: ")
    assert words in run.stderr
    assert "Traceback" not in run.stderr


def test_a_database_of_another_origin_is_refused(folder):
    crawl = ("crawl", "videos", "-a", "query=query.yaml", "-a", "end_date=2024-01-02")
    assert scrapy(folder, *crawl, *SANDBOX).returncode == 0
    run = scrapy(
        folder, "plan", "query.yaml", "-s", "TIKTOK_DATABASE_URL=sqlite:///tiktok-sandbox.db"
    )
    assert run.returncode == 78
    assert "sandbox" in run.stderr


def test_several_query_files_are_planned_one_by_one_and_added_up(folder):
    queries = folder / "queries"
    queries.mkdir()
    january = QUERY.replace("2024-03-31", "2024-01-31")
    (queries / "a.yaml").write_text(QUERY)
    (queries / "b.yaml").write_text(january.replace("butter", "art"))
    (queries / "c.yaml").write_text(january)
    run = scrapy(folder, "plan", "queries")
    assert (run.returncode, run.stderr) == (0, "")
    lines = run.stdout.splitlines()
    assert [line for line in lines if line.startswith("queries/")] == [
        "queries/a.yaml:",
        "queries/b.yaml:",
        "queries/c.yaml:",
    ]
    assert lines[-2:] == [
        "All 3 query files: At least 4 requests: a small part of a day's quota or more",
        "  queries/c.yaml costs nothing more: its days are in queries/a.yaml",
    ]

    run = scrapy(folder, "plan", "queries/a.yaml,queries/b.yaml", "--json")
    found = json.loads(run.stdout)
    assert [query["file"] for query in found["queries"]] == ["queries/a.yaml", "queries/b.yaml"]
    assert found["forecast"]["least"] == 4

    run = scrapy(folder, "plan", "queries", "--probe", "2")
    assert (run.returncode, run.stdout) == (64, "")
    assert run.stderr == "error: --probe is about one query file, not 3\n"


def test_it_says_what_keeping_data_fresh_will_cost(folder):
    fresh = ("-a", "keep_fresh=15 days with counters", "-a", "revisit=3d")
    run = scrapy(folder, "plan", "query.yaml", *fresh)
    [line] = [line for line in run.stdout.splitlines() if line.startswith("Kept fresh:")]
    assert line.startswith(
        "Kept fresh:    revisit: 3 days; keep_fresh: 15 days with counters: at least "
    )
    found = plan(folder, *fresh)["refreshing"]
    assert found["keep_fresh"] == "15 days with counters"
    assert found["requests"] == found["searches"] >= 3
    assert not found["is_known"]
    assert plan(folder)["refreshing"] is None
