"""Faults by schedule: what can happen to a single request, and which requests it happens to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from tiktok_crawler.research_api.endpoints import LISTINGS


class FaultName(StrEnum):
    """A fault that can happen to a single request; docs/sandbox.md describes each."""

    # An answer given instead of the true one
    INTERNAL_ERROR = "internal_error"
    ERROR_IN_200 = "error_in_200"
    SERVICE_UNAVAILABLE = "service_unavailable"
    GATEWAY_TIMEOUT = "gateway_timeout"
    HTML_PAGE = "html_page"
    EMPTY_BODY = "empty_body"
    REDIRECT = "redirect"
    GZIP_BOMB = "gzip_bomb"
    HANG = "hang"
    CONNECTION_RESET = "connection_reset"
    TOKEN_INVALID = "token_invalid"  # noqa: S105 - no secret: an error's name
    SCOPE_NOT_AUTHORIZED = "scope_not_authorized"
    FORBIDDEN = "forbidden"
    REFUSED = "refused"
    INVALID_CURSOR = "invalid_cursor"
    RATE_LIMITED = "rate_limited"
    DAILY_QUOTA = "daily_quota"
    UNKNOWN_429 = "unknown_429"
    # The true answer, bent
    TRUNCATED_JSON = "truncated_json"
    DATA_WITH_500 = "data_with_500"
    REPEATED_CURSOR = "repeated_cursor"
    NO_CURSOR = "no_cursor"
    NO_DATA = "no_data"
    NO_HAS_MORE = "no_has_more"
    NULL_DATA = "null_data"
    NULL_HAS_MORE = "null_has_more"
    LISTS_AS_OBJECTS = "lists_as_objects"
    NOT_UTF8 = "not_utf8"
    # Something done to the search that the request goes on with
    SEARCH_LOST = "search_lost"
    # Something done to the check that the request begins
    CHECK_FAILED = "check_failed"
    CHECK_ENDLESS = "check_endless"
    # The file of a check, bent
    EMPTY_FILE = "empty_file"
    TRUNCATED_FILE = "truncated_file"
    CUT_LINE = "cut_line"
    UNKNOWN_IDS = "unknown_ids"
    CRLF = "crlf"
    HEADER_LINE = "header_line"
    SHUFFLED = "shuffled"


OF_NEW_CHECKS = frozenset({FaultName.CHECK_FAILED, FaultName.CHECK_ENDLESS})
"""Faults of a whole check, which it has from its creation on."""

OF_FILES = frozenset(
    {
        FaultName.EMPTY_FILE,
        FaultName.TRUNCATED_FILE,
        FaultName.CUT_LINE,
        FaultName.UNKNOWN_IDS,
        FaultName.CRLF,
        FaultName.HEADER_LINE,
        FaultName.SHUFFLED,
    }
)
"""Faults of the file that a check ends with."""


FOR_SEARCHES = frozenset(
    {
        FaultName.TRUNCATED_JSON,
        FaultName.DATA_WITH_500,
        FaultName.REPEATED_CURSOR,
        FaultName.NO_CURSOR,
        FaultName.NO_DATA,
        FaultName.NO_HAS_MORE,
        FaultName.NULL_DATA,
        FaultName.NULL_HAS_MORE,
        FaultName.LISTS_AS_OBJECTS,
        FaultName.NOT_UTF8,
        FaultName.SEARCH_LOST,
    }
)
"""Faults that mean nothing for a token request."""


class Requests(StrEnum):
    """The requests that a schedule counts; first and later pages are both searches.

    All of `RESEARCH` are either searches, lists or about compliance checks; a list is of one kind.
    """

    RESEARCH = "research"
    SEARCHES = "searches"
    FIRST_PAGES = "first_pages"
    LATER_PAGES = "later_pages"
    LISTS = "lists"
    CHECKS = "checks"
    CHECK_CREATIONS = "check_creations"
    CHECK_STATUSES = "check_statuses"
    CHECK_DOWNLOADS = "check_downloads"
    TOKENS = "tokens"
    # A member for each listing
    vars().update({name.upper(): name for name in LISTINGS})


WITH_SEARCHES = frozenset(
    {Requests.RESEARCH, Requests.SEARCHES, Requests.FIRST_PAGES, Requests.LATER_PAGES}
)
"""Those among which there are searches."""

_ONLY = {OF_NEW_CHECKS: Requests.CHECK_CREATIONS, OF_FILES: Requests.CHECK_DOWNLOADS}
"""The requests that these faults can happen to, and no others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledFault:
    """A fault and the requests that it strikes, counted from 1 in the order of their arrival.

    Exactly one of `request` (that one), `requests` (the first and the last of several in a row),
    `every` (each n-th) and `rate` (that share, at random) is given. `seconds` is how long `hang`
    hangs, `retry_after` the header of that name in answers with 429; `share` how much of a file is
    left, or is added to it.
    """

    fault: FaultName
    of: Requests = Requests.SEARCHES
    request: int | None = None
    requests: tuple[int, int] | None = None
    every: int | None = None
    rate: float | None = None
    seconds: float = 240.0
    retry_after: int | None = None
    share: float = 0.5

    def __post_init__(self) -> None:
        when = (self.request, self.requests, self.every, self.rate)
        if sum(each is not None for each in when) != 1:
            raise ValueError("give exactly one of request, requests, every and rate")
        if self.every is not None and self.every < 1:
            raise ValueError(f"every must be at least 1, not {self.every}")
        for name, share in (("rate", self.rate), ("share", self.share)):
            if share is not None and not 0 <= share <= 1:
                raise ValueError(f"{name} must be between 0 and 1, not {share}")
        if self.of is Requests.TOKENS and self.fault in FOR_SEARCHES:
            raise ValueError(f"{self.fault} cannot happen to token requests")
        if self.fault is FaultName.SEARCH_LOST and self.of not in WITH_SEARCHES:
            raise ValueError(f"{self.fault} cannot happen to {self.of}: they have no search")
        for faults, requests in _ONLY.items():
            if self.fault in faults and self.of is not requests:
                raise ValueError(f"{self.fault} can happen to {requests} only, not to {self.of}")

    def strikes(self, number: int, seed: str) -> bool:
        """Tell whether the request of this number is struck; `seed` decides those at random."""
        if self.request is not None:
            return number == self.request
        if self.requests is not None:
            return self.requests[0] <= number <= self.requests[1]
        if self.every is not None:
            return number % self.every == 0
        return self.rate is not None and Random(f"{seed}:{number}").random() < self.rate


class Schedule:
    """Counts the requests of a sandbox and tells what happens to each; the first fault wins."""

    def __init__(self, faults: tuple[ScheduledFault, ...], seed: int) -> None:
        self._faults = faults
        self._seed = seed
        self._counts: Counter[Requests] = Counter()

    def next_fault(self, *kinds: Requests) -> ScheduledFault | None:
        """Count a request that is of these kinds, and return the fault that strikes it, if any."""
        self._counts.update(kinds)
        for position, fault in enumerate(self._faults):
            number = self._counts[fault.of]
            if fault.of in kinds and fault.strikes(number, f"{self._seed}:{position}"):
                return fault
        return None
