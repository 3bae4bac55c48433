"""Says what checks of existence prove, and when that is too much to be believed. Pure.

A check asks TikTok's Batch Compliance API which of up to 10,000 ids it still has (api_facts.md
10.3).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil
from random import Random
from typing import TYPE_CHECKING

from tiktok_crawler.planning.spreading import Due, last_night, share_of
from tiktok_crawler.research_api.checks import MOST_IDS, ListedIds

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date, datetime, timedelta

REQUESTS_OF_CHECK = 3
"""It is created, asked about, and its file downloaded."""

MOST_MISSED = 9_900
"""A second check asks about no more: the others are controls."""

LEAST_GONE = 20
"""Fewer records gone at once are no reason to ask a person."""


class CheckState(StrEnum):
    """The progress of a check."""

    OPEN = "open"
    """It is to be created, or it is not known whether it was."""
    PROCESSING = "processing"
    """The API works on it."""
    DONE = "done"
    """Its file has come, and is believed."""
    FAILED = "failed"
    """It proves nothing; its ids are asked about again."""


UNFINISHED_CHECKS = (CheckState.OPEN, CheckState.PROCESSING)


class CheckVerdict(StrEnum):
    """The decision on what the checks of a run did not list twice."""

    GONE = "gone"
    """It is gone."""
    HELD = "held"
    """It is too much at once: a person has to say."""
    REJECTED = "rejected"
    """A person said that it is not gone."""


class OnGone(StrEnum):
    """The reaction to records that are gone."""

    MARK = "mark"
    """They are marked, and stay."""
    DELETE = "delete"
    """They are deleted after a time of grace."""


class RecordKind(StrEnum):
    """The kinds of records that may be gone, and that persons may ask to delete."""

    VIDEO = "video"
    COMMENT = "comment"
    USER = "user"


class RemovalReason(StrEnum):
    """The reason why records were deleted."""

    GONE = "gone"
    """The API has them no longer."""
    ASKED = "asked"
    """They were named: somebody has asked for it."""
    QUERY = "query"
    """Their query's data was deleted."""
    TAG = "tag"
    """Their tag's data was deleted."""
    AGE = "age"
    """They were collected too long ago."""


@dataclass(frozen=True, slots=True)
class Segment:
    """The ids from one to another, both included.

    So many of them are stored, all of which were known to exist at `confirmed_at`.
    """

    first: int
    last: int
    ids: int
    confirmed_at: datetime

    @property
    def checks(self) -> int:
        """The number of checks that they take."""
        return ceil(self.ids / MOST_IDS)

    def without(self, first: int, last: int) -> Segment | None:
        """Return what is left to do of it when a check has asked about ids from one to another."""
        if last < self.first or first > self.last:
            return self
        if last >= self.last or self.ids <= MOST_IDS:
            return None
        return replace(self, first=last + 1, ids=self.ids - MOST_IDS)


def tonight(segments: Iterable[Segment], night: date, max_age: timedelta) -> list[Segment]:
    """Choose what to check in a night, so that nothing gets too old, and no later night has more.

    Of a segment, as many of its first ids may be chosen as some checks take.
    """
    oldest_first = sorted(
        (each for each in segments if each.ids), key=lambda segment: segment.confirmed_at
    )
    due = [
        Due(each, last_night(each.confirmed_at, max_age))
        for each in oldest_first
        for _ in range(each.checks)
    ]
    checks = Counter(share_of(night, due))
    return [replace(each, ids=min(each.ids, count * MOST_IDS)) for each, count in checks.items()]


