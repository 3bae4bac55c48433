"""Tasks, which are paged to their end, and requests for one page of them at a time.

A task is a window of a query, or a seed of a listing. It is a value: how far it has come is its
place, and what has become of it stands in the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tiktok_crawler.research_api.checks import CheckStep
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.paging import START, Paging
from tiktok_crawler.research_api.query import Operation

if TYPE_CHECKING:
    from datetime import datetime

    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.research_api.endpoints import Endpoint, Listing
    from tiktok_crawler.research_api.paging import Place
    from tiktok_crawler.research_api.query import Query


@dataclass(frozen=True, slots=True)
class Window:
    """Days of a query that are searched as one, both ends included.

    `max_count` is how many videos a page may have; `row_id` the row in `crawl_window`, None until
    the window is opened. `keywords_as` is the operation with which single keywords are sent.
    `is_part` says that it is a part of a window that kept failing.
    """

    query: Query
    days: DateRange
    fields: tuple[str, ...]
    max_count: int = VIDEO_QUERY.max_count
    row_id: int | None = None
    keywords_as: Operation = Operation.IN
    is_part: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return str(self.days)

    @property
    def subject(self) -> Query:
        """The query that the window belongs to."""
        return self.query

    @property
    def endpoint(self) -> Endpoint:
        return VIDEO_QUERY

    @property
    def keyword_form(self) -> Operation | None:
        """The operation with which single keywords are sent; None if the query has none."""
        return self.keywords_as if self.query.has_single_keywords else None

    @property
    def is_sample(self) -> bool:
        """Tell whether it has one page, of some of its videos."""
        return self.query.sample is not None

    @property
    def limit(self) -> None:
        """Say that all videos are wanted."""
        return

    def page_size(self, _place: Place) -> int:
        """Return how many records to ask for."""
        return self.query.sample.per_day if self.query.sample else self.max_count

    def body(self, place: Place) -> dict[str, Any]:
        """Return the JSON body that asks for one page (api_facts.md 3.2, 3.5).

        Days are sent as YYYYMMDD, both inclusive.
        """
        body: dict[str, Any] = {
            "query": self.query.sent(self.keywords_as),
            "start_date": f"{self.days.start:%Y%m%d}",
            "end_date": f"{self.days.end:%Y%m%d}",
            "max_count": self.page_size(place),
        }
        if self.is_sample:
            body["is_random"] = True
        if not place.is_start:
            body |= {"cursor": place.cursor, "search_id": place.search_id}
        return body


@dataclass(frozen=True, slots=True)
class Seed:
    """One object that a listing is about: a video, a user, a playlist, a shop and so on.

    `key` names it as text, ids in decimal digits. With a `limit`, no page is asked for after so
    many records. `row_id` is the row in `seed`, None until the seed is opened.
    """

    listing: Listing
    key: str
    limit: int | None = None
    row_id: int | None = None

    def __str__(self) -> str:
        return self.listing.describe(self.key)

    @property
    def subject(self) -> Listing:
        """The listing that the seed belongs to."""
        return self.listing

    @property
    def endpoint(self) -> Endpoint:
        return self.listing.endpoint

    @property
    def fields(self) -> tuple[str, ...]:
        return self.endpoint.fields

    @property
    def is_sample(self) -> bool:
        """Say that all records are wanted, in their order."""
        return False

    def page_size(self, place: Place) -> int:
        """Return how many records to ask for; no page reaches across the listing's cap."""
        return self.listing.page_size(place.cursor)

    def body(self, place: Place) -> dict[str, Any]:
        """Return the JSON body that asks for one page; that for the first one has no cursor."""
        endpoint, key = self.endpoint, self.listing.seed_key
        body: dict[str, Any] = {str(key): int(self.key) if key.is_number else self.key}
        if endpoint.count_key:
            body[endpoint.count_key] = self.page_size(place)
        if endpoint.paging is Paging.NUMBERED:
            body["page_start"] = place.cursor + 1
        elif not place.is_start:
            body["cursor"] = place.cursor
        if endpoint.fields_in_body:
            body["fields"] = ",".join(endpoint.fields)
        return body


Task = Window | Seed | CheckStep
"""What requests are about. A check is no task with pages: it has steps, and each is one request."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One page to ask for: a task, and the place that it has come to.

    The task was begun, with the request for its first page, at `begun_at`; the page before this one
    came at `previous_page_at`. A `second_try` of a window that was parked, or looked suspicious, is
    one until a page comes. One that `refreshes` asks for newer values of what is there. A seed that
    is asked for once more had ended at `ended_at`.
    """

    task: Task
    place: Place = START
    second_try: bool = field(default=False, compare=False)
    begun_at: datetime | None = field(default=None, compare=False)
    previous_page_at: datetime | None = field(default=None, compare=False)
    ended_at: datetime | None = field(default=None, compare=False)
    refreshes: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return str(self.task)

    @property
    def window(self) -> Window:
        """The task, where it is known to be a window."""
        assert isinstance(self.task, Window)
        return self.task

    @property
    def seed(self) -> Seed:
        """The task, where it is known to be a seed."""
        assert isinstance(self.task, Seed)
        return self.task

    @property
    def step(self) -> CheckStep:
        """The task, where it is known to be a step of a check."""
        assert isinstance(self.task, CheckStep)
        return self.task

    @property
    def endpoint(self) -> Endpoint:
        return self.task.endpoint

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body to post."""
        return self.task.body(self.place)

    @property
    def max_count(self) -> int:
        """The number of records asked for."""
        return self.task.page_size(self.place)

    @property
    def starts_task(self) -> bool:
        return self.place.is_start

    @property
    def is_past_cap(self) -> bool:
        """True if the API may say that there is nothing here by refusing the cursor."""
        cap = self.task.listing.cap if isinstance(self.task, Seed) else None
        return cap is not None and self.place.cursor >= cap

    def url(self, base: str) -> str:
        """Return the URL to post to."""
        return self.endpoint.url(base, self.task.fields)

    def from_start(self) -> PageRequest:
        """Return the request that begins the task anew."""
        return replace(self, place=START, begun_at=None, previous_page_at=None)

    def opened(self, row_id: int) -> PageRequest:
        """Return the same request of the task that has this row."""
        return replace(self, task=replace(self.task, row_id=row_id))

    def booked(self, now: datetime) -> PageRequest:
        """Return the request as it is sent: the first one begins its task."""
        return replace(self.from_start(), begun_at=now) if self.starts_task else self

    def for_days(self, days: DateRange, row_id: int) -> PageRequest:
        """Return the request that begins a search of other days, which have this row."""
        return replace(self.from_start(), task=replace(self.window, days=days, row_id=row_id))

    def with_keywords_as(self, operation: Operation) -> PageRequest:
        """Return the request that begins the same search with keywords in this form."""
        return replace(self.from_start(), task=replace(self.window, keywords_as=operation))
