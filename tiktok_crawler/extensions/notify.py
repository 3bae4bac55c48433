"""Tells by mail or chat, at the very end of a run, what needs a person now, and what is over."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scrapy import signals
from scrapy.exceptions import NotConfigured

from tiktok_crawler.attention.digest import Digest
from tiktok_crawler.attention.disks import disks_of
from tiktok_crawler.attention.needs import needs_a_person
from tiktok_crawler.attention.sending import Message, send
from tiktok_crawler.clock import utc_now
from tiktok_crawler.config.notify import shown
from tiktok_crawler.config.paths import in_project
from tiktok_crawler.crawling.components import config_of, extension
from tiktok_crawler.extensions.run_record import RunRecord
from tiktok_crawler.spelling import visible
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.transactions import reading, transaction
from tiktok_crawler.storage.ledger.notices import mark_of, note, told_to
from tiktok_crawler.storage.ledger.status import status_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self

    from scrapy.crawler import Crawler
    from sqlalchemy import Engine

    from tiktok_crawler.attention.needs import Need
    from tiktok_crawler.config import Config

logger = logging.getLogger(__name__)

SENDING_SECONDS = 10.0
ALL_SECONDS = 60.0
"""Reading how it stands takes some of them where a database is large."""

AFTER_CTRL_C_SECONDS = 3.0
LOOK_SECONDS = 0.1


class Notify:
    """Sends to TIKTOK_NOTIFY what has changed since it was told last, and nothing if nothing has.

    What could not be sent is a warning, and is told by the next run. The exit status stays as it
    is, and Ctrl-C waits for a few seconds at most.
    """

    def __init__(self, crawler: Crawler):
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if not config_of(crawler).notify:
            raise NotConfigured
        notify = cls(crawler)
        crawler.signals.connect(notify.engine_stopped, signal=signals.engine_stopped)
        return notify

    async def engine_stopped(self) -> None:
        record = extension(self.crawler, RunRecord)
        await record.is_written.wait()
        if not record.has_begun:
            return
        # A thread of asyncio's would keep the process from ending.
        told = threading.Event()
        args = (config_of(self.crawler), told)
        threading.Thread(target=_tell_and_say_so, args=args, daemon=True).start()
        left = ALL_SECONDS if self.crawler.crawling else AFTER_CTRL_C_SECONDS
        with _ctrl_c_noted() as has_come:
            while left > 0 and not (told.is_set() or has_come.is_set()):
                await asyncio.sleep(LOOK_SECONDS)
                left -= LOOK_SECONDS
        if not told.is_set():
            logger.warning("What needs a person could not be told in time; the next run tells it")


@contextmanager
def _ctrl_c_noted() -> Iterator[threading.Event]:
    """Note Ctrl-C and SIGTERM: the engine has stopped, and Scrapy would drop what is left to do."""
    has_come = threading.Event()
    is_main = threading.current_thread() is threading.main_thread()
    handlers = {
        number: handler
        for number in (signal.SIGINT, signal.SIGTERM)
        if is_main and callable(handler := signal.getsignal(number))
    }
    for number in handlers:
        signal.signal(number, lambda *_: has_come.set())
    try:
        yield has_come
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _tell_and_say_so(config: Config, told: threading.Event) -> None:
    try:
        _tell(config)
    except Exception as exc:  # noqa: BLE001 - a run is no worse for not being told of
        # The words of some exceptions have the address of the database.
        logger.warning(
            "What needs a person could not be told: %(reason)s; the next run tells it",
            {"reason": type(exc).__name__},
        )
    finally:
        told.set()


def _tell(config: Config) -> None:
    with database.opened(config.database_url) as engine:
        needs, told = _look(engine, config)
        digests = {address: Digest.of(needs, before) for address, before in told.items()}
        news = {address: digest for address, digest in digests.items() if digest}
        study = f"{visible(in_project('').name)}{' (sandbox)' if config.uses_sandbox else ''}"
        messages = [
            Message(address, digest.title(study), digest.body) for address, digest in news.items()
        ]
        taken = dict(zip(news, send(messages, SENDING_SECONDS), strict=True))
        _note(engine, [address for address in news if taken[address]], needs)
    for address in (address for address in news if not taken[address]):
        logger.warning(
            "What needs a person could not be sent to %(address)s; the next run tells it",
            {"address": shown(config.notify, address)},
        )


def _look(engine: Engine, config: Config) -> tuple[tuple[Need, ...], dict[str, dict[str, str]]]:
    """Read what needs a person, and what each address was told last."""
    with reading(engine) as connection:
        status = status_of(connection, config.terms, utc_now())
        told = {address: told_to(connection, mark_of(address)) for address in config.notify}
    return needs_a_person(status, disks_of(config.database_url, config.archive)), told


def _note(engine: Engine, addresses: Sequence[str], needs: Sequence[Need]) -> None:
    texts, now = {need.key: need.text for need in needs}, utc_now()
    for address in addresses:
        mark = mark_of(address)
        transaction(engine, lambda on, mark=mark: note(on, mark, texts, now))  # type: ignore[misc]
