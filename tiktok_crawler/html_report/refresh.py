"""What of a database is due for a refresh, by the age of the last search or listing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.reports.dataset_tables import Table
from tiktok_crawler.spelling import number_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, datetime, timedelta

    from tiktok_crawler.planning.days import Days
    from tiktok_crawler.storage.ledger.provenance import Provenance
    from tiktok_crawler.storage.overview import Overview

    Row = tuple[str | int, ...]


def refresh_table(facts: Provenance, overview: Overview, after: timedelta) -> Table:
    """List what was searched or listed longer ago than `after`."""
    return Table(
        f"Last searched or listed more than {number_of(after.days, 'days')} ago",
        ("what", "in all", "due", "oldest"),
        tuple(_rows(facts, overview, after)),
    )


def _rows(facts: Provenance, overview: Overview, after: timedelta) -> Iterator[Row]:
    now = facts.status.at
    for query in facts.queries:
        searched = _searched(query.status.days)
        if searched:
            due = sum(now - at > after for at in searched)
            oldest = f"{min(searched):%Y-%m-%d}"
            yield f"days of query {query.status.used.query_id}", len(searched), due, oldest
    nouns = {each.status.listing.name: each.status.listing for each in facts.listings}
    for name, by_day in overview.listed.items():
        listing = nouns.get(name)
        what = f"{listing.words} of {listing.seed_key.noun}" if listing else name
        due = _due(by_day, (now - after).date())
        yield what, sum(by_day.values()), due, f"{min(by_day)}"


def _searched(days: Days) -> list[datetime]:
    return [day.searched_at for day in days.by_day.values() if day.searched_at]


def _due(by_day: Mapping[date, int], before: date) -> int:
    return sum(count for day, count in by_day.items() if day < before)
