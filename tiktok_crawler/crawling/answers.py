"""Says why an answer is none where its body does not: it cannot be read, or it is a redirect."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tiktok_crawler.research_api.verdicts import REDIRECTS
from tiktok_crawler.spelling import shortened

if TYPE_CHECKING:
    from scrapy.http import Response

_UNREADABLE = "unreadable: "
_STEERING = "".join(map(chr, range(33)))
"""Blanks and control characters: what a browser takes off the start of an address."""

_ORIGIN = re.compile(r"(?:(?P<scheme>[^:/?#\\]+):)?//(?:[^/?#\\]*@)?(?P<host>[^/?#\\@]*)")


def unreadable(response: Response, why: str) -> Response:
    """Return the response without its body, which cannot be read."""
    return response.replace(body=b"", flags=[*response.flags, f"{_UNREADABLE}{why}"])


def why_no_answer(response: Response) -> str | None:
    """Say in words what is in place of an answer; None if the body has to tell."""
    found = (flag for flag in response.flags if flag.startswith(_UNREADABLE))
    if flag := next(found, None):
        return flag.removeprefix(_UNREADABLE)
    place = redirected_to(response)
    return place and f"redirected to {place}"


def redirected_to(response: Response) -> str | None:
    """Return where a redirect leads, as scheme and host; None if the response is none."""
    if response.status not in REDIRECTS:
        return None
    location = (response.headers.get("Location") or b"").decode("utf-8", "replace")
    if not location:
        return "no address"
    url = urlsplit(response.url)
    found = _ORIGIN.match(location.lstrip(_STEERING))
    scheme, host = found.group("scheme", "host") if found else (None, url.netloc)
    return shortened(f"{scheme or url.scheme}://{host}")
