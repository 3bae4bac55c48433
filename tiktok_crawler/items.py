"""The lines of feeds: one item a record, with the same columns whatever its record lacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scrapy import Field, Item

from tiktok_crawler.research_api.endpoints import LISTINGS, VIDEO_QUERY
from tiktok_crawler.research_api.tasks import Seed
from tiktok_crawler.storage.engine.text import Cleaner
from tiktok_crawler.storage.records.leaving_out import without_places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tiktok_crawler.research_api.endpoints import Listing
    from tiktok_crawler.research_api.pages import Page

EXTRA = "extra_data"


@dataclass(frozen=True, slots=True)
class Line:
    """The layout of the lines of one kind of record.

    `item_class` declares all columns. `seed_column` has what the record was listed of, where the
    record itself does not say so; `renamed` are keys of the record that are called otherwise.
    """

    item_class: type[Item]
    seed_column: str | None
    renamed: dict[str, str]

    def item(self, record: dict[str, Any], seed: str | None = None) -> Item:
        """The record without what no text file can hold, as in the database."""
        columns = self.item_class.fields
        values: dict[str, Any] = {self.seed_column: seed} if self.seed_column else {}
        extra: dict[str, Any] = {}
        for key, value in Cleaner().clean(record).items():
            name = self.renamed.get(key, key)
            (values if name in columns and name != EXTRA else extra)[name] = value
        return self.item_class(values | ({EXTRA: extra} if extra else {}))


def _line(name: str, keys: tuple[str, ...], seed_column: str | None = None, **renamed: str) -> Line:
    own = (renamed.get(key, key) for key in keys)
    columns = dict.fromkeys((*filter(None, [seed_column]), *own, EXTRA))
    fields = {column: Field() for column in columns}
    return Line(type(name, (Item,), fields), seed_column, renamed)


VIDEO = _line("Video", VIDEO_QUERY.record_keys)


def _line_of(listing: Listing) -> Line:
    name, keys = listing.words.title().replace(" ", ""), listing.endpoint.record_keys
    if listing.edge is None:
        return _line(name, keys, listing.seed_column)
    seed, record = listing.edge
    return _line(name, keys, seed, **{listing.seed_key: record})


LINES = {listing: _line_of(listing) for listing in LISTINGS.values()}


def line_of(listing: Listing | None) -> Line:
    """The layout of the lines of a listing; without one, of searches."""
    return LINES[listing] if listing else VIDEO


def feed_items(page: Page) -> Iterator[Item]:
    """Yield a line a record of a page."""
    task = page.request.task
    line, seed = (LINES[task.listing], task.key) if isinstance(task, Seed) else (VIDEO, None)
    return (line.item(record, seed) for record in without_places(page.records))
