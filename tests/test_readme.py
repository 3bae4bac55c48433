"""The README's commands and queries work as they stand there."""

from __future__ import annotations

import re
import shlex
import sqlite3
import stat
import subprocess
from pathlib import Path

import pytest
import yaml
from processes import SCRAPY, environment, scrapy

from tiktok_crawler.clock import utc_now
from tiktok_crawler.query_file.collection import read_collection

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SANDBOX = ("-s", "TIKTOK_SANDBOX=True")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", README, re.MULTILINE | re.DOTALL)


SCRAPY_COMMANDS = [
    line.strip()
    for block in blocks("sh")
    for line in block.splitlines()
    if line.strip().startswith("scrapy ")
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with the shipped query file, in which the first command was run."""
    path = tmp_path_factory.mktemp("readme")
    (path / "query.yaml").write_bytes((ROOT / "query.yaml").read_bytes())
    (first,) = re.findall(r"<!-- command: try -->\n```sh\n.*&& \.venv/bin/scrapy (.*)\n", README)
    run = scrapy(path, *shlex.split(first))
    assert run.returncode == 0, run.stderr
    return path


def test_the_shipped_query_finds_a_few_thousand_videos_in_the_sandbox(folder):
    with sqlite3.connect(folder / "tiktok-sandbox.db") as connection:
        (videos,) = connection.execute("SELECT count(*) FROM video").fetchone()
    connection.close()
    assert 2000 <= videos <= 6000


def test_there_are_commands_to_test():
    assert len(SCRAPY_COMMANDS) >= 4


@pytest.mark.parametrize("command", SCRAPY_COMMANDS)
def test_each_command_works(folder, command):
    run = scrapy(folder, *shlex.split(command)[1:], *SANDBOX)
    assert run.returncode == 0, run.stderr


def test_the_secrets_file_is_made_as_it_says(tmp_path):
    (tmp_path / "secrets.example.yaml").write_bytes((ROOT / "secrets.example.yaml").read_bytes())
    (command,) = [line.strip() for line in README.splitlines() if line.strip().startswith("cp ")]
    subprocess.run(["bash", "-euc", command], cwd=tmp_path, check=True)
    assert stat.S_IMODE((tmp_path / "secrets.yaml").stat().st_mode) == 0o600


def test_the_cron_line_works(tmp_path):
    (tmp_path / "query.yaml").write_text(
        "start_date: 2024-01-01\nend_date: 2024-01-02\ninclude: {any_hashtags: [butter]}\n"
    )
    (line,) = blocks("crontab")
    command = line.split("  ", maxsplit=1)[1].strip()
    command = command.replace("/home/me/tiktok", str(tmp_path)).replace(".venv/bin/scrapy", SCRAPY)
    command = command.replace("crawl videos", "crawl videos -s TIKTOK_SANDBOX=True")
    run = subprocess.run(
        ["bash", "-euc", command], env=environment(tmp_path), capture_output=True, check=False
    )
    assert run.returncode == 0
    assert (run.stdout, run.stderr) == (b"", b"")
    assert "finished" in (tmp_path / "crawl.log").read_text()


@pytest.mark.parametrize("statement", blocks("sql"))
def test_each_sql_query_finds_something(folder, statement):
    with sqlite3.connect(folder / "tiktok-sandbox.db") as connection:
        rows = connection.execute(statement).fetchall()
    connection.close()
    assert rows


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
