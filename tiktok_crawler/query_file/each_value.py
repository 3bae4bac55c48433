"""Reads the list under `each`: the rest of the file applies to every one of its values.

Ids of videos tell when these can have been published, so that a list of them needs no dates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.query_file.friendly_form import FORM, Values, friendly_drafts
from tiktok_crawler.query_file.written_dates import TIKTOK_BEGAN
from tiktok_crawler.query_file.yaml_text import MapNode
from tiktok_crawler.research_api.query import Field
from tiktok_crawler.research_api.video_ids import days_of
from tiktok_crawler.spelling import number_of, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from tiktok_crawler.query_file.friendly_form import Form
    from tiktok_crawler.query_file.mistakes import Mistakes
    from tiktok_crawler.query_file.node_reader import NodeReader
    from tiktok_crawler.query_file.parsed_conditions import Location, ParsedCondition
    from tiktok_crawler.query_file.yaml_text import Entry
    from tiktok_crawler.research_api.query import Query

KEY, IDS = "each", "video_ids"

EACH: Form = {
    "usernames": FORM["usernames"],
    "hashtags": Values("and", Field.HASHTAG_NAME),
    "keywords": Values("and", Field.KEYWORD),
    "music_ids": FORM["music_ids"],
    "effect_ids": FORM["effect_ids"],
    IDS: FORM["video_ids"],
}

LONGEST_VALUE = 500
"""Characters: the database looks for values, and PostgreSQL's indexes take 2,704 bytes."""

EACH_HINTS = {f"{KEY}.{key}": "it stands at the top of the file" for key in FORM if key not in EACH}


@dataclass(frozen=True, slots=True)
class Each:
    """The values, sorted and without repeats, each of which a query is to be asked for."""

    field: Field
    values: tuple[str, ...]

    def __str__(self) -> str:
        return number_of(len(self.values), NAMES[self.field])

    def within(self, days: DateRange) -> Each:
        """The same without ids of videos that cannot have been published on these days."""
        if self.field is not Field.VIDEO_ID:
            return self
        values = (value for value in self.values if days_of(int(value)).overlaps(days))
        return Each(self.field, tuple(values))


@dataclass(frozen=True, slots=True)
class ValueBatch:
    """Some of the values, which a query asks for together; `template` is the same for all of them.

    It stands for the rest of the query, and for what the values are.
    """

    template: str
    field: Field
    values: tuple[str, ...]

    @classmethod
    def of(cls, query: Query, field: Field) -> ValueBatch:
        """Take apart a query that was made of a rest and values of this field.

        Raises:
            ValueError: it was not.
        """
        mine = [each for each in query.and_ if each.field_name == field]
        rest = replace(query, and_=tuple(each for each in query.and_ if each not in mine))
        others = (*rest.or_, *rest.not_)
        if len(mine) != 1 or any(each.field_name == field for each in others):
            raise ValueError("not a query for some values of a list")
        return cls(template_of(rest, field), field, mine[0].field_values)


def template_of(rest: Query, field: Field) -> str:
    """The SHA-256, in hexadecimal, that queries share which differ in values of a field alone."""
    return sha256(f"{field} {rest.canonical()}".encode()).hexdigest()


NAMES = {
    Field.USERNAME: "usernames",
    Field.HASHTAG_NAME: "hashtags",
    Field.KEYWORD: "keywords",
    Field.MUSIC_ID: "music ids",
    Field.EFFECT_ID: "effect ids",
    Field.VIDEO_ID: "video ids",
}


def read_each(
    entry: Entry,
    rest: Iterable[ParsedCondition],
    today: date,
    *,
    reader: NodeReader,
    findings: Mistakes,
) -> Each | None:
    """Read the one list; report what is wrong with it, or with the rest of the query beside it."""
    entries = list(reader.entries(entry.value, KEY, EACH))
    if len(entries) != 1 and not findings.has_mistakes:
        found = f"found {len(entries)}" if entries else "found none"
        words = f"takes the values of one list, {found}; allowed: {', '.join(EACH)}"
        findings.mistake(entry.place, KEY, words)
    drafts = list(friendly_drafts(entries, reader, form=EACH, path=KEY))
    if len(drafts) != 1 or not drafts[0].check(findings):
        return None
    (draft,) = drafts
    _report_long_ones(draft, findings)
    field = Field(draft.field_name)
    if field is Field.VIDEO_ID:
        _report_impossible_times(draft, today, findings)
    for other in rest:
        if other.field_name == field:
            _report_same_field(field, other.spots["field_values"], findings)
    return None if findings.has_mistakes else Each(field, draft.condition.field_values)


def tells_days(entry: Entry | None) -> bool:
    """Tell whether there is a list of ids of videos, which tell their days."""
    return entry is not None and isinstance(entry.value, MapNode) and IDS in entry.value.entries


def published_on(video_ids: Sequence[str], today: date) -> DateRange:
    """The days from the first to the last on which videos with these ids can be published."""
    days = [days_of(number) for number in (min(map(int, video_ids)), max(map(int, video_ids)))]
    return DateRange(days[0].start, min(days[1].end, today))


def _report_long_ones(draft: ParsedCondition, findings: Mistakes) -> None:
    for value in draft.values:
        if (length := len(value.text)) > LONGEST_VALUE:
            words = f"has {length:,} characters, allowed: {LONGEST_VALUE}"
            key = draft.spots["field_values"].key
            findings.mistake(value.place, key, f"{quoted(value.typed)} {words}")


def _report_impossible_times(draft: ParsedCondition, today: date, findings: Mistakes) -> None:
    possible = DateRange(TIKTOK_BEGAN, today)
    for value in draft.values:
        days = days_of(int(value.text))
        if not days.overlaps(possible):
            words = (
                f"tells {days.start} as its day, and TikTok has videos of {possible}; if it is one "
                "all the same, search for it under video_ids, with dates"
            )
            key = draft.spots["field_values"].key
            findings.mistake(value.place, key, f"{quoted(value.typed)} {words}")


def _report_same_field(field: Field, spot: Location, findings: Mistakes) -> None:
    words = (
        f"cannot stand beside {KEY}, which is about {NAMES[field]} too; take one of them out, or "
        f"write the conditions without {KEY}"
    )
    findings.mistake(spot.place, spot.key, words)
