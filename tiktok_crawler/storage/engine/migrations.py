"""Runs the migrations, in one process at a time. Imported when needed: Alembic is slow to load."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, inspect, select

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.shipped import shipped
from tiktok_crawler.spelling import shortened, visible
from tiktok_crawler.storage.engine.revision import HEAD, UNRELEASED, revision
from tiktok_crawler.storage.models import METADATA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

ADVISORY_LOCK = 0x74696B746F6B
"""PostgreSQL's lock for changes of the schema. Queries have other numbers."""

CONNECTION = "connection"
"""The attribute of Alembic's configuration in which alembic/env.py finds a connection."""

FOREIGN = ("remove_table", "remove_index")
"""Differences from the models that are the user's own additions."""


@contextmanager
def exclusively(engine: Engine) -> Iterator[Connection]:
    """A transaction in which nobody else changes the schema."""
    with engine.connect() as connection, _without_foreign_keys(connection), connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(ADVISORY_LOCK)))
        yield connection
        _check_foreign_keys(connection)


def create(engine: Engine) -> None:
    """Create the tables of an empty database, unless another process has just done so."""
    with exclusively(engine) as connection:
        if revision(connection) is None:
            upgrade_in(connection)


def upgrade(engine: Engine) -> str | None:
    """Bring the tables up to date, and return the revision that they had before."""
    with exclusively(engine) as connection:
        before = revision(connection)
        if before is not None and not is_known(before):
            raise ConfigurationError(unknown(before))
        upgrade_in(connection)
        return before


def stamp(engine: Engine) -> None:
    """Write down that tables without a revision are up to date.

    Raises:
        ConfigurationError: they have a revision, or they are other tables.
    """
    with exclusively(engine) as connection:
        before = revision(connection)
        if before is not None:
            raise ConfigurationError(f"the tables have a revision already: {shortened(before)}")
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = [
            text
            for text in map(_describe, compare_metadata(context, METADATA))
            if not text.startswith(FOREIGN)
        ]
        if differences:
            raise ConfigurationError(
                f"the tables are not those of revision {HEAD}, and cannot be marked as such; "
                f"what it would take: {visible('; '.join(differences))}"
            )
        command.stamp(_config(connection), "head")


def is_known(revision: str) -> bool:
    """Tell whether this version has the script of a revision."""
    scripts = ScriptDirectory.from_config(_config())
    return any(script.revision == revision for script in scripts.walk_revisions())


def unknown(revision: str) -> str:
    """Explain to the user a revision that this version does not know."""
    if revision in UNRELEASED:
        return (
            f"the database was made by a version of tiktok_crawler that was never released "
            f"(revision {revision}), and cannot be brought up to date: start a new one "
            "(TIKTOK_DATABASE_URL)"
        )
    return (
        f"the tables have revision {shortened(revision)}, which this version of tiktok_crawler "
        "does not know: update it with `pip install --upgrade tiktok-crawler`, then run `scrapy "
        "migrate`"
    )


def upgrade_in(connection: Connection) -> None:
    """Bring the tables up to date in the transaction of a connection (`exclusively`)."""
    ours = set(inspect(connection).get_table_names()).intersection(METADATA.tables)
    if revision(connection) is None and ours:
        raise ConfigurationError(
            f"the database has tables of these names already, without a revision: "
            f"{', '.join(sorted(ours))}. If this program made them, run `scrapy migrate --stamp`; "
            "if not, use another database (TIKTOK_DATABASE_URL)"
        )
    command.upgrade(_config(connection), "head")


def _config(connection: Connection | None = None) -> Config:
    config = Config(attributes={CONNECTION: connection})
    # Blanks in it would separate folders, and % begins a placeholder.
    config.set_main_option("path_separator", "os")
    config.set_main_option("script_location", str(shipped("alembic")).replace("%", "%%"))
    return config


def _describe(difference: Any) -> str:
    """One of Alembic's differences: what it would do to remove it, and to what."""
    while isinstance(difference, list):
        difference = difference[0]
    names = (getattr(part, "name", part) for part in difference[1:4])
    return " ".join([difference[0], *(name for name in names if isinstance(name, str))])


@contextmanager
def _without_foreign_keys(connection: Connection) -> Iterator[None]:
    """SQLite changes a table by replacing it, which foreign keys forbid; the switch comes first."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def _check_foreign_keys(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken:
            raise RuntimeError(f"the migration broke a foreign key of {broken[0]}")
