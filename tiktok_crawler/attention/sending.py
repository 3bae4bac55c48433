"""Sends messages to the addresses of TIKTOK_NOTIFY, in little time and without a word to logs.

Libraries log addresses, and in addresses are passwords and tokens.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

APP = "tiktok_crawler"

TALKATIVE = ("apprise", "urllib3", "requests_oauthlib", "oauthlib")


@dataclass(frozen=True, slots=True)
class Message:
    """A message, and the address that it goes to."""

    address: str
    title: str
    body: str


def send(messages: Sequence[Message], seconds: float) -> list[bool]:
    """Send each message on its own; tell which ones were taken within so many seconds."""
    taken = [False] * len(messages)

    def send_one(number: int) -> None:
        taken[number] = _is_taken(messages[number])

    # What hangs must not keep the process from ending.
    threads = [
        threading.Thread(target=send_one, args=(number,), daemon=True)
        for number in range(len(messages))
    ]
    until = time.monotonic() + seconds
    with _silence():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0, until - time.monotonic()))
    return list(taken)


def _is_taken(message: Message) -> bool:
    import apprise  # noqa: PLC0415 - it is an extra, and takes long to load

    try:
        asset = apprise.AppriseAsset(app_id=APP, app_desc=APP, image_url_mask="", async_mode=False)
        receiver = apprise.Apprise(asset=asset)
        return receiver.add(message.address) and bool(
            receiver.notify(message.body, message.title, body_format=apprise.NotifyFormat.TEXT)
        )
    except Exception:  # noqa: BLE001 - its words could show the address
        return False


@contextmanager
def _silence() -> Iterator[None]:
    levels = {logging.getLogger(name): logging.getLogger(name).level for name in TALKATIVE}
    for logger in levels:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in levels.items():
            logger.setLevel(level)
