"""Seeds that an argument names: `-a usernames=ann,bob`, or in a file, `-a usernames=@names.csv`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tiktok_crawler.exceptions import QueryFileError, UsageError
from tiktok_crawler.query_file.argument_lists import named_file
from tiktok_crawler.query_file.list_file import read_cells
from tiktok_crawler.query_file.mistakes import MAX_MISTAKES
from tiktok_crawler.query_file.seed_text import parse_seed, read_seeds
from tiktok_crawler.query_file.text_file import is_file
from tiktok_crawler.research_api.endpoints import SeedKey
from tiktok_crawler.spelling import named, number_of, quoted

if TYPE_CHECKING:
    from tiktok_crawler.query_file.list_file import Cell

_KEYS = {key.argument: key for key in SeedKey}


@dataclass(frozen=True, slots=True)
class NamedSeeds:
    """Seeds in their order, without repeats, and what is to be told of the file they come from."""

    values: tuple[str, ...]
    notes: tuple[str, ...] = ()


def named_seeds(name: str, written: str) -> NamedSeeds:
    """Read the seeds of an argument, or of the file that it names.

    Raises:
        UsageError: there are none, the file cannot be read, or something cannot be a seed; with a
            line for each line of the file that is wrong.
    """
    key = _KEYS[name]
    path = _file(name, written, key)
    place, seeds = (
        (named(path), _of_file(path, key)) if path else (f"-a {name}", _of(written, name))
    )
    if not seeds.values:
        raise UsageError(f"{place}: names nothing")
    return seeds


def list_argument(name: str, written: str, what: str) -> list[str]:
    """Read the values of an argument, or of the file that it names, as they are written.

    Raises:
        UsageError: the file cannot be read, or holds no value.
    """
    if not (file := named_file(written)):
        return written.split(",")
    try:
        cells = read_cells(Path(file), what)
    except QueryFileError as exc:
        raise UsageError(f"-a {name}={quoted(written)}: {exc}") from None
    if not cells:
        raise UsageError(f"{named(file)}: names nothing")
    return [cell.text for cell in cells]


def _of(written: str, name: str) -> NamedSeeds:
    try:
        return NamedSeeds(read_seeds([written], _KEYS[name]))
    except ValueError as exc:
        raise UsageError(f"-a {name}: {exc}") from None


def _of_file(path: Path, key: SeedKey) -> NamedSeeds:
    try:
        cells = read_cells(path, key)
    except QueryFileError as exc:
        raise UsageError(str(exc)) from None
    mistakes: list[str] = []
    read = (_seed(cell, path, key, mistakes) for cell in cells)
    seeds = tuple(dict.fromkeys(seed for seed in read if seed))
    if mistakes:
        raise UsageError("\n".join(mistakes))
    repeats = len(cells) - len(seeds)
    left_out = f"left out {number_of(repeats, 'repeats')}"
    note = f"{named(path)}: {number_of(len(seeds), key.noun)}; {left_out}"
    return NamedSeeds(seeds, (note,) if repeats else ())


def _seed(cell: Cell, path: Path, key: SeedKey, mistakes: list[str]) -> str | None:
    """The seed of a cell, or None, with its mistake among the others."""
    try:
        return parse_seed(cell.text, key)
    except ValueError as exc:
        mistakes.append(f"{named(path)}:{cell.line}: {exc}")
    if len(mistakes) == MAX_MISTAKES:
        raise UsageError("\n".join([*mistakes, f"{named(path)}: and perhaps more"]))
    return None


def _file(name: str, written: str, key: SeedKey) -> Path | None:
    """The file that is named; of usernames a list can begin with an @ as well."""
    if not written.startswith("@"):
        return None
    path = Path(written[1:])
    if is_file(path):
        return path
    if key is SeedKey.USERNAME and "," in written:
        return None
    hint = "; names are written without @" if key is SeedKey.USERNAME else ""
    raise UsageError(f"-a {name}={quoted(written)}: there is no such file{hint}")
