"""Opens a PostgreSQL database: in UTC, under a name, and without waiting for ever."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from configparser import Error, RawConfigParser
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from select import select
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from sqlalchemy import event, text

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.storage.engine.transactions import (
    FLUSHED_LATER,
    PAUSES_SECONDS,
    READS_ONLY,
    WAITS_SECONDS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from psycopg2.extensions import connection as DriverConnection  # noqa: N812 - a class
    from psycopg2.extensions import cursor as DriverCursor  # noqa: N812 - a class
    from sqlalchemy import URL, Connection, Engine, ExceptionContext
    from sqlalchemy.engine import ExecutionContext

APPLICATION = "tiktok_crawler"
CONNECT_SECONDS = 10
KEEPALIVE_SECONDS = 60
UNANSWERED_MILLISECONDS = 10_000
"""The lifetime of a connection while the network loses what is sent on it."""
HOST_CHARACTERS = 40
"""PostgreSQL cuts the name of an application at 63."""

READY = 1
"""The status of psycopg2's connection (STATUS_READY) until the first statement of a transaction."""

POLL_OK, POLL_READ, POLL_WRITE = range(3)
"""What a connection of psycopg2's has to wait for."""

_is_interruptible = ContextVar("is_interruptible", default=False)

READ_ONLY = "25006"
"""read_only_sql_transaction, as on a standby."""


def engine_options(url: URL) -> dict[str, Any]:
    """Return the options for `create_engine`."""
    return {
        # A server that was restarted between two pages costs nothing.
        "pool_pre_ping": True,
        # What waits for a lock sees afterwards what its holder has done, whatever the default is.
        "isolation_level": "READ COMMITTED",
        "connect_args": {
            "application_name": application_name(),
            "client_encoding": "utf8",
            "connect_timeout": CONNECT_SECONDS,
            # A session that waits for the next day's quota must not be forgotten on the way.
            "keepalives_idle": KEEPALIVE_SECONDS,
            "tcp_user_timeout": UNANSWERED_MILLISECONDS,
        }
        | _tls(url),
    }


def _tls(url: URL) -> dict[str, str]:
    """Ask for TLS of a server on another machine, unless something else is said anywhere.

    Otherwise the password would go in clear text to whoever answers there without TLS.
    """
    service = _service(_text(url.query.get("service")) or os.environ.get("PGSERVICE", ""))

    def said(name: str) -> str:
        return (
            _text(url.query.get(name))
            or service.get(name, "")
            or os.environ.get(f"PG{name.upper()}", "")
        )

    if said("sslmode") or said("requiressl"):
        return {}
    # A host behind the ? takes the place of the one before it.
    hosts = said("hostaddr") or _text(url.query.get("host")) or url.host or said("host")
    return {} if all(map(_is_this_machine, hosts.split(","))) else {"sslmode": "require"}


def _text(value: str | tuple[str, ...] | None) -> str:
    return ",".join(value) if isinstance(value, tuple) else value or ""


def _service(name: str) -> Mapping[str, str]:
    """What PostgreSQL's service file says under a name; of a file that cannot be read, nothing."""
    named = os.environ.get("PGSERVICEFILE") or Path.home() / ".pg_service.conf"
    common = Path(os.environ.get("PGSYSCONFDIR", "/etc/postgresql-common"), "pg_service.conf")
    for path in (named, common) if name else ():
        found = RawConfigParser(delimiters=("=",), allow_no_value=True, strict=False)
        try:
            found.read(path, encoding="utf-8")
        except (Error, UnicodeDecodeError):
            continue
        if found.has_section(name):
            return {key: value or "" for key, value in found[name].items()}
    return {}


