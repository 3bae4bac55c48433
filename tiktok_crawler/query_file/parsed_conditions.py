"""Conditions as they stand in a query file: what is wrong with them, and the query they make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from tiktok_crawler.query_file.doubtful_values import RAW_FORM, Doubt, doubt_about
from tiktok_crawler.query_file.mistakes import ListLine
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
from tiktok_crawler.spelling import number_of, quoted

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
    """A condition that may be wrong, and where each part of it stands.

    The values of one that `is_literal` are meant as they are.
    """

    group: Group
    field_name: str
    operation: str
    values: tuple[Value, ...]
    spots: Mapping[Part, Location]
    is_literal: bool = False

    @property
    def condition(self) -> Condition:
        return Condition(self.field_name, self.operation, tuple(v.text for v in self.values))

    def check(self, findings: Mistakes) -> bool:
        """Report what is wrong with the condition by itself; whether it is right."""
        doubts = {} if self.is_literal else self._doubts()
        problems = [*self._problems(doubts)]
        for place, key, words in problems:
            findings.mistake(place, key, words)
        self._warn(doubts, findings)
        self._warn_of_repeats(findings)
        return not problems

    def _doubts(self) -> dict[int, Doubt]:
        """Return what is doubtful about values, by their index."""
        doubts = (doubt_about(self.field_name, v.text, typed=v.typed) for v in self.values)
        return {index: doubt for index, doubt in enumerate(doubts) if doubt}

    def _problems(self, doubts: Mapping[int, Doubt]) -> Iterator[tuple[Place, str, str]]:
        """Yield what is wrong; of a value that can match nothing, that alone."""
        certain = {index: doubt for index, doubt in doubts.items() if doubt.is_certain}
        for index, doubt in certain.items():
            yield self._about(index, f"{doubt.words} ({RAW_FORM})")
        texts = [value.text for value in self.values]
        for problem in condition_problems(self.field_name, self.operation, texts):
            spot = self.spots[problem.part]
            if problem.index is None:
                yield spot.place, spot.key, problem.words
            elif problem.index not in certain:
                yield self._about(problem.index, problem.words)

    def _warn(self, doubts: Mapping[int, Doubt], findings: Mistakes) -> None:
        for index, doubt in doubts.items():
            if not doubt.is_certain:
                findings.warning(*self._about(index, doubt.words))

    def _warn_of_repeats(self, findings: Mistakes) -> None:
        """Warn of values that files have more than once."""
        listed = [value for value in self.values if isinstance(value.place, ListLine)]
        repeats = len(listed) - len({value.text for value in listed})
        if repeats:
            spot = self.spots["field_values"]
            words = f"left out {number_of(repeats, 'repeats')} among {len(listed):,} values"
            findings.warning(spot.place, spot.key, words)

    def _about(self, index: int, words: str) -> tuple[Place, str, str]:
        value = self.values[index]
        return value.place, self.spots["field_values"].key, f"{quoted(value.typed)} {words}"


def query_of(drafts: Sequence[ParsedCondition]) -> Query:
    groups = {key: tuple(d.condition for d in drafts if d.group == key) for key in GROUPS}
    return Query.of_groups(groups)


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
            "each: {usernames: [...]} searches for ten at a time, and finds that one"
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
