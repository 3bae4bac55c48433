"""What the README shows is so; tests/test_wheel.py runs its other commands."""

from __future__ import annotations

import re
import shlex
import stat
import subprocess
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import yaml
from postgres_server import temporary_database
from processes import SCRAPY, environment, scrapy
from several_queries import collect_others, one_of, truth
from shown_outputs import printed, shown
from sqlalchemy import create_engine

from tiktok_crawler.clock import utc_now
from tiktok_crawler.query_file.collection import read_collection

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SANDBOX = ("-s", "TIKTOK_SANDBOX=True")
OF_THE_API = "tiktok.db, data from https://open.tiktokapis.com"
SHIPPED = {
    "and": [
        one_of("hashtag_name", "butter", "cheese"),
        one_of("region_code", "US", "GB", "FR", "DE"),
    ]
}
"""The query of the shipped file."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with the shipped query file, in which the first command was run."""
    path = tmp_path_factory.mktemp("readme")
    run_first_command(path)
    return path


def run_first_command(path: Path, *arguments: str, **variables: str) -> None:
    """Run it, keep what it says, and crawl for two other queries."""
    (path / "query.yaml").write_bytes((ROOT / "query.yaml").read_bytes())
    (first,) = re.findall(r"<!-- command: try -->\n```sh\n.*&& \.venv/bin/scrapy (.*)\n", README)
    run = scrapy(path, *shlex.split(first), *arguments, **variables)
    assert run.returncode == 0, run.stderr
    (path / "first.log").write_text(run.stderr)
    collect_others(path, **variables)


@dataclass
class Filled:
    """A database with what was collected for three queries, that of the README first."""

    url: str
    end: date

    @cached_property
    def videos(self):
        """The videos of the shipped query up to the last day that was asked for."""
        return truth(SHIPPED, date(2024, 1, 1), self.end)

    def rows(self, statement):
        engine = create_engine(self.url)
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SET TIME ZONE 'UTC'")
            found = connection.exec_driver_sql(statement).all()
        engine.dispose()
        return [tuple(row) for row in found]


@pytest.fixture(scope="module")
def filled_sqlite(folder):
    return Filled(f"sqlite:///{folder / 'tiktok-sandbox.db'}", date(2024, 3, 31))


@pytest.fixture(scope="module")
def filled_postgresql(postgres_url, tmp_path_factory):
    path = tmp_path_factory.mktemp("readme-postgresql")
    with temporary_database(postgres_url) as url:
        run_first_command(path, "-a", "end_date=2024-01-31", TIKTOK_DATABASE_URL=url)
        yield Filled(url, date(2024, 1, 31))


@pytest.fixture(params=["sqlite", "postgresql"])
def filled(request):
    return request.getfixturevalue(f"filled_{request.param}")


def test_the_shipped_query_finds_a_few_thousand_videos_in_the_sandbox(filled_sqlite):
    found = filled_sqlite.rows("SELECT count(*) FROM videos_to_queries WHERE query_id = 1")
    assert found == [(len(filled_sqlite.videos),)]
    assert 2000 <= len(filled_sqlite.videos) <= 6000


def test_what_the_readme_shows_is_what_is_printed(folder, tmp_path):
    assert printed((folder / "first.log").read_text(), folder) == shown(README, "try")
    (tmp_path / "query.yaml").write_bytes((ROOT / "query.yaml").read_bytes())
    crawl = ("crawl", "videos", "-a", "query=query.yaml")
    begun = scrapy(tmp_path, *crawl, "-a", "max_requests=1", *SANDBOX)
    summary = printed(begun.stderr, tmp_path).replace(" -s TIKTOK_SANDBOX=True", "")
    assert summary.endswith(shown(README, "collect"))
    assert scrapy(tmp_path, *crawl, *SANDBOX).returncode == 0
    status = printed(scrapy(tmp_path, "status", *SANDBOX).stdout, tmp_path)
    assert status.replace("tiktok-sandbox.db, data from sandbox", OF_THE_API) == shown(
        README, "status"
    )


