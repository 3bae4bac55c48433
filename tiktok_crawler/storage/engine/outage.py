"""Tells errors of a database that is away for now from errors of the program."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from sqlalchemy import URL

SQLITE_OUTAGES = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)

NO_TLS = "SSL was required"

NO_TLS_HELP = (
    "; ask those who run the server to switch TLS on. ?sslmode=prefer at the end of the "
    "database URL goes without: then everybody on the way can read the password and all data"
)

POSTGRESQL_OUTAGES = ("08", "25P03", "25P04", "40", "53", "55P03", "57", "58")
"""Beginnings of the SQLSTATE: connection exception, a transaction that paused or took too long, one
that others stopped however often it was tried, insufficient resources (a full disk is one), a lock
that others have, operator intervention (the server shuts down or starts up, or a statement took too
long), system error."""


def is_outage(error: BaseException) -> bool:
    """Tell whether the same may succeed later: the database is away or busy, or its disk full."""
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        return (getattr(error.orig, "sqlite_errorcode", 0) & 0xFF) in SQLITE_OUTAGES
    code = getattr(error.orig, "pgcode", None)
    # A server that cannot be reached, or that is gone, sends no code.
    return error.connection_invalidated or (
        code.startswith(POSTGRESQL_OUTAGES) if code else _is_operational(error)
    )


def _is_operational(error: DBAPIError) -> bool:
    return type(error.orig).__name__ in {"OperationalError", "InterfaceError"}


def explain(error: DBAPIError, url: URL) -> str:
    """The driver's words for an error, on one line and without a password."""
    reason = " ".join(str(error.orig).split())
    # The drivers do not quote passwords; should they begin to, nobody sees it.
    password = re.escape(url.password or "")
    shown = re.sub(rf"(?<!\w){password}(?!\w)", "***", reason) if password else reason
    return shown + NO_TLS_HELP if NO_TLS in reason else shown
