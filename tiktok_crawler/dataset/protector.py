"""Protects the persons in what is read: block by block, with the names that the database holds."""

from __future__ import annotations

import re
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Self

from tiktok_crawler.dataset.asked_for import AskedFor
from tiktok_crawler.dataset.columns import Kind
from tiktok_crawler.dataset.known_names import KnownNames, names_in
from tiktok_crawler.dataset.persons import Holds, held_by
from tiktok_crawler.dataset.protection import OLD_VALUE
from tiktok_crawler.dataset.rewriting import KEYS, Rewriter, Rules, replaced_strings
from tiktok_crawler.storage.models.records import UserInfo, Video

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from tiktok_crawler.dataset.columns import Column
    from tiktok_crawler.dataset.protection import Protection
    from tiktok_crawler.dataset.pseudonyms import Pseudonyms
    from tiktok_crawler.dataset.reading import Block
    from tiktok_crawler.dataset.tables import DataTable

    Values = list[Any]

SHOWN_NAMES = ("display_name", "shop_name")

REVISED = {"video_revision": Video.__table__, "user_info_history": UserInfo.__table__}
"""Of which table a table has earlier values."""

DIGITS = re.compile("[0-9]+")
REVISED_LINKS = {"hashtag_names": Holds.LABEL, "effect_ids": Holds.NOTHING}


