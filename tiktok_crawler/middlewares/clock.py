"""Tells that this machine's clock is wrong: much of what a crawl decides depends on it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from tiktok_crawler.clock import utc_now
from tiktok_crawler.middlewares.middleware import ApiMiddleware

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

TOLERANCE = timedelta(minutes=5)
"""Answers may be under way for some time."""


class ClockMiddleware(ApiMiddleware):
    """Compares the clock with the `Date` of answers; that it is off is told once in a run."""

    def __init__(self, crawler: Crawler):
        super().__init__(crawler)
        self._is_told = False

    def process_response(self, request: Request, response: Response) -> Response:  # noqa: ARG002
        there = None if self._is_told else _date(response)
        if there and abs(there - utc_now()) > TOLERANCE:
            self._is_told = True
            self._tell(utc_now(), there)
        return response

    def _tell(self, here: datetime, there: datetime) -> None:
        self._log.warning(
            "The clock of this machine is %(difference)s %(direction)s that of the API (here "
            "%(here)s, there %(there)s, in UTC). Set it: it decides which days are over and final, "
            "when the quota is whole again, and when a token has to be renewed",
            {
                "difference": timedelta(seconds=round(abs(there - here).total_seconds())),
                "direction": "behind" if here < there else "ahead of",
                "here": f"{here:%Y-%m-%d %H:%M:%S}",
                "there": f"{there:%Y-%m-%d %H:%M:%S}",
            },
        )


def _date(response: Response) -> datetime | None:
    """Return the time of an answer in UTC; None if it says none that can be read."""
    try:
        date = parsedate_to_datetime((response.headers.get("Date") or b"").decode("ascii"))
        return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
