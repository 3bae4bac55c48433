"""Fills columns that were empty when a page was stored, from the archived answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from tiktok_crawler.research_api.pages import ListPage
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.list_writer import VIDEO_LISTS
from tiktok_crawler.storage.listing_records import LISTED, read_listing
from tiktok_crawler.storage.models.records import Video
from tiktok_crawler.storage.records.shape import read_videos

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Table

    from tiktok_crawler.research_api.pages import Page


@dataclass(frozen=True, slots=True)
class Observed:
    """What a page says of records by their key, and the table that holds them.

    `times` are its columns with the times of the first answer and of the last change.
    """

    table: Table
    key: str
    times: tuple[str, str]
    records: Mapping[Any, Mapping[str, Any]]


def fill(connection: Connection, page: Page | ListPage) -> int:
    """Give the records of a page that is stored the values that the database does not have.

    An answer older than a record's latest values fills only what is NULL. One that is not says the
    same as the database already, but for columns that an older answer has just filled.

    Returns:
        How many records changed.
    """
    observed = _observed(page)
    if not observed.records:
        return 0
    key = observed.table.c[observed.key]
    among = statements_for(connection.dialect).among(key, sorted(observed.records))
    count = 0
    for known in connection.execute(select(observed.table).where(among).order_by(key)):
        row = known._mapping  # noqa: SLF001 - the public name of a row's columns
        first_at, changed_at = (row[name] for name in observed.times)
        is_latest = page.received_at >= (changed_at or first_at)
        values = _missing(row, observed.records[row[observed.key]], is_latest=is_latest)
        if values:
            same = key == row[observed.key]
            connection.execute(update(observed.table).where(same).values(values))
            count += 1
    return count


def _observed(page: Page | ListPage) -> Observed:
    if not isinstance(page, ListPage) or page.request.listing.name in VIDEO_LISTS:
        videos = {id_: video.values for id_, video in read_videos(page.records).by_id.items()}
        return Observed(Video.__table__, "id", ("crawled_at", "crawled_updated_at"), videos)
    kind = LISTED[page.request.listing.name].kind
    records = {
        id_: {kind.renamed.get(key, key): value for key, value in record.values.items()}
        for id_, record in read_listing(page).by_id.items()
    }
    return Observed(kind.table, kind.key, kind.times, records)


def _missing(
    stored: Mapping[Any, Any], values: Mapping[str, Any], *, is_latest: bool
) -> dict[str, Any]:
    return {
        name: value
        for name, value in values.items()
        if stored[name] is None or (is_latest and stored[name] != value)
    }
