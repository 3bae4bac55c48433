"""The only place that gets, adds and renews the client access token (api_facts.md 2)."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from scrapy import FormRequest

from tiktok_crawler.clock import utc_now
from tiktok_crawler.config.addresses import is_loopback
from tiktok_crawler.crawling.answers import why_no_answer
from tiktok_crawler.crawling.attempt import attempt_of, change, is_api_request, verdict_of
from tiktok_crawler.crawling.closing import CloseReason
from tiktok_crawler.crawling.components import extension
from tiktok_crawler.crawling.failures import CrawlStoppingError, PartEndedError
from tiktok_crawler.crawling.unanswered import why_unanswered
from tiktok_crawler.extensions.delay_queue import DelayQueue
from tiktok_crawler.extensions.sandbox import api_url
from tiktok_crawler.middlewares.middleware import ApiMiddleware
from tiktok_crawler.research_api.endpoints import TOKEN_PATH
from tiktok_crawler.research_api.json_text import read_json_object
from tiktok_crawler.research_api.tasks import Seed
from tiktok_crawler.research_api.verdicts import AnswerKind, words_of

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response


RENEW_AHEAD = timedelta(minutes=5)
"""A token is renewed so long before it expires; of one that lives shorter, the last tenth."""


USABLE = re.compile(r"[!-~]{1,4096}")
"""A token in characters, and of a length, that a header takes anywhere."""

REFUSALS = (
    "access_denied",
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
)
"""The errors that asking again cannot mend (api_facts.md 2)."""


class TokenUnavailableError(Exception):
    """The API gave no token, for a reason that can pass; the retry middleware tries again."""


class TokenRefusedError(Exception):
    """The API gave no token, and says why: the message is in its words."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token; its value is not in its `repr`."""

    value: str = field(repr=False)
    renew_at: datetime

    @classmethod
    def from_answer(cls, body: bytes, status: int, now: datetime) -> Token:
        """Read the answer to a token request; errors can come with HTTP 200.

        Raises:
            TokenRefusedError: the credentials are not accepted.
            TokenUnavailableError: anything else that is not a token.
        """
        found = read_json_object(body)
        if found is None:
            raise TokenUnavailableError(f"HTTP {status} without JSON")
        answer = found.content
        if value := token_in(answer):
            return cls(value, now + _lifetime(answer.get("expires_in")))
        words = f"{words_of(answer.get('error'))}: {words_of(answer.get('error_description'))}"
        if answer.get("error") not in REFUSALS:
            raise TokenUnavailableError(f"HTTP {status} {words}")
        raise TokenRefusedError(f"{words} (log_id {words_of(answer.get('log_id')) or None})")


def token_in(answer: dict[str, Any]) -> str | None:
    """Return the token that an answer gives; None if it gives none that a header can carry."""
    value = answer.get("access_token")
    return value if isinstance(value, str) and USABLE.fullmatch(value) else None


def _lifetime(expires_in: object) -> timedelta:
    """Return how long to use a token: two hours if the answer does not say (api_facts.md 2)."""
    seconds = expires_in if isinstance(expires_in, int) and expires_in > 0 else 7200
    life = timedelta(seconds=min(seconds, 86400))
    return life - min(RENEW_AHEAD, life / 10)


class TokenMiddleware(ApiMiddleware):
    """Adds the token to research requests, and to nothing else.

    One token request serves all that wait for it. A 401 for a request that carried an older token
    is sent again; otherwise the token is renewed once for the request, and then the crawl ends with
    status 77. So does one that the project has no approval for; of listings, the others are asked
    for nevertheless.

    Statistics: tiktok/token/requested_count, tiktok/token/refused_count.
    """

    def __init__(self, crawler: Crawler):
        super().__init__(crawler)
        self._credentials = self.config.credentials
        self._api_url = api_url(crawler)
        self._token: Token | None = None
        self._pending: asyncio.Task[Token] | None = None

    async def process_request(self, request: Request) -> None:
        if not is_api_request(request):
            return
        try:
            token = await self._current_token()
        except TokenRefusedError as exc:
            self._give_up(f"TikTok gives no access token: {exc}")
        change(request, token=token)
        # Retries copy the headers: always overwrite.
        request.headers["Authorization"] = f"Bearer {token.value}"

    def process_response(self, request: Request, response: Response) -> Request | Response:
        if not is_api_request(request):
            return response
        verdict = verdict_of(request)
        if verdict.kind is AnswerKind.SCOPE:
            self._give_up_part(
                request, f"The project may not do this: {verdict} (log_id {verdict.log_id})"
            )
        if verdict.kind is not AnswerKind.TOKEN:
            change(request, token_renewed=False)
            return response
        self.crawler.stats.inc_value("tiktok/token/refused_count")
        if attempt_of(request).token is self._token:
            if attempt_of(request).token_renewed:
                self._give_up(f"TikTok refuses a new token: {verdict} (log_id {verdict.log_id})")
            self._token = None
            change(request, token_renewed=True)
        # A bare copy would be dropped as a duplicate where the filter is on.
        return request.replace(dont_filter=True, priority=request.priority + 1)

    async def _current_token(self) -> Token:
        if self._token and utc_now() < self._token.renew_at:
            return self._token
        if self._pending is None:
            self._pending = asyncio.ensure_future(self._get_token())
            self._pending.add_done_callback(self._got_token)
        return await asyncio.shield(self._pending)

    def _got_token(self, task: asyncio.Task[Token]) -> None:
        self._pending = None
        if not task.cancelled() and task.exception() is None:
            self._token = task.result()

    async def _get_token(self) -> Token:
        self.crawler.stats.inc_value("tiktok/token/requested_count")
        request = self._token_request()
        try:
            response = await self.crawler.engine.download_async(request)
        except CrawlStoppingError:
            raise
        except Exception as exc:
            raise TokenUnavailableError(str(why_unanswered(request, exc))) from exc
        if words := why_no_answer(response):
            raise TokenUnavailableError(f"HTTP {response.status}: {words}")
        return Token.from_answer(response.body, response.status, utc_now())

    def _token_request(self) -> Request:
        return FormRequest(
            f"{self._api_url}{TOKEN_PATH}",
            formdata={
                "client_key": self._credentials.client_key,
                "client_secret": self._credentials.client_secret,
                "grant_type": "client_credentials",
            },
            meta={"proxy": None} if is_loopback(self._api_url) else None,
            dont_filter=True,
        )

    def _give_up_part(self, request: Request, message: str) -> None:
        """A project can be approved for some endpoints only (api_facts.md 9): the rest goes on."""
        task = attempt_of(request).request.task
        if not isinstance(task, Seed):
            self._give_up(message)
        self._log.error(
            "No more %(listing)s in this run: %(message)s",
            {"listing": task.listing.name, "message": message},
        )
        self._outcome.part_ended(CloseReason.CREDENTIALS_REFUSED)
        extension(self.crawler, DelayQueue).dropped(request)
        raise PartEndedError

    def _give_up(self, message: str) -> NoReturn:
        if self._outcome.stop(CloseReason.CREDENTIALS_REFUSED):
            self._log.error("%(message)s", {"message": message})
        raise CrawlStoppingError
