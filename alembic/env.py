"""Runs migrations: on the connection that it is given, or on the database of the crawls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.storage.engine.database import create_engine_for, database_url
from tiktok_crawler.storage.engine.migrations import CONNECTION, exclusively
from tiktok_crawler.storage.models import METADATA

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine


def configured_url() -> URL:
    """The URL in alembic.ini, else that of the crawls, from the environment or the settings."""
    return database_url(context.config.get_main_option("sqlalchemy.url") or url_of_settings())


def url_of_settings() -> str:
    from scrapy.utils.project import get_project_settings  # noqa: PLC0415 - the last resort

    from tiktok_crawler.config import database_url as url_of_crawls  # noqa: PLC0415 - likewise

    return url_of_crawls(get_project_settings())


def run_on(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        compare_type=True,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


def run_on_engine(engine: Engine) -> None:
    with exclusively(engine) as connection:
        run_on(connection)


def print_sql() -> None:
    """What `--sql` asks for: the statements instead of their effects."""
    context.configure(url=configured_url(), target_metadata=METADATA, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def run() -> None:
    given = context.config.attributes.get(CONNECTION)
    if context.is_offline_mode():
        print_sql()
    elif isinstance(given, Connection):
        run_on(given)
    else:
        run_on_engine(given or create_engine_for(configured_url()))


try:
    run()
except ConfigurationError as exc:
    raise CommandError(str(exc)) from exc
