"""What stands for persons where a dataset tells of itself: their names, or pseudonyms."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tiktok_crawler.dataset.protector import Protector
    from tiktok_crawler.research_api.query import Query


def as_it_is(text: str) -> str:
    """Give a name or a text as it is."""
    return text


@dataclass(frozen=True, slots=True)
class Naming:
    """The words that stand for what leads to persons.

    All usernames pass through `name`, queries in canonical JSON through `query_text`, hashtags and
    tags through `label`, and the reasons of failures through `error`.
    """

    name: Callable[[str], str] = as_it_is
    query_text: Callable[[str], str] = as_it_is
    label: Callable[[str], str] = as_it_is
    error: Callable[[str], str] = as_it_is

    @classmethod
    def of(cls, protector: Protector) -> Naming:
        """Let a dataset tell of itself as its tables are protected."""
        return cls(protector.name, protector.query, protector.label, protector.error)

    def query(self, query: Query) -> Query:
        """Put these words into a query."""
        return type(query).from_json(json.loads(self.query_text(query.canonical())))


AS_THEY_ARE = Naming()
