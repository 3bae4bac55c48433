"""The reasons why a crawl ends, and the exit status of each (sysexits.h)."""

from __future__ import annotations

from enum import StrEnum
from os import EX_CONFIG, EX_NOPERM, EX_OK, EX_SOFTWARE, EX_TEMPFAIL, EX_USAGE
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class CloseReason(StrEnum):
    """The close reasons of our own; docs/operations.md says what to do about each."""

    NOT_STARTED = "not_started"
    CREDENTIALS_REFUSED = "credentials_refused"
    TOKEN_UNAVAILABLE = "token_unavailable"  # noqa: S105 - a reason
    DAILY_QUOTA_SPENT = "daily_quota_spent"
    QUERY_REFUSED = "query_refused"
    API_UNAVAILABLE = "api_unavailable"
    REDIRECTED = "redirected"
    DAILY_BUDGET_SPENT = "daily_budget_spent"
    MAX_REQUESTS_REACHED = "max_requests_reached"
    LOCK_LOST = "lock_lost"
    STORAGE_FAILED = "storage_failed"
    UNEXPECTED_ERROR = "unexpected_error"

    def __repr__(self) -> str:
        """Show the word alone, as Scrapy's statistics do with its own."""
        return repr(self.value)


EXIT_STATUSES = {
    CloseReason.NOT_STARTED: EX_OK,
    CloseReason.CREDENTIALS_REFUSED: EX_NOPERM,
    CloseReason.TOKEN_UNAVAILABLE: EX_TEMPFAIL,
    CloseReason.DAILY_QUOTA_SPENT: EX_TEMPFAIL,
    CloseReason.QUERY_REFUSED: EX_CONFIG,
    CloseReason.API_UNAVAILABLE: EX_TEMPFAIL,
    CloseReason.REDIRECTED: EX_TEMPFAIL,
    CloseReason.DAILY_BUDGET_SPENT: EX_TEMPFAIL,
    CloseReason.MAX_REQUESTS_REACHED: EX_TEMPFAIL,
    CloseReason.LOCK_LOST: EX_TEMPFAIL,
    CloseReason.STORAGE_FAILED: EX_SOFTWARE,
    CloseReason.UNEXPECTED_ERROR: EX_SOFTWARE,
    # Scrapy's own
    "finished": EX_OK,
    "shutdown": EX_TEMPFAIL,
    "memusage_exceeded": EX_TEMPFAIL,
    "closespider_timeout": EX_TEMPFAIL,
    "closespider_itemcount": EX_TEMPFAIL,
    "closespider_pagecount": EX_TEMPFAIL,
    "closespider_timeout_no_item": EX_TEMPFAIL,
    "closespider_pagecount_no_item": EX_TEMPFAIL,
}

SEVEREST_FIRST = (EX_SOFTWARE, EX_NOPERM, EX_CONFIG, EX_USAGE, EX_TEMPFAIL, EX_OK)


def exit_status(reason: str) -> int:
    """The status that a close reason ends with; a reason that nobody knows is a fault.

    `not_started` has none of its own: the error that kept the crawl from starting has.
    """
    return EXIT_STATUSES.get(reason, EX_SOFTWARE)


def severest(statuses: Iterable[int]) -> int:
    """The status that goes before the others."""
    return min(statuses, key=SEVEREST_FIRST.index)
