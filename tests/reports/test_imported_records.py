"""Imports are named with their numbers wherever a dataset tells of itself."""

from __future__ import annotations

from dataclasses import replace

from datasets import HOUR, NOON, facts, query

from tiktok_crawler.reports import dataset_tables, provenance_report, status_report
from tiktok_crawler.reports.naming import Naming
from tiktok_crawler.storage.ledger.imports import Import
from tiktok_crawler.storage.ledger.status import Status

COUNTS = {"new": 2, "updated": 0, "filled": 1, "unchanged": 0}
OLD = Import(
    "old.db", "data of traktok", NOON, "ab" * 32, 1, NOON + HOUR, 1,
    {"videos": COUNTS, "profiles": {**COUNTS, "filled": 0, "new": 1}}, 4,
)  # fmt: skip
BROKEN_OFF = replace(OLD, file="ann\x1b.csv", ended_at=None, counts={}, sha256="cd" * 32, id=2)


def with_imports(found, *imports):
    return replace(found, status=replace(found.status, imports=imports))


def test_the_status_has_a_line_an_import():
    lines = status_report.text(Status("x.db", "sandbox", NOON, imports=(OLD, BROKEN_OFF)), None)

    assert lines.splitlines()[2:] == [
        "Imported: old.db on 2024-06-01 12:00 UTC: 3 videos, 1 profile",
        (
            "Imported: ann�.csv on 2024-06-01 12:00 UTC: nothing; interrupted, or still running: "
            "import it again to go on"
        ),
    ]


def test_programs_are_told_the_same():
    told = status_report.as_json(Status("x.db", "sandbox", NOON, imports=(OLD, BROKEN_OFF)), None)

    assert told["imports"][0] == {
        "id": 1, "file": "old.db", "kind": "data of traktok", "sha256": "ab" * 32,
        "begun_at": "2024-06-01T12:00:00+00:00", "ended_at": "2024-06-01T13:00:00+00:00",
        "stored": OLD.counts, "refused": 4,
    }  # fmt: skip
    assert told["imports"][1]["ended_at"] is None


def test_the_provenance_names_them():
    text = provenance_report.provenance_text(with_imports(facts(query()), OLD, BROKEN_OFF))

    assert (
        "3 videos and 1 profile were imported from 2 sources that other tools have made (data of "
        "traktok); records that came from several are counted in each. What these lack is not "
        "known: none of it counts as searched." in text
    )
    assert "## Imports" in text
    assert f"12:00 UTC | 3 videos, 1 profile | 4 | {'ab' * 32} |" in text
    assert "2024-06-01 12:00 UTC, not to its end" in text


def test_a_dataset_of_imports_alone_was_not_collected_here():
    (sentence, *_) = provenance_report.methods_paragraphs(with_imports(facts(), OLD))
    assert sentence.startswith("3 videos and 1 profile were imported from 1 source that")


def test_a_file_that_is_called_like_somebody_is_protected():
    naming = Naming(error=lambda text: text.replace("old", "user_1"))
    table = dataset_tables.imports(with_imports(facts(), OLD), naming)
    assert table.rows[0][0] == "user_1.db"


def test_without_imports_nothing_is_said_of_them():
    assert "mport" not in provenance_report.provenance_text(facts(query()))
