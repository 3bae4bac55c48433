"""Chooses the database and checks that it can be used: URL, engine, schema revision, origin."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError

from tiktok_crawler.clock import utc_now
from tiktok_crawler.exceptions import ConfigurationError, DatabaseAwayError
from tiktok_crawler.spelling import named, visible
from tiktok_crawler.storage.engine import grants, postgresql, sqlite
from tiktok_crawler.storage.engine.open_files import Hold
from tiktok_crawler.storage.engine.outage import explain, is_outage
from tiktok_crawler.storage.engine.revision import HEAD, revision
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.transactions import reading, transaction
from tiktok_crawler.storage.models.column_types import dump_json
from tiktok_crawler.storage.models.ledger import DatabaseOrigin

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import URL, Connection, Engine

# Ten lines about its own parts, as soon as it is imported.
logging.getLogger("alembic").setLevel(logging.WARNING)


DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg2",
    "postgresql": "postgresql+psycopg2",
    "postgresql+psycopg2": "postgresql+psycopg2",
}

URL_HELP = "expected a URL such as sqlite:///tiktok.db or postgresql://user@host/database"


def database_url(url: str) -> URL:
    """Read a database URL; `postgres://` and `postgresql://` mean psycopg2.

    Raises:
        ConfigurationError: it is not one of SQLite or PostgreSQL, or this Python's SQLite is too
            old. The message does not quote the URL, in which a password can stand anywhere.
    """
    try:
        parsed = make_url(url.strip())
    except (ArgumentError, ValueError):
        raise ConfigurationError(f"the database URL cannot be read: {URL_HELP}") from None
    if any("\0" in part for part in (parsed.username, parsed.password, parsed.host) if part):
        raise ConfigurationError(f"the database URL has a NUL in it (%00): {URL_HELP}")
    driver = DRIVERS.get(parsed.drivername)
    if driver is None:
        raise ConfigurationError(f"the database URL is of an unknown kind: {URL_HELP}")
    if driver != "sqlite" and url.count("@") > 1:
        raise ConfigurationError(
            "the database URL has more than one @: inside a user name or password write %40"
        )
    if driver != "sqlite" and not set("@:/").isdisjoint(parsed.database or ""):
        raise ConfigurationError(
            "the database URL of PostgreSQL has two slashes before user and host, and one before "
            "the database: postgresql://user@host/database"
        )
    if driver == "sqlite":
        sqlite.check_version()
        _check_file(parsed, url)
    return parsed.set(drivername=driver)


def _check_file(url: URL, written: str) -> None:
    """Refuse a SQLite URL that names something else than a file, and would be used as another."""
    if url.host or url.username or url.port:
        raise ConfigurationError(
            "the database URL of SQLite has three slashes before the path, four before an absolute "
            "one: sqlite:///tiktok.db or sqlite:////srv/data/tiktok.db"
        )
    if "?" in written:
        raise ConfigurationError(
            "the database URL has a ?, after which SQLite takes nothing here: inside the name of a "
            "file write %3F"
        )
    if (url.database or "").startswith("file:") or "\0" in (url.database or ""):
        raise ConfigurationError(f"the database URL names no file: {URL_HELP}")


def describe(url: URL) -> str:
    """A database in words, without user and password."""
    if url.get_backend_name() == "sqlite":
        return f"SQLite database {named(url.database or sqlite.IN_MEMORY)}"
    host = url.host or url.query.get("host") or "this machine"
    port = f":{url.port}" if url.port else ""
    return f"PostgreSQL database {url.database or 'of the user'} on {host}{port}"


def create_engine_for(url: URL, hold: Hold | None = None) -> Engine:
    """An engine for what `database_url` returns; nothing is opened or made before it is used.

    Engines that share a `hold` use the same file of SQLite, or none.
    """
    is_sqlite = url.get_backend_name() == "sqlite"
    options = sqlite.engine_options(url) if is_sqlite else postgresql.engine_options(url)
    engine = create_engine(url, hide_parameters=True, json_serializer=dump_json, **options)
    if is_sqlite:
        sqlite.configure(engine, hold or Hold())
    else:
        postgresql.configure(engine)
    return engine


@contextmanager
def opened(url: str, hold: Hold | None = None) -> Iterator[Engine]:
    """An engine for a database for a while.

    Raises:
        ConfigurationError: the URL is not one of SQLite or PostgreSQL.
    """
    engine = create_engine_for(database_url(url), hold)
    try:
        yield engine
    finally:
        engine.dispose()


def is_new(engine: Engine) -> bool:
    """Tell whether no crawl has used the database yet. A file that is missing or empty is left so.

    Raises:
        ConfigurationError: the database cannot be reached.
    """
    if engine.dialect.name == "sqlite" and not sqlite.has_content(engine.url):
        return True
    with explained(engine), reading(engine) as connection:
        if connection.dialect.name == "postgresql":
            check_grants(engine.url, grants.to_look(connection))
        found = revision(connection)
        return found is None or (found == HEAD and origin_of(connection) is None)


def stored_origin(engine: Engine) -> str | None:
    """Return the origin of the data in a database to read from; None if no crawl has used it yet.

    Raises:
        ConfigurationError: the database cannot be reached, or has tables of another revision.
    """
    if is_new(engine):
        return None
    with explained(engine), reading(engine) as connection:
        found = revision(connection)
        if found != HEAD:
            raise ConfigurationError(_outdated(str(found)))
        return origin_of(connection)


@contextmanager
def opened_to_read(url: str) -> Iterator[Engine]:
    """An engine for a database that is only read, which may be all that is allowed.

    Raises:
        ConfigurationError: the database cannot be reached, or something in it not be read.
    """
    with opened(url) as engine, explained(engine):
        yield engine


def has_data(engine: Engine, origin: str) -> bool:
    """Tell whether a crawl has used the database, for data of this origin.

    Raises:
        ConfigurationError: it cannot be read, has tables of another revision, or data of another
            origin.
    """
    stored = stored_origin(engine)
    if stored is not None:
        _check_origin(engine, stored, origin)
    return stored is not None


@contextmanager
def reading_data(url: str, origin: str | None = None) -> Iterator[Connection | None]:
    """A connection that reads the data of a database; None if no crawl has used it yet.

    Raises:
        ConfigurationError: it cannot be read, has tables of another revision, or data of another
            origin, if one is given.
    """
    with opened_to_read(url) as engine:
        if not (has_data(engine, origin) if origin else stored_origin(engine)):
            yield None
            return
        with reading(engine) as connection:
            yield connection


def prepare(engine: Engine, origin: str) -> None:
    """Make sure that data of this origin can be stored; an empty database gets its tables.

    Raises:
        ConfigurationError: the database cannot be reached, has tables of another revision or of
            another program, or holds data of another origin.
    """
    if engine.dialect.name == "sqlite":
        sqlite.check_writable(engine.url)
    with explained(engine):
        with reading(engine) as connection:
            if connection.dialect.name == "postgresql":
                postgresql.check_takes_writes(connection)
                check_grants(engine.url, grants.to_write(connection))
                postgresql.check_encoding(connection)
            found = revision(connection)
        if found is None:
            from tiktok_crawler.storage.engine import migrations  # noqa: PLC0415 - slow to load

            migrations.create(engine)
        elif found != HEAD:
            raise ConfigurationError(_outdated(found))
        _claim(engine, origin)


def migrate(engine: Engine, *, stamp: bool = False) -> str:
    """Bring the tables up to date; with `stamp`, only write down that they are.

    Returns:
        What was done, in words.

    Raises:
        ConfigurationError: the database cannot be reached, or has tables that this version cannot
            bring up to date.
    """
    from tiktok_crawler.storage.engine import migrations  # noqa: PLC0415 - slow to load

    with explained(engine):
        _check_may_change(engine)
        if stamp:
            migrations.stamp(engine)
            return f"{describe(engine.url)}: marked as being at revision {HEAD}"
        before = migrations.upgrade(engine)
    if before == HEAD:
        return f"{describe(engine.url)}: up to date at revision {HEAD}"
    return f"{describe(engine.url)}: brought from revision {before or 'none'} to {HEAD}"


def is_outdated(engine: Engine) -> bool:
    """Tell whether a database has tables of another version."""
    with explained(engine), reading(engine) as connection:
        return revision(connection) not in {None, HEAD}


def _check_may_change(engine: Engine) -> None:
    """Refuse to change tables that are another role's, unless there is nothing to change."""
    if engine.dialect.name != "postgresql":
        return
    with reading(engine) as connection:
        check_grants(engine.url, grants.to_tell_revision(connection))
        if revision(connection) == HEAD:
            return
        postgresql.check_takes_writes(connection)
        check_grants(engine.url, grants.to_make_tables(connection))
        if owner := grants.other_owner(connection):
            grant = f", or let an administrator run: {owner.membership};"
            raise ConfigurationError(
                f"{describe(engine.url)} cannot be changed: its tables belong to the role "
                f"{owner.name}. Run the same as that role{grant if owner.membership else ''}"
            )


