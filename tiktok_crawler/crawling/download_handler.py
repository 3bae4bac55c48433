"""Downloads that say why nothing answers, and do not keep a crawl from ending."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from scrapy.core.downloader.handlers import http11

from tiktok_crawler.config.addresses import is_loopback, origin_of
from tiktok_crawler.crawling.failures import CrawlStoppingError, MisdirectedError
from tiktok_crawler.crawling.masking import without_secrets
from tiktok_crawler.crawling.notice import NOTICE
from tiktok_crawler.crawling.unanswered import still_waiting, why_unanswered

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from tiktok_crawler.config import Config
    from tiktok_crawler.crawling.unanswered import Trouble

logger = logging.getLogger(__name__)

GRACE_SECONDS = 8.0
"""Time to wait for answers after a signal: the API can hang for minutes (api_facts.md 1.19)."""

LOOK_SECONDS = 0.2

SILENCE_SECONDS = 4.0
"""Time until the user is told that nothing has answered so far."""


class GracefulDownloadHandler(http11.HTTP11DownloadHandler):
    """Scrapy's handler; after Ctrl-C or SIGTERM it gives up on answers that stay away.

    The page counts as spent, its window stays open, and the next run asks for it again. What keeps
    answers away is told when it begins, or changes. A request with a secret goes to the API alone,
    whatever other components have made of it.
    """

    lazy = True

    def __init__(self, crawler: Crawler):
        super().__init__(crawler)
        # DEBUG has lines of a head that are no headers, as they came.
        logging.getLogger(http11.__name__).setLevel(logging.INFO)
        self._has_answered = False
        self._told: Trouble | None = None
        self._ends = False

    async def download_request(self, request: Request) -> Response:
        if config := getattr(self.crawler.spider, "config", None):
            _check_place(request, config)
        download = asyncio.ensure_future(super().download_request(request))
        grace, silence = GRACE_SECONDS, SILENCE_SECONDS
        try:
            while grace > 0:
                done, _ = await asyncio.wait({download}, timeout=LOOK_SECONDS)
                if done:
                    return self._result(request, download)
                silence -= LOOK_SECONDS
                if silence <= 0 and not self._has_answered:
                    self._tell(still_waiting(request, SILENCE_SECONDS))
                # No signal says that closing began.
                if not self.crawler.engine.running:
                    grace -= LOOK_SECONDS
                    self._say_that_it_ends()
        finally:
            download.cancel()
        raise CrawlStoppingError

    def _result(self, request: Request, download: asyncio.Future[Response]) -> Response:
        try:
            response = download.result()
        except Exception as exc:
            self._tell(why_unanswered(request, exc))
            raise
        self._has_answered, self._told = True, None
        return response

    def _tell(self, trouble: Trouble) -> None:
        if trouble != self._told:
            self._told = trouble
            level = logging.WARNING if trouble.advice else logging.INFO
            logger.log(level, "No answer yet: %(trouble)s", {"trouble": trouble})

    def _say_that_it_ends(self) -> None:
        if not self._ends:
            self._ends = True
            logger.log(
                NOTICE,
                "Stopping; answers that are on their way have %(seconds)d seconds. A second Ctrl-C "
                "ends at once",
                {"seconds": GRACE_SECONDS},
            )


def _check_place(request: Request, config: Config) -> None:
    """Let a request with a secret go to the API itself, and to nobody else.

    Raises:
        MisdirectedError: it was changed on its way.
    """
    if not _has_secret(request, config):
        return
    host = origin_of(request.url)[1]
    if not (
        origin_of(request.url) == origin_of(config.api_url)
        if config.api_url
        else is_loopback(request.url)
    ):
        raise MisdirectedError(
            f"to {host}, which is not the API ({config.api_url or 'the sandbox'})"
        )
    if request.meta.get("proxy") and not request.url.startswith("https:"):
        raise MisdirectedError(f"to {host} unencrypted, through a proxy that could read along")


def _has_secret(request: Request, config: Config) -> bool:
    if "Authorization" in request.headers:
        return True
    secrets = (config.credentials.client_secret, config.credentials.client_key)
    sent = b"\n".join((request.url.encode(), request.headers.to_string(), request.body))
    return without_secrets(sent, secrets) != sent
