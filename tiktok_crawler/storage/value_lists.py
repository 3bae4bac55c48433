"""A list of values as a database knows it: which days are covered for all, and what is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiktok_crawler.planning.nights_ahead import Stored
from tiktok_crawler.planning.value_batches import plan_batches
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.ledger.queries import stored_of
from tiktok_crawler.storage.ledger.value_batches import (
    ListTotals,
    RefusedValue,
    known_batches,
    missed_ids,
    queries_of,
    refused_values,
    totals_of_list,
)

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from tiktok_crawler.planning.value_batches import BatchPlan, KnownBatch, WantedValues
    from tiktok_crawler.query_file.collection import Collection

NO_TOTALS = ListTotals()


@dataclass(frozen=True, slots=True)
class ListState:
    """How far a list is: what a run would do now, and what the database has of its values.

    `missed` of its ids of videos were asked for in vain, at least once, and never returned. Its
    `batches` are those that were searched together.
    """

    wanted: WantedValues
    plan: BatchPlan
    totals: ListTotals
    at: datetime
    refused: tuple[RefusedValue, ...] = ()
    missed: int = 0
    batches: tuple[KnownBatch, ...] = ()

    @property
    def is_fulfilled(self) -> bool:
        """True if all that was asked for is stored, or known not to be had."""
        return not self.plan.left

    @property
    def is_complete(self) -> bool:
        """True if nothing is left, and what is stored is final."""
        return not self.plan.lacking and not self.plan.unsettled

    @property
    def is_over(self) -> bool:
        """True if no later run has anything to do, either."""
        return self.is_complete

    @property
    def is_due(self) -> bool:
        """True if a run would ask for something now."""
        return self.plan.left > 0 and (self.next_retry_at or self.at) <= self.at

    @property
    def has_first_tries(self) -> bool:
        """True if a run would ask for something that was not postponed."""
        return self.plan.left > 0 and self.plan.due_at is None

    @property
    def next_retry_at(self) -> datetime | None:
        """When the first of what is postponed may be tried again, if everything is."""
        return self.plan.due_at

    @property
    def final_from(self) -> datetime | None:
        """When the first of the unsettled days can be final."""
        unsettled = self.plan.unsettled
        return self.wanted.freshness.final_from(unsettled[0].start) if unsettled else None


def look_up_list(
    url: str, origin: str, collection: Collection, wanted: WantedValues, now: datetime
) -> ListState:
    """Read how far a list is, without changing anything.

    Raises:
        ConfigurationError: the database cannot be used as it is.
    """
    with database.reading_data(url, origin) as connection:
        if connection is None:
            return ListState(wanted, plan_batches(wanted, (), now), NO_TOTALS, now)
        return state_of(connection, collection, wanted, now)


def look_up_stored(url: str, origin: str, collection: Collection) -> Stored:
    """Count what a database has of a collection, without changing anything.

    Raises:
        ConfigurationError: the database cannot be used as it is.
    """
    with database.reading_data(url, origin) as connection:
        if connection is None:
            return Stored()
        statements = statements_for(connection.dialect)
        return stored_of(connection, queries_of(connection, statements, collection))


def state_of(
    connection: Connection, collection: Collection, wanted: WantedValues, now: datetime
) -> ListState:
    """Read how far a list is, as one transaction sees it."""
    assert collection.each
    statements = statements_for(connection.dialect)
    batches = tuple(known_batches(connection, collection, wanted.fields).values())
    plan = plan_batches(wanted, batches, now)
    return ListState(
        wanted,
        plan,
        totals_of_list(connection, statements, collection),
        now,
        refused=refused_values(connection, collection.fingerprint, plan.refused),
        missed=missed_ids(connection, statements, collection),
        batches=batches,
    )
