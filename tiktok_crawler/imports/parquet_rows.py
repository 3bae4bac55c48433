"""Reads the rows of our own exports in Parquet: a file, or a folder of files by month or day."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from tiktok_crawler.exceptions import ConfigurationError, ImportFileError
from tiktok_crawler.imports.rows import Row
from tiktok_crawler.spelling import named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

ROWS_AT_ONCE = 1_000


def parquet_rows(files: Sequence[Path]) -> Iterator[Row | str]:
    """Yield the rows of some files, one after another.

    Raises:
        ConfigurationError: what reads them is not installed.
        ImportFileError: one is no such file.
    """
    if find_spec("pyarrow") is None:
        raise ConfigurationError(
            "Parquet needs what is not installed: pip install pyarrow; or export as CSV or JSON "
            "lines (scrapy export FOLDER --format jsonl)"
        )
    import pyarrow as pa  # noqa: PLC0415 - it is not always there
    from pyarrow import parquet  # noqa: PLC0415 - likewise

    for path in files:
        number = 0
        try:
            with parquet.ParquetFile(path) as file:
                for batch in file.iter_batches(batch_size=ROWS_AT_ONCE):
                    for cells in batch.to_pylist():
                        number += 1
                        yield Row(f"{path.name}, row {number}", _said(cells), is_table=False)
        except pa.ArrowInvalid as exc:
            raise ImportFileError(f"{named(path)} cannot be read as Parquet: {exc}") from None


def _said(value: Any) -> Any:
    """A value without the members that its type in Parquet has, and it itself had not."""
    if isinstance(value, list):
        return [_said(each) for each in value]
    if isinstance(value, dict):
        return {key: _said(each) for key, each in value.items() if each is not None}
    return value
