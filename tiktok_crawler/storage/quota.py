"""What was spent of the API's quota: one row a client key, pool and UTC day, for all crawls.

It records and never forbids: only the API knows what is left, and only a budget is kept to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from sqlalchemy import select

from tiktok_crawler.collection.quota import DAILY_QUOTAS, refused_day
from tiktok_crawler.exceptions import DailyBudgetSpentError, SecondTriesSpentError
from tiktok_crawler.research_api.endpoints import Pool
from tiktok_crawler.storage.models import ApiQuota
from tiktok_crawler.storage.statements import statements_for

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy import Connection

    from tiktok_crawler.collection.quota import QuotaAccount
    from tiktok_crawler.storage.statements import Insert

QUOTA = ApiQuota.__table__


@dataclass(frozen=True, slots=True)
class Spent:
    """The requests of a day that a client key has spent of a pool."""

    client: str
    pool: Pool
    requests: int


def spend(
    connection: Connection, account: QuotaAccount, now: datetime, *, second_try: bool = False
) -> None:
    """Book one request on the day's row, which stays locked until the transaction ends.

    Crawls share this row alone. A transaction that takes it last waits for nobody while it holds
    it.

    Raises:
        DailyBudgetSpentError: the day's budget is spent; nothing may be sent.
        SecondTriesSpentError: what second tries may cost in a day is spent; this one may not be
            sent.
    """
    upsert = _row(connection, account, now.astimezone(UTC).date(), 1, second_tries=int(second_try))
    upsert = upsert.on_conflict_do_update(
        index_elements=QUOTA.primary_key.columns,
        set_={
            "requests": QUOTA.c.requests + 1,
            "second_tries": QUOTA.c.second_tries + int(second_try),
        },
    )
    spent = connection.execute(upsert.returning(QUOTA.c.requests, QUOTA.c.second_tries)).one()
    if account.daily_budget is not None and spent.requests > account.daily_budget:
        raise DailyBudgetSpentError(
            f"the budget of {account.daily_budget} requests a day (TIKTOK_DAILY_BUDGET) is spent "
            "by the crawls on this database until 00:00 UTC; run again then"
        )
    if second_try and spent.second_tries > account.second_tries:
        raise SecondTriesSpentError(
            f"the {account.second_tries} requests a day for windows that were given up before "
            "(TIKTOK_PARKED_SHARE) are spent"
        )


def fill(connection: Connection, account: QuotaAccount, now: datetime) -> None:
    """The API says that the day's quota is used up, whoever has spent it."""
    limit = DAILY_QUOTAS[account.pool]
    row = _row(connection, account, refused_day(now.astimezone(UTC)), limit)
    connection.execute(
        row.on_conflict_do_update(
            index_elements=QUOTA.primary_key.columns,
            set_={"requests": limit},
            where=QUOTA.c.requests < limit,
        )
    )


def spent_on(connection: Connection, day: date) -> list[Spent]:
    """What all client keys have spent on a day, by pool."""
    rows = select(QUOTA.c.client, QUOTA.c.pool, QUOTA.c.requests).where(QUOTA.c.day == day)
    found = connection.execute(rows.order_by(QUOTA.c.pool.desc(), QUOTA.c.client))
    return [Spent(client, Pool(pool), requests) for client, pool, requests in found]


def _row(
    connection: Connection,
    account: QuotaAccount,
    day: date,
    requests: int,
    *,
    second_tries: int = 0,
) -> Insert:
    return (
        statements_for(connection.dialect)
        .insert(QUOTA)
        .values(
            client=account.client,
            pool=account.pool,
            day=day,
            requests=requests,
            second_tries=second_tries,
        )
    )
