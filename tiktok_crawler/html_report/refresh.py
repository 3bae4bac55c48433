"""What of a database is due for a refresh, by the age of the last search or listing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.reports.dataset_tables import Table
from tiktok_crawler.reports.list_report import each_in_words
from tiktok_crawler.reports.naming import AS_THEY_ARE
from tiktok_crawler.spelling import number_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, timedelta

    from tiktok_crawler.reports.naming import Naming
    from tiktok_crawler.storage.ledger.provenance import Provenance
    from tiktok_crawler.storage.overview import Overview

    Row = tuple[str | int, ...]


def refresh_table(
    facts: Provenance, overview: Overview, after: timedelta, naming: Naming = AS_THEY_ARE
) -> Table:
    """List what was searched or listed longer ago than `after`.

    Of seeds, the overview tells which that are.
    """
    return Table(
        f"Last searched or listed more than {number_of(after.days, 'days')} ago",
        ("what", "in all", "due", "oldest"),
        (*_days(facts, facts.status.at - after, naming), *_seeds(facts, overview)),
    )


def _days(facts: Provenance, due_before: datetime, naming: Naming) -> Iterator[Row]:
    for name, searched in _searched(facts, naming):
        if searched:
            due = sum(at < due_before for at in searched)
            yield f"days of {name}", len(searched), due, f"{min(searched):%Y-%m-%d}"


def _searched(facts: Provenance, naming: Naming) -> Iterator[tuple[str, Sequence[datetime]]]:
    """Give for each query and list when its days were searched last."""
    for query in facts.queries:
        days = query.status.days.by_day.values()
        times = [day.searched_at for day in days if day.searched_at]
        yield f"query {query.status.used.query_id}", times
    for found in facts.status.lists:
        yield each_in_words(naming.query(found.rest), found.each), found.searched


def _seeds(facts: Provenance, overview: Overview) -> Iterator[Row]:
    nouns = {each.status.listing.name: each.status.listing for each in facts.listings}
    for name, listed in overview.listed.items():
        listing = nouns.get(name)
        what = f"{listing.words} of {listing.seed_key.noun}" if listing else name
        yield what, listed.seeds, listed.due, f"{listed.oldest_at:%Y-%m-%d}"
