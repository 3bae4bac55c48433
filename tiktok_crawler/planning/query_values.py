"""Tells which values of a query have brought a video, and which have brought none. Pure.

Only what videos show counts: values of `and` and `or` that name a thing, not those that compare,
nor those of `not`. It costs nothing more once every value of a list has been found.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiktok_crawler.research_api.query import Field, Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from tiktok_crawler.research_api.query import Condition, Query

    QueryValue = tuple[str, str]
    """The name of a field, and a value as it stands in the query."""

ANY = ""
"""Stands beside a field for any value: a video has shown the field at all."""

LONGEST_VALUE = 500
"""Longer ones, in characters, are not looked for: PostgreSQL's indexes take 2,704 bytes."""

SEPARATOR = "\0"
"""Of texts that are looked at together: many at once take less time, and none has it in it."""

SHOWN_BY: dict[Field, tuple[str, ...]] = {
    Field.HASHTAG_NAME: ("hashtag_names", "hashtag_info_list"),
    Field.KEYWORD: ("video_description",),
    Field.USERNAME: ("username",),
    Field.REGION_CODE: ("region_code",),
    Field.VIDEO_LENGTH: ("video_duration",),
    Field.VIDEO_ID: ("id",),
    Field.MUSIC_ID: ("music_id",),
    Field.EFFECT_ID: ("effect_ids", "effect_info_list"),
}
"""The fields of videos that show what a condition is about: any of them does."""

_SECONDS = {
    "SHORT": (0, 15),
    "MID": (15, 60),
    "LONG": (60, 300),
    "EXTRA_LONG": (300, float("inf")),
}
"""Both ends count: to which class they belong is not documented, nor how seconds are rounded."""


@dataclass(frozen=True, slots=True)
class UnseenValue:
    """A value that brought no video, and a name like it that others have brought, if one did."""

    field: Field
    value: str
    similar: str | None = None


@dataclass(frozen=True, slots=True)
class Unseen:
    """The values of a query that brought no video, of those that videos would show.

    Of a query that `is_empty`, which has brought no video at all, these are all of them.
    """

    query: Query
    origin: str
    is_empty: bool = False
    values: tuple[UnseenValue, ...] = ()


class SoughtValues:
    """The values of a query's lists that no page is known to have brought yet."""

    def __init__(self, query: Query) -> None:
        self._left = {
            field: {value: _folded(value) for value in (ANY, *values)}
            for field, values in listed_values(query).items()
        }

    def found(self, shown: Callable[[Field], Collection[str]]) -> set[QueryValue]:
        """Find those that a page has; `shown` are the texts of its videos for a field."""
        return {
            (field, value)
            for field, left in self._left.items()
            for value in (_found(field, left, shown(field)) if left else ())
        }

    def remember(self, found: Iterable[QueryValue]) -> None:
        """Look no more for values that are stored."""
        for field, value in found:
            self._left.get(Field(field), {}).pop(value, None)

    def __bool__(self) -> bool:
        """Tell whether any is left."""
        return any(self._left.values())


def listed_values(query: Query) -> dict[Field, list[str]]:
    """Collect, by field, the values of the query's lists: those that others can stand in for.

    `or` is one list, whatever its conditions are about.
    """
    lists = [condition for condition in query.and_ if len(condition.field_values) > 1]
    if sum(len(condition.field_values) for condition in query.or_) > 1:
        lists += query.or_
    return _by_field(lists)


def unseen_values(
    query: Query, found: Collection[QueryValue], searched: Iterable[Collection[str]]
) -> Iterator[tuple[Field, str]]:
    """Yield the values of the query's lists that brought no video.

    `searched` are the fields that videos were asked for with. A value counts only if all of them,
    and a video, showed what it is about.
    """
    for field, values in listed_values(query).items():
        is_shown = all(not shown.isdisjoint(SHOWN_BY[field]) for shown in map(set, searched))
        if is_shown and (field, ANY) in found:
            yield from ((field, value) for value in values if (field, value) not in found)


def named_values(query: Query) -> Iterator[tuple[Field, str]]:
    """Yield all values of the query that a video could show."""
    for field, values in _by_field((*query.and_, *query.or_)).items():
        yield from ((field, value) for value in values)


def length_classes(seconds: int) -> list[str]:
    """Name the classes that a video of this length may be in."""
    return [name for name, (least, most) in _SECONDS.items() if least <= seconds <= most]


def _by_field(conditions: Sequence[Condition]) -> dict[Field, list[str]]:
    return {
        field: sorted(
            {
                value
                for condition in conditions
                if condition.field_name == field and _names_values(condition)
                if not condition.is_of_nobody
                for value in condition.field_values
                if len(value) <= LONGEST_VALUE
            }
        )
        for field in SHOWN_BY
        if any(condition.field_name == field for condition in conditions)
    }


def _names_values(condition: Condition) -> bool:
    return condition.operation in (Operation.EQ, Operation.IN)


def _found(field: Field, left: dict[str, str], shown: Collection[str]) -> list[str]:
    """Return which of the values, which are given with their folded form, are among the texts."""
    if not shown:
        return []
    together = _folded(SEPARATOR.join(set(shown)))
    if field is not Field.KEYWORD:
        names = set(together.split(SEPARATOR))
        return [value for value, name in left.items() if value == ANY or name in names]
    return [value for value, keyword in left.items() if _is_in_one_of(together, keyword)]


def _is_in_one_of(texts: str, keyword: str) -> bool:
    """Tell whether one of the texts has all words of a keyword: the API matches approximately."""
    words = sorted(keyword.split(), key=len, reverse=True)
    return all(word in texts for word in words) and any(
        all(word in text for word in words) for text in texts.split(SEPARATOR)
    )


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).lower()
