"""Days that searches find empty, without an error, though they have videos (api_facts.md 13.20)."""

from __future__ import annotations

from collections import Counter, OrderedDict
from datetime import date
from typing import TYPE_CHECKING

from tiktok_crawler.sandbox.world.chance import lot

if TYPE_CHECKING:
    from tiktok_crawler.sandbox.faults.profile import SearchBehaviour
    from tiktok_crawler.sandbox.search.conditions import SandboxQuery
    from tiktok_crawler.sandbox.search.search_request import SearchRequest

_REMEMBERED = 1_000


class SilentDays:
    """Says which days a search leaves out: the same ones on all of its pages.

    A sandbox that was started anew has forgotten how often a day was searched.
    """

    def __init__(self, behaviour: SearchBehaviour, seed: int) -> None:
        self._behaviour = behaviour
        self._seed = seed
        self._searched: Counter[tuple[SandboxQuery, date]] = Counter()
        self._left_out: OrderedDict[str, frozenset[date]] = OrderedDict()

    def begin(self, search_id: str, request: SearchRequest) -> frozenset[date]:
        """Choose what the search leaves out, which counts as a search of these days."""
        left_out = self._silent(request)
        self._searched.update((request.query, day) for day in left_out)
        self._left_out[search_id] = left_out
        self._left_out.move_to_end(search_id)
        if len(self._left_out) > _REMEMBERED:
            self._left_out.popitem(last=False)
        return left_out

    def left_out(self, search_id: str, request: SearchRequest) -> frozenset[date]:
        """Return what the search has left out since its first page."""
        found = self._left_out.get(search_id)
        return self._silent(request) if found is None else found

    def _silent(self, request: SearchRequest) -> frozenset[date]:
        if not self._behaviour.silent_days and not self._behaviour.silent_share:
            return frozenset()
        ordinals = range(request.start.toordinal(), request.end.toordinal() + 1)
        days = map(date.fromordinal, ordinals)
        return frozenset(day for day in days if self._is_silent(request.query, day))

    def _is_silent(self, query: SandboxQuery, day: date) -> bool:
        tries = self._behaviour.silent_tries
        if tries is not None and self._searched[query, day] >= tries:
            return False
        at_random = lot(self._seed, "silent", day) < self._behaviour.silent_share
        return at_random or day in self._behaviour.silent_days
