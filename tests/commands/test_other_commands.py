"""`scrapy migrate` and `scrapy sandbox` as processes."""

from __future__ import annotations

import os
import signal
import socket
import urllib.request
from importlib import import_module
from pkgutil import iter_modules

import pytest
from new_databases import new_database
from processes import scrapy, started
from sqlalchemy import text

from tiktok_crawler import commands
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.lock import QueryLock


def test_migrate_sets_up_an_empty_database_and_then_has_nothing_to_do(tmp_path):
    first = scrapy(tmp_path, "migrate")
    assert first.returncode == 0, first.stderr
    assert (tmp_path / "tiktok.db").exists()
    second = scrapy(tmp_path, "migrate")
    assert second.returncode == 0
    assert first.stdout != second.stdout


def test_migrate_changes_no_tables_under_a_crawl(tmp_path):
    engine = database.create_engine_for(database.database_url(new_database(tmp_path / "tiktok.db")))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0112'"))
    crawl = QueryLock(engine, "0" * 64)
    crawl.acquire()
    run = scrapy(tmp_path, "migrate")
    crawl.release()
    with engine.begin() as connection:
        left = connection.scalar(text("SELECT version_num FROM alembic_version"))
    engine.dispose()
    assert (run.returncode, left) == (75, "0112")
    assert f"a crawl is running on this database: process {os.getpid()} on" in run.stderr
    assert "End it first: it knows the old tables alone\n" in run.stderr


def test_migrate_says_what_is_wrong_with_a_database(tmp_path):
    run = scrapy(tmp_path, "migrate", "-s", "TIKTOK_DATABASE_URL=oracle://ann:pw-of-ann@x/y")
    assert run.returncode == 78
    assert run.stderr.startswith("error: ")
    assert "pw-of-ann" not in run.stderr


def test_every_command_of_ours_checks_the_settings_first():
    modules = [
        import_module(f"{commands.__name__}.{name}")
        for _, name, _ in iter_modules(commands.__path__)
    ]
    found = [module.Command for module in modules if hasattr(module, "Command")]

    assert len(found) > 8
    assert all(issubclass(command, commands.Checked) for command in found)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("migrate", "--dry-run"), "there is no option --dry-run. "),
        (("status", "--jsn"), "there is no option --jsn; did you mean '--json'?"),
        (("backup", "copy.db", "--overwrit2=1"), "did you mean '--overwrite'?"),
        (("crawl", "videos", "--max_requests=5"), "behind -a, as in -a max_requests=50"),
        (("plan", "query.yaml", "--max-requests", "5"), "there is no option --max-requests"),
        (("plan", "query.yaml", "--probe"), "argument --probe: expected one argument"),
        (("sandbox", "--port", "many"), "argument --port: invalid int value"),
    ],
)
def test_options_that_there_are_not_are_refused(tmp_path, arguments, words):
    run = scrapy(tmp_path, *arguments)
    assert run.returncode == 64
    assert run.stderr.startswith("error: ")
    assert words in run.stderr
    assert run.stdout == ""
    assert list(tmp_path.glob("*.db")) == []


def test_commands_that_write_no_log_leave_its_file_alone(tmp_path):
    run = scrapy(tmp_path, "status", "-s", "LOG_FILE=no/crawl.log")
    assert run.returncode == 0, run.stderr
    assert "no crawl has used it yet" in run.stdout


def test_scrapys_own_commands_still_work(tmp_path):
    (tmp_path / "scrapy.cfg").write_text("[settings]\ndefault = tiktok_crawler.settings\n")
    for command, output in (
        (("shell", "--nolog", "-c", "1 + 1", "-s", "TIKTOK_SANDBOX=1"), "2\n"),
        (("settings", "--get", "LOG_FILE", "-s", "LOG_FILE=crawl.log"), "crawl.log\n"),
        (("list",), "videos\n"),
        (("check",), ""),
    ):
        run = scrapy(tmp_path, *command)
        assert run.returncode == 0, run.stderr
        assert run.stdout.endswith(output)


def test_sandbox_serves_until_ctrl_c_and_says_how_to_reach_it(tmp_path):
    with started(tmp_path, "sandbox", "--port", "0", "--seed", "7") as process:
        assert process.stdout
        url = process.stdout.readline().split(" answers at ")[1].split()[0]
        command = process.stdout.readline()
        with urllib.request.urlopen(f"{url}/sandbox/stats") as answer:  # noqa: S310 - printed by ours
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=10)
    assert "scrapy crawl videos -a query=query.yaml -s TIKTOK_SANDBOX=True" in command
    assert f"-s TIKTOK_SANDBOX_URL={url}" in command
    assert process.returncode == 0, output


def test_sandbox_says_that_a_port_is_taken(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        run = scrapy(tmp_path, "sandbox", "--port", port)
    assert run.returncode == 69
    assert f"127.0.0.1:{port}" in run.stderr
    assert "try another --port" in run.stderr


def test_sandbox_refuses_what_it_does_not_understand(tmp_path):
    assert scrapy(tmp_path, "sandbox", "now").returncode == 64
    assert scrapy(tmp_path, "sandbox", "--port", "99999").returncode == 64
    unknown = scrapy(tmp_path, "sandbox", "--profile", "worst-day")
    assert unknown.returncode == 78
    assert "bad-day" in unknown.stderr
