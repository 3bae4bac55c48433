"""Says why an answer is none where its body does not: it cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy.http import Response

_UNREADABLE = "unreadable: "


def unreadable(response: Response, why: str) -> Response:
    """Return the response without its body, which cannot be read."""
    return response.replace(body=b"", flags=[*response.flags, f"{_UNREADABLE}{why}"])


def why_no_answer(response: Response) -> str | None:
    """Say in words what is in place of an answer; None if the body has to tell."""
    found = (flag for flag in response.flags if flag.startswith(_UNREADABLE))
    flag = next(found, None)
    return flag and flag.removeprefix(_UNREADABLE)
