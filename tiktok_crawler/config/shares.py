"""The shares of a day's budget that may go to the parts of a collection."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.research_api.endpoints import LISTINGS
from tiktok_crawler.spelling import did_you_mean, nearest, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTS = ("videos", *LISTINGS)
"""The purposes of requests: each can have a share of the day's budget."""


def parse_shares(written: object) -> dict[str, float]:
    """The shares of TIKTOK_SHARES; what is not named has no limit.

    Raises:
        ConfigurationError: a part is unknown or stands there twice, or its share is none from 0
            to 1.
    """
    found: dict[str, float] = {}
    for part, share in _pairs(written or {}):
        if part not in PARTS:
            hint = did_you_mean(nearest(part, PARTS)) or "."
            raise ConfigurationError(
                f"TIKTOK_SHARES: nothing is collected by the name {quoted(part)}{hint} "
                f"Allowed are: {', '.join(PARTS)}"
            )
        if part in found:
            raise ConfigurationError(f"TIKTOK_SHARES: {part} stands there twice")
        found[part] = _share(part, share)
    return found


def _pairs(written: object) -> Iterator[tuple[str, object]]:
    """The names and shares of a mapping, or of text such as videos=0.7,comments=0.2."""
    if isinstance(written, Mapping):
        yield from ((str(part), share) for part, share in written.items())
    elif isinstance(written, str):
        for pair in written.split(","):
            part, _, share = pair.partition("=")
            yield part.strip(), share.strip()
    else:
        raise ConfigurationError("TIKTOK_SHARES: write it as videos=0.7,comments=0.2")


def _share(part: str, written: object) -> float:
    try:
        share = math.nan if isinstance(written, bool) else float(str(written))
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise ConfigurationError(f"TIKTOK_SHARES: {part}={written} is no share from 0 to 1")
    return share
