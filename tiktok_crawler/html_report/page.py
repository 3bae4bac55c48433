"""Puts the report together: what stands on the page, and the page as HTML."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from tiktok_crawler.html_report import calendars, frequencies, series
from tiktok_crawler.html_report.refresh import refresh_table
from tiktok_crawler.planning.seeds import SeedEnd
from tiktok_crawler.planning.window_days import known_sum
from tiktok_crawler.reports import dataset_tables, provenance_report
from tiktok_crawler.reports.dataset_tables import minute, share
from tiktok_crawler.reports.days_report import days_together, listed_ranges
from tiktok_crawler.reports.listing_report import total_of_all
from tiktok_crawler.reports.naming import AS_THEY_ARE
from tiktok_crawler.research_api.endpoints import DEFAULT_URL
from tiktok_crawler.spelling import json_text, number_of, visible_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from tiktok_crawler.html_report.calendars import Calendar
    from tiktok_crawler.html_report.frequencies import BarTable
    from tiktok_crawler.html_report.series import Figure
    from tiktok_crawler.reports.dataset_tables import Table
    from tiktok_crawler.reports.naming import Naming
    from tiktok_crawler.storage.ledger.listing_status import ListingStatus
    from tiktok_crawler.storage.ledger.provenance import Provenance, QueryFacts
    from tiktok_crawler.storage.overview import Overview

GENERATOR = "tiktok_crawler report"
"""What a page says of itself, by which `scrapy report` knows its own."""

MOST_CALENDAR_DAYS = 20_000
"""Queries behind these are told month by month: pages must stay small enough to open."""


_DAY = re.compile(r"\d{4}-\d\d-\d\d(\.\.\d{4}-\d\d-\d\d)?")


@dataclass(frozen=True, slots=True)
class Tile:
    """A number at the top of the page, and what it is."""

    label: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class QueryPart:
    """What the page says of a query; `calendar` and `days` are None where it has too many days."""

    number: int
    words: str
    in_full: str
    tags: tuple[str, ...]
    wanted: str
    covered: str
    calendar: Calendar | None
    days: Table | None
    months: Table
    missing: Table
    delivered: Table


@dataclass(frozen=True, slots=True)
class Page:
    """What stands on the page."""

    generator: str
    version: str
    at: str
    source: str
    is_invented: bool
    has_pseudonyms: bool
    lacking: tuple[str, ...]
    tiles: tuple[Tile, ...]
    marks: tuple[calendars.Mark, ...]
    queries: tuple[QueryPart, ...]
    published: Figure | None
    frequencies: tuple[BarTable, ...]
    growth: Figure | None
    withheld: Figure | None
    spent: tuple[Figure, ...]
    quota: Table
    tables: tuple[Table, ...]
    lists: Table
    listings: Table
    imports: Table
    refresh: Table
    rows: Table
    methods: tuple[str, ...]
    citation: str


def page(
    facts: Provenance, overview: Overview, naming: Naming, *, refresh_after: timedelta
) -> Page:
    """Put together what stands on the page."""
    videos = facts.rows["video"]
    spent = (series.requests_over_time(facts), series.faults_over_time(facts))
    return Page(
        generator=GENERATOR,
        version=facts.version,
        at=minute(facts.status.at),
        source=_source(facts),
        is_invented=provenance_report.is_invented(facts),
        has_pseudonyms=naming is not AS_THEY_ARE,
        lacking=tuple(provenance_report.lacking(facts)),
        tiles=tuple(_tiles(facts, overview)),
        marks=tuple(calendars.Mark),
        queries=tuple(_query_parts(facts, naming)),
        published=series.videos_over_time(overview),
        frequencies=(
            frequencies.lengths(overview, videos),
            frequencies.regions(overview, videos),
            frequencies.hashtags(overview, videos, naming),
            frequencies.accounts(overview, videos, naming),
        ),
        growth=series.growth(overview),
        withheld=series.withheld_over_time(facts),
        spent=tuple(figure for figure in spent if figure),
        quota=dataset_tables.requests_by_day(facts),
        tables=(
            dataset_tables.removals(facts),
            dataset_tables.faults(facts),
            dataset_tables.endings(facts),
        ),
        lists=dataset_tables.lists(facts, naming),
        listings=dataset_tables.listings(facts),
        imports=dataset_tables.imports(facts, naming),
        refresh=refresh_table(facts, overview, refresh_after, naming),
        rows=dataset_tables.rows(facts),
        methods=tuple(provenance_report.methods_paragraphs(facts, naming)),
        citation=provenance_report.citation(facts),
    )


def html(content: Page) -> Iterator[str]:
    """Write the page, piece by piece."""
    environment = Environment(
        loader=PackageLoader("tiktok_crawler.html_report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_written,
    )
    environment.filters["unbroken"] = _unbroken
    return environment.get_template("report.html").generate(page=content)


def _written(value: object) -> object:
    """Mark what would steer the text of the page, such as signs that turn its direction."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    is_text = isinstance(value, str) and not isinstance(value, Markup)
    return visible_lines(str(value)) if is_text else value


