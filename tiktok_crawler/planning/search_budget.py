"""Counts what the searches of a query file spend in a run, against what they may spend. Pure."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class SearchBudget:
    """What has been spent so far, and the limits that the query file sets.

    `requests` are those that were sent in this run, `videos` those that the database has of the
    query, as far as `max_videos` needs them. `new` are those that this run has brought to the
    database. `failure` is why the file was set aside.
    """

    priority: int = 1
    max_requests: int | None = None
    max_videos: int | None = None
    requests: int = 0
    videos: int = 0
    new: int = 0
    failure: str | None = None

    @property
    def has_all_videos(self) -> bool:
        """Tell whether there are as many videos as are wanted."""
        return self.max_videos is not None and self.videos >= self.max_videos

    @property
    def is_spent(self) -> bool:
        """Tell whether no request may be sent any more."""
        return self.has_sent_all or self.has_all_videos

    @property
    def has_sent_all(self) -> bool:
        """Tell whether all requests of a run are sent."""
        return self.max_requests is not None and self.requests >= self.max_requests

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Count a request, unless it turns out that it may not be sent."""
        self.requests += 1
        try:
            yield
        except BaseException:
            self.requests -= 1
            raise

    def stored(self, new: int, first: int) -> None:
        """Count what a page has brought; `first` is how much no page of the query had before.

        That may be in the database all the same: of another query, or an import.
        """
        self.videos += first
        self.new += new
