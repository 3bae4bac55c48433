"""Imports what others have collected, with where it comes from."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tiktok_crawler.clock import utc_now
from tiktok_crawler.config import SANDBOX_ORIGIN
from tiktok_crawler.config.paths import database_in_project
from tiktok_crawler.exceptions import ImportFileError, UsageError
from tiktok_crawler.imports import sources
from tiktok_crawler.imports.found import Notes
from tiktok_crawler.imports.importing import Importer, check_times, started
from tiktok_crawler.output import NowAndThen, show, tell
from tiktok_crawler.query_file.options import parse_tag
from tiktok_crawler.reports.dataset_tables import minute
from tiktok_crawler.reports.import_report import again_lines, import_lines
from tiktok_crawler.spelling import listed, named, number_of, quoted
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.lock import QueryLock
from tiktok_crawler.storage.import_rehearsal import ImportRehearsal
from tiktok_crawler.storage.import_store import ImportStore

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from tiktok_crawler.config import Config
    from tiktok_crawler.imports.found import Source
    from tiktok_crawler.storage.ledger.imports import Import, ImportStart


def import_(config: Config, written: str, opts: argparse.Namespace) -> None:
    """Import a file, or the database at a URL.

    Raises:
        UsageError: an option is wrong.
        ImportFileError: it is nothing that can be imported.
    """
    name = database_in_project(written.strip()) if sources.is_url(written) else written
    collected_at = _time(opts.collected_at)
    tags = _tags(opts.tag)
    target = database.database_url(config.database_url)
    with closing(sources.opened(name, target)) as source:
        _check_origin(source, config.origin)
        check_times(source, collected_at)
        start = started(source, collected_at, tags)
        with database.opened(config.database_url) as engine:
            if opts.dry_run:
                _rehearse(engine, config.origin, source, start)
            else:
                _import(engine, config.origin, source, start)


def _import(engine: Engine, origin: str, source: Source, start: ImportStart) -> None:
    database.prepare(engine, origin)
    lock = QueryLock(engine, start.sha256, "this file", holder="import")
    lock.acquire()
    try:
        store = ImportStore(engine, start, lock.verify)
        import_ = store.find(utc_now())
        where = database.describe(engine.url)
        if import_.ended_at:
            show("\n".join(again_lines(import_, where)))
            return
        _check_same(import_, start)
        if import_.batches:
            tell("The import of this file was interrupted, and goes on where it was")
        notes = Notes()
        with _told_of_end():
            import_ = Importer(source, store, start, notes).run(import_, _progress())
        _check_any(notes, source)
        import_ = store.end(import_, notes.refused, utc_now())
        notes.kept_out = store.left_out
    finally:
        lock.release()
    show("\n".join(import_lines(start, import_, notes, where, is_rehearsal=False)))


def _rehearse(engine: Engine, origin: str, source: Source, start: ImportStart) -> None:
    there = engine if database.has_data(engine, origin) else None
    where, notes = database.describe(engine.url), Notes()
    with closing(ImportRehearsal(there, start)) as rehearsal:
        import_ = rehearsal.find(utc_now())
        if import_.ended_at:
            show("\n".join(again_lines(import_, where)))
            return
        import_ = replace(import_, batches=0, counts={})
        import_ = Importer(source, rehearsal, start, notes).run(import_, _progress())
    _check_any(notes, source)
    show("\n".join(import_lines(start, import_, notes, where, is_rehearsal=True)))


def _time(written: str | None) -> datetime | None:
    """Read a day or a time in UTC.

    Raises:
        UsageError: it is none, or has not come yet.
    """
    if written is None:
        return None
    try:
        at = datetime.fromisoformat(written.strip())
    except ValueError:
        raise UsageError(
            f"--collected-at {quoted(written)} is no time; allowed: 2024-05-31, 2024-05-31T14:00"
        ) from None
    at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    if at > utc_now():
        raise UsageError(f"--collected-at {quoted(written)} has not come yet")
    return at


def _tags(written: list[str]) -> list[str]:
    try:
        return [parse_tag(tag) for tag in written]
    except ValueError as exc:
        raise UsageError(f"--tag {exc}") from None


def _check_origin(source: Source, origin: str) -> None:
    """Keep what is invented from real data.

    Raises:
        ImportFileError: it would be mixed.
    """
    if source.is_invented and origin != SANDBOX_ORIGIN:
        raise ImportFileError(
            f"{named(source.name)} is invented: it comes from the sandbox, and must not be mixed "
            "with real data. Into the sandbox's database it comes by -s TIKTOK_SANDBOX=True"
        )


def _check_same(import_: Import, start: ImportStart) -> None:
    """Refuse to end an import otherwise than it was begun.

    Raises:
        UsageError: with the options that it was begun with.
    """
    if not import_.batches or (
        import_.collected_at == start.collected_at and tuple(import_.tags) == start.tags
    ):
        return
    at = f"--collected-at {import_.collected_at:%Y-%m-%dT%H:%M:%S}" if import_.collected_at else ""
    tags = (f"--tag {tag}" for tag in import_.tags)
    begun = listed([each for each in (at, *tags) if each] or ["neither"], conjunction="and")
    raise UsageError(
        f"the import of this file was begun on {minute(import_.begun_at)} with {begun} of "
        "--collected-at and --tag: go on with the same"
    )


def _check_any(notes: Notes, source: Source) -> None:
    """Refuse a source of which nothing could be used.

    Raises:
        ImportFileError: with the first reasons.
    """
    if notes.refused == notes.read:
        why = "; ".join(notes.examples[:3]) or "it has no rows"
        raise ImportFileError(f"nothing of {named(source.name)} can be imported: {why}")


@contextmanager
def _told_of_end() -> Iterator[None]:
    """Say of a source that breaks off what has become of the beginning."""
    try:
        yield
    except ImportFileError as exc:
        raise ImportFileError(
            f"{exc}. What came before it is imported; when it is mended, import it again"
        ) from None


def _progress() -> Callable[[int], None]:
    """Return what tells now and then how many rows are read."""
    progress = NowAndThen()
    return lambda rows: progress.tell(f"{number_of(rows, 'rows')} so far")
