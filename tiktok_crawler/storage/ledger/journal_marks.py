"""The last deeds of journals that are in the database: a row for each crawl that keeps one.

A deed's transaction has the number of the line that announces it, so that nobody takes a line for
done whose crawl was killed before its deed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from tiktok_crawler.research_api.query import Query
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.models.ledger import CrawlWindow, JournalMark, QueryRow, RunRow, SeedRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from tiktok_crawler.research_api.endpoints import Listing

TABLE = JournalMark.__table__

LONGEST_WRITE = timedelta(minutes=1)
"""A line is written so long after the time of its deed, at most."""


def set_mark(connection: Connection, journal: str, line: int) -> None:
    """Write down that the deed of a line is done, if this transaction is."""
    row = statements_for(connection.dialect).insert_into(TABLE).values(journal=journal, line=line)
    upsert = row.on_conflict_do_update(index_elements=[TABLE.c.journal], set_={"line": line})
    connection.execute(upsert)


def marks(connection: Connection) -> dict[str, int]:
    """Read the last line done of each journal that is not known to be complete."""
    rows = connection.execute(select(TABLE.c.journal, TABLE.c.line))
    return {row.journal: row.line for row in rows}


def done_until(connection: Connection, subject: Query | Listing | None = None) -> datetime | None:
    """Read the latest time of a run, or of a query's windows, by the clocks of whoever set it.

    Without a subject, that of any window or seed counts as well.
    """
    of_runs = select(func.max(RunRow.begun_at), func.max(RunRow.ended_at))
    times = list(connection.execute(of_runs).one())
    of_windows = select(func.max(CrawlWindow.updated_at))
    if isinstance(subject, Query):
        is_of_it = QueryRow.fingerprint == subject.fingerprint
        times.append(connection.scalar(of_windows.join(QueryRow).where(is_of_it)))
    elif subject is None:
        of_seeds = select(func.max(SeedRow.updated_at))
        times += (connection.scalar(of_windows), connection.scalar(of_seeds))
    return max(filter(None, times), default=None)


def behind(changed_at: datetime | None, now: datetime) -> datetime:
    """Return a time behind all lines about what was done by then: `now`, unless clocks differ."""
    return changed_at + LONGEST_WRITE if changed_at and changed_at > now else now


def drop_mark(connection: Connection, journal: str) -> None:
    """Forget a journal that is complete."""
    connection.execute(delete(TABLE).where(TABLE.c.journal == journal))
