"""The requests to a sandbox and its answers, for those who look at it from outside."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime


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


class Journal:
    """Counts requests by path and status; keeps them as well if told to."""

    def __init__(self, *, keep: bool) -> None:
        self.requests: list[RecordedRequest] = []
        self._keep = keep
        self._counts: defaultdict[str, Counter[int]] = defaultdict(Counter)

    def note(self, request: RecordedRequest) -> None:
        self._counts[request.path][request.status] += 1
        if self._keep:
            self.requests.append(request)

    def counts(self) -> dict[str, dict[int, int]]:
        return {path: dict(statuses) for path, statuses in self._counts.items()}
