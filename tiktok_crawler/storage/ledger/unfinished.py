"""Changes rows of work that is not finished: windows and seeds are booked and parked alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_, select, update

from tiktok_crawler.planning.postponing import retry_at
from tiktok_crawler.planning.task_states import UNFINISHED, WindowState
from tiktok_crawler.storage.engine.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from tiktok_crawler.planning.task_states import ParkedSeed, ParkedWindow
    from tiktok_crawler.storage.models.ledger import CrawlWindow, Seed

    Work = type[CrawlWindow | Seed]


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The row of a window or a seed that is open or parked, inside a transaction."""

    connection: Connection
    work: Work
    id: int | None

    def change(self, values: Mapping[Any, Any]) -> None:
        """Change the row, also if this very change has finished it before.

        Raises:
            LookupError: it is finished, or there is none.
        """
        work = self.work
        is_changed = and_(
            work.state == values.get(work.state), work.updated_at == values[work.updated_at]
        )
        row = update(work).where(work.id == self.id, or_(work.state.in_(UNFINISHED), is_changed))
        if not self.connection.execute(row.values(dict(values))).rowcount:
            raise LookupError(f"{work.__tablename__} {self.id} is neither open nor parked")

    def park(self, parked: ParkedWindow | ParkedSeed, now: datetime, **values: Any) -> None:
        """Give it up for now; it goes on later with the request that it was parked with.

        Done again with the same time, because the commit was in doubt, it changes nothing.
        """
        work = self.work
        before = select(work.parked_count, work.parked_at).where(work.id == self.id)
        row = self.connection.execute(before).one()
        if row.parked_at == now:
            return
        parked_count = row.parked_count + 1
        parking: dict[Any, Any] = {
            work.state: WindowState.PARKED,
            work.parked_count: parked_count,
            work.parked_at: now,
            work.retry_at: retry_at(parked_count, now),
            work.error: clean_text(parked.reason),
            work.error_log_id: clean_text(parked.log_id),
            work.cursor: parked.request.cursor,
            work.updated_at: now,
        }
        self.change(parking | {getattr(work, name): value for name, value in values.items()})
