"""Decides in which form keywords are sent: as `IN`, or as `EQ` if that alone helps. Pure.

Searches for keywords in one of these forms have found nothing for months, without an error
(api_facts.md 13.20). So a query that brought nothing at all tries its first window in the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tiktok_crawler.research_api.query import Operation

if TYPE_CHECKING:
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.research_api.tasks import PageRequest

OTHER = {Operation.IN: Operation.EQ, Operation.EQ: Operation.IN}


@dataclass(frozen=True, slots=True)
class KeywordForms:
    """What searches of a query found with its keywords in either form.

    `tried` are the forms in which a window was searched to its end, in this order; `brought` those
    in which there ever was a record.
    """

    tried: tuple[Operation, ...] = ()
    brought: frozenset[Operation] = frozenset()

    @property
    def in_vain(self) -> Operation | None:
        """The form that was tried first and finds nothing, though the other one does."""
        first = self.tried[0] if self.brought and self.tried else None
        return first if first not in self.brought else None

    @property
    def sent_as(self) -> Operation:
        """The form for new windows."""
        return OTHER[self.in_vain] if self.in_vain else Operation.IN

    @property
    def untried(self) -> Operation | None:
        """The form that is worth a try, since nothing was found in the other one."""
        if self.brought or len(self.tried) != 1:
            return None
        return OTHER[self.tried[0]]

    @property
    def is_undecided(self) -> bool:
        """True as long as nothing was found, and a form is left to try."""
        return not self.brought and len(self.tried) < len(OTHER)

    def is_trial(self, request: PageRequest) -> bool:
        """Tell whether a request is in the form that is worth a try."""
        return self.untried is not None and self.untried is request.window.keywords_as

    def after(self, page: Page) -> KeywordForms:
        """Return what is known after a page."""
        form = page.request.window.keywords_as
        if page.records:
            return self.after_record(form)
        return self if page.has_more else self.after_try(form)

    def after_record(self, form: Operation) -> KeywordForms:
        """Return what is known when a form has brought a record."""
        return replace(self, brought=self.brought | {form})

    def after_try(self, form: Operation) -> KeywordForms:
        """Return what is known when a form was tried."""
        return self if form in self.tried else replace(self, tried=(*self.tried, form))


NOTHING_TRIED = KeywordForms()
"""Nothing was searched yet."""

ONE_FORM = KeywordForms(tried=tuple(OTHER))
"""What counts as known of a query that has no choice."""
