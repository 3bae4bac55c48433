"""The options of an export: which tables, columns and videos, in which format and layout."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING

from tiktok_crawler.dataset.columns import Kind
from tiktok_crawler.dataset.protection import Protection
from tiktok_crawler.dataset.selection import Selection
from tiktok_crawler.dataset.tables import MISFIT_DATA, TABLES, VIDEOS
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.spelling import did_you_mean, listed, nearest, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tiktok_crawler.dataset.tables import DataTable


class Format(StrEnum):
    """The formats that there are."""

    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"
    XLSX = "xlsx"


WORKBOOK = "dataset.xlsx"
"""The one file that XLSX has."""

UNITS = {"month": len("2024-01"), "day": len("2024-01-31")}
"""How many characters of a time say which month or day it is in."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is exported, and how. `wanted` are the tables with the columns that are wanted."""

    wanted: tuple[DataTable, ...]
    format: Format = Format.PARQUET
    unit: int = UNITS["month"]
    delimiter: str = ","
    for_excel: bool = False
    selection: Selection = field(default_factory=Selection)
    protection: Protection = field(default_factory=Protection)

    def __post_init__(self) -> None:
        """Refuse rows that readers would pass over: in CSV, one missing value is an empty line.

        Raises:
            UsageError: a table has one column alone, whose values can be missing.
        """
        for table in self.tables if self.format is Format.CSV else ():
            columns = [column.name for column in table.columns if column != MISFIT_DATA]
            keys = [column.name for column in table.order]
            if len(columns) == 1 and not table.lists and columns[0] not in keys:
                such_as = f", such as {', '.join(keys)}" if keys else ""
                raise UsageError(
                    f"--columns: in CSV, {columns[0]} alone would be an empty line where it is "
                    f"missing, which readers pass over: name another one, too{such_as}"
                )

    @property
    def tables(self) -> tuple[DataTable, ...]:
        """Return the tables as they are written."""
        return tuple(filter(None, map(self.protection.table, self.wanted)))

    @property
    def is_in_parts(self) -> bool:
        return self.format is Format.PARQUET

    @property
    def kinds_of_text(self) -> tuple[Kind, ...]:
        """Return the kinds of documents that the format has as text."""
        return (Kind.JSON,) if self.format is Format.PARQUET else (Kind.JSON, Kind.NESTED)

    def digest(self, names: str = "") -> str:
        """Return what an export has to have in common with an earlier one to go on with it.

        `names` stands for those that are replaced: in texts that have not changed, too.

        A selection can have names in it, so that only who has the key can try which it was.
        """
        tables = [(table.name, *table.by_name) for table in self.tables]
        text = repr((tables, self.format, self.unit, self.selection, self.protection.told(), names))
        pseudonyms = self.protection.pseudonyms
        return pseudonyms.shown_name(text) if pseudonyms else sha256(text.encode()).hexdigest()


def wanted_tables(
    names: Sequence[str], columns: Sequence[str], selection: Selection
) -> tuple[DataTable, ...]:
    """Return the tables and columns that are wanted: without names all that can be.

    A column is one of `video`, or is named with its table: `comment.text`.

    Raises:
        UsageError: there is no such table or column, or it has nothing to do with the selection.
    """
    tables = tuple(map(_table, dict.fromkeys(names))) or tuple(TABLES.values())
    if selection:
        others = [table.name for table in tables if not belongs(table)]
        if names and others:
            raise UsageError(
                f"--tables {', '.join(others)}: its rows belong to no video, so they cannot be "
                "selected by query, tag, days, comparison or sample. Export them without these"
            )
        tables = tuple(table for table in tables if belongs(table))
    return _with_columns(tables, columns, are_named=bool(names))


ABOUT_ALL = ("coverage", "seed", "query", "run", "import")
"""Tables that tell where the data come from, whatever is selected."""


def belongs(table: DataTable) -> bool:
    """Tell whether a table can be exported with a selection of videos."""
    return table.belongs_by is not None or table.name in ABOUT_ALL


def _table(name: str) -> DataTable:
    if name not in TABLES:
        hint = did_you_mean(nearest(name, TABLES)) or f": there are {listed([*TABLES])}"
        raise UsageError(f"--tables: there is no table {quoted(name)}{hint}")
    return TABLES[name]


def _with_columns(
    tables: tuple[DataTable, ...], columns: Sequence[str], *, are_named: bool
) -> tuple[DataTable, ...]:
    if not columns:
        return tables
    by_table: dict[str, list[str]] = {}
    for written in columns:
        table, _, name = written.rpartition(".")
        by_table.setdefault(table or VIDEOS.name, []).append(name)
    missing = [name for name in by_table if name not in [table.name for table in tables]]
    if missing:
        _table(missing[0])
        raise UsageError(f"--columns names the table {missing[0]}, which --tables leaves out")
    wanted = tables if are_named else [table for table in tables if table.name in by_table]
    return tuple(
        _narrowed(table, by_table[table.name]) if table.name in by_table else table
        for table in wanted
    )


def _narrowed(table: DataTable, names: Iterable[str]) -> DataTable:
    """Return a table with the columns that are wanted of it.

    `misfit_data` goes with any list or object: it has what does not fit there.
    """
    try:
        wanted = dict.fromkeys(map(table.column, names))
    except LookupError as exc:
        raise UsageError(f"--columns: {exc}") from None
    wanted.pop(MISFIT_DATA, None)
    if any(column.kind is Kind.NESTED for column in wanted) and MISFIT_DATA in table.columns:
        wanted[MISFIT_DATA] = None
    if not wanted:
        raise UsageError(
            f"--columns: {MISFIT_DATA.name} goes with a list or object: name one, such as "
            f"{next(c.name for c in table.columns if c.kind is Kind.NESTED)}"
        )
    return table.with_columns(tuple(wanted))
