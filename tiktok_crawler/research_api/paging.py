"""The ways in which endpoints are asked for page after page."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PAGING_KEYS = ("cursor", "has_more")


@dataclass(frozen=True, slots=True)
class Place:
    """The progress of a task: the start of its next page, its search, and the records so far.

    `cursor` 0 is the start; later ones are what the page before said (api_facts.md 3.5), or, where
    pages are numbered, how many came. Only searches have a `search_id`.
    """

    cursor: int = 0
    search_id: str | None = None
    received: int = 0

    @property
    def is_start(self) -> bool:
        return self.cursor == 0


START = Place()


class Paging(StrEnum):
    """The way to ask an endpoint for the next page, and to tell where its pages end."""

    SINGLE = "single"
    """One answer is all; it has no `has_more`."""
    INDEX = "index"
    """`cursor` counts records, shown or not; the next one is larger."""
    FALLING = "falling"
    """`cursor` is a time, which falls from page to page (api_facts.md 9)."""
    OPAQUE = "opaque"
    """`cursor` is a number that only the API understands; the next is another (api_facts.md 6)."""
    NUMBERED = "numbered"
    """`page_start` counts pages from 1, until one comes empty (api_facts.md 10.2)."""

    def leads_on(self, before: int, cursor: int) -> bool:
        """Tell whether a page at `cursor` comes after the one at `before`; 0 is the first."""
        match self:
            case Paging.OPAQUE:
                return cursor not in (0, before)
            case Paging.FALLING:
                return 0 < cursor < before or before == 0 < cursor
            case _:
                return cursor > before
