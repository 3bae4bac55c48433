"""The API quota that was spent: one row a client key, pool and UTC day, for all crawls.

It records and never forbids: only the API knows what is left, and only a budget is kept to.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING

from sqlalchemy import select

from tiktok_crawler.exceptions import (
    DailyBudgetSpentError,
    DailyShareSpentError,
    SecondTriesSpentError,
)
from tiktok_crawler.planning.quota import refused_day, whole_again
from tiktok_crawler.research_api.endpoints import Pool
from tiktok_crawler.spelling import number_of
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.models.ledger import ApiQuota, ApiQuotaShare

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from sqlalchemy import Connection

    from tiktok_crawler.planning.quota import QuotaAccount
    from tiktok_crawler.storage.engine.statements import Insert

QUOTA = ApiQuota.__table__
SHARE = ApiQuotaShare.__table__

VIDEOS = "videos"
"""The part of accounts that name none."""


@dataclass(frozen=True, slots=True)
class Spent:
    """The requests of a day that a client key has spent of a pool, as far as this database knows.

    `is_used_up`: the API said that nothing is left of the day's quota, whoever has spent it.
    `parts` are requests by the spider whose they are; of all, `refreshes` have asked for newer
    values of what is there.
    """

    client: str
    pool: Pool
    requests: int
    is_used_up: bool = False
    parts: Mapping[str, int] = field(default_factory=dict)
    refreshes: int = 0


def spend(
    connection: Connection,
    account: QuotaAccount,
    now: datetime,
    *,
    second_try: bool = False,
    refreshes: bool = False,
) -> None:
    """Book one request on the day's rows, which stay locked until the transaction ends.

    Crawls share these rows alone. A transaction that takes them last waits for nobody while it
    holds them.

    Raises:
        DailyBudgetSpentError: the day's budget is spent; nothing may be sent.
        SecondTriesSpentError: what second tries may cost in a day is spent; this one may not be
            sent.
        DailyShareSpentError: what requests of its part may cost in a day is spent, likewise; or
            what is left is kept for finding out what is still there, which this one does not.
    """
    day = now.astimezone(UTC).date()
    of_kind = {"second_tries": int(second_try), "refreshes": int(refreshes)}
    upsert = _row(connection, account, day, requests=1, **of_kind)
    upsert = upsert.on_conflict_do_update(
        index_elements=QUOTA.primary_key.columns,
        set_={
            "requests": QUOTA.c.requests + 1,
            **{name: QUOTA.c[name] + count for name, count in of_kind.items()},
        },
    )
    spent = connection.execute(
        upsert.returning(QUOTA.c.requests, QUOTA.c.second_tries, QUOTA.c.refreshes)
    ).one()
    if account.daily_budget is not None and spent.requests > account.daily_budget:
        raise DailyBudgetSpentError(
            f"the budget of {number_of(account.daily_budget, 'requests')} a day "
            "(TIKTOK_DAILY_BUDGET) is spent "
            "by the crawls on this database until 00:00 UTC; run again then"
        )
    if second_try and spent.second_tries > account.second_tries:
        raise SecondTriesSpentError(
            _none_left(
                account.second_tries, "windows that were postponed before", "TIKTOK_PARKED_SHARE"
            ),
            part=account.part or VIDEOS,
            until=whole_again(now.astimezone(UTC)) if account.second_tries else None,
        )
    kept = 0 if refreshes else account.kept(spent.refreshes)
    if kept and spent.requests > account.budget - kept:
        raise DailyShareSpentError(
            f"what is left today, {number_of(kept, 'requests')}, is kept for finding out what is "
            "still there (keep_fresh, TIKTOK_REFRESH_SHARE)",
            part=account.part or VIDEOS,
            until=whole_again(now.astimezone(UTC)),
        )
    _spend_share(connection, account, now.astimezone(UTC))


def _spend_share(connection: Connection, account: QuotaAccount, now: datetime) -> None:
    """Book one request on the part that it is of."""
    part, most = account.part or VIDEOS, account.requests_of_part
    row = statements_for(connection.dialect).insert_into(SHARE)
    upsert = row.values(
        client=account.client, pool=account.pool, day=now.date(), part=part, requests=1
    ).on_conflict_do_update(
        index_elements=SHARE.primary_key.columns, set_={"requests": SHARE.c.requests + 1}
    )
    spent = connection.execute(upsert.returning(SHARE.c.requests)).scalar_one()
    if most is not None and spent > most:
        raise DailyShareSpentError(
            _none_left(most, part, "TIKTOK_SHARES"),
            part=part,
            until=whole_again(now) if most else None,
        )


def _none_left(most: int, purpose: str, setting: str) -> str:
    """Say why no request is sent for a purpose that has so many a day."""
    if not most:
        return f"{setting} allows no requests for {purpose}"
    return f"of the {number_of(most, 'requests')} a day for {purpose} ({setting}) none is left"


def fill(connection: Connection, account: QuotaAccount, now: datetime) -> None:
    """The API says that the day's quota is used up, whoever has spent it."""
    row = _row(connection, account, refused_day(now.astimezone(UTC)), requests=0, is_used_up=True)
    connection.execute(
        row.on_conflict_do_update(
            index_elements=QUOTA.primary_key.columns, set_={"is_used_up": True}
        )
    )


def spent_on(connection: Connection, day: date) -> list[Spent]:
    """List what all client keys have spent on a day, by pool."""
    parts: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    shares = select(SHARE.c.client, SHARE.c.pool, SHARE.c.part, SHARE.c.requests)
    for client, pool, part, requests in connection.execute(
        shares.where(SHARE.c.day == day).order_by(SHARE.c.part)
    ):
        parts[client, pool][part] = requests
    columns = (QUOTA.c.requests, QUOTA.c.is_used_up, QUOTA.c.refreshes)
    rows = select(QUOTA.c.client, QUOTA.c.pool, *columns)
    found = connection.execute(
        rows.where(QUOTA.c.day == day).order_by(QUOTA.c.pool.desc(), QUOTA.c.client)
    )
    return [
        Spent(client, Pool(pool), requests, is_used_up, parts[client, pool], refreshes)
        for client, pool, requests, is_used_up, refreshes in found
    ]


def read_spent(url: str, now: datetime) -> list[Spent]:
    """Read what was spent today by the crawls on a database, without changing anything.

    Raises:
        ConfigurationError: the database cannot be used as it is.
    """
    with database.reading_data(url) as connection:
        return spent_on(connection, now.astimezone(UTC).date()) if connection else []


def _row(connection: Connection, account: QuotaAccount, day: date, **values: int) -> Insert:
    row = statements_for(connection.dialect).insert_into(QUOTA)
    return row.values(client=account.client, pool=account.pool, day=day, **values)
