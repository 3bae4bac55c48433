"""Finds and reads several query files: a folder, a pattern, or names between commas."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING

from tiktok_crawler.exceptions import QueryFileError
from tiktok_crawler.query_file.collection import read_collection
from tiktok_crawler.spelling import listed, named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from tiktok_crawler.query_file.collection import Collection

SUFFIXES = (".yaml", ".yml", ".json")


def read_collections(
    written: str, *, today: date, overrides: Mapping[str, str] | None = None
) -> tuple[Collection, ...]:
    """Read and check all query files that are named, in the order of their names.

    Args:
        written: a file, a folder, a pattern such as `queries/*.yaml`, or several between commas.
        today: the present day in UTC, which relative dates count from.
        overrides: the spider arguments that beat the files.

    Raises:
        QueryFileError: a file cannot be used, with a line for each mistake of all of them, or there
            is none.
        UsageError: an argument cannot be used.
    """
    collections, mistakes = [], []
    for path in query_files(written):
        try:
            collections.append(read_collection(path, today=today, overrides=overrides))
        except QueryFileError as exc:
            mistakes.append(str(exc))
    if mistakes:
        raise QueryFileError("\n".join(mistakes))
    return tuple(collections)


def query_files(written: str) -> tuple[Path, ...]:
    """Return the query files that are named, each once.

    Raises:
        QueryFileError: a folder or a pattern has none.
    """
    # A shell leaves the ~ of query=~/query.yaml as it is.
    whole = os.path.expanduser(written)  # noqa: PTH111 - fails for no user
    names = [whole] if os.path.lexists(whole) else written.split(",")
    found: dict[str, Path] = {}
    for name in filter(None, map(str.strip, names)):
        for path in _found(name):
            found.setdefault(os.path.realpath(path), path)
    return tuple(found.values())


def _found(name: str) -> Iterator[Path]:
    """Yield the files that one name stands for; a name is a file's unless it cannot be."""
    path = Path(os.path.expanduser(name))  # noqa: PTH111
    if os.path.lexists(path) and not path.is_dir():
        yield path
        return
    if path.is_dir():
        files = sorted(
            each for each in path.iterdir() if each.suffix in SUFFIXES and each.name[0] != "."
        )
    elif glob.has_magic(name):
        found = glob.glob(str(path))  # noqa: PTH207 - which knows no absolute patterns
        files = sorted(each for each in map(Path, found) if each.is_file())
    else:
        files = [path]
    if not files:
        kinds = listed([f"*{suffix}" for suffix in SUFFIXES])
        why = f"the folder has no query file ({kinds})" if path.is_dir() else "no file is like that"
        raise QueryFileError(f"{named(path)}: {why}")
    yield from files
