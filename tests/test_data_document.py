"""The Python of docs/data.md and of the README works as it stands there, and finds true numbers."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from pathlib import Path
from statistics import median

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from processes import scrapy
from several_queries import OTHERS, collect, one_of, truth

from tiktok_crawler.sandbox import Sandbox

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")

BREAD = """
start_date: 2024-01-01
end_date: 2024-01-09
tags: [bread]
include: {any_hashtags: [bread]}
"""
FIRST, LAST = date(2024, 1, 1), date(2024, 1, 9)
AGES = (0, 2, 9)
OF_QUERY_1, OF_QUERY_2 = "query=1", "query=2"


def blocks(text, mark):
    return re.findall(
        rf"<!-- block: {mark} -->\n```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL
    )


@pytest.fixture(scope="module")
def videos():
    """The videos of the query, as the sandbox has them."""
    return {
        video["id"]: video
        for video in truth({"and": [one_of("hashtag_name", "bread")]}, FIRST, LAST)
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory, videos):
    """A folder with a database of two queries, of which the recipes' is the second."""
    path = tmp_path_factory.mktemp("data")
    url = {"TIKTOK_DATABASE_URL": f"sqlite:///{path / 'tiktok.db'}"}
    collect(path, OTHERS["butter"], **url)
    collect(path, BREAD, **url)
    ids = ",".join(map(str, few_comments(videos)))
    sandbox = ("-s", "TIKTOK_SANDBOX=True")
    run = scrapy(
        path, "crawl", "comments", "-a", f"video_ids={ids}", "-a", "replies=1", *sandbox, **url
    )
    assert run.returncode == 0, run.stderr
    read_again(path / "tiktok.db")
    run = scrapy(path, "export", "dataset", **url)
    assert run.returncode == 0, run.stderr
    return path


def few_comments(videos):
    """Videos that have replies and few comments: a request for each comment with replies."""
    sandbox = Sandbox()
    for id_ in sorted(videos):
        comments = sandbox.truth("comments", str(id_))
        if 4 < len(comments) < 40 and any(comment.get("reply_count") for comment in comments):
            yield id_


def read_again(path):
    """Let each video have been seen at some ages, with views that grow by its number."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("DELETE FROM video_statistics")
        for age in AGES:
            connection.execute(
                "INSERT INTO video_statistics (video_id, observed_at, crawl_id, view_count)"
                " SELECT id, strftime('%Y-%m-%d %H:%M:%f000', create_time, ?),"
                " (SELECT max(id) FROM crawl), id % 1000 * ? FROM video"
                " WHERE create_time IS NOT NULL",
                (f"+{age * 24 + 1} hours", age + 1),
            )
    connection.close()


@pytest.fixture(params=["tiktok.db", "dataset"])
def recipe(request, folder, monkeypatch):
    """Runs a recipe on the database, or on its export, and returns the names that it sets."""
    monkeypatch.chdir(folder)

    def run(mark):
        names = {}
        for code in (*blocks(DOCUMENT, "recipes"), *blocks(DOCUMENT, mark)):
            of_source = code.replace('"tiktok.db"', repr(request.param))
            exec(of_source.replace(OF_QUERY_1, OF_QUERY_2), names)
        return names

    return run


def test_hashtags_that_go_together_are_counted(recipe, videos, folder):
    network = recipe("co-hashtags")["network"]

    pairs = Counter(
        pair
        for video in videos.values()
        for pair in combinations(sorted(set(video["hashtag_names"])), 2)
    )
    assert len(pairs) > 100
    assert {(a, b): n for a, b, n in network.itertuples(index=False)} == pairs
    written = pd.read_csv(folder / "hashtags.csv", keep_default_na=False)
    assert list(written.columns) == ["Source", "Target", "Weight"]
    assert written["Weight"].sum() == pairs.total()


def test_posts_of_an_account_are_counted_by_day_with_days_without_any(recipe, videos):
    names = recipe("posts")

    by_account = Counter(video["username"] for video in videos.values())
    assert by_account[names["account"]] == max(by_account.values()) > 1
    days = Counter(
        datetime.fromtimestamp(video["create_time"], UTC).date()
        for video in videos.values()
        if video["username"] == names["account"] and "create_time" in video
    )
    found = {day.date(): count for day, count in names["posts"].items()}
    assert found == {FIRST + timedelta(days=n): days[FIRST + timedelta(days=n)] for n in range(9)}
    assert 0 in found.values()


def test_views_grow_with_age(recipe, videos):
    growth = recipe("growth")["growth"]

    numbers = [video["id"] % 1000 for video in videos.values() if "create_time" in video]
    assert growth["median"].to_dict() == {age: median(numbers) * (age + 1) for age in AGES}
    assert growth["count"].to_dict() == dict.fromkeys(AGES, len(numbers))


def test_threads_have_each_comment_below_its_own(recipe, videos, capsys):
    names = recipe("threads")

    sandbox, sizes = Sandbox(), {}
    for id_ in names["sizes"].index:
        comments = sandbox.truth("comments", str(id_))
        of_each = [sandbox.truth("replies", str(comment["id"])) for comment in comments]
        found = [len(replies) for replies in of_each if isinstance(replies, list)]
        sizes[id_] = (len(comments) + sum(found), sum(found))
    assert names["sizes"].index.isin(videos).all()
    assert {id_: tuple(row) for id_, row in names["sizes"].iterrows()} == sizes
    assert sum(replies for _, replies in sizes.values()) > 10
    most = max(size for size, _ in sizes.values())
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == most == sizes[names["most_discussed"]][0]
    assert any(line.startswith("    ") for line in printed)


def test_other_blocks_work(recipe, videos):
    assert len(recipe("one moment")["hashtags"]) > len(recipe("one moment")["videos"]) > len(videos)
    views = recipe("batches")["views"]
    assert views == recipe("one moment")["videos"]["view_count"].sum()


@pytest.mark.parametrize("document", [DOCUMENT, README], ids=["data.md", "README"])
def test_five_lines_draw_a_plot(document, folder, videos, monkeypatch):
    monkeypatch.chdir(folder)
    mpl.use("Agg")
    (code,) = blocks(document, "plot")
    assert len([line for line in code.splitlines() if line]) <= 5
    names = {}

    exec(code.replace(OF_QUERY_1, OF_QUERY_2), names)

    per_day = {day.date(): count for day, count in names["per_day"].items()}
    dated = [video["create_time"] for video in videos.values() if "create_time" in video]
    days = Counter(datetime.fromtimestamp(each, UTC).date() for each in dated)
    assert per_day == days
    (axes,) = plt.gcf().axes
    assert list(axes.lines[0].get_ydata()) == [days[day] for day in sorted(days)]
    plt.close("all")
