"""`scrapy plan` shows everything and sends, writes and creates nothing."""

from __future__ import annotations

import json

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


def test_it_prints_request_windows_and_cost_and_leaves_no_trace(folder):
    run = scrapy(folder, "plan", "query.yaml")
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    body = json.loads(run.stdout[run.stdout.index("{") : run.stdout.rindex("}") + 1])
    assert body == {
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
    assert "POST /v2/research/video/query/?fields=id,video_description," in run.stdout
    assert "2024-01-01..2024-03-31 (91 UTC days" in run.stdout
    assert (
        "3 (2024-01-01..2024-01-31, 2024-02-01..2024-03-02, 2024-03-03..2024-03-31)" in run.stdout
    )
    assert "at least 3, and one more" in run.stdout
    assert "0.003 days" in run.stdout
    assert [path.name for path in folder.iterdir()] == ["query.yaml"]


def test_it_prints_the_body_as_it_is_sent(folder):
    (folder / "query.yaml").write_text(
        "start_date: 2024-01-01\nend_date: 2024-02-29\ninclude: {all_keywords: [butter]}"
    )

    def sent():
        run = scrapy(folder, "plan", "query.yaml", *SANDBOX)
        body = json.loads(run.stdout[run.stdout.index("{") : run.stdout.rindex("}") + 1])
        return body["query"]["and"][0]["operation"], body["start_date"], run.stdout

    assert sent()[:2] == ("IN", "20240101")
    only_eq = ("-s", "TIKTOK_SANDBOX_PROFILE=keywords-as-eq")
    crawl = ("crawl", "videos", "-a", "query=query.yaml", *SANDBOX, *only_eq)
    assert scrapy(folder, *crawl, "-a", "max_requests=1").returncode == 75
    form, day, text = sent()
    assert (form, day) == ("EQ", "20240101")
    assert (
        "Keywords:      no video was found: 2024-01-01..2024-01-31 is searched once more, with "
        "keywords sent as EQ\n"
    ) in text
    assert "Requests:      at least 2" in text
    assert scrapy(folder, *crawl).returncode == 0
    form, _, text = sent()
    assert form == "EQ"
    assert "Keywords:      sent as EQ: searches with IN found nothing\n" in text
    assert "none, nothing is missing" in text


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
    assert "Requests:      at least 3, at most " in comments
    assert "Requests:      at least " in users


def test_what_the_database_has_is_covered(folder):
    crawl = ("crawl", "videos", "-a", "query=query.yaml", "-a", "end_date=2024-01-31")
    assert scrapy(folder, *crawl, *SANDBOX).returncode == 0
    run = scrapy(folder, "plan", "query.yaml", *SANDBOX)
    assert "Covered:       31 of 91 days (34.0 %)" in run.stdout
    assert "Gaps:          2024-02-01..2024-03-31" in run.stdout
    assert "New windows:   2 (2024-02-01..2024-03-02, 2024-03-03..2024-03-31)" in run.stdout
    complete = scrapy(folder, "plan", "query.yaml", "-a", "end_date=2024-01-31", *SANDBOX)
    assert "none, nothing is missing" in complete.stdout


def test_unsettled_days_are_named_with_the_time_from_which_they_can_be_final(folder):
    recent = ("-a", "start_date=yesterday", "-a", "end_date=today")
    crawl = scrapy(folder, "crawl", "videos", "-a", "query=query.yaml", *recent, *SANDBOX)
    assert crawl.returncode == 0, crawl.stderr
    run = scrapy(folder, "plan", "query.yaml", *recent, *SANDBOX)
    assert "Not final yet: " in run.stdout
    assert "collected once more from" in run.stdout
    assert "not final" in crawl.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ((), 64, "name one query file"),
        (("a", "b"), 64, "name one query file"),
        (("query.yaml", "-a", "oops"), 64, "NAME=VALUE"),
        (("query.yaml", "-a", "tags=a", "-a", "tags=b"), 64, "-a tags=... stands there twice"),
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
