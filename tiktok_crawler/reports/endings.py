"""Says why a crawl has ended early, and what comes before the next run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiktok_crawler.crawling.closing import CloseReason
from tiktok_crawler.planning.quota import whole_again

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Ending:
    """Words for a close reason.

    `first` is what the user has to do before the next run, `later` when another run makes sense if
    that is not now.
    """

    why: str
    first: str | None = None
    later: str | None = None


DAY_IS_SPENT = Ending("the day's quota is used up")

LIMIT = Ending("one of Scrapy's limits is reached, which are set by CLOSESPIDER_...")

ENDINGS = {
    "shutdown": Ending("it was interrupted, by Ctrl-C or a signal"),
    "memusage_exceeded": Ending("the limit of MEMUSAGE_LIMIT_MB is reached"),
    CloseReason.MAX_REQUESTS_REACHED: Ending("the requests of -a max_requests are spent"),
    CloseReason.DAILY_BUDGET_SPENT: Ending("the day's requests of TIKTOK_DAILY_BUDGET are spent"),
    CloseReason.DAILY_QUOTA_SPENT: DAY_IS_SPENT,
    CloseReason.API_UNAVAILABLE: Ending("the API only fails", later="in an hour or later"),
    CloseReason.TOKEN_UNAVAILABLE: Ending(
        "the API gave no access token", later="in some minutes or later"
    ),
    CloseReason.LOCK_LOST: Ending(
        "another crawl of the same has taken the lock", later="when that crawl has ended"
    ),
    CloseReason.REDIRECTED: Ending(
        "requests were redirected to another address, which the ERROR above names",
        first="log in to the network, or mend the proxy or TIKTOK_API_URL",
    ),
    CloseReason.QUERY_REFUSED: Ending(
        "the API refuses what was asked, with the words of the ERROR above",
        first="correct what is asked for",
    ),
    CloseReason.CREDENTIALS_REFUSED: Ending(
        "TikTok refuses the credentials, or the project has no approval: see the ERROR above",
        first="mend the credentials, or the project's approval at developers.tiktok.com",
    ),
    CloseReason.STORAGE_FAILED: Ending(
        "something could not be stored, for the reason of the ERROR above",
        first="mend that: a full disk, or a database that is away",
    ),
    CloseReason.UNEXPECTED_ERROR: Ending(
        "of a bug: see the traceback above; what was stored is safe", first="report it, please"
    ),
}

UNTIL_MIDNIGHT = (CloseReason.DAILY_BUDGET_SPENT, CloseReason.DAILY_QUOTA_SPENT)


def ending(reason: str) -> Ending | None:
    """Return the words for a close reason; None if the crawl has come to its end."""
    if reason == "finished":
        return None
    if reason.startswith("closespider_"):
        return LIMIT
    return ENDINGS.get(reason, Ending(reason))


def not_before(reason: str, now: datetime) -> datetime:
    """Return when the next run can do something, as far as the close reason of this one says."""
    return whole_again(now) if reason in UNTIL_MIDNIGHT else now
