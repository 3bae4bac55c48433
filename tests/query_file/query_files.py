"""Query files for tests: written to disk, read, and what is said about them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tiktok_crawler.exceptions import QueryFileError, UsageError
from tiktok_crawler.query_file.collection import Collection, read_collection

TODAY = date(2024, 6, 15)
DATES = "start_date: 2024-01-01\nend_date: 2024-03-31\n"


def write(folder: Path | str, text: str | bytes) -> Path:
    path = Path(folder, "query.yaml")
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(folder: Path | str, text: str | bytes, **overrides: str) -> Collection:
    return read_collection(write(folder, text), today=TODAY, overrides=overrides)


def compiled(folder: Path, text: str) -> dict[str, list[dict[str, object]]]:
    """The API's object that the text of a file makes; it needs no dates."""
    return read(folder, DATES + text).query.to_json()


def mistakes(folder: Path, text: str | bytes, **overrides: str) -> list[str]:
    """The lines about a bad file, each without the path and the colon before its position."""
    with pytest.raises(QueryFileError) as caught:
        read(folder, text, **overrides)
    path = f"{folder / 'query.yaml'}:"
    lines = str(caught.value).splitlines()
    assert all(line.startswith(path) for line in lines), lines
    return [line.removeprefix(path).strip() for line in lines]


def mistake(folder: Path, text: str | bytes) -> str:
    """The one line about a file with one mistake."""
    (line,) = mistakes(folder, text)
    return line


def wrong_usage(folder: Path, text: str, **overrides: str) -> list[str]:
    """The lines about bad spider arguments beside a good file."""
    with pytest.raises(UsageError) as caught:
        read(folder, text, **overrides)
    return str(caught.value).splitlines()
