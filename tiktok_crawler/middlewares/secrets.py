"""Takes secrets out of answers that repeat what was sent, before anything else looks at them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from tiktok_crawler.crawling.attempt import is_api_request
from tiktok_crawler.crawling.closing import CloseReason
from tiktok_crawler.crawling.failures import MisdirectedError
from tiktok_crawler.crawling.masking import without_secrets
from tiktok_crawler.logformatter import PageLogFormatter
from tiktok_crawler.middlewares.middleware import ApiMiddleware
from tiktok_crawler.middlewares.token import token_in
from tiktok_crawler.research_api.json_text import read_json_object

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

LAST_TOKENS = 8
"""An answer may repeat a token that was renewed meanwhile."""


class SecretsMiddleware(ApiMiddleware):
    """Puts *** for the client's key and secret, and for tokens, into headers, bodies and the log.

    So they are in no log, no database and no archive. A token that is given stays as it is.
    """

    def __init__(self, crawler: Crawler):
        super().__init__(crawler)
        credentials = self.config.credentials
        self._credentials = (credentials.client_secret, credentials.client_key)
        self._tokens: deque[str] = deque(maxlen=LAST_TOKENS)
        assert isinstance(crawler.logformatter, PageLogFormatter)
        crawler.logformatter.mask_with(self._masked_line)

    def process_request(self, request: Request) -> None:
        """Know a token before anything can repeat it."""
        sent = request.headers.get("Authorization") or b""
        token = sent.decode("utf-8", "replace").removeprefix("Bearer ")
        if token and token not in self._tokens:
            self._tokens.append(token)

    def process_response(self, request: Request, response: Response) -> Response:
        headers = {
            self._masked(name): [self._masked(value) for value in values]
            for name, values in response.headers.items()
        }
        if not is_api_request(request) and _gives_token(response):
            return response.replace(headers=headers)
        return response.replace(headers=headers, body=self._masked(response.body))

    def process_exception(self, request: Request, exception: Exception) -> None:  # noqa: ARG002
        if isinstance(exception, MisdirectedError):
            self._log.error(
                "A request with a secret would have gone %(error)s, and was not sent: something "
                "that was added in the settings has changed it",
                {"error": exception},
            )
            self._outcome.stop(CloseReason.UNEXPECTED_ERROR)

    def _masked(self, text: bytes) -> bytes:
        return without_secrets(text, (*self._tokens, *self._credentials))

    def _masked_line(self, line: str) -> str:
        return self._masked(line.encode("utf-8", "backslashreplace")).decode()


def _gives_token(response: Response) -> bool:
    found = read_json_object(response.body)
    return found is not None and bool(token_in(found.content))