def check_grants(url: URL, lacking: Sequence[str]) -> None:
    """Refuse a database for which a role lacks grants, with the statements that give them."""
    if lacking:
        raise ConfigurationError(
            f"{describe(url)} cannot be used: the role lacks a grant. Let the owner of the "
            f"database, or an administrator, run: {'; '.join(lacking)};"
        )


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Errors of the database, as long as it is not in use yet, are circumstances of the user's."""
    try:
        yield
    except DBAPIError as exc:
        check_grants(engine.url, grants.after_denial(engine, exc))
        reason = "; ".join(filter(None, (explain(exc, engine.url), sqlite.advice(exc.orig))))
        refusal = DatabaseAwayError if is_outage(exc) else ConfigurationError
        raise refusal(f"{describe(engine.url)} cannot be used: {reason}") from None


def _outdated(found: str) -> str:
    from tiktok_crawler.storage.engine import migrations  # noqa: PLC0415 - slow to load

    if not migrations.is_known(found):
        return migrations.unknown(found)
    return (
        f"the tables have revision {found}, and this version of tiktok_crawler needs {HEAD}: "
        "run `scrapy migrate`"
    )


def _claim(engine: Engine, origin: str) -> None:
    """Write down where the data comes from, once and for all."""
    with reading(engine) as connection:
        stored = origin_of(connection)
    if stored is None:
        stored = transaction(engine, lambda on: _first_origin(on, origin))
    _check_origin(engine, stored, origin)


def _check_origin(engine: Engine, stored: str, origin: str) -> None:
    if stored != origin:
        raise ConfigurationError(
            f"{describe(engine.url)} holds data from {visible(stored)}, which must not be mixed "
            f"with data from {visible(origin)}: use another database (TIKTOK_DATABASE_URL)"
        )


def origin_of(connection: Connection) -> str | None:
    """Return the origin of the data in a database that has its tables."""
    return connection.scalar(select(DatabaseOrigin.origin))


def _first_origin(connection: Connection, origin: str) -> str:
    """Propose an origin, and return the one that was first."""
    proposal = statements_for(connection.dialect).insert_into(DatabaseOrigin.__table__)
    values = {"id": 1, "origin": origin, "created_at": utc_now()}
    connection.execute(proposal.values(values).on_conflict_do_nothing())
    return connection.execute(select(DatabaseOrigin.origin)).scalar_one()
