"""The addresses that are told when something needs a person: TIKTOK_NOTIFY."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.installed import require_installed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scrapy.settings import BaseSettings

NAME = "TIKTOK_NOTIFY"

BETWEEN = re.compile(r"[\s,]+(?=[A-Za-z][A-Za-z0-9]*://)|\s+")
"""A comma before an address parts two; others are in one."""


def read_addresses(settings: BaseSettings) -> tuple[str, ...]:
    """Return the addresses, each once.

    Raises:
        ConfigurationError: the setting is neither text nor a list.
    """
    written = settings.get(NAME) or ""
    if not isinstance(written, str | list | tuple):
        # Not quoted: there may be a password in it.
        raise ConfigurationError(f"{NAME} is not a list of addresses, or text with these")
    parts = BETWEEN.split(written) if isinstance(written, str) else map(str, written)
    return tuple(dict.fromkeys(part.strip(", ") for part in parts if part.strip(", ")))


def check_addresses(addresses: Iterable[str]) -> None:
    """Refuse addresses to which nothing can be sent. They are not quoted: they hold secrets.

    Raises:
        ConfigurationError: apprise is not installed, or does not know one of them.
    """
    addresses = tuple(addresses)
    if not addresses:
        return
    require_installed(NAME, "notify", ["apprise"])
    from apprise import Apprise  # noqa: PLC0415 - it is an extra, and takes long to load
    from apprise.logger import logger  # noqa: PLC0415

    level, logger.disabled = logger.disabled, True
    try:
        known = [Apprise.instantiate(each, suppress_exceptions=True) for each in addresses]
    finally:
        logger.disabled = level
    for number, found in enumerate(known, start=1):
        if found is None:
            raise ConfigurationError(
                f"{NAME}: address {number} of {len(known)} is none that apprise can send to; such "
                "as mailtos://user:password@example.org, or matrixs://... "
                "(https://appriseit.com/services)"
            )


def shown(addresses: tuple[str, ...], address: str) -> str:
    """Say which of the addresses one is, without its secrets."""
    kind = address.partition(":")[0]
    return f"address {addresses.index(address) + 1} of {NAME} ({kind})"
