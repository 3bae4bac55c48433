"""Conditions as they stand in a query file: what is wrong with them, and the query they make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from tiktok_crawler.research_api.conditions import Part, condition_problems
from tiktok_crawler.research_api.contradictions import contradictory_fields
from tiktok_crawler.research_api.query import (
    GROUPS,
    MAX_RELIABLE_USERNAMES,
    Condition,
    Field,
    Group,
    Operation,
    Query,
)
from tiktok_crawler.spelling import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.query_file.mistakes import Mistakes, Place

PARTS: tuple[Part, ...] = get_args(Part)


@dataclass(frozen=True, slots=True)
class Location:
    """The key and the place at which something stands."""

    key: str
    place: Place


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a condition as the API gets it, and as and where it was typed."""

    text: str
    typed: str
    place: Place


@dataclass(frozen=True, slots=True)
class ParsedCondition:
    """A condition that may be wrong, and where each part of it stands."""

    group: Group
    field_name: str
    operation: str
    values: tuple[Value, ...]
    spots: Mapping[Part, Location]

    @property
    def condition(self) -> Condition:
        return Condition(self.field_name, self.operation, tuple(v.text for v in self.values))

    def check(self, findings: Mistakes) -> bool:
        """Report what is wrong with the condition by itself; whether it is right."""
        is_right = True
        for place, key, words in self._problems():
            findings.mistake(place, key, words)
            is_right = False
        return is_right

    def _problems(self) -> Iterator[tuple[Place, str, str]]:
        texts = [value.text for value in self.values]
        for problem in condition_problems(self.field_name, self.operation, texts):
            spot = self.spots[problem.part]
            if problem.index is None:
                yield spot.place, spot.key, problem.words
            else:
                value = self.values[problem.index]
                yield value.place, spot.key, f"{quoted(value.typed)} {problem.words}"


def query_of(drafts: Sequence[ParsedCondition]) -> Query:
    return Query(*(tuple(d.condition for d in drafts if d.group == group) for group in GROUPS))


def report_contradictions(
    drafts: Sequence[ParsedCondition], dates: DateRange | None, findings: Mistakes
) -> None:
    """Report conditions, none of them wrong by itself, that no video of those days can satisfy."""
    query = query_of(drafts)
    within = Query((*query.and_, *_within(dates)), query.or_, query.not_) if dates else query
    for field in contradictory_fields(within):
        spot = _spot_of(field, drafts)
        where = f" of {dates}" if field == Field.CREATE_DATE and dates else ""
        words = f"nothing can be found: no video{where} satisfies all conditions on {field}"
        findings.mistake(spot.place, spot.key, words)


def warn_of_usernames(drafts: Sequence[ParsedCondition], findings: Mistakes) -> None:
    """Warn if the search is for more accounts than the API is known to cope with."""
    count = len(query_of(drafts).usernames)
    if count > MAX_RELIABLE_USERNAMES:
        spot = _spot_of(Field.USERNAME, drafts)
        words = (
            f"{count} usernames in one query: the API is reliable up to about "
            f"{MAX_RELIABLE_USERNAMES}, and one unusable account can fail them all; "
            "several query files with fewer each are safer"
        )
        findings.warning(spot.place, spot.key, words)


def _within(dates: DateRange) -> tuple[Condition, Condition]:
    first, last = (f"{day:%Y%m%d}" for day in (dates.start, dates.end))
    return (
        Condition(Field.CREATE_DATE, Operation.GTE, (first,)),
        Condition(Field.CREATE_DATE, Operation.LTE, (last,)),
    )


def _spot_of(field: Field, drafts: Sequence[ParsedCondition]) -> Location:
    """Find where a query first says something about the field, preferably what it must be."""
    about = [draft for draft in drafts if draft.field_name == field]
    return min(about, key=lambda draft: draft.group == "not").spots["field_values"]
