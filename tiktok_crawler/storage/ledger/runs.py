"""The runs of a database: when, what with, how each ended, what it spent and met."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from datetime import timedelta
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from tiktok_crawler.storage.engine.text import clean_text
from tiktok_crawler.storage.engine.transactions import transaction
from tiktok_crawler.storage.models.ledger import RunRow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection, Engine

RECENT = timedelta(days=5)
KIND_DIGITS = 16


@dataclass(frozen=True, slots=True)
class RunStart:
    """The start of a run: its spider and arguments, and Scrapyd's name for it.

    None of it may hold a secret.
    """

    spider: str
    arguments: Mapping[str, str]
    job: str | None = None


@dataclass(frozen=True, slots=True)
class RunEnd:
    """The end of a run: `faults` counts troubles by kind, `feeds` are those written."""

    close_reason: str
    exit_status: int
    requests: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)
    feeds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run of a database; one that is still running, or was killed, has no end.

    Those of one spider with the same arguments are of one `kind`.
    """

    kind: str
    spider: str
    job: str | None
    begun_at: datetime
    ended_at: datetime | None
    close_reason: str | None
    exit_status: int | None
    requests: int


def begin_run(engine: Engine, start: RunStart, now: datetime) -> int:
    """Write down that a run has begun; its id."""
    arguments = {name: clean_text(value) for name, value in start.arguments.items()}
    run = insert(RunRow).values(
        spider=start.spider,
        arguments=arguments,
        job=clean_text(start.job),
        version=version(),
        begun_at=now,
    )
    returning = run.returning(RunRow.id)
    return transaction(engine, lambda on: on.execute(returning).scalar_one())


def end_run(engine: Engine, run_id: int, end: RunEnd, now: datetime) -> None:
    """Write down how a run ended; what is known later replaces it."""
    values = asdict(end) | {"feeds": list(end.feeds), "ended_at": now}
    run = update(RunRow).where(RunRow.id == run_id).values(values)
    transaction(engine, lambda on: on.execute(run))


def outputs_of_runs(connection: Connection) -> list[str]:
    """Name the feeds that runs have written, each once."""
    runs = connection.execute(select(RunRow.feeds, RunRow.exports).order_by(RunRow.id))
    return list(dict.fromkeys(name for feeds, exports in runs for name in (*feeds, *exports)))


def recent_runs(connection: Connection) -> tuple[PastRun, ...]:
    """Read the last run and those of some days before it, the last one first."""
    last = connection.scalar(select(func.max(RunRow.begun_at)))
    if last is None:
        return ()
    columns = (getattr(RunRow, each.name) for each in fields(PastRun)[1:])
    recent = select(RunRow.arguments, *columns).where(RunRow.begun_at >= last - RECENT)
    rows = connection.execute(recent.order_by(RunRow.begun_at.desc(), RunRow.id.desc()))
    return tuple(PastRun(_kind(row[0], arguments), *row) for arguments, *row in rows)


def _kind(spider: str, arguments: Mapping[str, str]) -> str:
    """Tell runs of other arguments apart, which may name persons."""
    text = json.dumps([spider, arguments], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:KIND_DIGITS]


@cache
def version() -> str:
    """The version of this package."""
    return metadata.version("tiktok-crawler")
