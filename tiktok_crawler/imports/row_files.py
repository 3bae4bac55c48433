"""Files whose rows are records: of other clients, and our own feeds and exports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from tiktok_crawler.checksums import sha256_of_all
from tiktok_crawler.exceptions import ImportFileError
from tiktok_crawler.imports import layouts, values
from tiktok_crawler.imports.csv_rows import csv_rows
from tiktok_crawler.imports.found import Source
from tiktok_crawler.imports.json_rows import json_rows
from tiktok_crawler.imports.layouts import layout_of, why_unknown
from tiktok_crawler.imports.parquet_rows import parquet_rows
from tiktok_crawler.imports.rows import Row, RowReader
from tiktok_crawler.imports.workbook_rows import sheet_names, workbook_rows
from tiktok_crawler.spelling import listed, named, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from tiktok_crawler.imports.found import Found, Notes
    from tiktok_crawler.imports.layouts import Layout

    Rows = Callable[[], Iterator[Row | str]]

LOOKED_AT = 1_000
"""Rows by which a file is recognised."""

WORKBOOK = b"PK\x03\x04"
PARQUET = b"PAR1"
OTHERS = {
    b"\x1f\x8b": "is compressed: unpack it first",
    b"RDX": "is R's own format: write it as JSON or CSV first (jsonlite::write_json)",
    b"\xd0\xcf\x11\xe0": "is a workbook of before 2007: save it as XLSX or CSV",
    b"\xff\xfe": "is UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "is UTF-16 text: save it as UTF-8",
    b"\x80": "is a pickle of Python, which could run anything: write it as JSON or CSV first",
}
"""How files begin that cannot be read here."""

TABLES = ("video", "comment", "user_info")
"""Tables of our own exports that can be imported."""

INVENTED = "they come from the sandbox"
"""What an export says of itself whose data are a sandbox's."""

PROTECTED = ("--pseudonyms", "--ids-only")
"""What the dictionary beside an export says of one in which persons are protected."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A file, or a sheet of one: its rows, and what they were recognised as."""

    name: str
    rows: Rows
    layout: Layout | None
    keys: frozenset[str]
    is_rounded: bool


class RowFiles(Source):
    """A file of rows, a workbook of sheets, or the folder of an export."""

    suggestion = "the file was last changed"

    def __init__(self, path: Path, files: Sequence[Path], parts: Sequence[_Part]) -> None:
        self.name = str(path)
        self._files = files
        self._parts = [part for part in parts if part.layout]
        self._others = [part.name for part in parts if not part.layout]
        if not self._parts:
            whole = parts[0].keys if parts else ()
            raise ImportFileError(
                f"{named(path)} {why_unknown(whole)}. What can be imported: {layouts.ALLOWED}"
            )
        words = dict.fromkeys(part.layout.words for part in self._parts if part.layout)
        self.kind = listed(list(words), conjunction="and")
        untimed = [p.layout.kind for p in self._parts if p.layout and not p.layout.is_timed]
        self.untimed = listed(list(dict.fromkeys(map(str, untimed))) or [""], conjunction="and")
        self.suggested = datetime.fromtimestamp(max(f.stat().st_mtime for f in files), UTC)
        self.is_invented = _is_invented(path if path.is_dir() else path.parent)

    def sha256(self) -> str:
        return sha256_of_all(self._files)

    def records(self, collected_at: datetime | None, notes: Notes) -> Iterator[Found | None]:
        notes.left_out |= set(self._others)
        for part in self._parts:
            assert part.layout
            reader = RowReader(part.layout, collected_at, notes, part.is_rounded)
            for row in part.rows():
                notes.read += 1
                if isinstance(row, Row):
                    yield reader.read(row)
                else:
                    where, _, why = row.partition(": ")
                    notes.refuse(where, why)
                    yield None

    def close(self) -> None:
        """Each file is closed when it is read."""


