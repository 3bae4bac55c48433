"""The language of video searches (api_facts.md 3.3): conditions, and what identifies a query.

Everything is a value: conditions and queries put themselves into canonical order when they are
made, so that two spellings of one query are equal and have one fingerprint.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_RELIABLE_USERNAMES = 10
"""So many usernames at once are known to work; with more, searches may fail (api_facts.md 3.3)."""

Group = Literal["and", "or", "not"]
GROUPS: tuple[Group, ...] = ("and", "or", "not")
"""All of `and`, at least one of `or` and none of `not` must hold; a query is all three together."""


class Operation(StrEnum):
    EQ = "EQ"
    IN = "IN"
    GT = "GT"
    GTE = "GTE"
    LT = "LT"
    LTE = "LTE"


class Field(StrEnum):
    """A field that a condition can be about."""

    CREATE_DATE = "create_date"
    USERNAME = "username"
    REGION_CODE = "region_code"
    VIDEO_ID = "video_id"
    HASHTAG_NAME = "hashtag_name"
    KEYWORD = "keyword"
    MUSIC_ID = "music_id"
    EFFECT_ID = "effect_id"
    VIDEO_LENGTH = "video_length"
    VIEW_COUNT = "view_count"
    COMMENT_COUNT = "comment_count"

    @property
    def is_ordered(self) -> bool:
        """True if greater and less mean something for its values."""
        return self in (Field.CREATE_DATE, Field.VIEW_COUNT, Field.COMMENT_COUNT)

    @property
    def is_single(self) -> bool:
        """True if a video has exactly one of it."""
        return self not in (Field.HASHTAG_NAME, Field.KEYWORD, Field.EFFECT_ID)

    @property
    def operations(self) -> tuple[Operation, ...]:
        return tuple(Operation) if self.is_ordered else (Operation.EQ, Operation.IN)


NOBODY: dict[str, str] = {Field.USERNAME: "deleted:", Field.VIDEO_ID: "1"}
"""The value of a condition that was about deleted ones alone: no account or video can have it."""


@dataclass(frozen=True, order=True, slots=True)
class Condition:
    """One condition, in canonical form: values without repeats and sorted, `IN` one value is `EQ`.

    Whether the API would take it is for `conditions.condition_problems` to say.
    """

    field_name: str
    operation: str
    field_values: tuple[str, ...]

    def __post_init__(self) -> None:
        values = tuple(sorted(set(self.field_values)))
        object.__setattr__(self, "field_values", values)
        if self.operation == Operation.IN and len(values) == 1:
            object.__setattr__(self, "operation", Operation.EQ.value)

    @property
    def is_one_keyword(self) -> bool:
        """True if it can be sent as `EQ` and as `IN`, which may find different things."""
        return self.field_name == Field.KEYWORD and len(self.field_values) == 1

    @property
    def is_of_nobody(self) -> bool:
        """True if all that it was about was deleted."""
        return self.field_values == (NOBODY.get(self.field_name),)

    def to_json(self) -> dict[str, Any]:
        return {
            "field_name": self.field_name,
            "field_values": list(self.field_values),
            "operation": self.operation,
        }

    def sent(self, keywords_as: Operation) -> dict[str, Any]:
        """The same with this operation, if it is about a single keyword."""
        operation = {"operation": keywords_as.value} if self.is_one_keyword else {}
        return self.to_json() | operation


SAMPLE = "sample"
"""The key of a sample, beside the groups of conditions."""


@dataclass(frozen=True, order=True, slots=True)
class Sample:
    """At most so many videos of each day, which the API chooses at random (api_facts.md 3.6).

    Of several draws of the same days each is a sample of its own.
    """

    per_day: int
    draw: int = 1

    def to_json(self) -> dict[str, int]:
        return {"per_day": self.per_day, "draw": self.draw}


@dataclass(frozen=True, slots=True)
class Query:
    """The conditions of a search, each group without repeats and sorted.

    Without a `sample`, all videos are wanted that meet them.
    """

    and_: tuple[Condition, ...] = ()
    or_: tuple[Condition, ...] = ()
    not_: tuple[Condition, ...] = ()
    sample: Sample | None = None

    def __post_init__(self) -> None:
        for group in ("and_", "or_", "not_"):
            object.__setattr__(self, group, tuple(sorted(set(getattr(self, group)))))

    @classmethod
    def from_json(cls, query: Mapping[str, Any]) -> Query:
        """The query of an API object or of canonical JSON, which is taken to be right."""
        groups = {key: tuple(Condition(**each) for each in query.get(key, ())) for key in GROUPS}
        sample = query.get(SAMPLE)
        return cls.of_groups(groups, Sample(**sample) if sample else None)

    @classmethod
    def of_groups(
        cls, groups: Mapping[Group, tuple[Condition, ...]], sample: Sample | None = None
    ) -> Query:
        """The query of some groups of conditions."""
        and_, or_, not_ = (groups.get(key, ()) for key in GROUPS)
        return cls(and_, or_, not_, sample)

    def to_json(self) -> dict[str, Any]:
        """The object that the API takes, and the sample; an empty group is left out."""
        groups = {key: [each.to_json() for each in group] for key, group in self._groups()}
        return groups | ({SAMPLE: self.sample.to_json()} if self.sample else {})

    def sent(self, keywords_as: Operation) -> dict[Group, list[dict[str, Any]]]:
        """The object that is sent: a single keyword has this operation (api_facts.md 13.20).

        What is about deleted ones alone is left out, unless nothing else is there.
        """
        groups = list(self._groups())
        named = [(key, [each for each in group if not each.is_of_nobody]) for key, group in groups]
        left = [(key, group) for key, group in named if group] or groups
        return {key: [each.sent(keywords_as) for each in group] for key, group in left}

    def canonical(self) -> str:
        """The text that identifies the query: its JSON with sorted keys and no blanks."""
        return json.dumps(self.to_json(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the canonical form in UTF-8, in hexadecimal."""
        return sha256(self.canonical().encode()).hexdigest()

    @property
    def asks_for_nobody(self) -> bool:
        """True if it can find nothing, since all that it asks for was deleted."""
        if any(each.is_of_nobody for each in self.and_):
            return True
        return bool(self.or_) and all(each.is_of_nobody for each in self.or_)

    @property
    def has_single_keywords(self) -> bool:
        """True if a condition is about one keyword: it is sent as `EQ` or as `IN`."""
        return any(each.is_one_keyword for _, group in self._groups() for each in group)

    @property
    def has_keyword_forms(self) -> bool:
        """True if its keywords can be sent as `EQ` as well as `IN`, to see which form works.

        There must be one, and none that stands beside others. In a form that finds nothing, a `not`
        excludes nothing: what a query finds by it that needs no keyword is not what is wanted.
        """
        keywords = [
            (key, condition)
            for key, group in self._groups()
            for condition in group
            if condition.field_name == Field.KEYWORD
        ]
        groups = {key for key, _ in keywords}
        is_safe = "and" in groups or "not" not in groups
        return bool(keywords) and is_safe and all(each.is_one_keyword for _, each in keywords)

    @property
    def usernames(self) -> tuple[str, ...]:
        """The accounts that the search is limited to, if it is."""
        named = (
            condition.field_values
            for condition in self.and_
            if condition.field_name == Field.USERNAME
        )
        return tuple(sorted({name for values in named for name in values}))

    def _groups(self) -> Iterator[tuple[Group, tuple[Condition, ...]]]:
        """The groups that have conditions."""
        groups = zip(GROUPS, (self.and_, self.or_, self.not_), strict=True)
        return ((key, group) for key, group in groups if group)
