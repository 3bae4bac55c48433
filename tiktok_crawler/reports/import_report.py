"""What `scrapy import` says: what came, what did not and why, and what could not be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.reports.dataset_tables import minute
from tiktok_crawler.spelling import and_more, number_of, visible
from tiktok_crawler.storage.records.imported import Kind, Outcome

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from tiktok_crawler.imports.found import Notes
    from tiktok_crawler.storage.ledger.imports import Import, ImportStart

MOST_NAMED = 20
"""Tags, columns and the like of others, of which there can be any number."""

OUTCOMES = {
    Outcome.NEW: "new",
    Outcome.UPDATED: "there with older values, which were replaced",
    Outcome.FILLED: "there with newer values, of which gaps were filled",
    Outcome.UNCHANGED: "there, and left as they are",
}
NO_COVERAGE = "nothing by it: queries and listings here ask for all that they need themselves"


def import_lines(
    start: ImportStart, import_: Import, notes: Notes, where: str, *, is_rehearsal: bool
) -> Iterator[str]:
    """Tell what an import has brought, or would bring."""
    yield f"{visible(start.file)}: {start.kind}"
    if is_rehearsal:
        yield f"Would be imported into {visible(where)}; nothing was written"
    else:
        yield f"Imported into {visible(where)} (import {import_.id})"
    yield from _counted(import_)
    yield from _refused(notes)
    for what, count in notes.untold.most_common():
        yield f"  not told   {number_of(count, 'times')}: {what}; left empty"
    if notes.cleaned:
        cleaned = number_of(notes.cleaned, "values")
        yield f"  cleaned    {cleaned} had characters that no database takes, such as NUL"
    if notes.kept_aside:
        yield f"  kept aside in extra_data: {_frequent(notes.kept_aside)}"
    if notes.kept_out:
        records = number_of(notes.kept_out, "records")
        yield f"  kept out   {records}, as persons have asked (`scrapy delete`)"
    if notes.left_out:
        yield f"  left out   {_named(sorted(notes.left_out))}"
    if start.collected_at:
        yield f"  collected  {minute(start.collected_at)}, as you said, where it does not say it"
    if notes.tags:
        yield f"  tags       {_frequent(notes.tags)}"
    yield from _queries(start)
    yield f"  covered    {NO_COVERAGE}"


def again_lines(import_: Import, where: str) -> Iterator[str]:
    """Tell that a file was imported before."""
    yield f"{visible(import_.file)}: {import_.kind}"
    yield (
        f"Imported already into {visible(where)}, on {minute(import_.ended_at)} (import "
        f"{import_.id}): nothing was changed. It had brought"
    )
    yield from _counted(import_)


def _counted(import_: Import) -> Iterator[str]:
    for kind in Kind:
        counts = import_.counts.get(kind.value)
        if counts:
            parts = [
                f"{counts[outcome.value]:,} {words}"
                for outcome, words in OUTCOMES.items()
                if counts[outcome.value]
            ]
            yield f"  {kind.value:10} {'; '.join(parts)}"
    if not any(import_.counts.values()):
        yield "  nothing"


def _refused(notes: Notes) -> Iterator[str]:
    if not notes.refused:
        return
    yield f"  refused    {number_of(notes.refused, 'rows')} of {notes.read:,}"
    for example in notes.examples:
        yield f"             {visible(example)}"
    if more := notes.refused - len(notes.examples):
        yield f"             and {more:,} more"


def _queries(start: ImportStart) -> Iterator[str]:
    if not start.queries:
        return
    crawls = sum(query["crawls"] for query in start.queries)
    unfinished = sum(query["unfinished"] for query in start.queries)
    queries = number_of(len(start.queries), "queries")
    yield (
        f"  queries    {queries}, kept as text, with {number_of(crawls, 'crawls')}, of which "
        f"{unfinished:,} were not at their end"
    )


def _frequent(counts: Counter[str]) -> str:
    """Name what there is most of, with numbers."""
    return _named([f"{visible(name)} ({count:,})" for name, count in counts.most_common()])


def _named(names: list[str]) -> str:
    return and_more(list(map(visible, names[:MOST_NAMED])), len(names))
