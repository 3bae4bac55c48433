"""Pages that repeat, or are empty, though more are promised: following them never ends. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from tiktok_crawler.research_api.pages import Page

REPEATED_PAGES = 3
"""So many pages in a row that repeat their cursor or their records never end."""

EMPTY_PAGES = 10
"""Videos that were deleted leave pages empty (api_facts.md 3.5), but not so many in a row."""


@dataclass(frozen=True, slots=True)
class StalledPaging:
    """The number of pages in a row, up to the last one, that made no progress.

    `last_ids` are the records of each of the last pages that had any.
    """

    repeated: int = 0
    empty: int = 0
    last_ids: tuple[frozenset[str], ...] = ()

    def after(self, page: Page) -> Self:
        """Return the state after one more page."""
        ids = page.record_ids
        is_repeated = not page.advances or (bool(ids) and ids <= frozenset().union(*self.last_ids))
        return type(self)(
            repeated=self.repeated + 1 if is_repeated else 0,
            empty=0 if ids else self.empty + 1,
            last_ids=(*self.last_ids, ids)[-REPEATED_PAGES:] if ids else self.last_ids,
        )

    @property
    def reason(self) -> str | None:
        """The reason to stop following the search; None if there is none."""
        if self.repeated >= REPEATED_PAGES:
            return f"the last {self.repeated} pages repeat what came before, and promise more"
        if self.empty >= EMPTY_PAGES:
            return f"the last {self.empty} pages are empty, and promise more"
        return None
