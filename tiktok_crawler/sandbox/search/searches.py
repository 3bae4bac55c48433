"""Searching: the matches of a request, their pages, and the ids that later pages go on with.

A search id is derived from the request and the moment of its first page, so that a sandbox that was
started anew knows it again.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Any

from tiktok_crawler.sandbox.protocol.errors import (
    INTERNAL_ERROR,
    INVALID_CURSOR,
    ApiError,
    search_invalid,
)
from tiktok_crawler.sandbox.search.matching import test_of
from tiktok_crawler.sandbox.search.search_troubles import SearchTroubles
from tiktok_crawler.sandbox.search.silent_days import SilentDays
from tiktok_crawler.sandbox.world.corpus import (
    DAY_SECONDS,
    MAX_VIDEOS_PER_DAY,
    Corpus,
    SandboxVideo,
    midnight,
)
from tiktok_crawler.sandbox.world.records import SandboxRecords

if TYPE_CHECKING:
    from collections.abc import Callable

    from tiktok_crawler.sandbox.faults.profile import Profile
    from tiktok_crawler.sandbox.search.conditions import SandboxQuery
    from tiktok_crawler.sandbox.search.search_request import SearchRequest
    from tiktok_crawler.sandbox.world.aging import Aging

    Positions = array[int]

_SEARCHES_KEPT = 32
_SEARCH_ID = re.compile("[0-9]{19}")


@dataclass(frozen=True, slots=True)
class Search:
    """All matches of a request, hidden ones too, newest first; each as its place in the corpus."""

    search_id: str
    matches: Positions


class Searches:
    """Answers requests for videos; the results of the last searches are kept in memory."""

    def __init__(
        self, corpus: Corpus, aging: Aging, profile: Profile, now: Callable[[], datetime]
    ) -> None:
        self.troubles = SearchTroubles(profile.searches, now)
        self._silent_days = SilentDays(profile.searches, profile.seed)
        self._corpus = corpus
        self._aging = aging
        self._profile = profile
        self._now = now
        self._records = SandboxRecords(seed=corpus.seed, behaviour=profile.data)
        self._random_pages = 0
        self.find: Callable[[SandboxQuery, date, date, int, frozenset[date]], Positions]
        self.find = lru_cache(_SEARCHES_KEPT)(self._find)
        """The places of what a query finds in the days from one to another, but for silent ones, at
        a moment."""

    def page(self, request: SearchRequest) -> dict[str, Any]:
        """The `data` of the answer (api_facts.md 3.4).

        Raises:
            ApiError: the request does not fit the search, or something is wrong with the search.
        """
        if request.has_empty_group and self._profile.searches.fail_on_empty_groups:
            raise ApiError(INTERNAL_ERROR)
        search = self._search(request)
        self._check_window(request, search)
        if request.is_random:
            return self._random_page(request, search)
        if request.search_id:
            self._check_cursor(request, search)
            self.troubles.check(search.search_id, request.page_number)
        else:
            self.troubles.begin(search.search_id)
        return self._sequential_page(request, search)

    def videos(self, positions: Positions) -> list[SandboxVideo]:
        """Return the matches that a search delivers: those that are not hidden."""
        videos = (self._video(position) for position in positions)
        return [video for video in videos if not video.hidden]

    def records(
        self, videos: list[SandboxVideo], fields: frozenset[str] | None = None
    ) -> list[Any]:
        moment = int(self._now().timestamp())
        return [self._records.record(self._aging.at(video, moment), fields) for video in videos]

    def _search(self, request: SearchRequest) -> Search:
        moment = int(self._now().timestamp())
        if request.search_id:
            moment = self._moment_of(request, moment)
        else:
            if request.cursor:
                raise ApiError(INVALID_CURSOR)
            moment = self._same_as(request.end, moment)
        search_id = self._search_id(request, moment)
        choose = self._silent_days.left_out if request.search_id else self._silent_days.begin
        silent = choose(search_id, request)
        matches = self.find(request.query, request.start, request.end, moment, silent)
        return Search(search_id, matches)

    def _moment_of(self, request: SearchRequest, now: int) -> int:
        """The moment of the first page, if the search id was derived from this very request."""
        search_id = request.search_id or ""
        moment = int(search_id) >> 32 if _SEARCH_ID.fullmatch(search_id) else 0
        if moment > now or self._search_id(request, moment) != search_id:
            raise search_invalid(search_id)
        return moment

    def _same_as(self, end: date, moment: int) -> int:
        """The first moment at which a search up to this day finds the same as at this one."""
        data = self._profile.data
        hours = max(data.appear_within_hours, data.counts_settle_days * 24)
        settled = midnight(end) + DAY_SECONDS + int(hours * 3600)
        if moment <= settled or not self._aging.goes_on:
            return min(moment, settled)
        return max(settled, moment - moment % DAY_SECONDS)

    def _search_id(self, request: SearchRequest, moment: int) -> str:
        """19 digits that look like any id (api_facts.md 3.5), from all that must stay the same."""
        signature = (
            self._corpus.seed,
            self._corpus.videos_per_day,
            request.query,
            request.start,
            request.end,
            request.max_count,
            sorted(request.fields),
            moment,
        )
        digest = sha256(repr(signature).encode()).digest()
        return str(moment << 32 | int.from_bytes(digest[:4]))

    def _find(
        self, query: SandboxQuery, start: date, end: date, moment: int, silent: frozenset[date]
    ) -> Positions:
        matches = test_of(query, self._profile.searches.keyword_forms)
        last = min(end, datetime.fromtimestamp(moment, UTC).date())
        found: list[tuple[int, int]] = []
        for day in range(start.toordinal(), last.toordinal() + 1):
            if date.fromordinal(day) in silent:
                continue
            videos = self._corpus.videos_of_day(date.fromordinal(day))
            found += [
                (video.id, day * MAX_VIDEOS_PER_DAY + number)
                for number, video in enumerate(self._aging.of_day(videos, moment))
                if video and video.appears_at <= moment and matches(video)
            ]
        found.sort(reverse=True)
        return array("q", (position for _, position in found))

    def _video(self, position: int) -> SandboxVideo:
        day, number = divmod(position, MAX_VIDEOS_PER_DAY)
        return self._corpus.videos_of_day(date.fromordinal(day))[number]

    def _check_window(self, request: SearchRequest, search: Search) -> None:
        limits = self._profile.searches
        days = (request.end - request.start).days + 1
        too_long = limits.fail_over_days is not None and days > limits.fail_over_days
        matches = len(search.matches)
        too_many = limits.fail_over_matches is not None and matches > limits.fail_over_matches
        has_bad_day = any(request.start <= day <= request.end for day in limits.fail_on_days)
        if too_long or too_many or has_bad_day:
            raise ApiError(INTERNAL_ERROR)

    def _check_cursor(self, request: SearchRequest, search: Search) -> None:
        """A cursor is right if a page of this search has ended with it."""
        between_pages = request.cursor % request.max_count == 0
        beyond = request.cursor > len(search.matches) and not self._profile.searches.endless
        if beyond or not (between_pages or request.cursor == len(search.matches)):
            raise ApiError(INVALID_CURSOR)

    def _sequential_page(self, request: SearchRequest, search: Search) -> dict[str, Any]:
        cursor = request.cursor + request.max_count
        endless = self._profile.searches.endless and len(search.matches) > 0
        has_more = endless or cursor < len(search.matches)
        videos = self.videos(search.matches[request.cursor : cursor])
        repeated = self._repeated(request, search, room=request.max_count - len(videos))
        data = {
            "videos": self.records(repeated + videos, request.fields),
            "cursor": cursor if has_more else len(search.matches),
            "has_more": has_more,
        }
        return self._finished(data, search)

    def _repeated(self, request: SearchRequest, search: Search, *, room: int) -> list[SandboxVideo]:
        """The last records of the page before, as many as the profile repeats."""
        wanted = min(self._profile.searches.repeated_records, room)
        if not request.cursor or not wanted:
            return []
        before = search.matches[request.cursor - request.max_count : request.cursor]
        return self.videos(before)[-wanted:]

    def _random_page(self, request: SearchRequest, search: Search) -> dict[str, Any]:
        """Some of all matches in any order; there is nothing to go on with (api_facts.md 3.6)."""
        self._random_pages += 1
        rng = Random(f"{self._corpus.seed}:{self._random_pages}")
        number = min(request.max_count, len(search.matches))
        videos = self.videos(array("q", rng.sample(search.matches.tolist(), number)))
        data = {
            "videos": self.records(videos, request.fields),
            "cursor": number,
            "has_more": False,
        }
        return self._finished(data, search)

    def _finished(self, data: dict[str, Any], search: Search) -> dict[str, Any]:
        """With the search id, unless nothing was found, and with or without an empty list."""
        if search.matches:
            data["search_id"] = search.search_id
        if not data["videos"] and self._profile.data.empty_lists_missing:
            del data["videos"]
        return data
