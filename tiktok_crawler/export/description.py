"""What stands beside the data: their dictionary, a description for programs, and checksums."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import orjson

from tiktok_crawler.dataset.columns import Kind
from tiktok_crawler.dataset.tables import TABLES
from tiktok_crawler.export.changes import Basis
from tiktok_crawler.export.options import WORKBOOK, Format
from tiktok_crawler.export.text_files import text_columns
from tiktok_crawler.export.written import File
from tiktok_crawler.own_files import IGNORED
from tiktok_crawler.reports.provenance_report import escaped
from tiktok_crawler.spelling import listed, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from tiktok_crawler.dataset.columns import Column
    from tiktok_crawler.dataset.tables import DataTable
    from tiktok_crawler.export.options import Options

DESCRIPTION = "datapackage.json"
DICTIONARY = "DICTIONARY.md"
PROVENANCE = "PROVENANCE.md"
CHECKSUMS = "SHA256SUMS"
OWN = "tiktok_crawler"
"""The key of a data package under which this program has what only it reads."""
AS_LINES = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE

WITHOUT_SHEET = "It has no rows here, and so no sheet."

LAYOUT = 1
SHOWN_QUERIES = 10

OF_FILE = frozenset(field.name for field in fields(File))

FIELD_TYPES = {
    Kind.ID: "integer",
    Kind.INTEGER: "integer",
    Kind.TEXT: "string",
    Kind.BOOLEAN: "boolean",
    Kind.TIME: "datetime",
    Kind.DATE: "date",
    Kind.JSON: "any",
    Kind.NESTED: "any",
}
"""Those of Table Schema."""

MEDIA_TYPES = {
    Format.PARQUET: "application/vnd.apache.parquet",
    Format.CSV: "text/csv",
    Format.JSONL: "application/jsonl",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an export knows of itself: of what it was made, its files, and the rows of its tables.

    Without a basis it is of another layout.
    """

    basis: Basis | None
    files: tuple[File, ...]
    rows: Mapping[str, int] = field(default_factory=dict)

    def file_names(self) -> frozenset[str]:
        beside = (DESCRIPTION, CHECKSUMS, IGNORED)
        return frozenset((*(file.name for file in self.files), *beside))


def read_manifest(folder: Path) -> Manifest | None:
    """Read what an export in a folder says of itself; None if that cannot be read.

    Of another layout it is only known which files it has.
    """
    try:
        own = orjson.loads((folder / DESCRIPTION).read_bytes())[OWN]
        files = tuple(map(_file, own["files"]))
        return Manifest(_basis(own), files)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _basis(own: dict[str, Any]) -> Basis | None:
    try:
        return Basis(**own["basis"]) if own["layout"] == LAYOUT else None
    except TypeError:
        return None


def _file(written: dict[str, Any]) -> File:
    """Read a file of an export, which is in its folder.

    Raises:
        ValueError: it is somewhere else.
    """
    path = PurePosixPath(written["name"])
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(written["name"])
    return File(**{name: value for name, value in written.items() if name in OF_FILE})


def write_description(
    folder: Path, options: Options, manifest: Manifest, version: str, now: datetime
) -> None:
    """Write the description that programs read, and the checksums."""
    package = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "tiktok-dataset",
        "title": "Data collected from the TikTok Research API",
        "created": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "sources": [{"title": "TikTok Research API"}],
        "resources": [
            _resource(table, options, manifest) for table in written_tables(options, manifest.rows)
        ],
        OWN: {
            "layout": LAYOUT,
            "version": version,
            "basis": manifest.basis,
            "files": manifest.files,
        },
    }
    (folder / DESCRIPTION).write_bytes(orjson.dumps(package, option=AS_LINES))
    described = File.of(folder, DESCRIPTION)
    sums = (f"{file.sha256}  {file.name}\n" for file in (*manifest.files, described))
    (folder / CHECKSUMS).write_text("".join(sums), encoding="utf-8")