def opened(path: Path) -> RowFiles:
    """Recognise a file, or the folder of an export.

    Raises:
        ImportFileError: it is none that can be imported, or cannot be read.
    """
    _check_protection(path if path.is_dir() else path.parent, path)
    if path.is_dir():
        return _folder(path)
    begin = _begin(path)
    if refusal := next((why for sign, why in OTHERS.items() if begin.startswith(sign)), None):
        raise ImportFileError(f"{named(path)} {refusal}. What can be imported: {layouts.ALLOWED}")
    return RowFiles(path, [path], list(_parts(path, begin)))


def _folder(path: Path) -> RowFiles:
    """The tables of an export, whatever its format."""
    found = [
        file
        for table in TABLES
        for ending in ("csv", "jsonl", "parquet")
        if (file := path / f"{table}.{ending}").exists()
    ]
    found += [file for file in [path / "dataset.xlsx"] if file.exists()]
    by_part = {table: sorted((path / table).rglob("*.parquet")) for table in TABLES}
    parts = [part for file in found for part in _parts(file, _begin(file))]
    parts += [
        _part(table, partial(parquet_rows, files)) for table, files in by_part.items() if files
    ]
    files = [*found, *(file for part in by_part.values() for file in part)]
    if not files:
        raise ImportFileError(
            f"{named(path)} is a folder, and no export of this program: name a file"
        )
    return RowFiles(path, files, parts)


def _begin(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(8)


def _parts(path: Path, begin: bytes) -> Iterator[_Part]:
    if begin.startswith(WORKBOOK):
        for sheet in sheet_names(path):
            yield _part(f"sheet {quoted(sheet)}", partial(workbook_rows, path, sheet))
    elif begin.startswith(PARQUET):
        yield _part(path.name, partial(parquet_rows, [path]))
    elif _is_json(path):
        yield _part(path.name, partial(json_rows, path))
    else:
        yield _part(path.name, partial(csv_rows, path))


def _is_json(path: Path) -> bool:
    """Tell by the first sign that is no blank."""
    with path.open("rb") as file:
        begin = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    return begin.startswith((b"{", b"["))


def _part(name: str, rows: Rows) -> _Part:
    some = [row for row in islice(rows(), LOOKED_AT) if isinstance(row, Row)]
    keys = frozenset(key for row in some for key in row.cells)
    return _Part(name, rows, layout_of(keys), keys, _are_rounded(some))


def _are_rounded(rows: Iterable[Row]) -> bool:
    """Tell whether all long ids are rounded as by a spreadsheet: one alone may be so by chance."""
    ids = {each for row in rows for each in _ids(row)}
    long = [each for each in ids if len(str(each)) > values.EXACT_DIGITS]
    return len(long) > 1 and all(map(values.is_rounded, long))


def _ids(row: Row) -> Iterator[int]:
    for key in ("id", "video_id"):
        try:
            value = values.whole(row.cells.get(key))
        except values.LostDigitsError:
            continue
        if type(value) is int:
            yield value


def _check_protection(folder: Path, path: Path) -> None:
    """Refuse an export in which persons are protected: its names and ids are nobody's.

    Raises:
        ImportFileError: it is one.
    """
    dictionary = folder / "DICTIONARY.md"
    if not dictionary.is_file():
        return
    text = dictionary.read_text(encoding="utf-8", errors="replace")
    if any(f"({each})" in text for each in PROTECTED):
        raise ImportFileError(
            f"{named(path)} is of an export in which persons are protected (DICTIONARY.md says "
            "how): its names and ids are not those of TikTok, and would be mixed with these"
        )


def _is_invented(folder: Path) -> bool:
    """Tell whether what an export says of itself is that the sandbox has invented it."""
    provenance = folder / "PROVENANCE.md"
    if not provenance.is_file():
        return False
    return INVENTED in provenance.read_text(encoding="utf-8", errors="replace")
