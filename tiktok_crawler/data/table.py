"""A table that is read when its values are asked for, in one piece or in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from tiktok_crawler.data import frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pandas as pd
    import polars as pl

    Read = Callable[[], Iterable[pa.RecordBatch]]


class Table:
    """Some rows and columns. It holds no values: each call reads them anew.

    `schema` is Arrow's; the metadata of each field say what the column means.
    """

    def __init__(self, name: str, schema: pa.Schema, read: Read) -> None:
        self.name = name
        self.schema = schema
        self._read = read

    @property
    def columns(self) -> list[str]:
        return list(self.schema.names)

    def to_arrow(self) -> pa.Table:
        return pa.Table.from_batches(self._read(), self.schema)

    def to_pandas(self) -> pd.DataFrame:
        """Return a data frame whose types do not depend on the values.

        Numbers are `Int64`, text `string`, booleans `boolean`, times and days
        `datetime64[us, UTC]`; what is missing is `<NA>`, or `NaT`. Lists and objects are Python's,
        and None where they are missing.
        """
        return frames.pandas_frame(self.to_arrow())

    def to_polars(self) -> pl.DataFrame:
        return frames.polars_frame(self.to_arrow())

    def batches(self) -> Iterator[Table]:
        """Read some ten thousand rows after another, whatever their number, in little memory.

        Each batch is a table: `for batch in table.batches(): frame = batch.to_pandas()`.
        """
        for batch in self._read():
            yield Table(self.name, self.schema, lambda batch=batch: [batch])  # type: ignore[misc]

    def __repr__(self) -> str:
        return (
            f"<table {self.name} with {len(self.columns)} columns: .to_pandas(), .to_polars() and "
            ".to_arrow() read it, .batches() in batches>"
        )