def without(segments: Iterable[Segment], first: int, last: int) -> list[Segment]:
    """Return what is left of segments when a check has asked about ids from one to another."""
    rests = (segment.without(first, last) for segment in segments)
    return [rest for rest in rests if rest]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The meaning of the file of a check: which of the ids it lists, and which it misses.

    With a `problem`, it proves nothing. Those that are `doubtful` may stand behind the end of a
    file that was cut off.
    """

    listed: frozenset[int] = frozenset()
    missed: frozenset[int] = frozenset()
    doubtful: frozenset[int] = frozenset()
    unknown: int = 0
    problem: str | None = None


def in_order(ids: Collection[int], controls: Collection[int], seed: int) -> tuple[int, ...]:
    """Put ids into the order in which a check asks about them: a control at either end.

    Two checks ask in different orders, so that a file that is cut off hides others.
    """
    chance = Random(seed)  # noqa: S311 - no secret
    shuffled = chance.sample(sorted(controls), len(controls))
    ends, others = shuffled[:2], [*ids, *shuffled[2:]]
    return (*ends[1:], *chance.sample(sorted(others), len(others)), *ends[:1])


def judge_first(asked: Collection[int], file: ListedIds) -> Judgement:
    """Tell what the file of a first check says; what it misses is asked about once more."""
    ids = frozenset(asked)
    listed = ids & frozenset(file.ids)
    unknown = file.others + len(set(file.ids) - ids)
    if not listed:
        problem = "its file is empty" if not file.ids else "its file lists none of the ids"
        return Judgement(unknown=unknown, problem=problem)
    if unknown > len(listed):
        return Judgement(unknown=unknown, problem="most lines of its file are other ids")
    return Judgement(listed, ids - listed, unknown=unknown)


def judge_second(asked: Sequence[int], controls: Collection[int], file: ListedIds) -> Judgement:
    """Tell what the file of a second check says, which asked in this order.

    All controls have to be there, and nothing else. What it misses is proved only if no end of the
    file could hide it: files may come in the order that was asked in, or sorted.
    """
    judged = judge_first(asked, file)
    if not controls:
        return Judgement(problem="there is no other record by which to see that its file is whole")
    if judged.problem:
        return judged
    if lacking := set(controls) - judged.listed:
        problem = f"its file lacks {len(lacking):,} of {len(controls):,} records that exist"
        return Judgement(unknown=judged.unknown, problem=problem)
    if judged.unknown:
        return Judgement(unknown=judged.unknown, problem="its file has lines that are other ids")
    doubtful = frozenset(_behind_the_end(asked, judged.missed, file.ids))
    return Judgement(judged.listed, judged.missed - doubtful, doubtful)


def _behind_the_end(
    asked: Sequence[int], missed: Collection[int], lines: Sequence[int]
) -> Iterable[int]:
    """Yield the missed ids that would stand behind the last line in an order that lines may have.

    Few lines can be in several orders: what stands behind the last one in any of them is doubtful.
    """
    places = {id_: place for place, id_ in enumerate(asked)}
    places_of_lines = [places[line] for line in lines if line in places]
    earliest, latest = min(places_of_lines), max(places_of_lines)
    ascending = sorted(lines)
    may_ascend, may_descend = [*lines] == ascending, [*lines] == ascending[::-1]
    return (
        id_
        for id_ in missed
        if not earliest < places[id_] < latest
        or (may_ascend and id_ > lines[-1])
        or (may_descend and id_ < lines[-1])
    )


@dataclass(frozen=True, slots=True)
class GoneAtOnce:
    """The numbers of what the checks of a run found gone, without the candidates.

    `asked` are all ids of the first checks without the candidates, `gone` those of them that are
    gone; `days` have for days of videos the same, and how many are stored.
    """

    asked: int
    gone: int
    days: Mapping[date, tuple[int, int]]


def too_much(found: GoneAtOnce, limit: float) -> str | None:
    """Say in words what of it is too much to be believed without a person; None if nothing is."""
    if _exceeds(found.gone, found.asked, limit):
        return (
            f"{found.gone:,} of {found.asked:,} records that nothing had been known against are "
            f"gone at once, more than {limit:.1%}"
        )
    for day, (gone, stored) in sorted(found.days.items()):
        if _exceeds(gone, stored, limit):
            return (
                f"of {day} {gone:,} of {stored:,} stored videos are gone at once, more than "
                f"{limit:.1%}"
            )
    return None


def _exceeds(gone: int, of: int, limit: float) -> bool:
    return gone >= LEAST_GONE and gone > of * limit
