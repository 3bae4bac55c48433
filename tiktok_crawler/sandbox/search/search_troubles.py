"""Search ids that are not known yet, not known any more, or lost (api_facts.md 11.3)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiktok_crawler.sandbox.protocol.errors import INVALID_CURSOR, ApiError, search_invalid

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tiktok_crawler.sandbox.faults.profile import SearchBehaviour

_REMEMBERED = 1_000


@dataclass(slots=True)
class _Issued:
    at: datetime
    refusals: int = 0
    lost: bool = False


class SearchTroubles:
    """The state of the searches that were begun last.

    A search that is begun again gets the same id, and is a new one: neither lost nor expired.
    """

    def __init__(self, behaviour: SearchBehaviour, now: Callable[[], datetime]) -> None:
        self._behaviour = behaviour
        self._now = now
        self._issued: OrderedDict[str, _Issued] = OrderedDict()

    def begin(self, search_id: str) -> None:
        """Note that page 1 of the search is answered."""
        self._remember(search_id)

    def lose(self, search_id: str) -> None:
        """From now on, until it is begun again, the search is refused."""
        self._remember(search_id).lost = True

    def check(self, search_id: str, page_number: int) -> None:
        """Let a later page pass.

        Raises:
            ApiError: the search is lost, has expired, or is not known yet.
        """
        issued = self._issued.get(search_id)
        if self._is_gone(issued, page_number):
            raise search_invalid(search_id)
        if issued and issued.refusals < self._behaviour.refuse_new_ids:
            issued.refusals += 1
            raise search_invalid(search_id) if issued.refusals % 2 else ApiError(INVALID_CURSOR)

    def _remember(self, search_id: str) -> _Issued:
        issued = self._issued[search_id] = _Issued(self._now())
        self._issued.move_to_end(search_id)
        if len(self._issued) > _REMEMBERED:
            self._issued.popitem(last=False)
        return issued

    def _is_gone(self, issued: _Issued | None, page_number: int) -> bool:
        lost_at, lives = self._behaviour.lost_at_page, self._behaviour.expire_after_seconds
        if lost_at is not None and page_number >= lost_at:
            return True
        if issued is None:
            return False
        expired = lives is not None and (self._now() - issued.at).total_seconds() >= lives
        return issued.lost or expired
