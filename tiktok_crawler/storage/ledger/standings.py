"""Says in SQL what the seeds of a stage need, by their rows in the ledger."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import and_, case, false, func, not_, or_, select

from tiktok_crawler.planning.task_states import SeedState
from tiktok_crawler.research_api.endpoints import USERS
from tiktok_crawler.research_api.verdicts import SeedStatus
from tiktok_crawler.storage.models.ledger import SeedRow
from tiktok_crawler.storage.models.records import UserInfo
from tiktok_crawler.storage.records.existence import GONE_AFTER

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement

    from tiktok_crawler.planning.seeds import Stage

C = SeedRow.__table__.c


class Standing(StrEnum):
    """The progress of a seed in a stage."""

    DUE = "due"
    """A page of it is to be asked for now."""
    WAITING = "waiting"
    """It is parked, and not due yet."""
    COMPLETE = "complete"
    REFUSED = "refused"


STANDINGS = tuple(Standing)
"""A standing is told by its place in here: a million numbers take less room than words."""


def standing_of(stage: Stage, now: datetime) -> ColumnElement[int]:
    """Say what a seed needs by the place in `STANDINGS`.

    A listing that ended at a limit goes on where a stage wants more; one that was begun without a
    limit is enough as soon as it has what a stage with one wants. In an outer join, a seed without
    a row is due.
    """
    number = C.cursor if stage.listing.counts_by_cursor else C.record_count
    is_enough = false() if stage.limit is None else number >= stage.limit
    is_complete = or_(is_enough, and_(C.state == SeedState.COMPLETE, not_(goes_on())))
    due = STANDINGS.index(Standing.DUE)
    return case(
        (C.id.is_(None), due),
        (is_outdated(stage, now), due),
        (C.state == SeedState.REFUSED, STANDINGS.index(Standing.REFUSED)),
        (is_complete, STANDINGS.index(Standing.COMPLETE)),
        (and_(C.state == SeedState.PARKED, C.retry_at > now), STANDINGS.index(Standing.WAITING)),
        else_=due,
    )


def goes_on() -> ColumnElement[bool]:
    """Say whether the API has more of a seed than was asked for."""
    return and_(func.coalesce(C.has_more, false()), not_(C.suspicious))


def begins(stage: Stage, now: datetime) -> ColumnElement[bool]:
    """Say whether a due seed begins with its first page, or begins anew; NULL counts as false."""
    return or_(C.id.is_(None), C.cursor == 0, is_outdated(stage, now))


def is_outdated(stage: Stage, now: datetime) -> ColumnElement[bool]:
    """Say whether a listing ended so long ago that it begins anew; NULL counts as false."""
    is_over = _may_be_gone(now) if stage.listing is USERS else false()
    if stage.max_age is None:
        return is_over
    has_ended = C.state.in_((SeedState.COMPLETE, SeedState.REFUSED))
    return or_(is_over, and_(has_ended, C.completed_at < now - stage.max_age))


def _may_be_gone(now: datetime) -> ColumnElement[bool]:
    """Say whether a user who had a profile was not found once: a second time, it is gone."""
    had_profile = select(UserInfo.username).where(
        UserInfo.missing_since <= now - GONE_AFTER,
        UserInfo.gone_at.is_(None),
        UserInfo.last_returned_at.is_not(None),
    )
    was_not_found = and_(C.state == SeedState.REFUSED, C.status == SeedStatus.NOT_FOUND)
    return and_(was_not_found, C.seed.in_(had_profile))
