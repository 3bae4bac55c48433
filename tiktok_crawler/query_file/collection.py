"""Query files: what a collection asks for, with every mistake named at its place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.query_file import also_collect, each_value
from tiktok_crawler.query_file.each_value import (
    EACH_HINTS,
    Each,
    ValueBatch,
    published_on,
    read_each,
    tells_days,
    template_of,
)
from tiktok_crawler.query_file.friendly_form import FORM, FRIENDLY_HINTS, friendly_drafts
from tiktok_crawler.query_file.limits import LIMITS, NO_LIMITS, Limits, read_limits
from tiktok_crawler.query_file.mistakes import Mistakes, Position
from tiktok_crawler.query_file.node_reader import NodeReader
from tiktok_crawler.query_file.options import OPTIONS, OptionReader
from tiktok_crawler.query_file.parsed_conditions import (
    query_of,
    report_contradictions,
    warn_of_usernames,
)
from tiktok_crawler.query_file.query_arguments import query_file_text, query_node
from tiktok_crawler.query_file.raw_form import RAW_HINTS, raw_drafts
from tiktok_crawler.query_file.refreshing import Refreshing
from tiktok_crawler.query_file.sample import read_sample
from tiktok_crawler.query_file.text_file import read_text
from tiktok_crawler.query_file.written_dates import NEVER, TIKTOK_BEGAN, parse_day
from tiktok_crawler.query_file.yaml_text import MapNode, parse
from tiktok_crawler.research_api.query import SAMPLE, Condition, Operation, Query
from tiktok_crawler.spelling import number_of, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, timedelta
    from pathlib import Path

    from tiktok_crawler.query_file.also_collect import AlsoCollect
    from tiktok_crawler.query_file.options import Given
    from tiktok_crawler.query_file.parsed_conditions import ParsedCondition
    from tiktok_crawler.query_file.refreshing import KeepFresh
    from tiktok_crawler.query_file.yaml_text import Entry

AT_THE_TOP = (*OPTIONS, *LIMITS, SAMPLE, also_collect.KEY, each_value.KEY)
KEYS = (*AT_THE_TOP, *FORM, "query")

_HINTS = {
    **FRIENDLY_HINTS,
    **RAW_HINTS,
    **EACH_HINTS,
    **dict.fromkeys(AT_THE_TOP, "it stands at the top of the file"),
}


@dataclass(frozen=True, slots=True)
class Collection:
    """The collection that a query file, and the spider arguments beside it, ask for.

    `dates` are resolved in UTC, `start_written` and `end_written` are as the user wrote them. Days
    whose last search is older than `refresh_after` are wanted once more; None means never. They are
    wanted once more, too, as soon as they are as old as each age of `revisit`, and as often as
    `keep_fresh` says, if it is about counters; else that says how often it is checked what is still
    there. When all videos are there, what `also_collect` names is collected, in its order. `lists`
    are the files that values come from. `path` is the query file; if there is none, `as_file` is
    what it would say.

    With `each`, the query is the rest, which may have no condition: it is searched for every one of
    the values, some at a time. Then `batch` says which.
    """

    query: Query
    dates: DateRange
    start_written: str
    end_written: str
    tags: tuple[str, ...] = ()
    refresh_after: timedelta | None = None
    revisit: tuple[timedelta, ...] = ()
    keep_fresh: KeepFresh | None = None
    warnings: tuple[str, ...] = ()
    also_collect: tuple[AlsoCollect, ...] = ()
    lists: tuple[Path, ...] = ()
    as_file: str | None = None
    path: Path | None = None
    limits: Limits = NO_LIMITS
    each: Each | None = None
    batch: ValueBatch | None = None

    @property
    def name(self) -> str:
        """Its file as it was named, by which a run that has several tells them apart."""
        return visible(str(self.path)) if self.path else "the query"

    @property
    def refreshing(self) -> Refreshing:
        """When days are searched again, and how often it is found out what is still there."""
        return Refreshing(self.refresh_after, self.revisit, self.keep_fresh)

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the query; with `each`, of the rest and what the values are."""
        return template_of(self.query, self.each.field) if self.each else self.query.fingerprint

    def for_values(self, values: Iterable[str]) -> Collection:
        """The collection of some of the values, which is searched as any other."""
        assert self.each
        condition = Condition(self.each.field, Operation.IN, tuple(values))
        query = replace(self.query, and_=(*self.query.and_, condition))
        batch = ValueBatch(self.fingerprint, self.each.field, condition.field_values)
        return replace(self, query=query, each=None, batch=batch, also_collect=(), warnings=())

    @property
    def begins_relative(self) -> bool:
        """Tell whether the first day is another one tomorrow, such as `3 days ago`."""
        return _is_relative(self.start_written)

    @property
    def ends_relative(self) -> bool:
        """Tell the same of the last day."""
        return _is_relative(self.end_written)