def test_the_cron_line_works(tmp_path):
    (tmp_path / "query.yaml").write_text(
        "start_date: 2024-01-01\nend_date: 2024-01-02\ninclude: {any_hashtags: [butter]}\n"
    )
    (line,) = blocks("crontab")
    command = line.split("  ", maxsplit=1)[1].strip()
    command = command.replace("/home/me/tiktok", str(tmp_path)).replace(".venv/bin/scrapy", SCRAPY)
    command = command.replace("crawl videos", "crawl videos -s TIKTOK_SANDBOX=True")
    run = subprocess.run(
        ["bash", "-euc", command],
        env=environment(tmp_path),
        capture_output=True,
        umask=0o022,
        check=False,
    )
    assert run.returncode == 0
    assert stat.S_IMODE((tmp_path / "crawl.log").stat().st_mode) == 0o600
    assert (run.stdout, run.stderr) == (b"", b"")
    log = (tmp_path / "crawl.log").read_text()
    assert "NOTICE: Collecting" in log
    assert log.endswith("Missing      nothing\nNext         nothing to do\n")


def statement(beginning):
    """The query that begins so."""
    (found,) = [sql for sql in blocks("sql") if sql.startswith(f"SELECT {beginning}")]
    return found


def published(video):
    return datetime.fromtimestamp(video["create_time"], UTC).date()


def test_there_are_no_other_queries_to_test():
    assert len(blocks("sql")) == 3


def test_videos_per_day_are_those_of_one_query_of_three(filled):
    found = filled.rows(statement("date(create_time)"))
    assert [(str(day), count) for day, count in found] == [
        (str(day), count) for day, count in sorted(Counter(map(published, filled.videos)).items())
    ]
    assert filled.rows("SELECT count(*) FROM video")[0][0] > len(filled.videos)


def test_hashtags_are_those_of_one_query_of_three(filled):
    counts = Counter(name for video in filled.videos for name in set(video["hashtag_names"]))
    found = filled.rows(statement("hashtag.name"))
    assert [count for _, count in found] == [count for _, count in counts.most_common(20)]
    assert all(counts[name] == count for name, count in found)


def test_days_are_those_of_one_query_of_three(filled):
    found = filled.rows(statement("state"))
    assert {state for state, *_ in found} == {"complete"}
    windows = [[date.fromisoformat(str(day)) for day in row[1:3]] for row in found]
    assert (windows[0][0], windows[-1][1]) == (date(2024, 1, 1), filled.end)
    assert sum((last - first).days + 1 for first, last in windows) == filled.end.timetuple().tm_yday


def ids_of(table):
    return dict(zip(table["id"], table["music_id"].astype(object), strict=True))


def test_pandas_reads_whole_ids_of_one_query_of_three(filled):
    (python,) = blocks("python")
    assert '"tiktok.db"' in python
    names: dict[str, pd.DataFrame] = {}
    exec(python.replace('"tiktok.db"', repr(filled.url)), names)
    plt.close("all")
    found = names["videos"]
    assert ids_of(found) == {video["id"]: video.get("music_id", pd.NA) for video in filled.videos}
    assert found["music_id"].isna().any()


def test_pandas_reads_whole_ids_of_a_feed_in_csv(tmp_path):
    (tmp_path / "query.yaml").write_bytes((ROOT / "query.yaml").read_bytes())
    days = ("-a", "end_date=2024-01-02", "-O", "videos.csv")
    run = scrapy(tmp_path, "crawl", "videos", "-a", "query=query.yaml", *days, *SANDBOX)
    assert run.returncode == 0, run.stderr
    found = pd.read_csv(tmp_path / "videos.csv", dtype_backend="numpy_nullable")
    expected = truth(SHIPPED, date(2024, 1, 1), date(2024, 1, 2))
    assert ids_of(found) == {video["id"]: video.get("music_id", pd.NA) for video in expected}
    assert found["music_id"].isna().any()


@pytest.mark.parametrize("text", blocks("yaml"))
def test_each_query_file_is_valid(tmp_path, text):
    if "include" not in text and "query:" not in text:
        text += "\nregions: [US]\n"
    path = tmp_path / "query.yaml"
    path.write_text(text)
    assert read_collection(path, today=utc_now().date())


def test_ci_runs_the_readmes_test_command():
    ci = (ROOT / ".ci" / "run").read_text()
    assert "command: tests" in ci
    (command,) = re.findall(r"<!-- command: tests -->\n```sh\n(.*)\n```", README)
    assert command.count("bin/pytest") == 1, "where coverage is added"


def test_the_example_of_the_secrets_file_has_its_shape():
    example = yaml.safe_load((ROOT / "secrets.example.yaml").read_text())
    assert set(example) == {"client_key", "client_secret"}
