"""A role of PostgreSQL that lacks a grant is told the statement that gives it, and no other one."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from os import EX_CONFIG, EX_OK
from pathlib import Path

import pytest
from crawling import exit_status
from listing_crawls import ListingDatabase
from postgres_server import temporary_database
from processes import scrapy
from sandboxes import recording_sandbox
from scrapy.utils.defer import deferred_f_from_coro_f
from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool
from stored_pages import Search, video

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.planning.checks import RemovalReason
from tiktok_crawler.planning.seeds import GivenSeeds, Stage
from tiktok_crawler.research_api.endpoints import USERS
from tiktok_crawler.storage.deletion.deletion import (
    Cause,
    delete_users,
    delete_videos,
    say_nothing,
)
from tiktok_crawler.storage.deletion.disk import check_may_delete
from tiktok_crawler.storage.deletion.selecting import of_tag
from tiktok_crawler.storage.deletion.take_back import HeldQueries
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.transfer import transfer
from tiktok_crawler.storage.ledger.status import read_status
from tiktok_crawler.storage.stage_session import StageSession, look_up_stage

NOW = datetime(2024, 6, 1, tzinfo=UTC)
USERS_STAGE = Stage(USERS, GivenSeeds(("ann",)), None, None)


@dataclass
class Server:
    """A database, and statements that its administrator runs."""

    url: str

    def run(self, *statements: str) -> None:
        engine = create_engine(self.url, poolclass=NullPool)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def url_of(self, role: str) -> str:
        return make_url(self.url).set(username=role).render_as_string(hide_password=False)


@pytest.fixture
def server(postgres_url):
    with temporary_database(postgres_url) as url:
        yield Server(url)


@pytest.fixture
def prepared(postgres_url, postgresql_template):
    """A database with tables of the administrator's."""
    with temporary_database(postgres_url, f"TEMPLATE {postgresql_template}") as url:
        yield Server(url)


@pytest.fixture(params=['Ann-Marie "A"'])
def role(postgres_url, request):
    """A role without any grant of its own."""
    name = f"{request.param}{uuid.uuid4().hex}"
    Server(postgres_url).run(f"CREATE ROLE {quoted(name)} LOGIN")
    yield name
    Server(postgres_url).run(f"DROP ROLE {quoted(name)}")


def quoted(name: str) -> str:
    return name if re.fullmatch(r"[a-z0-9_]+", name) else '"' + name.replace('"', '""') + '"'


def using(url, use):
    with database.opened(url) as engine:
        return use(engine)


def status(url):
    return read_status(url, lambda *_: pytest.fail("there is no query"), NOW)


def plan(url):
    return look_up_stage(url, "sandbox", USERS_STAGE, NOW)


def crawl(url):
    return using(url, lambda engine: database.prepare(engine, "sandbox"))


def crawl_users(url):
    session = StageSession(url, origin="sandbox", stage=USERS_STAGE, tags=(), account=None)
    try:
        session.open()
        return session.plan(NOW)
    finally:
        session.release()


def migrate(url):
    return using(url, database.migrate)


def refusal(use, url) -> str:
    with pytest.raises(ConfigurationError) as refused:
        use(url)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def lacking(use, url) -> list[str]:
    """The statements of the refusal."""
    message = refusal(use, url)
    assert " run: " in message, message
    return message.split(" run: ")[1].removesuffix(";").split("; ")


@pytest.mark.slow
@pytest.mark.parametrize("role", ["ann", 'Ann-Marie "A"'], indirect=True)
def test_a_role_that_may_not_make_tables_is_told_the_grant_and_then_makes_them(role, server):
    grants = lacking(crawl, server.url_of(role))
    assert grants == [f"GRANT CREATE ON SCHEMA public TO {quoted(role)}"]
    assert lacking(migrate, server.url_of(role)) == grants
    assert status(server.url_of(role)).origin is None
    server.run(*grants)
    crawl(server.url_of(role))
    assert status(server.url_of(role)).origin == "sandbox"


@pytest.mark.parametrize("use", [status, plan, crawl, migrate])
def test_a_schema_that_may_not_be_looked_into_is_not_taken_for_an_empty_one(role, prepared, use):
    prepared.run("REVOKE USAGE ON SCHEMA public FROM PUBLIC")
    first, *_ = lacking(use, prepared.url_of(role))
    assert first == f"GRANT USAGE ON SCHEMA public TO {quoted(role)}"


