"""Makes data frames of Arrow's tables. pandas and polars are loaded when they are asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tiktok_crawler.dataset.arrow import UTC_TIME
from tiktok_crawler.installed import not_installed

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


def pandas_frame(table: pa.Table) -> pd.DataFrame:
    """Make a data frame in which whole numbers stay whole, and lists are lists."""
    pandas: Any = _loaded("pandas")
    types = {
        pa.int64(): pandas.Int64Dtype(),
        pa.bool_(): pandas.BooleanDtype(),
        pa.string(): pandas.StringDtype("pyarrow"),
    }
    nested = [field.name for field in table.schema if pa.types.is_nested(field.type)]
    frame = _with_times(table).drop_columns(nested).to_pandas(types_mapper=types.get)
    for name in nested:
        values = pandas.Series(table.column(name).to_pylist(), frame.index, dtype=object)
        frame.insert(table.schema.get_field_index(name), name, values)
    return frame


def polars_frame(table: pa.Table) -> pl.DataFrame:
    polars: Any = _loaded("polars")
    frame: pl.DataFrame = polars.from_arrow(table)
    return frame


def _with_times(table: pa.Table) -> pa.Table:
    """Turn days into the midnights that they begin with: pandas counts and joins only times."""
    types = [
        field.with_type(UTC_TIME) if pa.types.is_date(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(types))


def _loaded(library: str) -> Any:
    try:
        return import_module(library)
    except ModuleNotFoundError as exc:
        if exc.name != library:
            raise
        raise not_installed(f"a data frame of {library}", [library], library) from None
