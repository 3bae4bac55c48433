"""Imports in the test's process, and what the database has then."""

from __future__ import annotations

import csv
import json
from contextlib import closing
from datetime import UTC, datetime

from sqlalchemy import create_engine, select

from tiktok_crawler.imports import sources
from tiktok_crawler.imports.found import Notes
from tiktok_crawler.imports.importing import Importer, check_times, started
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.import_rehearsal import ImportRehearsal
from tiktok_crawler.storage.import_store import ImportStore
from tiktok_crawler.storage.models.base import Base

COLLECTED = datetime(2024, 7, 25, 9, tzinfo=UTC)
IMPORTED = datetime(2024, 8, 1, tzinfo=UTC)


def import_into(url, file, *, collected_at=COLLECTED, tags=(), rehearse=False):
    """Import a file; what came of it, and what was noted."""
    notes = Notes()
    with (
        closing(sources.opened(str(file), database.database_url(url))) as source,
        database.opened(url) as engine,
    ):
        check_times(source, collected_at)
        start = started(source, collected_at, tags)
        if rehearse:
            target = ImportRehearsal(engine, start)
            with closing(target):
                return Importer(source, target, start, notes).run(
                    target.find(IMPORTED), ignore
                ), notes
        store = ImportStore(engine, start)
        import_ = store.find(IMPORTED)
        if not import_.ended_at:
            import_ = Importer(source, store, start, notes).run(import_, ignore)
            import_ = store.end(import_, notes.refused, IMPORTED)
    return import_, notes


def ignore(_rows):
    """Nobody looks at the progress."""


def table(url, name, *columns):
    """The rows of a table in the order of its key, as the program reads them."""
    found = Base.metadata.tables[name]
    wanted = [found.c[each] for each in columns] or [found]
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(select(*wanted).order_by(*found.primary_key.columns)).all()
    engine.dispose()
    return [dict(row._mapping) for row in rows]


def names_of(url, pairs, names, column):
    """The names that each video is linked with."""
    known = {row["id"]: row[column] for row in table(url, names)}
    found = {}
    for row in table(url, pairs):
        (number,) = (value for key, value in row.items() if key != "video_id")
        found.setdefault(row["video_id"], set()).add(known[number])
    return found


def write_csv(path, rows, *, delimiter=","):
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_json(path, value):
    path.write_text(json.dumps(value), encoding="utf-8")
    return path
