"""What is known of the seeds of a listing: a row each, and how far it has come.

The pages, and the checkpoints that are committed with them, are the list store's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, func, or_, select, true, update

from tiktok_crawler.exceptions import QueryLockedError
from tiktok_crawler.planning.task_states import SeedState
from tiktok_crawler.research_api.listings import USERS
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.text import clean_text
from tiktok_crawler.storage.engine.transactions import reading, transaction
from tiktok_crawler.storage.ledger import quota
from tiktok_crawler.storage.ledger.unfinished import Unfinished
from tiktok_crawler.storage.listing_records import refused_user
from tiktok_crawler.storage.models.base import UserStatus
from tiktok_crawler.storage.models.column_types import time_text
from tiktok_crawler.storage.models.ledger import Crawl, Seed
from tiktok_crawler.storage.records.record_type import USER
from tiktok_crawler.storage.records.stored_records import StoredRecords
from tiktok_crawler.storage.records.user_history import write_history

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Engine, Row

    from tiktok_crawler.planning.quota import QuotaAccount
    from tiktok_crawler.planning.task_states import ParkedSeed, RefusedSeed
    from tiktok_crawler.research_api.listings import Listing
    from tiktok_crawler.research_api.tasks import ListRequest

    Seeds = dict[str, Row[Any]]

TABLE = Seed.__table__
AT_ONCE = 10_000
"""Seeds in one statement."""

REGISTERED = tuple(column for column in TABLE.columns if not column.nullable)[1:]
"""All that a new row has, but its number."""


class SeedLedger:
    """Reads and writes the seeds of one listing. For one thread at a time.

    What a method writes is committed when it returns. After a commit in doubt it is called once
    more, with the same time, and finds what it has written. Requests are booked on `account`.
    """

    def __init__(
        self, engine: Engine, listing: Listing, account: QuotaAccount | None = None
    ) -> None:
        self._engine = engine
        self._listing = listing
        self._account = account
        self._statements = statements_for(engine.dialect)

    def known(self, seeds: Sequence[str]) -> Seeds:
        """The rows of seeds, as far as they are there."""
        with reading(self._engine) as connection:
            return {
                row.seed: row
                for part in _parts(seeds)
                for row in connection.execute(
                    select(TABLE).where(
                        TABLE.c.listing == self._listing.name,
                        self._statements.among(TABLE.c.seed, part),
                    )
                )
            }

    def register(self, seeds: Sequence[str], now: datetime) -> Seeds:
        """The rows of seeds; those that are not there yet are made."""
        known = self.known(seeds)
        missing = sorted(seed for seed in seeds if seed not in known)
        if not missing:
            return known
        at = time_text(now)
        new: dict[str, Any] = {"listing": self._listing.name, "state": SeedState.OPEN.value}
        new |= {"created_at": at, "updated_at": at, "suspicious": False}

        def write(connection: Connection) -> None:
            for part in _parts(missing):
                rows = [
                    tuple((new | {"seed": seed}).get(c.name, 0) for c in REGISTERED)
                    for seed in part
                ]
                self._statements.insert_missing(connection, REGISTERED, rows)

        transaction(self._engine, write)
        return known | self.known(missing)

    def book(
        self, request: ListRequest, now: datetime, *, ended_at: datetime | None = None
    ) -> ListRequest:
        """Write down that a request is about to be sent; the first of a listing discards its past.

        A seed that is parked stays so until a page comes. Booked once more because the commit was
        in doubt, a request may count twice. `ended_at` is when the seed had been completed or
        refused, if it was when this run was planned.

        Returns:
            The request, with the time when the listing began.

        Raises:
            QueryLockedError: another run has worked on the seed since this one was planned.
            DailyBudgetSpentError: the day's budget is spent; nothing is written.
            DailyShareSpentError: what such requests may cost in a day is spent, likewise.
        """

        def write(connection: Connection) -> None:
            seed = update(Seed).where(Seed.id == request.seed_id, _is_at(request, ended_at))
            if not connection.execute(seed.values(_booking(request, now))).rowcount:
                raise QueryLockedError(
                    f"the lock on {self._listing.name} is lost, since another crawl has gone on "
                    f"with {request} meanwhile"
                )
            if self._account:
                quota.spend(connection, self._account, now)

        # The page that the request brings is flushed after it; without one, little is lost.
        transaction(self._engine, write, flushed_later=True)
        return replace(request, begun_at=now) if request.starts_listing else request

    def refuse(self, refused: RefusedSeed) -> None:
        """Write down that the API lists nothing of a seed, and of a user why."""
        values = {
            Seed.state: SeedState.REFUSED,
            Seed.status: refused.status,
            Seed.error: clean_text(refused.reason),
            Seed.error_log_id: clean_text(refused.log_id),
            Seed.retry_at: None,
            Seed.updated_at: refused.received_at,
            Seed.completed_at: refused.received_at,
        }

        def write(connection: Connection) -> None:
            if self._listing is USERS:
                self._refuse_user(connection, refused)
            Unfinished(connection, Seed, refused.request.seed_id).change(values)

        transaction(self._engine, write)

    def park(self, parked: ParkedSeed, now: datetime) -> None:
        """Give a seed up for now; a later try begins with the request that it was parked with."""
        request = parked.request

        def write(connection: Connection) -> None:
            seed = Unfinished(connection, Seed, request.seed_id)
            seed.park(parked, now, position=request.position)

        transaction(self._engine, write)

    def fill_quota(self, now: datetime) -> None:
        """Write down that the API says that the day's quota is used up."""
        account = self._account
        if account:
            transaction(self._engine, lambda connection: quota.fill(connection, account, now))

    def records(self, seeds: Mapping[str, Row[Any]]) -> int:
        """How many records the pages of these seeds have brought, ever."""
        ids = [row.id for row in seeds.values()]
        with reading(self._engine) as connection:
            return sum(
                connection.scalar(
                    select(func.coalesce(func.sum(Crawl.video_count), 0)).where(
                        self._statements.among(Crawl.__table__.c.seed_id, part)
                    )
                )
                or 0
                for part in _parts(ids)
            )

    def _refuse_user(self, connection: Connection, refused: RefusedSeed) -> None:
        user = refused_user(refused.request.seed, UserStatus(refused.status.value))
        state = USER.state(user, time_text(refused.received_at), None)
        written = StoredRecords(connection, self._statements, USER).write([state])
        write_history(connection, self._statements, written)


def _is_at(request: ListRequest, ended_at: datetime | None) -> ColumnElement[bool]:
    """Whether a seed is where a request goes on, and has not ended since the run was planned."""
    is_there = and_(Seed.cursor == request.cursor, Seed.position == request.position)
    return and_(
        true() if request.starts_listing else is_there,
        or_(Seed.completed_at.is_(None), Seed.completed_at == ended_at),
    )


def _booking(request: ListRequest, now: datetime) -> dict[Any, Any]:
    booking: dict[Any, Any] = {
        Seed.state: case((Seed.state == SeedState.PARKED, Seed.state), else_=SeedState.OPEN.value),
        Seed.status: None,
        Seed.requests: Seed.requests + 1,
        Seed.updated_at: now,
        Seed.completed_at: None,
    }
    if not request.starts_listing:
        return booking
    return booking | {
        Seed.attempts: Seed.attempts + 1,
        Seed.begun_at: now,
        Seed.cursor: 0,
        Seed.position: 0,
        Seed.pages: 0,
        Seed.has_more: None,
        Seed.suspicious: False,
    }


def _parts(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]
