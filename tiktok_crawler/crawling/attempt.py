"""A page request on its way through Scrapy: what has happened to it so far.

The attempt is the only thing of this project in a request's `meta`. It is a value: copies of a
request, which share what `meta` holds, do not share what happens to one of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from scrapy import Request
from scrapy.http import JsonRequest

from tiktok_crawler.config.addresses import is_loopback
from tiktok_crawler.planning.task_states import Parked
from tiktok_crawler.research_api.checks import CheckStep
from tiktok_crawler.research_api.stalled_paging import StalledPaging
from tiktok_crawler.research_api.verdicts import AnswerKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Self

    from tiktok_crawler.research_api.endpoints import Pool
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.research_api.tasks import PageRequest
    from tiktok_crawler.research_api.verdicts import Verdict

KEY = "attempt"

FOLLOW_UP_PRIORITY = 10
"""Pages of what is begun go before what is new."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A page request, how often it was tried, and what its last answer means.

    `tries` are failures; `search_id_tries` refusals of its cursor; `lost_searches` how many
    searches of its window were lost in a row without passing a day. `token` is what it was sent
    with. `is_probe`: it tries a pool that was closed.
    """

    request: PageRequest
    tries: int = 0
    search_id_tries: int = 0
    was_malformed: bool = False
    lost_searches: int = 0
    stalled: StalledPaging = field(default_factory=StalledPaging)
    verdict: Verdict | None = None
    received_at: datetime | None = None
    token: object = None
    token_renewed: bool = False
    is_probe: bool = False
    waits_for_quota: bool = True

    @property
    def pool(self) -> Pool:
        """The quota that it draws on."""
        return self.request.endpoint.pool

    def after(self, page: Page) -> Self | Parked | None:
        """Say what follows a page: an attempt at the next one, giving up, or nothing."""
        following = page.next_request
        if following is None:
            return None
        stalled = self.stalled.after(page)
        if self.verdict and self.verdict.kind is AnswerKind.MALFORMED:
            return Parked(str(self.verdict), page.log_id, following.place)
        if stalled.reason:
            return Parked(stalled.reason, page.log_id, following.place)
        return type(self)(
            following,
            lost_searches=self.lost_searches,
            stalled=stalled,
            waits_for_quota=self.waits_for_quota,
        )


def is_api_request(request: Request) -> bool:
    """Tell whether this is a request to a research endpoint, which costs quota."""
    return KEY in request.meta


def attempt_of(request: Request) -> Attempt:
    """Return what is known of a request to a research endpoint."""
    return cast("Attempt", request.meta[KEY])


def verdict_of(request: Request) -> Verdict:
    """Return what the answer to a request means."""
    verdict = attempt_of(request).verdict
    assert verdict
    return verdict


def change(request: Request, /, **values: Any) -> Attempt:
    """Replace the attempt of a request by one with other values."""
    request.meta[KEY] = attempt = replace(attempt_of(request), **values)
    return attempt


def api_request(
    api_url: str,
    attempt: Attempt,
    *,
    callback: Callable[..., Any],
    errback: Callable[..., Any],
) -> Request:
    """Build the request that asks for a page, or about a check; loopback is never proxied."""
    asked = attempt.request
    proxy: dict[str, Any] = {"proxy": None} if is_loopback(api_url) else {}
    given: dict[str, Any] = {
        "callback": callback,
        "errback": errback,
        "meta": {KEY: attempt} | proxy,
        "priority": 0 if asked.starts_task else FOLLOW_UP_PRIORITY,
        "dont_filter": True,
    }
    form = asked.task.form() if isinstance(asked.task, CheckStep) else None
    if form is None:
        return JsonRequest(asked.url(api_url), data=asked.body, **given)
    content_type, body = form
    headers = {"Content-Type": content_type}
    return Request(asked.url(api_url), method="POST", headers=headers, body=body, **given)