def _unbroken(text: str) -> Markup:
    """Keep days on one line, in a text that is not yet written."""
    return Markup(_DAY.sub(r'<span class="day">\g<0></span>', str(escape(_written(text)))))  # noqa: S704 - escaped


def _source(facts: Provenance) -> str:
    origin = facts.status.origin or ""
    if provenance_report.is_invented(facts):
        return "the sandbox of tiktok_crawler"
    return "the TikTok Research API" if origin == DEFAULT_URL else origin


def _tiles(facts: Provenance, overview: Overview) -> Iterator[Tile]:
    accounts = number_of(overview.account_count, "accounts")
    yield Tile("Videos", f"{facts.rows['video']:,}", f"by {accounts}")
    queries, lists = [query.status for query in facts.queries], facts.status.lists
    wanted, covered = days_together(queries, lists)
    if wanted:
        percent = f"{covered * 1000 // wanted / 10:.1f} %"
        yield Tile("Days covered", percent, f"{covered:,} of {wanted:,} days wanted")
    counted = (*(query.days.counted for query in queries), *(each.counted for each in lists))
    found = known_sum(counted)
    if found.matches:
        withheld = found.withheld or 0
        noun = number_of(found.matches, "matches")
        yield Tile("Withheld by the API", share(withheld, found.matches), f"{withheld:,} of {noun}")
    yield from (_listing_tile(listing.status) for listing in facts.listings)
    requests = sum(day.requests for day in facts.quota)
    yield Tile("Requests", f"{requests:,}", f"in {number_of(facts.runs.count, 'runs')}")


def _listing_tile(status: ListingStatus) -> Tile:
    notes = [f"{number_of(status.seeds, status.listing.seed_key.noun)} asked about"]
    if total := total_of_all(status.tally):
        notes.insert(0, f"of about {total:,}")
    if cut := status.tally.ends[SeedEnd.CUT]:
        notes.append(f"{cut:,} cut at your maximum ({status.listing.limit_argument})")
    words = f"{status.listing.noun.capitalize()} delivered"
    return Tile(words, f"{status.tally.stored:,}", "; ".join(notes))


def _query_parts(facts: Provenance, naming: Naming) -> Iterator[QueryPart]:
    shown = 0
    for query in facts.queries:
        shown += len(query.status.days.by_day)
        yield _query_part(query, naming, in_full=shown <= MOST_CALENDAR_DAYS)


def _query_part(query: QueryFacts, naming: Naming, *, in_full: bool) -> QueryPart:
    used, days = query.status.used, query.status.days
    return QueryPart(
        number=used.query_id,
        words=provenance_report.query_words(query, naming),
        in_full=json_text(naming.query(used.query).to_json()),
        tags=tuple(map(naming.label, used.tags)),
        wanted=f"{listed_ranges(used.days)} ({number_of(len(days.by_day), 'days')})",
        covered=f"{len(days.covered):,} of {number_of(len(days.by_day), 'days')} "
        f"({days.percent:.1f} %)",
        calendar=calendars.calendar(days) if in_full else None,
        days=calendars.by_day(days) if in_full else None,
        months=calendars.by_month(days),
        missing=dataset_tables.missing_days(query.status, naming),
        delivered=dataset_tables.delivered(query),
    )
