"""Imports a source, batch by batch: each is stored as a whole, and once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tiktok_crawler.batches import batched
from tiktok_crawler.clock import utc_now
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.spelling import named
from tiktok_crawler.storage.engine.text import clean_text
from tiktok_crawler.storage.ledger.imports import ImportStart
from tiktok_crawler.storage.records.field_readers import is_name
from tiktok_crawler.storage.records.imported import ImportedPage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from tiktok_crawler.imports.found import Found, Notes, Source
    from tiktok_crawler.storage.ledger.imports import Import
    from tiktok_crawler.storage.records.imported import Kind
    from tiktok_crawler.storage.records.shape import Records

ROWS_OF_BATCH = 1_000
"""Rows of the source, whatever becomes of them: so a batch stays the same in another version."""


class Target(Protocol):
    """Where imports are stored, or what does as if."""

    def save(self, import_: Import, pages: Sequence[ImportedPage]) -> Import: ...


def check_times(source: Source, collected_at: datetime | None) -> None:
    """Refuse records of which nobody says when they were collected.

    Raises:
        UsageError: with the time that it may have been.
    """
    if not source.untimed or collected_at:
        return
    example = source.suggested or utc_now()
    raise UsageError(
        f"{named(source.name)} does not say when its {source.untimed} were collected, and what is "
        "newer here must not be replaced by them. Say it by --collected-at, as a day or a time in "
        f"UTC: --collected-at {example:%Y-%m-%dT%H:%M} is when {source.suggestion}"
    )


def started(source: Source, collected_at: datetime | None, tags: Iterable[str]) -> ImportStart:
    """Describe an import of all that is in a source now."""
    return ImportStart(
        source.sha256(),
        source.name,
        source.kind,
        collected_at,
        tuple(sorted(set(tags))),
        source.queries,
    )


@dataclass(frozen=True, slots=True)
class Importer:
    """Imports a source into a target, and notes what is to be said."""

    source: Source
    target: Target
    start: ImportStart
    notes: Notes

    def run(self, import_: Import, tell: Callable[[int], None]) -> Import:
        """Store what is not stored yet, and tell after each batch how many rows are read.

        Raises:
            ImportFileError: the source cannot be read to its end; what came before is stored.
        """
        rows = self.source.records(self.start.collected_at, self.notes)
        for number, batch in enumerate(batched(rows, ROWS_OF_BATCH)):
            pages = list(_pages(filter(None, batch), self.start.tags, self.notes))
            if number >= import_.batches:
                import_ = self.target.save(import_, pages)
            tell(self.notes.read)
        return import_


def _pages(batch: Iterable[Found], tags: tuple[str, ...], notes: Notes) -> Iterator[ImportedPage]:
    """Sort the records of a batch by kind, time and tags: older ones are stored first."""
    pages: dict[tuple[Kind, datetime, tuple[str, ...]], list[Found]] = defaultdict(list)
    seen: dict[tuple[Kind, datetime, tuple[str, ...]], list[Found]] = defaultdict(list)
    for found in batch:
        all_tags = tuple(sorted({*_usable(found.tags), *tags}))
        notes.tags.update(all_tags)
        pages[found.kind, found.at, all_tags].append(found)
        if found.first_at and found.first_at < found.at:
            seen[found.kind, found.first_at, all_tags].append(found)
    first = [_seen(*key, records) for key, records in seen.items()]
    last = [_page(*key, records, notes) for key, records in pages.items()]
    yield from sorted((*first, *last), key=lambda page: (page.kind, page.at, page.tags))


def _usable(tags: Iterable[str]) -> Iterator[str]:
    """Those of the tags of others that can be tags, without what no database takes."""
    return (tag for tag in (clean_text(each) for each in tags) if tag and is_name(tag))


def _page(
    kind: Kind, at: datetime, tags: tuple[str, ...], found: Sequence[Found], notes: Notes
) -> ImportedPage:
    read = kind.type.read([each.record for each in found])
    _note(read, kind, notes)
    for each, record_id in zip(found, read.ids, strict=True):
        read.by_id[record_id].values.update(each.given)
    return ImportedPage(kind, at, tags, tuple(read.in_order()))


def _seen(kind: Kind, at: datetime, tags: tuple[str, ...], found: Sequence[Found]) -> ImportedPage:
    """Make the page on which records came first: what they said then is not known."""
    shape = kind.type.shape
    key = shape.id_keys[0]
    read = kind.type.read([{key: shape.id_of(each.record)} for each in found])
    for each, record_id in zip(found, read.ids, strict=True):
        read.by_id[record_id].values.update(each.given)
    return ImportedPage(kind, at, tags, tuple(read.in_order()))


def _note(read: Records, kind: Kind, notes: Notes) -> None:
    notes.cleaned += read.cleaned_count
    notes.kept_aside.update(
        f"{misfit.key} of {misfit.noun} ({misfit.word})" for misfit in read.misfits
    )
    notes.kept_aside.update(f"{field} of {kind.value}" for field in read.unknown_fields)
