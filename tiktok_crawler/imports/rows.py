"""Reads rows of files as records of the API: names, types, times, and what has to be refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tiktok_crawler.imports import values
from tiktok_crawler.imports.found import Found, Notes, told
from tiktok_crawler.imports.layouts import (
    ASIDE,
    FIRST_AT,
    LAST_AT,
    MADE_HERE,
    OF_PROFILES,
    TRAKTOK,
    WHOSE_LIST,
)
from tiktok_crawler.imports.local_times import offset_of, seconds_of
from tiktok_crawler.imports.values import LostDigitsError
from tiktok_crawler.storage.models.base import UserStatus
from tiktok_crawler.storage.records.imported import Kind

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from tiktok_crawler.imports.layouts import Layout
    from tiktok_crawler.storage.records.shape import Shape

NO_ZONE = "times (create_time) that do not say their time zone"
ROUNDED = "ids of music or playlists, or of the comment replied to, which have lost digits"

NEEDED_IDS = ("id", "video_id", "comment_id")
"""Without these a record is not what it says it is."""


class RefusedRowError(Exception):
    """Raised for a row that cannot be imported; the message says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file by its columns; in a table of text, every value has lost its type."""

    where: str
    cells: Mapping[str, Any]
    is_table: bool = True


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads the rows of a file with this layout; `is_rounded`: a spreadsheet has rounded its ids.

    Rows that do not say when they were collected are of `collected_at`.
    """

    layout: Layout
    collected_at: datetime | None
    notes: Notes
    is_rounded: bool = False

    def read(self, row: Row) -> Found | None:
        """Read a row; what cannot be imported is noted."""
        try:
            return self._found(row)
        except RefusedRowError as exc:
            self.notes.refuse(row.where, str(exc))
            return None

    def _found(self, row: Row) -> Found:
        unpacked, typed = _unpacked(row.cells)
        cells = self.layout.named(unpacked)
        kind = self.layout.kind_of(cells)
        if kind is None:
            raise RefusedRowError("is neither a video nor a comment nor a profile")
        at, first_at = self._times(cells)
        self.notes.left_out |= WHOSE_LIST.intersection(cells)
        given = _status(cells) if kind is Kind.PROFILES else {}
        made_here = MADE_HERE if self.layout.is_timed else frozenset()
        left_out = made_here | WHOSE_LIST | given.keys()
        record = self._record(
            kind,
            {key: value for key, value in cells.items() if key not in left_out},
            typed if row.is_table else cells.keys(),
        )
        if kind is Kind.PROFILES:
            _check_profile(record, given)
        return Found(kind, record, at, first_at, given=given)

    def _times(self, cells: Mapping[str, Any]) -> tuple[datetime, datetime | None]:
        """When the record was collected last, and first."""
        if not self.layout.is_timed:
            assert self.collected_at
            return self.collected_at, None
        first_at, last_at = (
            next((at for key in keys if (at := values.collected(cells.get(key)))), None)
            for keys in (FIRST_AT, LAST_AT)
        )
        at = last_at or first_at or self.collected_at
        if at is None:
            raise RefusedRowError(f"does not say when it was collected ({FIRST_AT[0]})")
        return at, first_at

    def _record(
        self, kind: Kind, cells: Mapping[str, Any], typed: Container[str]
    ) -> dict[str, Any]:
        """Make a record of cells, of which the `typed` ones have the values of JSON."""
        shape = kind.type.shape
        record = {}
        for key, cell in cells.items():
            value = self._value(key, cell, shape, is_table=key not in typed)
            if value is not None:
                record[key] = value
        record_id = shape.id_of(record)
        if record_id is None:
            raise RefusedRowError(_no_id(kind, cells))
        if self.is_rounded and isinstance(record_id, int) and values.is_rounded(record_id):
            raise RefusedRowError(f"its id has lost digits: {record_id}")
        self._set_time(record, record_id)
        return record

    def _value(self, key: str, cell: Any, shape: Shape, *, is_table: bool) -> Any:
        if is_table and isinstance(cell, str) and self._is_missing(cell):
            return None
        if key in shape.name_keys:
            return values.names(cell) if is_table or self.layout.words == TRAKTOK else cell
        convert = (values.CELLS if is_table else values.VALUES).get(_reader(key, shape))
        try:
            return convert(cell) if convert else cell
        except LostDigitsError:
            if key in NEEDED_IDS:
                raise RefusedRowError(f"its {key} has lost digits: {told(cell)}") from None
            self.notes.untold[ROUNDED] += 1
            return None

    def _is_missing(self, cell: str) -> bool:
        """Tell whether a cell of text is empty; R writes NA, which is Namibia elsewhere."""
        return not cell or (cell == "NA" and self.layout.words == TRAKTOK)

    def _set_time(self, record: dict[str, Any], record_id: Any) -> None:
        naive = record.get("create_time")
        if not isinstance(naive, datetime):
            return
        offset = 0 if self.layout.is_utc else None
        if offset is None and isinstance(record_id, int):
            offset = offset_of(record_id, naive)
        if offset is None:
            del record["create_time"]
            self.notes.untold[NO_ZONE] += 1
        else:
            record["create_time"] = seconds_of(naive) - offset


def _reader(key: str, shape: Shape) -> Any:
    """How the API's value of a key is read; ids of records are numbers, or names."""
    if key in shape.readers:
        return shape.readers[key]
    if key not in shape.id_keys:
        return None
    is_name = key == "username"
    readers = Kind.VIDEOS.type.shape.readers
    return readers["username" if is_name else "music_id"]


def _unpacked(cells: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """A row of our own with the keys that it has aside; what has a column is in its column.

    Returns:
        The row, and the keys that were aside: in JSON, so that their values have kept their types.
    """
    row, typed = {key: value for key, value in cells.items() if key not in ASIDE}, set[str]()
    for key in ASIDE:
        aside = cells.get(key)
        if isinstance(aside, str):
            try:
                aside = json.loads(aside)
            except ValueError:
                aside = {key: aside} if aside else {}
        if isinstance(aside, dict):
            kept = {name: value for name, value in aside.items() if row.get(name) in (None, "")}
            row |= kept
            typed |= kept.keys()
    return row, typed


def _status(cells: Mapping[str, Any]) -> dict[str, Any]:
    status = cells.get("status")
    return {"status": status} if status in set(UserStatus) else {}


def _check_profile(record: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Refuse what says nothing of a user, such as the errors that ResearchTikPy has as rows.

    Raises:
        RefusedRowError: it does.
    """
    if given.get("status", UserStatus.FOUND) == UserStatus.FOUND and OF_PROFILES.isdisjoint(record):
        error = f": {told(record['error'])}" if record.get("error") else ""
        raise RefusedRowError(f"says nothing of {told(record['username'])}{error}")


def _no_id(kind: Kind, cells: Mapping[str, Any]) -> str:
    if kind is Kind.PROFILES:
        return "does not say whose profile it is: add a column username"
    keys = kind.type.shape.id_keys
    return f"has no usable id: {told({key: cells[key] for key in keys if key in cells})}"
