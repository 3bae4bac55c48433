"""Reads what was collected, for those who analyse it: from a database, or from an export.

    from tiktok_crawler import data

    videos = data.open("tiktok.db").videos(tag="elections").to_pandas()

docs/data.md says more. Nothing is ever written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.installed import not_installed

if TYPE_CHECKING:
    from pathlib import Path

    from tiktok_crawler.data.dataset import Dataset

__all__ = ["open"]


def open(source: str | Path) -> Dataset:  # noqa: A001 - it reads as data.open
    """Open a SQLite file, the URL of a database, or the folder of an export in Parquet.

    Raises:
        ConfigurationError: there is nothing there, or nothing that can be read.
    """
    try:
        from tiktok_crawler.data.dataset import Dataset  # noqa: PLC0415 - slow to load
        from tiktok_crawler.data.sources import source_of  # noqa: PLC0415 - likewise
    except ModuleNotFoundError as exc:
        if exc.name != "pyarrow":
            raise
        raise not_installed("reading data", ["pyarrow"], "pandas", "polars") from None
    return Dataset(source_of(source))
