"""Finds a query that a database or an export knows, by its number or its file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tiktok_crawler.clock import utc_now
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.query_file.collection import read_collection
from tiktok_crawler.spelling import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tiktok_crawler.query_file.collection import Collection

SHOWN = 10


def query_ids(
    written: int | str | Path,
    known: Mapping[int, str | None],
    batches: Callable[[Collection], Sequence[int]],
    option: str,
) -> Sequence[int]:
    """Return the number of a query that was written as a number or as the name of its file.

    A file with a list has several: those of the queries for some of its values.

    Args:
        written: what the user wrote.
        known: the queries by number, with their fingerprints as far as these are known.
        batches: finds the queries of a list.
        option: what stands before it where the user wrote it, such as `query=`.

    Raises:
        UsageError: there is no such query.
        QueryFileError: the file cannot be used.
    """
    name = str(written)
    if name.isdecimal():
        if int(name) in known:
            return [int(name)]
        raise UsageError(f"{option}{name}: there is no such query; {_numbers(known)}")
    path = Path(name).expanduser()
    wanted = read_collection(path, today=utc_now().date())
    if wanted.each:
        found = batches(wanted)
    else:
        found = [id_ for id_, known_as in known.items() if known_as == wanted.fingerprint]
    if found:
        return found
    reason = (
        "the export does not say which query file a query is of"
        if None in known.values()
        else "nothing was collected with it yet"
    )
    raise UsageError(f"{option}{quoted(name)}: {reason}; {_numbers(known)}")


def _numbers(known: Mapping[int, str | None]) -> str:
    if not known:
        return "there are none"
    shown = ", ".join(map(str, sorted(known)[:SHOWN]))
    more = " and more" if len(known) > SHOWN else ""
    return f"the queries, as `scrapy status` numbers them, are: {shown}{more}"
