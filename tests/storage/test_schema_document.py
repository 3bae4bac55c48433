from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tiktok_crawler.storage.models.base import Base
from tiktok_crawler.storage.models.schema_doc import COMMAND, schema_document

DOCUMENT = Path(__file__).parents[2] / "docs" / "schema.md"


def test_the_document_is_what_the_models_say():
    assert DOCUMENT.read_text() == schema_document(), f"write it anew: {COMMAND}"


def test_the_documented_command_writes_it():
    command = [sys.executable, "-W", "error", "-m", "tiktok_crawler.storage.models.schema_doc"]
    result = subprocess.run(command, capture_output=True, check=True)

    assert result.stdout.decode() == DOCUMENT.read_text()


@pytest.mark.parametrize("table", Base.metadata.tables.values(), ids=lambda table: table.name)
def test_every_table_and_column_has_its_meaning(table):
    section = DOCUMENT.read_text().split(f"## `{table.name}`\n")[1].split("\n## ")[0]

    assert table.comment
    assert table.comment in section
    for column in table.columns:
        assert column.comment.endswith(".")
        assert f"| `{column.name}` | " in section
        assert column.comment in section


DIAGRAM = DOCUMENT.read_text().split("erDiagram\n")[1].split("```")[0].splitlines()
KEYS = sorted(
    (key for table in Base.metadata.tables.values() for key in table.foreign_keys),
    key=lambda key: str(key.parent),
)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.parent.table.name}.{key.parent.name}")
def test_every_foreign_key_is_in_the_diagram(key):
    child = key.parent
    kinds = "PK, FK" if child.primary_key else "FK"

    assert f"    {key.column.table.name} ||--o{{ {child.table.name} : {child.name}" in DIAGRAM
    assert [line for line in entity(child.table) if line.endswith(f" {child.name} {kinds}")]


def test_the_diagram_has_no_other_relations():
    assert sum("||--" in line for line in DIAGRAM) == len(KEYS)


@pytest.mark.parametrize("table", Base.metadata.tables.values(), ids=lambda table: table.name)
def test_every_primary_key_is_in_the_diagram(table):
    stated = [line.split()[1] for line in entity(table) if "PK" in line]

    assert stated == table.primary_key.columns.keys()


def entity(table):
    """The lines of a table's box."""
    box = DIAGRAM[DIAGRAM.index(f"    {table.name} {{") + 1 :]
    return box[: box.index("    }")]
