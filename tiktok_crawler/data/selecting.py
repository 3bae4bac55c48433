"""Reads which videos a user wants of a source: by query, tag and days."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, TypedDict

from tiktok_crawler.dataset.selection import Selection
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.query_file.known_query import query_ids
from tiktok_crawler.query_file.written_dates import parse_day
from tiktok_crawler.spelling import did_you_mean, nearest, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path
    from typing import Protocol

    from tiktok_crawler.dataset.tables import DataTable
    from tiktok_crawler.query_file.collection import Collection as WantedCollection

    class Names(Protocol):
        """What a source knows of the queries and tags that videos were collected with."""

        def queries(self) -> Mapping[int, str | None]: ...

        def batches(self, collection: WantedCollection) -> Sequence[int]: ...

        def tags(self) -> Collection[str]: ...


SHOWN = 10


class Which(TypedDict, total=False):
    """Which rows and columns are wanted; without anything, all.

    `query` is the number that `scrapy status` shows, or a query file; `since` and `until` are days
    of `create_time` of the video, both included.
    """

    query: int | str | Path | None
    tag: str | None
    since: str | date | None
    until: str | date | None
    columns: Collection[str] | None


def selection_of(source: Names, which: Which) -> Selection:
    """Look up what is wanted.

    Raises:
        UsageError: the source has no such query or tag, or a day is none.
        QueryFileError: the query file cannot be used.
    """
    query, tag = which.get("query"), which.get("tag")
    since, until = (_day(name, which.get(name)) for name in ("since", "until"))
    if since and until and since > until:
        raise UsageError(f"since={since} is after until={until}: nothing would be selected")
    return Selection(
        query_ids=()
        if query is None
        else tuple(query_ids(query, source.queries(), source.batches, "query=")),
        tags=() if tag is None else (_tag(source, tag),),
        since=since,
        until=until,
    )


def check_applies(selection: Selection, table: DataTable) -> None:
    """Refuse to select rows that belong to no video.

    Raises:
        UsageError: with the table's name.
    """
    if selection and table.belongs_by is None:
        raise UsageError(
            f"the rows of the table {table.name} belong to no videos: without query=, tag=, since= "
            "and until= all of them are read"
        )


def check_applies_to_days(selection: Selection) -> None:
    """Refuse to select days of queries by what only videos have."""
    if selection.tags:
        raise UsageError("the table coverage knows no tags: choose its rows by query=")


def _day(name: str, written: object) -> date | None:
    if written is None:
        return None
    if isinstance(written, datetime):
        if written.time() == time():
            return written.date()
    elif isinstance(written, date):
        return written
    try:
        return parse_day(str(written))
    except ValueError as exc:
        raise UsageError(f"{name}={quoted(str(written))} {exc}") from None


def _tag(source: Names, tag: str) -> str:
    known = source.tags()
    if tag in known:
        return tag
    shown = ", ".join(map(quoted, sorted(known)[:SHOWN])) or "none"
    hint = did_you_mean(nearest(str(tag), known)) or f"; the tags are: {shown}"
    raise UsageError(f"tag={quoted(str(tag))}: nothing was collected with it{hint}")
