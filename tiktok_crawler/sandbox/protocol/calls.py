"""Requests as they come, and as they are kept for those who look at a sandbox from outside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class FormPart:
    """A part of a multipart form; one without a `filename` is no file."""

    name: str
    content: bytes
    filename: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A request; `fields` is the parameter of the URL, `authorization` the header.

    A multipart form has `parts`, and no body.
    """

    path: str
    fields: str | None
    authorization: str | None
    body: bytes
    parts: tuple[FormPart, ...] = ()

    def document(self) -> Any:
        """The body as JSON whatever its content type (api_facts.md 1.5); None if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def form(self) -> dict[str, str]:
        """The body as a form; what is no form is an empty one."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace")))

    def part(self, name: str) -> FormPart | None:
        """The first part of the multipart form that has this name."""
        return next((part for part in self.parts if part.name == name), None)


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request and its answer's status; `status` 0 means that the connection was cut off.

    `fields` is the parameter of the URL, `body` the decoded body, None if that was not possible; of
    a multipart form, the text of each part.
    """

    received_at: datetime
    path: str
    fields: str | None
    body: Any
    status: int
