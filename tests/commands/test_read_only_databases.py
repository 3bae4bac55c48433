"""What only reads works where one may only read, and says the same as elsewhere."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing

import pytest
from marathon import in_marathon
from postgres_server import temporary_database
from processes import scrapy
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool
from trials import QUERY_FILE

pytestmark = pytest.mark.slow

SANDBOX = ("-s", "TIKTOK_SANDBOX=True")
DATABASE = "crawl.db"
PLANS = (
    ("plan", "query.yaml"),
    ("plan", "comments", "-a", "from_tag=all"),
    ("plan", "users", "-a", "usernames=zoe,ann"),
    ("plan", "followers", "-a", "from_tag=all", "-a", "max_seeds=3"),
)
STATUS = ("status",)
EXPORT = ("export", "out", "--format", "csv")

ROLE = "reader_of_tests"
ONLY_SELECT = (
    f"DROP ROLE IF EXISTS {ROLE}",
    f"CREATE ROLE {ROLE} LOGIN",
    f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {ROLE}",
    "REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC",
)
READS_ONLY = (*ONLY_SELECT[:3], f"ALTER ROLE {ROLE} SET default_transaction_read_only = on")


def crawl(folder, url):
    (folder / "query.yaml").write_text(QUERY_FILE + "tags: [all]\n")
    for command in (("videos", "-a", "query=query.yaml"), ("users", "-a", "usernames=zoe")):
        run = scrapy(folder, "crawl", *command, *SANDBOX, TIKTOK_DATABASE_URL=url)
        assert run.returncode == 0, run.stderr


def said(folder, url, *commands):
    """What commands print below the name of the database."""
    outputs = []
    for command in commands:
        run = scrapy(folder, *command, *SANDBOX, TIKTOK_DATABASE_URL=url)
        assert (run.returncode, run.stderr) == (0, "")
        outputs.append(run.stdout.partition("\n")[2])
        shutil.rmtree(folder / EXPORT[1], ignore_errors=True)
    return outputs


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("collected")
    crawl(folder, f"sqlite:///{DATABASE}")
    return folder


@pytest.fixture
def read_only(tmp_path):
    """Makes a folder below the test's that can only be read, also by root: on a disk of its own."""
    folder = tmp_path / "data"
    folder.mkdir()
    if not os.geteuid():
        mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(folder)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("root may write everywhere, and cannot mount a disk here")

    def protect():
        if not os.geteuid():
            subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        for path in (folder, *folder.iterdir()) if os.geteuid() else ():
            path.chmod(path.stat().st_mode & 0o555)

    yield folder, protect
    if not os.geteuid():
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.chmod(0o700)


def test_a_file_in_a_folder_that_can_only_be_read(collected, read_only, tmp_path):
    folder, protect = read_only
    shutil.copy(collected / DATABASE, folder)
    protect()
    url = f"sqlite:///{folder / DATABASE}"
    shutil.copy(collected / "query.yaml", tmp_path)

    assert said(tmp_path, url, STATUS, *PLANS) == said(
        collected, f"sqlite:///{DATABASE}", STATUS, *PLANS
    )
    said(tmp_path, url, ("backup", "copy.db"), EXPORT)
    assert videos(tmp_path / "copy.db") == videos(collected / DATABASE) > 0
    assert [path.name for path in folder.iterdir()] == [DATABASE]

    refused = scrapy(
        tmp_path, "crawl", "users", "-a", "usernames=ann", *SANDBOX, TIKTOK_DATABASE_URL=url
    )
    assert refused.returncode == 78
    assert "no permission to write" in refused.stderr


def test_what_a_killed_crawl_left_in_the_log_is_read_too(collected, read_only, tmp_path):
    folder, protect = read_only
    source = tmp_path / DATABASE
    shutil.copy(collected / DATABASE, source)
    with closing(sqlite3.connect(source)) as connection:
        with connection:
            connection.execute("DELETE FROM videos_to_crawls")
        for ending in ("", "-wal"):
            shutil.copy(f"{source}{ending}", folder)
    protect()

    said(tmp_path, f"sqlite:///{folder / DATABASE}", STATUS, ("backup", "copy.db"))
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM videos_to_crawls").fetchone() == (0,)


def test_a_copy_is_read_where_it_lies(collected, read_only, tmp_path):
    folder, protect = read_only
    said(collected, f"sqlite:///{DATABASE}", ("backup", str(folder / DATABASE)))
    protect()

    (status,) = said(tmp_path, f"sqlite:///{folder / DATABASE}", STATUS)
    assert "nothing is missing" in status


@pytest.fixture(scope="module")
def server_database(postgres_url, tmp_path_factory):
    with temporary_database(postgres_url) as url:
        folder = tmp_path_factory.mktemp("server")
        crawl(folder, url)
        yield folder, url
        run_all(postgres_url, f"DROP ROLE IF EXISTS {ROLE}")


@pytest.mark.parametrize("role", [ONLY_SELECT, in_marathon(READS_ONLY)])
def test_a_role_that_may_only_read(server_database, role):
    folder, url = server_database
    run_all(url, *role)
    reader = make_url(url).set(username=ROLE, password=None).render_as_string(hide_password=False)

    commands = (STATUS, *PLANS, EXPORT)
    assert said(folder, reader, *commands) == said(folder, url, *commands)
    run_all(url, f"DROP OWNED BY {ROLE}")


def test_a_table_that_may_not_be_read_is_named_in_one_line(server_database):
    folder, url = server_database
    run_all(url, *ONLY_SELECT, f"REVOKE SELECT ON seed FROM {ROLE}")
    reader = make_url(url).set(username=ROLE, password=None).render_as_string(hide_password=False)

    for command in (STATUS, PLANS[1]):
        run = scrapy(folder, *command, *SANDBOX, TIKTOK_DATABASE_URL=reader)
        assert run.returncode == 78
        assert f"GRANT SELECT ON public.seed TO {ROLE};" in run.stderr
        assert run.stderr.count("\n") == 1
    run_all(url, f"DROP OWNED BY {ROLE}")


def run_all(url, *statements):
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement.format(database=make_url(url).database)))


def videos(path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT count(*) FROM video").fetchone()[0]
