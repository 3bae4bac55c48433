"""Writes docs/schema.md from the models; `COMMAND` is how."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Boolean, Date, Integer, Text

from tiktok_crawler.storage.models import METADATA
from tiktok_crawler.storage.models.column_types import UtcDateTime
from tiktok_crawler.storage.models.example_queries import queries_section
from tiktok_crawler.storage.models.records import VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Column, Table

COMMAND = "python -m tiktok_crawler.storage.models.schema_doc > docs/schema.md"

PREFACE = f"""\
# The database

<!-- Generated: {COMMAND} -->

A SQLite file or a PostgreSQL database, with the same tables and columns.

- **Source**: a meaning that begins with API is that of the API's field, of the same name or of the
  one in brackets. Everything else is this program's own: its clock, its counts, what users wrote.
- **Times** are in UTC. PostgreSQL has them as `timestamptz`; SQLite as text that its date functions
  read: `create_time` as `2024-01-31 12:00:00`, all others with microseconds.
- **NULL** in a column of the API's means that the API has not delivered a value. What it delivered
  once is kept when a later answer lacks it.
- **Ids** of videos, music and playlists have up to 19 digits. Programs that hold numbers as
  floating point (JavaScript, R without bit64, spreadsheets) round them: read them as text there.
  So does pandas where one is missing: read with `dtype_backend="numpy_nullable"`.
- **JSON** is `jsonb` in PostgreSQL, text in SQLite.
- **Counts** of views, likes and so on are the latest that the API delivered; its own are up to ten
  days old. How they grew is in `video_statistics`: a row where one of them changed.
- **Text, names and other values** that a later answer replaced are in `video_revision`; those of
  profiles, which are live, in `user_info_history` with their counters.
- **Late pages**: one that was received before a record's last change adds what was missing, and of
  a video its place in `video_statistics`; it replaces nothing.

Looking up the videos of a hashtag reads the whole table of links: the index that would spare that
makes collecting several times slower. When a collection is complete, add it:

```sql
CREATE INDEX ix_videos_to_hashtags_hashtag_id ON videos_to_hashtags (hashtag_id);
```
"""

TYPES: tuple[tuple[type, str], ...] = (
    (UtcDateTime, "time"),
    (Date, "date"),
    (Boolean, "boolean"),
    (Integer, "integer"),
    (JSON, "JSON"),
    (Text, "text"),
    (object, "text"),
)


def schema_document() -> str:
    """The whole of docs/schema.md."""
    tables = sorted(METADATA.sorted_tables, key=lambda table: "_to_" in table.name)
    views = VIEWS.tables.values()
    sections = (_section(table) for table in [*tables, *views])
    return "\n".join([PREFACE, _diagram(tables), queries_section(), *sections])


def _diagram(tables: list[Table]) -> str:
    entities = (line for table in tables for line in _entity(table))
    relations = (line for table in tables for line in _relations(table))
    head = ["## Diagram", "", "Tables with their primary (PK) and foreign (FK) keys.", ""]
    return "\n".join([*head, "```mermaid", "erDiagram", *entities, *relations, "```", ""])


def _entity(table: Table) -> Iterator[str]:
    yield f"    {table.name} {{"
    for column in table.columns:
        keys = ["PK"] * column.primary_key + ["FK"] * bool(column.foreign_keys)
        if keys:
            yield f"        {_type(column)} {column.name} {', '.join(keys)}"
    yield "    }"


def _relations(table: Table) -> Iterator[str]:
    for key in sorted(table.foreign_keys, key=lambda key: str(key.parent.name)):
        yield f"    {key.column.table.name} ||--o{{ {table.name} : {key.parent.name}"


def _section(table: Table) -> str:
    rows = (f"| `{c.name}` | {_type(c)} | {_meaning(c)} |" for c in table.columns)
    head = ["| column | type | meaning |", "|---|---|---|"]
    return "\n".join([f"## `{table.name}`", "", str(table.comment), "", *head, *rows, ""])


def _type(column: Column[Any]) -> str:
    return next(name for type_, name in TYPES if isinstance(column.type, type_))


def _meaning(column: Column[Any]) -> str:
    targets = [f"`{key.column.table.name}.{key.column.name}`" for key in column.foreign_keys]
    key = " Primary key." if column.primary_key else ""
    reference = f" References {targets[0]}." if targets else ""
    return f"{column.comment}{key}{reference}"


if __name__ == "__main__":
    sys.stdout.write(schema_document())
