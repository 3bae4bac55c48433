"""The tables and columns; their diagram, which needs a program to draw it, is a table, too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markdown_tables import code, table

from tiktok_crawler.storage.models import METADATA
from tiktok_crawler.storage.models.schema_doc import schema_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Table

HEAD = ("table", "primary key", "refers to")


def schema() -> str:
    """The whole of docs/schema.md, with a table in place of the diagram."""
    rows = table(HEAD, map(_row, METADATA.sorted_tables))
    return re.sub(r"```mermaid\n.*?```", lambda _: rows, schema_document(), flags=re.DOTALL)


def _row(of: Table) -> tuple[str, str, str]:
    return (
        _link(of.name),
        ", ".join(code(column.name) for column in of.primary_key),
        ", ".join(_keys(of)),
    )


def _keys(of: Table) -> Iterator[str]:
    for key in sorted(of.foreign_keys, key=lambda key: str(key.parent.name)):
        yield f"{_link(key.column.table.name)} by {code(key.parent.name)}"


def _link(table_name: str) -> str:
    return f"[{code(table_name)}](#{table_name})"
