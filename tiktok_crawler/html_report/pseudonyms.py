"""Pseudonyms of one report: accounts are numbered, in the order in which they are named."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from tiktok_crawler.reports.naming import Naming
from tiktok_crawler.research_api.query import Field
from tiktok_crawler.storage.overview import usernames_among

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection

    from tiktok_crawler.research_api.query import Condition
    from tiktok_crawler.storage.ledger.provenance import Provenance, QueryFacts

_WORD = re.compile(r"[\w.]*\w")
"""A username has letters, digits, `_` and `.`."""

WORDS = (Field.KEYWORD, Field.HASHTAG_NAME)
"""The values of these can have a name in them; others are names, numbers or the API's words."""

HIDDEN = "(left out)"


def numbered(connection: Connection, facts: Provenance, hashtags: Iterable[str] = ()) -> Naming:
    """Number the accounts; where other texts name one, too. Ids of videos are left out.

    `hashtags` are those that are told besides what the queries have.
    """
    numbers: dict[str, str] = {}

    def name(username: str) -> str:
        return numbers.setdefault(username.lower(), f"account-{len(numbers) + 1}")

    def word(match: re.Match[str]) -> str:
        return name(match[0]) if match[0].lower() in known else match[0]

    def text(written: str) -> str:
        return _WORD.sub(word, written)

    words = {word for each in chain(hashtags, _texts(facts)) for word in _WORD.findall(each)}
    known = usernames_among(connection, words) | _queried(facts)
    return Naming(name=name, text=text, video_id=lambda _: HIDDEN)


def _texts(facts: Provenance) -> Iterator[str]:
    """Give the texts of the ledger that can name somebody."""
    for query in facts.queries:
        used = query.status.used
        yield from used.tags
        yield from (window.error for window in query.status.windows if window.error)
        for each in _conditions(query):
            if each.field_name in WORDS:
                yield from each.field_values


def _queried(facts: Provenance) -> set[str]:
    """Give the usernames that queries have."""
    return {
        name.lower()
        for query in facts.queries
        for each in _conditions(query)
        if each.field_name == Field.USERNAME
        for name in each.field_values
    }


def _conditions(facts: QueryFacts) -> Iterator[Condition]:
    query = facts.status.used.query
    return chain(query.and_, query.or_, query.not_)
