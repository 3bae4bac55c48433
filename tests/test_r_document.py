"""The R of docs/r.md works as it stands there, where R and its packages are installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from processes import scrapy
from several_queries import OTHERS, collect, one_of, truth

DOCUMENT = (Path(__file__).parents[1] / "docs" / "r.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"<!-- r: (.*?) -->\n```r\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
FROM_DATABASE, HASHTAGS, WHOLE_EXPORT, FROM_EXPORT = range(len(BLOCKS))

TELL_VIDEOS = """
write.csv(
  data.frame(
    as.character(videos$id), as.character(videos$music_id), as.numeric(videos$create_time)
  ),
  "told.csv", row.names = FALSE
)
"""
TELL_HASHTAGS = 'write.csv(as.data.frame(frequent), "told.csv", row.names = FALSE)\n'

QUERY = """
start_date: 2024-01-01
end_date: 2024-01-02
include: {any_hashtags: [bread]}
"""


def run(code: str, folder: Path) -> str:
    (folder / "block.R").write_text(code, encoding="utf-8")
    done = subprocess.run(
        ["Rscript", "block.R"],
        cwd=folder,
        env=os.environ | {"TZ": "America/New_York", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def need(packages: str, folder: Path) -> None:
    """Skip what cannot be run, and say so."""
    if shutil.which("Rscript") is None:
        pytest.skip("docs/r.md is not run: there is no Rscript")
    for package in packages.split():
        if "TRUE" not in run(f'print(requireNamespace("{package}", quietly = TRUE))\n', folder):
            pytest.skip(f"a block of docs/r.md is not run: R has no package {package}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a database of two queries, of which that of the blocks is the second."""
    path = tmp_path_factory.mktemp("r")
    url = {"TIKTOK_DATABASE_URL": f"sqlite:///{path / 'tiktok.db'}"}
    collect(path, OTHERS["butter"], "-a", "end_date=2024-01-02", **url)
    collect(path, QUERY, **url)
    exported = scrapy(path, "export", "dataset", **url)
    assert exported.returncode == 0, exported.stderr
    return path


def with_hashtag(*names):
    """The videos of the two days with one of some hashtags."""
    query = {"and": [one_of("hashtag_name", *names)]}
    return truth(query, date(2024, 1, 1), date(2024, 1, 2))


@pytest.fixture(scope="module")
def videos():
    return with_hashtag("bread")


@pytest.fixture
def told(tmp_path, request):
    """Runs a block and what tells of it, and returns the cells of its lines."""

    def run_block(number: int, tell: str) -> list[list[str]]:
        packages, code = BLOCKS[number]
        need(packages, tmp_path)
        folder = request.getfixturevalue("folder")
        of_query_2 = code.replace("list(1L)", "list(2L)").replace("== 1L", "== 2L")
        run(of_query_2 + tell, folder)
        _, *lines = (folder / "told.csv").read_text(encoding="utf-8").splitlines()
        return [line.replace('"', "").split(",") for line in lines]

    return run_block


def test_the_page_has_no_block_that_is_not_marked():
    assert len(BLOCKS) == DOCUMENT.count("\n```r\n") - 1, "but that which installs packages"


@pytest.mark.parametrize("number", [FROM_DATABASE, FROM_EXPORT])
def test_videos_of_a_query_have_whole_ids_and_times_in_utc(told, videos, number):
    expected = {
        (str(v["id"]), str(v.get("music_id", "NA")), str(v.get("create_time", "NA")))
        for v in videos
    }

    assert set(map(tuple, told(number, TELL_VIDEOS))) == expected
    assert any(len(id_) == 19 for id_, _, _ in expected)


def test_hashtags_are_counted(told, videos):
    counts = Counter(name for video in videos for name in set(video["hashtag_names"]))

    assert {name: int(n) for name, n in told(HASHTAGS, TELL_HASHTAGS)} == counts


@pytest.mark.parametrize(
    ("number", "hashtags"), [(FROM_DATABASE, ["bread"]), (WHOLE_EXPORT, ["bread", "butter"])]
)
def test_days_are_those_of_utc(told, number, hashtags):
    tell = 'write.csv(as.data.frame(per_day), "told.csv", row.names = FALSE)\n'
    found = {day: int(count) for day, count in told(number, tell)}

    times = [v["create_time"] for v in with_hashtag(*hashtags) if "create_time" in v]
    days = Counter(datetime.fromtimestamp(time, UTC).date().isoformat() for time in times)
    assert found == days
