"""Reads the API's objects into the values of columns, by a table of readers for each kind. Pure.

Nothing that was delivered is lost: what has no column, or does not fit its column, goes to
`extra_data` under its key. Only a record without a usable id is refused.
"""

from __future__ import annotations

import reprlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from tiktok_crawler.storage.engine.text import Cleaner, is_clean
from tiktok_crawler.storage.records.field_readers import is_name, positive_id, time
from tiktok_crawler.storage.records.leaving_out import removed_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    Reader = Callable[[Any], Any]

JSON_WORDS = {
    bool: "a boolean",
    dict: "an object",
    float: "a number",
    int: "a number",
    list: "a list",
    str: "text",
    type(None): "null",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """The layout of one kind of record.

    `readers` say how the value of each column is read, `read_id` how an id is that may stand under
    one of `id_keys`; None if it does not fit. `name_keys` are lists of names.
    """

    noun: str
    readers: Mapping[str, Reader]
    id_keys: tuple[str, ...] = ()
    read_id: Reader = positive_id
    name_keys: tuple[str, ...] = ()

    def id_of(self, record: Mapping[str, Any]) -> Any:
        """The id of a record, None if it has no usable one."""
        for key in self.id_keys:
            id_ = self.read_id(record.get(key))
            if id_ is not None:
                return id_
        return None

    def knows(self, key: str) -> bool:
        """Tell whether the API is known to have such a field."""
        return key in self.readers or key in self.name_keys or key in self.id_keys


@dataclass(frozen=True, slots=True)
class Record:
    """The contents of one record of a video, a comment, and so on: only what was delivered.

    `values` are by column; `names` are, of a video, the hashtags and the effects by key.
    """

    id: Any
    values: dict[str, Any] = field(default_factory=dict)
    names: dict[str, frozenset[str]] = field(default_factory=dict)
    extra_data: dict[str, Any] = field(default_factory=dict)

    def followed_by(self, later: Record) -> Record:
        """Merge two records of one page, as if they had come on two pages."""
        return Record(
            self.id,
            self.values | later.values,
            self.names | later.names,
            self.extra_data | later.extra_data,
        )


class Misfit(NamedTuple):
    """A value that does not fit its column: of which record it is, and what JSON calls it."""

    key: str
    noun: str
    id: Any
    word: str

    def __str__(self) -> str:
        return f"{self.key} of {self.noun} {self.id}: {self.word}"

    @property
    def kind(self) -> str:
        """The same of any record."""
        return f"{self.key} of {self.noun}: {self.word}"


@dataclass(slots=True)
class Records:
    """The records of a page by id, in their order, and what has to be said about them.

    `ids` are those of all records as they came: None where one cannot be stored, the number of what
    stays in its place where one was left out. `left_out` has these numbers, with the day of a
    video. `refused` has a line for each that cannot be stored, `misfits` one for each value that
    does not fit its column and is in `extra_data` instead, where the values of `unknown_fields`,
    which have no column, are too.
    `cleaned_count` values held something that databases refuse.
    """

    by_id: dict[Any, Record] = field(default_factory=dict)
    ids: list[Any] = field(default_factory=list)
    left_out: dict[int, datetime | None] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    unknown_fields: set[str] = field(default_factory=set)
    misfits: list[Misfit] = field(default_factory=list)
    cleaned_count: int = 0

    def places(self) -> list[Any]:
        """The ids in the order of the page, each once; None in the place of what is left out."""
        ids = dict.fromkeys((*(id_ for id_ in self.ids if id_ is not None), *self.by_id))
        return [None if id_ in self.left_out else id_ for id_ in ids]

    def in_order(self) -> list[Record]:
        """The records in the order of their ids."""
        return [record for _, record in sorted(self.by_id.items())]

    def add(self, id_: Any) -> None:
        """Add a record that says nothing, unless there is one with this id."""
        self.by_id.setdefault(id_, Record(id_))

    def names(self, key: str) -> set[str]:
        """All hashtags, or all effects, of the page."""
        return set().union(*(record.names.get(key, ()) for record in self.by_id.values()))


def read_records(
    records: Sequence[Any], shape: Shape, identify: Callable[[dict[str, Any]], Any] | None = None
) -> Records:
    """Read the records of a page, each of which should be an object but may be any JSON.

    `identify` gives the id of a record that has none of its own.
    """
    read, cleaner, id_of = Records(), Cleaner(), identify or shape.id_of
    cleaned = records if is_clean(records) else map(cleaner.clean, records)
    for number, record in enumerate(cleaned, start=1):
        if (stand_in := removed_number(record)) is not None:
            read.ids.append(stand_in)
            read.left_out[stand_in] = time(record.get("create_time"))
            continue
        id_ = id_of(record) if isinstance(record, dict) else None
        read.ids.append(id_)
        if id_ is None:
            has = _ids(record, shape)
            read.refused.append(f"record {number} of its page has no usable id: {has}")
            continue
        later = _read(id_, record, shape, read)
        earlier = read.by_id.get(id_)
        read.by_id[id_] = earlier.followed_by(later) if earlier else later
    read.cleaned_count = cleaner.count
    return read


def _ids(record: Any, shape: Shape) -> str:
    """Describe what a record has instead of an id, for a message."""
    if not isinstance(record, dict):
        return f"it is {_word(record)}"
    return reprlib.repr({key: record[key] for key in shape.id_keys if key in record})


def _read(id_: Any, raw: dict[str, Any], shape: Shape, read: Records) -> Record:
    """Put each value of a record where it belongs."""
    record, readers = Record(id_), shape.readers
    for key, value in raw.items():
        # Null says as much as a missing key (api_facts.md 1.17).
        if value is None:
            continue
        reader = readers.get(key)
        fitting = reader(value) if reader else None
        if fitting is not None:
            record.values[key] = fitting
        elif key in shape.name_keys and isinstance(value, list):
            _take_names(record, key, value, shape, read)
        elif key not in shape.id_keys or shape.read_id(value) != id_:
            _keep_aside(record, key, value, shape, read)
    return record


def _take_names(record: Record, key: str, items: list[Any], shape: Shape, read: Records) -> None:
    names = list(filter(is_name, items))
    record.names[key] = frozenset(names)
    if len(names) < len(items):
        others = [item for item in items if not is_name(item)]
        _keep_aside(record, key, others, shape, read)


def _keep_aside(record: Record, key: str, value: Any, shape: Shape, read: Records) -> None:
    record.extra_data[key] = value
    if shape.knows(key):
        read.misfits.append(Misfit(key, shape.noun, record.id, _word(value)))
    else:
        read.unknown_fields.add(key)


def _word(value: Any) -> str:
    return JSON_WORDS[type(value)]
