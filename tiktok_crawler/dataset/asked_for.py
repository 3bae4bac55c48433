"""Protects the persons in what was asked for: queries, seeds, arguments, and what went wrong."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tiktok_crawler.dataset.rewriting import Rules
from tiktok_crawler.research_api.endpoints import LISTINGS, SeedKey
from tiktok_crawler.research_api.query import GROUPS
from tiktok_crawler.storage.models.column_types import dump_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiktok_crawler.dataset.pseudonyms import Pseudonyms
    from tiktok_crawler.dataset.rewriting import Rewriter

HIDDEN_KEYS = (SeedKey.VIDEO_ID, SeedKey.COMMENT_ID, SeedKey.PLAYLIST_ID)
OTHER_KEYS = (SeedKey.SHOP_ID, SeedKey.PRODUCT_ID)
OTHER_IDS = (*(key.argument for key in OTHER_KEYS), "music_ids", "effect_ids")
"""Arguments with ids that are not hidden."""

_REFUSED_NAME = re.compile(r"(?<=username: )\w(?:[\w.]*\w)?")
"""The API's own words for a user whom it does not find (api_facts.md 5)."""


class AskedFor:
    """Protects what was asked for."""

    def __init__(self, rewriter: Rewriter, pseudonyms: Pseudonyms, *, hide_ids: bool) -> None:
        self._rewriter = rewriter
        self._pseudonyms = pseudonyms
        self._hides_ids = hide_ids
        self._rules = Rules.of_text(hide_ids=hide_ids)
        self._label = Rules.of_label(hide_ids=hide_ids)

    def query(self, canonical_json: str) -> str:
        """Protect a query, in canonical JSON."""
        query = json.loads(canonical_json)
        for condition in (one for key in GROUPS for one in query.get(key, ())):
            condition["field_values"] = self._condition(**condition)
        return dump_json(query)

    def arguments(self, arguments: str) -> str:
        """Protect the arguments of a run, an object in JSON."""
        given = json.loads(arguments)
        return dump_json({name: self._argument(name, value) for name, value in given.items()})

    def seed(self, seed: str, listing: str | None) -> str:
        """Protect a seed as what it is to its listing; if that is not told, as a name."""
        key = LISTINGS[listing].seed_key if listing in LISTINGS else SeedKey.USERNAME
        if key is SeedKey.SHOP_NAME:
            return self._pseudonyms.shown_name(seed)
        if key is SeedKey.USERNAME:
            return self._pseudonyms.name(seed)
        return self._hidden(seed) if key in HIDDEN_KEYS else seed

    def error(self, error: str) -> str:
        """Protect what is said of a task that went wrong, however short the name in it is."""
        named = _REFUSED_NAME.sub(lambda found: self._pseudonyms.name(found[0]), error)
        return self._rewriter.text(named, self._rules)

    def _condition(self, field_name: str, field_values: list[str], **_: Any) -> Sequence[str]:
        """Protect the values of a condition."""
        if field_name == SeedKey.USERNAME:
            return list(map(self._pseudonyms.name, field_values))
        if field_name == SeedKey.VIDEO_ID:
            return list(map(self._hidden, field_values))
        return [self._rewriter.text(value, self._label) for value in field_values]

    def _argument(self, name: str, value: Any) -> Any:
        """Protect the value of an argument: a list with commas, or `@` and the name of a file."""
        if not isinstance(value, str):
            return json.loads(self._rewriter.document(dump_json(value), self._rules))
        if value.startswith("@") and "," not in value:
            return f"@{self._rewriter.text(value[1:], self._rules)}"
        if name.rpartition(".")[2] == SeedKey.USERNAME.argument:
            return ",".join(map(self._username, value.split(",")))
        return self._rewriter.text(value, self._label if name in OTHER_IDS else self._rules)

    def _username(self, typed: str) -> str:
        """Protect a name as it was typed: it can be the address of a profile."""
        if "/" in typed:
            return self._rewriter.text(typed, self._rules)
        return self._pseudonyms.name(typed.strip())

    def _hidden(self, digits: str) -> str:
        if not self._hides_ids or not digits.isdecimal():
            return digits
        return str(self._pseudonyms.record_id(int(digits)))