def _is_this_machine(written: str) -> bool:
    """Tell whether a host is a socket, or leads to this machine; beside it may stand a port."""
    host = unquote(written).strip()
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("", "localhost") or host.startswith(("/", "@"))


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C end what waits for a server; else the driver would not hear of it meanwhile.

    The driver is slow to load: it is asked for this when there is a server.
    """
    before = _is_interruptible.set(True)
    try:
        yield
    finally:
        _is_interruptible.reset(before)
        if driver := sys.modules.get("psycopg2.extensions"):
            driver.set_wait_callback(None)


def _before_connect(*_given: object) -> None:
    if _is_interruptible.get():
        sys.modules["psycopg2.extensions"].set_wait_callback(_wait)


def _wait(connection: DriverConnection) -> None:
    """Wait for the server; what it does for whoever waits no longer, it stops."""
    ready = {POLL_READ: ([connection], []), POLL_WRITE: ([], [connection])}
    try:
        while (state := connection.poll()) != POLL_OK:
            select(*ready[state], [])
    except KeyboardInterrupt:
        connection.cancel()
        raise


def application_name() -> str:
    """Return this process's name for other sessions, which are told that it holds a lock."""
    host = socket.gethostname().encode("ascii", "replace").decode()
    return f"{APPLICATION} {host[:HOST_CHARACTERS]} {os.getpid()}"


def configure(engine: Engine) -> None:
    """Prepare each connection that the engine makes."""
    event.listen(engine, "do_connect", _before_connect)
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "do_execute", _execute)
    event.listen(engine, "do_executemany", _execute_many)
    event.listen(engine, "handle_error", _on_error)


def _execute(
    cursor: DriverCursor, statement: str, parameters: Any, context: ExecutionContext
) -> bool:
    """Send a transaction's settings with its first statement: they take no time of their own.

    Returns:
        Whether the statement was executed here.
    """
    settings = _settings(cursor, context)
    if settings:
        cursor.execute(settings + statement, parameters)
    return bool(settings)


def _execute_many(
    cursor: DriverCursor, _statement: str, _parameters: Any, context: ExecutionContext
) -> None:
    if settings := _settings(cursor, context):
        cursor.execute(settings)


def _settings(cursor: DriverCursor, context: ExecutionContext) -> str:
    """What the transaction that begins demands, as statements; nothing later on."""
    options = context.root_connection.get_execution_options()
    if cursor.connection.status != READY or options.get(READS_ONLY):
        return ""
    wanted = {
        "synchronous_commit": "off" if options.get(FLUSHED_LATER) else None,
        "lock_timeout": _seconds(options.get(WAITS_SECONDS)),
        "idle_in_transaction_session_timeout": _seconds(options.get(PAUSES_SECONDS)),
    }
    return "".join(f"SET LOCAL {name} TO '{value}'; " for name, value in wanted.items() if value)


def _seconds(number: float | None) -> str | None:
    return f"{number}s" if number else None


def _on_connect(connection: DriverConnection, _record: object) -> None:
    """Set the session's time zone, outside of a transaction that could be rolled back."""
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
    connection.autocommit = False


def _on_error(context: ExceptionContext) -> None:
    """Let go of all connections to a server that takes no writes any more: it gave way to another.

    That one is found by connecting anew.
    """
    if getattr(context.original_exception, "pgcode", None) == READ_ONLY:
        context.is_disconnect = True


def check_takes_writes(connection: Connection) -> None:
    """Refuse a database that can only be read.

    Raises:
        ConfigurationError: with the way out.
    """
    if connection.scalar(text("SELECT pg_is_in_recovery()")):
        raise ConfigurationError(
            "the PostgreSQL server is a standby, which can only be read: name the primary one "
            "(TIKTOK_DATABASE_URL)"
        )
    if connection.scalar(text("SHOW transaction_read_only")) == "on":
        role = connection.scalar(text("SELECT quote_ident(current_user)"))
        raise ConfigurationError(
            "the PostgreSQL server lets the role only read, since default_transaction_read_only is "
            f"on. Let an administrator run: ALTER ROLE {role} SET default_transaction_read_only = "
            "off;"
        )


def check_encoding(connection: Connection) -> None:
    """Refuse a database that cannot hold all text.

    Raises:
        ConfigurationError: its encoding is not UTF8.
    """
    encoding = connection.scalar(text("SHOW server_encoding"))
    if encoding != "UTF8":
        raise ConfigurationError(
            f"the database has the encoding {encoding}, which cannot hold what the API delivers: "
            "create one with ENCODING 'UTF8' TEMPLATE template0"
        )
