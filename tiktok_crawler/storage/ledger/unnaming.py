"""Takes usernames and ids that were deleted out of queries and out of texts. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tiktok_crawler.planning.checks import RecordKind
from tiktok_crawler.research_api.query import NOBODY, Condition, Field, Query
from tiktok_crawler.storage.records.leaving_out import Key

if TYPE_CHECKING:
    from tiktok_crawler.storage.records.leaving_out import Keys

INSTEAD = "[deleted]"
"""What stands in a text where a name or an id was."""

_KINDS = {Field.USERNAME: RecordKind.USER, Field.VIDEO_ID: RecordKind.VIDEO}

_IN_TEXT = re.compile(r"\w+(?:\.\w+)*")
_WORD = re.compile(r"\w+")


def query_without(query: Query, deleted: Keys) -> Query:
    """Return a query that does not ask for what was deleted.

    What it finds beside that is the same. A condition on nothing else keeps a value that nobody
    has: without it the query would be another one.
    """
    and_, or_, not_ = (
        tuple(_condition_without(each, deleted) for each in group)
        for group in (query.and_, query.or_, query.not_)
    )
    return replace(query, and_=and_, or_=or_, not_=not_)


def _condition_without(condition: Condition, deleted: Keys) -> Condition:
    values = condition.field_values
    kept = values_without(condition.field_name, values, deleted)
    if len(kept) == len(values):
        return condition
    return replace(condition, field_values=kept or (NOBODY[condition.field_name],))


def values_without(field: str, values: tuple[str, ...], deleted: Keys) -> tuple[str, ...]:
    """Return those of the values of a field that were not deleted."""
    kind = _KINDS.get(field)  # type: ignore[call-overload]
    if kind is None:
        return values
    return tuple(value for value in values if Key(kind, value.casefold()) not in deleted)


@dataclass(frozen=True, slots=False)
class Words:
    """The names and ids to be taken out of texts, where they stand alone."""

    texts: frozenset[str]

    @cached_property
    def _few(self) -> re.Pattern[str] | None:
        if len(self.texts) > 100:  # noqa: PLR2004 - a pattern of more is slow
            return None
        words = "|".join(re.escape(text) for text in sorted(self.texts, key=len, reverse=True))
        return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)

    def without(self, text: str) -> str:
        """Return a text without them."""
        if not self.texts:
            return text
        if self._few:
            return self._few.sub(INSTEAD, text)
        return _IN_TEXT.sub(self._replaced, text)

    def _replaced(self, found: re.Match[str]) -> str:
        if found[0].casefold() in self.texts:
            return INSTEAD
        return _WORD.sub(
            lambda word: INSTEAD if word[0].casefold() in self.texts else word[0], found[0]
        )

    def without_in(self, value: Any) -> Any:
        """Return a JSON value without them in any of its texts, keys too."""
        if isinstance(value, str):
            return self.without(value)
        if isinstance(value, list):
            return list(map(self.without_in, value))
        if isinstance(value, dict):
            return {self.without(key): self.without_in(item) for key, item in value.items()}
        return value
