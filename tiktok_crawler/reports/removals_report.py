"""Tells in numbers what was deleted from a database: in status, provenance and methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tiktok_crawler.planning.checks import RecordKind, RemovalReason
from tiktok_crawler.spelling import listed, number_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tiktok_crawler.storage.ledger.removals import DayOfRemovals, Removals

NOUNS = {
    RecordKind.VIDEO: "videos",
    RecordKind.COMMENT: "comments",
    RecordKind.USER: "users",
}
REASONS = {
    RemovalReason.GONE: "TikTok has them no longer",
    RemovalReason.ASKED: "persons have asked for it",
    RemovalReason.QUERY: "the data of a query was deleted",
    RemovalReason.TAG: "the data of a tag was deleted",
    RemovalReason.AGE: "they were collected too long ago",
}


def removal_lines(removals: Removals) -> Iterator[str]:
    """Tell in short what was deleted from a database, as status does."""
    for (kind, why), count in removals.totals.items():
        yield f"{number_of(count, NOUNS[kind])} deleted, as {REASONS[why]}"
    for kind, count in removals.kept_out.items():
        yield f"{number_of(count, NOUNS[kind])} kept out, as persons have asked"
    if removals.awaiting_archive:
        yield (
            "files of the archive have yet to lose what was deleted: the next `scrapy delete` or "
            "crawl sees to it"
        )


def removals_as_json(removals: Removals) -> dict[str, Any]:
    """Tell the same for programs."""
    return {
        "deleted": [
            {
                "day": day.day.isoformat(),
                "kind": day.kind.value,
                "why": day.why.value,
                "records": day.records,
                "checks": list(day.checks),
                "rows": dict(day.rows),
                "unfinished": day.unfinished,
            }
            for day in removals.days
        ],
        "kept_out": {kind.value: count for kind, count in removals.kept_out.items()},
        "awaiting_archive": removals.awaiting_archive,
    }


def removal_sentences(removals: Removals) -> Iterator[str]:
    """Tell in sentences how a dataset shrank."""
    if not removals:
        return
    parts = [
        f"{number_of(count, NOUNS[kind])} because {REASONS[why]}"
        for (kind, why), count in removals.totals.items()
    ]
    if not parts:
        return
    first, last = removals.days[0].day, removals.days[-1].day
    when = f"on {first}" if first == last else f"from {first} to {last}"
    told = listed(parts, conjunction="and")
    yield f"Records were deleted {when}, with all that hangs on them: {told}."


def checks_of(day: DayOfRemovals) -> str:
    """Name the checks that found what was gone."""
    return ", ".join(map(str, day.checks))