def _resource(table: DataTable, options: Options, manifest: Manifest) -> dict[str, Any]:
    paths = [file.name for file in manifest.files if file.table == table.name]
    resource: dict[str, Any] = {
        "name": table.name,
        "type": "table",
        "description": table.meaning,
        "path": paths if len(paths) > 1 else paths[0] if paths else WORKBOOK,
        "format": str(options.format),
        "mediatype": MEDIA_TYPES[options.format],
        "rows": manifest.rows[table.name],
        "schema": {"fields": [_field(c, options.format) for c in columns_in(table, options)]},
    }
    if options.format is Format.CSV:
        encoding = "utf-8-sig" if options.for_excel else "utf-8"
        resource |= {"encoding": encoding, "dialect": {"delimiter": options.delimiter}}
    if options.format is Format.XLSX:
        resource |= {"dialect": {"sheetName": table.name}}
    return resource


def written_tables(options: Options, rows: Mapping[str, int]) -> Sequence[DataTable]:
    """Return the tables that have a place in the files: in a workbook, those that have rows."""
    if options.format is not Format.XLSX:
        return options.tables
    return [table for table in options.tables if rows[table.name]] or options.tables[:1]


def columns_in(table: DataTable, options: Options) -> Sequence[Column]:
    """Return the columns that a table has in a format."""
    return table.columns if options.format is Format.PARQUET else text_columns(table)


def _field(column: Column, format_: Format) -> dict[str, str]:
    is_text = column.kind is Kind.ID and format_ is not Format.PARQUET
    type_ = "string" if is_text else FIELD_TYPES[column.kind]
    return {"name": column.name, "type": type_, "description": column.meaning}


def dictionary(options: Options, rows: Mapping[str, int]) -> str:
    """Write the data dictionary: what each column means, and where it comes from."""
    return "\n".join(_dictionary(options, rows))


def _dictionary(options: Options, rows: Mapping[str, int]) -> Iterator[str]:
    yield "# Data dictionary"
    yield ""
    yield (
        "Times are in UTC. What is missing was not delivered by the API, or not asked for; it is "
        "not 0. Fields of the API are those that TikTok documents under their names."
    )
    for sentence in options.protection.told():
        yield ""
        yield sentence
    written = written_tables(options, rows)
    for table in options.tables:
        yield ""
        yield f"## {table.name}"
        yield ""
        yield table.meaning if table in written else f"{table.meaning} {WITHOUT_SHEET}"
        yield ""
        yield "| column | type | meaning | source |"
        yield "|---|---|---|---|"
        for column in columns_in(table, options):
            meaning = visible(column.meaning).removeprefix("API. ").replace("|", "\\|")
            yield f"| {column.name} | {column.kind} | {meaning} | {column.source} |"
    yield ""


def this_export(options: Options, rows: Mapping[str, int]) -> str:
    """Tell in Markdown which part of the database an export has, and how much that is."""
    return "\n".join(_this_export(options, rows))


def _this_export(options: Options, rows: Mapping[str, int]) -> Iterator[str]:
    yield from ("## This export", "")
    yield f"- format: {options.format}"
    yield f"- videos: {escaped('; '.join(_selected(options)) or 'all')}"
    if len(options.wanted) < len(TABLES):
        yield "- tables: those below, and not all"
    if any(table.columns != TABLES[table.name].columns for table in options.wanted):
        yield "- columns: those of DICTIONARY.md, and not all"
    yield from (f"- {escaped(sentence)}" for sentence in options.protection.told())
    yield from ("", "| table | rows |", "|---|---:|")
    yield from (f"| {escaped(table.name)} | {rows[table.name]:,} |" for table in options.tables)
    yield ""


def _selected(options: Options) -> Iterator[str]:
    """Say which videos are exported; names that are protected can stand in what was compared."""
    selection, is_open = options.selection, not options.protection.pseudonyms
    if selection.query_ids:
        shown = list(map(str, selection.query_ids[:SHOWN_QUERIES]))
        more = len(selection.query_ids) - len(shown)
        yield f"found by query {listed([*shown, *[f'{more:,} more'] * bool(more)])}"
    if selection.tags:
        tags = listed(list(selection.tags)) if is_open else "some, which are not named here"
        yield f"collected with the tag {tags}"
    if selection.since:
        yield f"published on {selection.since} (UTC) or later"
    if selection.until:
        yield f"published on {selection.until} (UTC) or before"
    if selection.comparisons:
        true = listed(list(selection.comparisons), conjunction="and")
        yield f"for which it is true that {true}" if is_open else "for which a comparison is true"
    if selection.sample:
        yield f"{selection.sample.size:,} of these at random (seed {selection.sample.seed})"
