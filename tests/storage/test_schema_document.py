from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tiktok_crawler.storage.models import Base
from tiktok_crawler.storage.schema_doc import COMMAND, schema_document

DOCUMENT = Path(__file__).parents[2] / "docs" / "schema.md"


def test_the_document_is_what_the_models_say():
    assert DOCUMENT.read_text() == schema_document(), f"write it anew: {COMMAND}"


def test_the_documented_command_writes_it():
    command = [sys.executable, "-W", "error", "-m", "tiktok_crawler.storage.schema_doc"]
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