class Protector:
    """Protects what is read on one connection; without a wish for it, nothing is done.

    The names of the database are collected once, when they are needed first.
    """

    def __init__(self, connection: Connection, protection: Protection) -> None:
        self._connection = connection
        self._protection = protection
        self._rules = Rules.of_text(hide_ids=protection.hide_ids)
        self._label = Rules.of_label(hide_ids=protection.hide_ids)
        self._ways: dict[str, Callable[[Block], Values]] = {
            "canonical_json": lambda block: _each(self.query, block["canonical_json"]),
            "arguments": lambda block: _each(self.arguments, block["arguments"]),
            "error": lambda block: _each(self._asked_for.error, block["error"]),
            "seed": self._seeds,
            "field": self._fields,
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the names that were collected."""
        for made in ("_rewriter", "_asked_for"):
            self.__dict__.pop(made, None)
        if names := self.__dict__.pop("_known_names", None):
            names.close()

    def block(self, table: DataTable, block: Block) -> Block:
        """Protect rows of a table as it was before: in the result are the columns that stay."""
        if not self._protection:
            return block
        kept = self._protection.table(table)
        columns = kept.columns if kept else ()
        return {one.name: self._values(table, one, block) for one in columns if one.name in block}

    def names_digest(self) -> str:
        """Return what is another one as soon as there is another name to be replaced in texts."""
        is_needed = self._hides_names and not self._protection.ids_only
        return self._known_names.digest() if is_needed else ""

    def name(self, username: str) -> str:
        """Protect a username."""
        return self._pseudonyms.name(username) if self._hides_names else username

    def label(self, label: str) -> str:
        """Protect a few words, such as a hashtag or a tag."""
        return self._rewriter.text(label, self._label) if self._hides_names else label

    def error(self, error: str) -> str:
        """Protect what is said of a task that went wrong."""
        return self._asked_for.error(error) if self._hides_names else error

    def query(self, canonical_json: str) -> str:
        """Protect a query, in canonical JSON."""
        return self._asked_for.query(canonical_json) if self._hides_names else canonical_json

    def arguments(self, arguments: str) -> str:
        """Protect the arguments of a run, an object in JSON."""
        return self._asked_for.arguments(arguments) if self._hides_names else arguments

    @property
    def _hides_names(self) -> bool:
        return self._protection.pseudonyms is not None

    @property
    def _pseudonyms(self) -> Pseudonyms:
        assert self._protection.pseudonyms
        return self._protection.pseudonyms

    @cached_property
    def _known_names(self) -> KnownNames:
        return KnownNames(names_in(self._connection))

    @cached_property
    def _rewriter(self) -> Rewriter:
        return Rewriter(self._known_names, self._pseudonyms)

    @cached_property
    def _asked_for(self) -> AskedFor:
        return AskedFor(self._rewriter, self._pseudonyms, hide_ids=self._protection.hide_ids)

    def _values(self, table: DataTable, column: Column, block: Block) -> Values:
        values = block[column.name]
        if self._protection.ids_only:
            return values
        if column.name == OLD_VALUE:
            return self._old_values(table, values, block.get("field"))
        if not self._hides_names or column.holds is Holds.NOTHING:
            return values
        if way := self._ways.get(column.name):
            return way(block)
        return self._held(column.holds, column.name, values, is_json=_is_json(column))

    def _held(self, held: Holds, name: str, values: Values, *, is_json: bool) -> Values:
        """Protect values by what they hold, and by the column that they are of."""
        match held:
            case Holds.NAME:
                replace = (
                    self._pseudonyms.shown_name if name in SHOWN_NAMES else self._pseudonyms.name
                )
                return _each(
                    partial(replaced_strings, replace=replace) if is_json else replace, values
                )
            case Holds.TEXT | Holds.LABEL:
                rules = self._rules if held is Holds.TEXT else self._label
                rewriter = self._rewriter
                return (rewriter.documents if is_json else rewriter.texts)(values, rules)
            case Holds.RECORD_ID if self._protection.hide_ids:
                return _each(self._hidden, values)
            case Holds.ADDRESS:
                return [None] * len(values)
        return values

    def _hidden(self, id_: int | str) -> int | str:
        """Hide an id, or that in JSON."""
        hide = self._pseudonyms.record_id
        if isinstance(id_, int):
            return hide(id_)
        return DIGITS.sub(lambda found: str(hide(int(found[0]))), id_)

    def _old_values(self, table: DataTable, values: Values, fields: Values | None) -> Values:
        """Protect JSON, each as what its row's field holds; if that is not told, as names."""
        # Whatever could be a text is one, where nothing tells.
        unknown = Holds.TEXT if self._protection.no_text else Holds.NAME
        held = _held_by_fields(table, fields) if fields else [(unknown, "")] * len(values)
        protected = list(values)
        for one in dict.fromkeys(held):
            rows = [row for row, each in enumerate(held) if each == one]
            new = self._old(*one, [values[row] for row in rows])
            for row, value in zip(rows, new, strict=True):
                protected[row] = value
        return protected

    def _old(self, held: Holds, field: str, values: Values) -> Values:
        if held is Holds.TEXT and self._protection.no_text:
            return [None] * len(values)
        return self._held(held, field, values, is_json=True) if self._hides_names else values

    def _seeds(self, block: Block) -> Values:
        seeds = block["seed"]
        listings = block.get("listing") or [None] * len(seeds)
        pairs = zip(seeds, listings, strict=True)
        return [seed and self._asked_for.seed(seed, listing) for seed, listing in pairs]

    def _fields(self, block: Block) -> Values:
        """Protect names of fields: those of the API's own, and of ours, are no person's."""
        fields = block["field"]
        others = self._rewriter.texts([None if one in KEYS else one for one in fields], self._label)
        return [other or field for other, field in zip(others, fields, strict=True)]


def _each(change: Callable[[Any], Any], values: Values) -> Values:
    """Change values that are not missing."""
    return [None if value is None else change(value) for value in values]


def _is_json(column: Column) -> bool:
    return column.kind in (Kind.JSON, Kind.NESTED)


def _held_by_fields(table: DataTable, fields: Values) -> list[tuple[Holds, str]]:
    """Tell what the earlier values of some fields hold."""
    columns = REVISED[table.name].columns
    known = {column.name: held_by(column) for column in columns} | REVISED_LINKS
    return [(known.get(field, Holds.TEXT), field) for field in fields]