def _is_relative(written: str) -> bool:
    try:
        parse_day(written)
    except ValueError:
        return True
    return False


def read_collection(
    path: Path, *, today: date, overrides: Mapping[str, str] | None = None
) -> Collection:
    """Read and check a query file.

    Args:
        path: the file, YAML or JSON.
        today: the present day in UTC, which relative dates count from.
        overrides: the spider arguments named in OPTIONS, which beat the file.

    Raises:
        QueryFileError: the file cannot be used, with a line for each of its mistakes.
        UsageError: an argument cannot be used.
    """
    findings = Mistakes(path)
    return _read(_root(path, findings), findings, today, overrides or {})


def collection_of_arguments(arguments: Mapping[str, str], *, today: date) -> Collection:
    """Read and check a query that stands in spider arguments: those of OPTIONS and the query's own.

    Raises:
        UsageError: with a line for each mistake.
    """
    collection = _read(query_node(arguments), Mistakes(None), today, arguments)
    return replace(collection, as_file=query_file_text(arguments))


def _read(
    root: MapNode, findings: Mistakes, today: date, overrides: Mapping[str, str]
) -> Collection:
    reader = NodeReader(findings, _HINTS)
    entries = {entry.key: entry for entry in reader.entries(root, "", KEYS)}
    drafts = _drafts(entries, reader, findings)
    options = OptionReader(entries, overrides, reader=reader, findings=findings)
    each = _each(entries, drafts, today, reader=reader, findings=findings)
    if tells_days(entries.get(each_value.KEY)):
        dates = _told_dates(options, today, each, findings)
    else:
        dates = _dates(options, today, findings)
    tags, age = options.tags("tags"), options.age("refresh_after")
    revisit, fresh = options.ages("revisit"), options.keep_fresh("keep_fresh")
    sample = read_sample(entries.get(SAMPLE), reader, findings)
    query = replace(_query(drafts, dates, findings), sample=sample)
    wishes = _wishes(entries, reader, findings)
    limits = read_limits(entries, reader)
    if each and dates:
        each = _within(each, dates.range, entries[each_value.KEY], findings)
    if sample and (entry := entries.get(each_value.KEY)):
        words = "cannot stand beside sample: a list is collected as a whole; take one of them out"
        findings.mistake(entry.place, entry.key, words)
    if sample:
        again = [fresh] if fresh and fresh.value.counters else []
        _refuse_searching_again([*revisit, *again], findings)
    if dates is None or findings.has_mistakes:
        findings.stop()
    return Collection(
        query=query,
        dates=dates.range,
        start_written=dates.start_written,
        end_written=dates.end_written,
        tags=tags,
        refresh_after=age.value if age and age.value != NEVER else None,
        revisit=tuple(age.value for age in revisit),
        keep_fresh=fresh.value if fresh and fresh.value.every != NEVER else None,
        warnings=findings.warnings,
        also_collect=wishes,
        lists=tuple(findings.lists),
        path=findings.path,
        limits=limits,
        each=each,
    )


def _each(
    entries: Mapping[str, Entry],
    rest: Sequence[ParsedCondition],
    today: date,
    *,
    reader: NodeReader,
    findings: Mistakes,
) -> Each | None:
    entry = entries.get(each_value.KEY)
    return read_each(entry, rest, today, reader=reader, findings=findings) if entry else None


def _refuse_searching_again(given: Iterable[Given[Any]], findings: Mistakes) -> None:
    """Report what asks for days of a sample again: each is drawn once."""
    for each in given:
        words = f"{each.written}: days of a sample are drawn once; take this or the sample out"
        findings.mistake(each.place, each.key, words)


def _within(each: Each, days: DateRange, entry: Entry, findings: Mistakes) -> Each:
    """Leave out ids of videos that cannot have been published on the days that are wanted."""
    left = each.within(days)
    out = len(each.values) - len(left.values)
    if not left.values:
        words = f"none of the {each} can be of a video of {days}"
        findings.mistake(entry.place, entry.key, words)
    elif out:
        words = f"left out {number_of(out, 'ids')} of videos that were not published on {days}"
        findings.warning(entry.place, entry.key, words)
    return left


