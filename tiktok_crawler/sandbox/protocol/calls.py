"""Requests as they come, and as they are kept for those who look at a sandbox from outside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Call:
    """A request; `fields` is the parameter of the URL, `authorization` the header."""

    path: str
    fields: str | None
    authorization: str | None
    body: bytes

    def document(self) -> Any:
        """The body as JSON whatever its content type (api_facts.md 1.5); None if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def form(self) -> dict[str, str]:
        """The body as a form; what is no form is an empty one."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace")))


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request and its answer's status; `status` 0 means that the connection was cut off.

    `fields` is the parameter of the URL, `body` the decoded body, None if that was not possible.
    """

    received_at: datetime
    path: str
    fields: str | None
    body: Any
    status: int