@pytest.mark.slow
@pytest.mark.parametrize("privileges", ["CREATE", "USAGE, CREATE"])
def test_a_copy_into_a_new_database_needs_to_make_tables(
    role, server, prepared_sqlite_url, privileges
):
    if "USAGE" in privileges:
        server.run("REVOKE USAGE ON SCHEMA public FROM PUBLIC")

    def copy(url):
        with database.opened(prepared_sqlite_url) as source, database.opened(url) as target:
            return list(transfer(source, target, lambda *_: None))

    grants = lacking(copy, server.url_of(role))
    assert grants == [f"GRANT {privileges} ON SCHEMA public TO {quoted(role)}"]
    server.run(*grants)
    assert copy(server.url_of(role))


def test_a_new_database_of_which_nothing_may_be_used_is_one_grant(role, server):
    server.run("REVOKE USAGE ON SCHEMA public FROM PUBLIC")
    grants = lacking(crawl, server.url_of(role))
    assert grants == [f"GRANT USAGE, CREATE ON SCHEMA public TO {quoted(role)}"]
    server.run(*grants)
    crawl(server.url_of(role))


@pytest.mark.parametrize("use", [status, plan])
def test_who_only_reads_needs_no_more_than_select(role, prepared, use):
    grants = lacking(use, prepared.url_of(role))
    assert grants == [f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {quoted(role)}"]
    prepared.run(*grants)
    use(prepared.url_of(role))


@pytest.mark.parametrize("use", [status, plan])
def test_of_tables_that_may_not_be_read_those_are_named_that_are_needed(role, prepared, use):
    prepared.run(
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {quoted(role)}",
        f"REVOKE SELECT ON seed, shop, video_statistics_daily FROM {quoted(role)}",
    )
    grants = lacking(use, prepared.url_of(role))
    assert grants == [f"GRANT SELECT ON public.seed TO {quoted(role)}"]
    prepared.run(*grants)
    use(prepared.url_of(role))


ONE_LACKING = {
    "UPDATE ON video": "UPDATE ON public.video",
    "SELECT, INSERT ON video": "SELECT, INSERT ON public.video",
    "INSERT ON crawl, run": "INSERT ON public.crawl, public.run",
    "DELETE ON window_day": "DELETE ON public.window_day",
    "USAGE ON SEQUENCE run_id_seq": "USAGE ON SEQUENCE public.run_id_seq",
}
NOT_NEEDED = (
    "DELETE ON video",
    "UPDATE ON hashtag",
    "INSERT ON alembic_version",
    "SELECT ON video_statistics_daily",
)


def test_who_crawls_is_told_what_alone_is_missing(role, prepared):
    crawl_needs_everything(prepared, role)
    for revoked, grant in ONE_LACKING.items():
        prepared.run(f"REVOKE {revoked} FROM {quoted(role)}")
        grants = lacking(crawl, prepared.url_of(role))
        assert grants == [f"GRANT {grant} TO {quoted(role)}"]
        prepared.run(*grants)


def test_who_crawls_needs_no_right_that_is_not_used(role, prepared):
    crawl_needs_everything(prepared, role)
    for revoked in NOT_NEEDED:
        prepared.run(f"REVOKE {revoked} FROM {quoted(role)}")
        crawl(prepared.url_of(role))


def crawl_needs_everything(prepared, role):
    """Of a role that has nothing, one message has all that a crawl needs."""
    grants = lacking(crawl, prepared.url_of(role))
    assert all(each.endswith(f" TO {quoted(role)}") for each in grants)
    prepared.run(*grants)
    crawl(prepared.url_of(role))


def test_other_programs_tables_in_the_schema_are_not_granted(role, prepared):
    prepared.run("CREATE TABLE payroll (id INTEGER)")
    for grant in lacking(crawl, prepared.url_of(role)):
        assert "ALL TABLES" not in grant
        assert "payroll" not in grant
        prepared.run(grant)
    crawl(prepared.url_of(role))


@pytest.mark.parametrize("name", ['"Tik Tok"', '"Sch ""1"""', '"a, b"'])
def test_a_schema_of_another_name_is_named(role, server, name):
    path = f"ALTER ROLE {quoted(role)} SET search_path = {name}, public"
    server.run(f"CREATE SCHEMA {name}", path)
    server.run(f"GRANT USAGE ON SCHEMA {name} TO {quoted(role)}")
    grants = lacking(crawl, server.url_of(role))
    assert grants == [f"GRANT CREATE ON SCHEMA {name} TO {quoted(role)}"]
    server.run(*grants)
    crawl(server.url_of(role))


def test_a_schema_is_found_as_the_server_finds_it(role, server):
    server.run(f"CREATE SCHEMA TikTok AUTHORIZATION {quoted(role)}")
    crawl(f"{server.url_of(role)}&options=-csearch_path%3DTikTok,public")


def test_nothing_needs_temporary_tables(role, prepared):
    crawl_needs_everything(prepared, role)
    prepared.run(f"REVOKE TEMPORARY ON DATABASE {make_url(prepared.url).database} FROM PUBLIC")
    for use in (crawl, status, plan, crawl_users):
        use(prepared.url_of(role))


@pytest.mark.parametrize("use", [status, plan, crawl, migrate])
def test_a_role_that_is_not_let_into_the_database_is_told_so(role, server, use):
    name = make_url(server.url).database
    server.run(f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")
    grants = lacking(use, server.url_of(role))
    assert grants == [f"GRANT CONNECT ON DATABASE {name} TO {quoted(role)}"]
    server.run(*grants)


def test_tables_are_brought_up_to_date_by_their_owner(role, server):
    server.run("CREATE ROLE owner_of_tables LOGIN", "GRANT CREATE ON SCHEMA public TO PUBLIC")
    try:
        crawl(server.url_of("owner_of_tables"))
        server.run(f"GRANT SELECT ON alembic_version TO {quoted(role)}")
        assert "up to date" in migrate(server.url_of(role))
        server.run("UPDATE alembic_version SET version_num = '0101'")
        assert "belong to the role owner_of_tables" in refusal(migrate, server.url_of(role))
        grants = lacking(migrate, server.url_of(role))
        assert grants == [f"GRANT owner_of_tables TO {quoted(role)}"]
    finally:
        server.run("DROP OWNED BY owner_of_tables", "DROP ROLE owner_of_tables")


def test_a_role_that_may_only_read_is_told_how_to_write(role, prepared):
    crawl_needs_everything(prepared, role)
    prepared.run(f"ALTER ROLE {quoted(role)} SET default_transaction_read_only = on")
    status(prepared.url_of(role))
    assert "up to date" in migrate(prepared.url_of(role))
    statements = lacking(crawl, prepared.url_of(role))
    assert statements == [f"ALTER ROLE {quoted(role)} SET default_transaction_read_only = off"]
    prepared.run(*statements)
    crawl(prepared.url_of(role))


def test_to_be_told_that_tables_are_up_to_date_takes_one_table(role, prepared):
    grants = lacking(migrate, prepared.url_of(role))
    assert grants == [f"GRANT SELECT ON public.alembic_version TO {quoted(role)}"]
    prepared.run(*grants)
    assert "up to date" in migrate(prepared.url_of(role))


def test_who_has_nothing_is_told_it_in_few_words(role, prepared):
    assert lacking(crawl, prepared.url_of(role)) == [
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO " + quoted(role),
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO " + quoted(role),
    ]


def test_nobody_is_told_to_become_a_superuser(role, prepared):
    prepared.run(
        f"GRANT SELECT ON alembic_version TO {quoted(role)}",
        f"GRANT CREATE ON SCHEMA public TO {quoted(role)}",
        "UPDATE alembic_version SET version_num = '0101'",
    )
    message = refusal(migrate, prepared.url_of(role))
    assert "Run the same as that role" in message
    assert "GRANT" not in message


@pytest.mark.parametrize(
    "command",
    [
        ("crawl", "videos", "-a", "query=query.yaml"),
        ("crawl", "users", "-a", "usernames=ann"),
        ("plan", "query.yaml"),
        ("plan", "users", "-a", "from_tag=example"),
        ("status",),
        ("migrate",),
    ],
    ids=" ".join,
)
def test_every_command_says_it_in_one_line_with_status_78(role, server, folder, command):
    server.run("REVOKE USAGE ON SCHEMA public FROM PUBLIC")
    variables = {"TIKTOK_DATABASE_URL": server.url_of(role), "TIKTOK_SANDBOX": "1"}
    run = scrapy(folder.path, *command, **variables)
    assert run.returncode == 78
    last = run.stderr.splitlines()[-1]
    assert last.startswith("error: PostgreSQL database")
    assert f"ON SCHEMA public TO {quoted(role)};" in last
    assert "Traceback" not in run.stderr
    assert "SELECT" not in last


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_a_crawl_needs_nothing_that_its_refusal_does_not_name(role, prepared, folder):
    # Another grant keeps the tables from being told as one, so that each has what it needs alone.
    prepared.run(f"GRANT SELECT ON shop TO {quoted(role)}")
    crawl_needs_everything(prepared, role)
    with recording_sandbox() as (_, url):
        theirs = ListingDatabase(prepared.url_of(role), url)
        archived = {"TIKTOK_ARCHIVE": str(folder.path / "archive")}
        crawler = await theirs.crawl("videos", archived, query=str(folder.query_file))
        assert exit_status(crawler) == EX_OK
        of_query = {"from_query": str(folder.query_file), "max_seeds": "1"}
        for spider in ("comments", "users", "playlists"):
            assert exit_status(await theirs.crawl(spider, **of_query)) == EX_OK, spider
        assert exit_status(await theirs.crawl("products", shop_names="a")) == EX_OK


@deferred_f_from_coro_f
async def test_checks_that_are_to_delete_begin_only_where_they_may(role, prepared, caplog):
    prepared.run(f"GRANT SELECT ON shop TO {quoted(role)}")  # so that no grant is of all tables
    crawl_needs_everything(prepared, role)
    deletes = {"TIKTOK_ON_GONE": "delete"}
    with recording_sandbox() as (_, url):
        theirs = ListingDatabase(prepared.url_of(role), url)
        assert exit_status(await theirs.crawl("compliance")) == EX_OK
        assert exit_status(await theirs.crawl("compliance", deletes)) == EX_CONFIG
        (told,) = [each.getMessage() for each in caplog.records if "DELETE ON" in each.getMessage()]
        prepared.run(told.partition("run: ")[2])
        assert exit_status(await theirs.crawl("compliance", deletes)) == EX_OK


def test_the_documented_grants_are_enough_to_read(role, prepared):
    document = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    (statements,) = re.findall(r"```sql\n(GRANT .*?)```", document, re.DOTALL)
    prepared.run(statements.replace("colleague", quoted(role)))
    assert status(prepared.url_of(role)).origin == "sandbox"
    plan(prepared.url_of(role))
    prepared.run("CREATE TABLE later (id INTEGER)")
    Server(prepared.url_of(role)).run("SELECT id FROM later")


def test_who_deletes_is_told_what_that_takes(prepared, role, tmp_path):
    prepared.run(
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {quoted(role)}",
        f"REVOKE SELECT ON shop FROM {quoted(role)}",  # so that no grant is of all tables
    )
    with Search(prepared.url, tags=("t",)) as run:
        run.ask(run.first(), video(1), video(2))
    asked = Cause(RemovalReason.ASKED, archives=(tmp_path,))
    with database.opened(prepared.url_of(role)) as engine:
        with pytest.raises(ConfigurationError, match="DELETE ON") as refused:
            check_may_delete(engine)
        statements = str(refused.value).partition("run: ")[2]
        sequences = "public.removal_id_seq, public.worker_id_seq"
        assert f"GRANT USAGE ON SEQUENCE {sequences} TO {quoted(role)};" in statements
        prepared.run(statements)
        check_may_delete(engine)
        with HeldQueries(engine) as held:
            selected = held.select(lambda on: of_tag(on, "t"))
            held.take_back(selected, NOW)
        delete_videos(engine, selected.videos, asked, NOW, say_nothing)
        removed = delete_users(engine, ["ann"], asked, NOW, say_nothing)
    assert (len(selected.videos), removed.records) == (2, 0)
    prepared.run(f"DROP OWNED BY {quoted(role)}")