@dataclass(frozen=True, slots=True)
class _Dates:
    range: DateRange
    start_written: str
    end_written: str


def _root(path: Path, findings: Mistakes) -> MapNode:
    root = parse(read_text(path), findings)
    if not isinstance(root, MapNode):
        found = "nothing" if root is None else "none"
        words = f"must hold keys with values, found {found}; allowed: {', '.join(KEYS)}"
        findings.fatal(Position(1, 1), words)
    return root


def _dates(options: OptionReader, today: date, findings: Mistakes) -> _Dates | None:
    start, end = _written_dates(options, today, findings)
    if start is None or end is None or not _are_in_order(start, end, findings):
        return None
    _warn_of_dates(start, end, today, findings)
    return _Dates(DateRange(start.value, end.value), start.written, end.written)


def _told_dates(
    options: OptionReader, today: date, each: Each | None, findings: Mistakes
) -> _Dates | None:
    """The days that ids tell, but where dates are given beside them."""
    start, end = _written_dates(options, today, findings, are_needed=False)
    if each is None or (start and end and not _are_in_order(start, end, findings)):
        return None
    told = published_on(each.values, today)
    first = start.value if start else min(told.start, end.value if end else today)
    last = end.value if end else max(told.end, first)
    written = (given.written if given else str(day) for given, day in ((start, first), (end, last)))
    return _Dates(DateRange(first, last), *written)


def _written_dates(
    options: OptionReader, today: date, findings: Mistakes, *, are_needed: bool = True
) -> tuple[Given[date] | None, Given[date] | None]:
    start, end = (
        options.date(key, today=today, is_needed=are_needed) for key in ("start_date", "end_date")
    )
    for given in (start, end):
        if given and given.value > today:
            words = f"{given} is in the future; the last day allowed is today, {today} (UTC)"
            findings.mistake(given.place, given.key, words)
    return start, end


def _are_in_order(start: Given[date], end: Given[date], findings: Mistakes) -> bool:
    if end.value < start.value:
        _report_order(start, end, findings)
        return False
    return True


def _report_order(start: Given[date], end: Given[date], findings: Mistakes) -> None:
    if start.is_argument and not end.is_argument:
        findings.mistake(start.place, start.key, f"{start} is after the end_date, {end}")
    else:
        findings.mistake(end.place, end.key, f"{end} is before the start_date, {start}")


def _warn_of_dates(start: Given[date], end: Given[date], today: date, findings: Mistakes) -> None:
    if start.value < TIKTOK_BEGAN:
        words = f"{start} is before TikTok began in September 2016"
        findings.warning(start.place, start.key, words)
    if end.value >= today - DAY:
        words = (
            f"{end} is recent: videos take up to 48 hours to appear in the API, and their numbers "
            "up to 10 days to settle"
        )
        findings.warning(end.place, end.key, words)


def _wishes(
    entries: Mapping[str, Entry], reader: NodeReader, findings: Mistakes
) -> tuple[AlsoCollect, ...]:
    entry = entries.get(also_collect.KEY)
    return also_collect.read_also_collect(entry.value, reader, findings) if entry else ()


def _drafts(
    entries: Mapping[str, Entry], reader: NodeReader, findings: Mistakes
) -> list[ParsedCondition]:
    """The conditions of the form that the file is written in, at least one."""
    friendly = [entry for key, entry in entries.items() if key in FORM]
    drafts = [*friendly_drafts(friendly, reader)]
    if raw := entries.get("query"):
        drafts += raw_drafts(raw.value, reader)
        if friendly:
            others = ", ".join(entry.key for entry in friendly)
            words = f"cannot stand beside {others}; write all conditions in one of the two forms"
            findings.mistake(raw.place, "query", words)
    if not drafts and each_value.KEY not in entries and not findings.has_mistakes:
        keys = ", ".join((*FORM, "query", each_value.KEY))
        words = f"names no condition; at least one is needed of: {keys}"
        findings.mistake(Position(1, 1), "", words)
    return drafts


def _query(drafts: Sequence[ParsedCondition], dates: _Dates | None, findings: Mistakes) -> Query:
    """The query of the conditions, after the checks of each and of all together."""
    are_right = [draft.check(findings) for draft in drafts]
    if all(are_right):
        report_contradictions(drafts, dates.range if dates else None, findings)
        warn_of_usernames(drafts, findings)
    return query_of(drafts)
