"""The ways a request can end without a page: raised by middlewares, understood by spiders.

All are IgnoreRequest, so that Scrapy itself has nothing to say about them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.exceptions import IgnoreRequest

from tiktok_crawler.planning.problems import Problem, ProblemKind

if TYPE_CHECKING:
    from typing import Self

    from tiktok_crawler.research_api.verdicts import Verdict


class RequestDelayedError(IgnoreRequest):
    """The request waits in the delay queue and will be sent later."""


class ApiUnavailableError(RequestDelayedError):
    """The same, because the API fails whatever it is asked."""


class SecondTryDroppedError(IgnoreRequest):
    """The day's allowance for second tries is spent; the window stays parked."""


class SearchEndedError(IgnoreRequest):
    """The query file has all that it may have in this run; the window stays open."""


class TaskLeftError(IgnoreRequest):
    """Another crawl works on what the request was for, or has done so since."""


class PartEndedError(IgnoreRequest):
    """No request of this kind is sent any more in this run; what they were for stays open."""


class QuotaUsedUpError(PartEndedError):
    """The day's quota of its pool is used up, and there is something else to do meanwhile."""


class CrawlStoppingError(IgnoreRequest):
    """The crawl is being closed; what the request was for stays open."""


class CrawlEndedError(CrawlStoppingError):
    """The crawl has been closed: no task is begun any more."""


class MisdirectedError(CrawlStoppingError):
    """A request was not sent: it would have shown a secret to others than the API."""


class TaskFailedError(IgnoreRequest):
    """A request brings no page, for a reason in the API's words or the network's."""

    kind = ProblemKind.FAILED

    def __init__(
        self, reason: str, *, log_id: str | None = None, verdict: Verdict | None = None
    ) -> None:
        super().__init__(reason)
        self.problem = Problem(self.kind, reason, log_id, verdict)

    @classmethod
    def from_verdict(cls, verdict: Verdict) -> Self:
        return cls(str(verdict), log_id=verdict.log_id, verdict=verdict)


class RequestRefusedError(TaskFailedError):
    """The API does not accept the request itself: repeating it cannot help."""

    kind = ProblemKind.REFUSED


class CursorLostError(TaskFailedError):
    """The API does not accept the cursor any more: what was begun has to begin anew."""

    kind = ProblemKind.CURSOR_LOST
