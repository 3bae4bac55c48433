"""What a dataset tells of itself: its provenance as Markdown, and a methods section as text.

It claims only what the ledger has: what the API withheld, for instance, and not why.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from tiktok_crawler.config import SANDBOX_ORIGIN
from tiktok_crawler.date_range import contiguous
from tiktok_crawler.planning.days import DayState
from tiktok_crawler.planning.task_states import SeedState
from tiktok_crawler.reports import dataset_tables
from tiktok_crawler.reports.dataset_tables import minute, period
from tiktok_crawler.reports.days_report import FEW, listed_ranges, ranges
from tiktok_crawler.reports.list_report import each_in_words, values_searched
from tiktok_crawler.reports.listing_report import (
    describe_broken_off,
    describe_delivered,
    describe_ends,
    describe_refusals,
)
from tiktok_crawler.reports.naming import AS_THEY_ARE, Naming
from tiktok_crawler.reports.removals_report import removal_sentences
from tiktok_crawler.reports.words import UNSETTLED
from tiktok_crawler.research_api.endpoints import DEFAULT_URL, LISTINGS, VIDEO_QUERY
from tiktok_crawler.research_api.wording import in_words
from tiktok_crawler.spelling import json_text, listed, number_of, visible
from tiktok_crawler.storage.models.records import Comment
from tiktok_crawler.storage.records.all_types import listed as listed_by
from tiktok_crawler.storage.records.imported import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.planning.days import Days
    from tiktok_crawler.reports.dataset_tables import Cell, Table
    from tiktok_crawler.storage.ledger.list_status import ListStatus
    from tiktok_crawler.storage.ledger.provenance import ListingFacts, Provenance, QueryFacts

INVENTED = (
    "The data are invented: they come from the sandbox, an imitation of the API, and say nothing "
    "about TikTok."
)
AUTHORS = "The tiktok_crawler authors"

_MARKUP = re.compile(r"([\\`*_\[\]<>|~#])")


def provenance_text(facts: Provenance, naming: Naming = AS_THEY_ARE) -> str:
    """Tell in Markdown where a dataset comes from, what it has, and what it lacks."""
    return "\n".join(_provenance(facts, naming))


def methods_text(facts: Provenance, naming: Naming = AS_THEY_ARE) -> str:
    """Tell in plain text, a line a paragraph, how the data were collected, for a paper."""
    in_full = (
        f"Query {query.status.used.query_id} in full: "
        f"{visible(naming.query(query.status.used.query).canonical())}"
        for query in facts.queries
    )
    return "\n\n".join((*methods_paragraphs(facts, naming), *in_full)) + "\n"


def is_invented(facts: Provenance) -> bool:
    """Tell whether the data are a sandbox's."""
    return facts.status.origin == SANDBOX_ORIGIN


def lacking(facts: Provenance) -> list[str]:
    """Say in sentences what of all that was asked for is missing, or not final; none if nothing."""
    queries = chain.from_iterable(map(_lacking_of_query, facts.queries))
    lists = chain.from_iterable(map(_lacking_of_list, facts.status.lists))
    listings = chain.from_iterable(map(_lacking_of_listing, facts.listings))
    return [*queries, *lists, *listings, *_not_begun(facts)]


def methods_paragraphs(facts: Provenance, naming: Naming = AS_THEY_ARE) -> Iterator[str]:
    """Give the paragraphs of a methods section."""
    if is_invented(facts):
        yield INVENTED
    if facts.runs.count or facts.queries or facts.listings or not facts.status.imports:
        yield " ".join(_source(facts))
    if facts.status.imports:
        yield " ".join(_imports(facts))
    for query in facts.queries:
        yield " ".join(_search(query, naming))
    for found in facts.status.lists:
        yield " ".join(_list(found, naming))
    for listing in facts.listings:
        yield " ".join(_listing(listing))
    yield from _comments(facts)
    yield from removal_sentences(facts.status.removals)
    missing = lacking(facts)
    if missing:
        yield f"The collection is incomplete as of {minute(facts.status.at)}. {' '.join(missing)}"
    elif facts.queries or facts.status.lists or facts.listings:
        yield f"Nothing that was asked for was missing as of {minute(facts.status.at)}."
    yield (
        "Counts of views, likes, comments and shares are those of the last page that brought the "
        "video."
    )
    yield f"Software: {citation(facts)}"


def citation(facts: Provenance) -> str:
    """Say how to cite this program."""
    return f"{AUTHORS}. tiktok_crawler, version {facts.version}."


def query_words(query: QueryFacts, naming: Naming) -> str:
    """Say which videos a query finds."""
    return in_words(naming.query(query.status.used.query))


def _source(facts: Provenance) -> Iterator[str]:
    yield f"Data were collected from {_api(facts)} with tiktok_crawler{_versions(facts)},"
    runs = facts.runs
    if runs.count:
        yield (
            f"in {number_of(runs.count, 'runs')}, the first begun at {minute(runs.first_begun_at)},"
            f" the last at {minute(runs.last_begun_at)}."
        )
    else:
        yield "in runs that are not recorded."
    if facts.quota:
        requests, days = sum(day.requests for day in facts.quota), {d.day for d in facts.quota}
        yield f"They sent {number_of(requests, 'requests')} on {number_of(len(days), 'days')}."
    if used_up := sorted({day.day for day in facts.quota if day.is_used_up}):
        yield f"The API said that the day's quota was used up on {ranges(used_up)}."


def _imports(facts: Provenance) -> Iterator[str]:
    """Tell what was not collected by this program."""
    imports = facts.status.imports
    sums = {
        kind.value: sum(sum(each.counts.get(kind.value, {}).values()) for each in imports)
        for kind in Kind
    }
    records = [number_of(count, kind) for kind, count in sums.items() if count]
    kinds = listed(list(dict.fromkeys(each.kind for each in imports)), conjunction="and")
    yield (
        f"{listed(records or ['nothing'], conjunction='and')} were imported from "
        f"{number_of(len(imports), 'sources')} that other tools have made ({kinds});"
    )
    yield "records that came from several are counted in each."
    yield "What these lack is not known: none of it counts as searched."


def _api(facts: Provenance) -> str:
    if is_invented(facts):
        return "the sandbox of tiktok_crawler"
    if facts.status.origin == DEFAULT_URL:
        return f"the TikTok Research API ({DEFAULT_URL})"
    return visible(facts.status.origin or "")


def _versions(facts: Provenance) -> str:
    """Name the versions that have collected, as far as runs are recorded."""
    versions = list(map(visible, facts.runs.versions))
    if not versions:
        return ""
    noun = "version" if len(versions) == 1 else "versions"
    return f", {noun} {listed(versions, conjunction='and')}"


def _search(query: QueryFacts, naming: Naming) -> Iterator[str]:
    used, days, pages = query.status.used, query.status.days, query.pages
    yield f"Query {used.query_id} asked for {query_words(query, naming)},"
    yield f"published on {listed_ranges(used.days)} ({number_of(len(days.by_day), 'days')}, UTC)."
    if not pages.count:
        yield "It has brought no page so far."
        return
    yield f"It has brought {number_of(pages.count, 'pages')}, received"
    yield f"{period(pages.first_at, pages.last_at)},"
    yield f"with {number_of(query.status.totals.requests, 'requests')}"
    yield f"for {_fields(used.fields)}."
    yield from _coverage(days)
    yield from _matched(days)
    yield f"The database has {number_of(query.status.totals.videos, 'videos')} of this query."


def _list(found: ListStatus, naming: Naming) -> Iterator[str]:
    wanted = f"{found.wanted_days:,} days"
    words = each_in_words(naming.query(found.rest), found.each)
    yield f"A list asked for {words}, published on {listed_ranges(found.days)} ({wanted},"
    yield "UTC); some of these values were searched for together."
    totals = found.totals
    if not totals.pages:
        yield "It has brought no page so far."
        return
    assert totals.first_page_at
    assert totals.last_page_at
    yield f"It has brought {number_of(totals.pages, 'pages')}, received"
    yield f"{period(totals.first_page_at, totals.last_page_at)},"
    yield f"with {number_of(totals.requests, 'requests')}."
    whom, whole = values_searched(len(found.refused)), found.covered_days
    yield f"For {whom} a search was paged to its end for {whole:,} of {wanted}."
    if found.refused:
        yield f"The API refused searches for {len(found.refused):,} of the values, even alone."
    if found.missed:
        ids = number_of(found.missed, "ids")
        yield f"For {ids} it has returned no video, which proves nothing."
    yield f"The database has {number_of(totals.videos, 'videos')} of this list."


def _fields(fields: tuple[str, ...]) -> str:
    if set(fields) >= set(VIDEO_QUERY.fields):
        return f"all {len(VIDEO_QUERY.fields)} fields of videos that this version knows"
    return f"the fields {listed(fields, conjunction='and')}"


def _coverage(days: Days) -> Iterator[str]:
    if sampled := days.in_state(DayState.SAMPLED):
        yield (
            f"It is a random sample: for {len(sampled):,} of {number_of(len(days.by_day), 'days')} "
            "the API was asked once for videos in random order (is_random). How it draws them is "
            "not documented, so the chance of a video to be drawn is not known."
        )
    if not days.covered:
        return
    last = [at for day in days.covered if (at := days.by_day[day].searched_at)]
    wanted = number_of(len(days.by_day), "days")
    yield (
        f"A search was paged to its end for {len(days.covered):,} of {wanted} "
        f"({days.percent:.1f} %); the last searches of these days began "
        f"{period(min(last), max(last))}."
    )


def _matched(days: Days) -> Iterator[str]:
    found = days.counted
    if not found.matches:
        return
    withheld = found.withheld or 0
    yield (
        f"By the last search of each day the API counted {number_of(found.matches, 'matches')} and "
        f"delivered {number_of(found.videos or 0, 'videos')}; it withheld {withheld:,} "
        f"({100 * withheld / found.matches:.1f} %) without saying why."
    )
    if found.refused:
        yield f"{number_of(found.refused, 'records')} without a usable id are not stored."
    if days.uncounted:
        yield (
            f"{number_of(len(days.uncounted), 'days')}, searched with an earlier version that did "
            "not count, are not among these."
        )


def _listing(listing: ListingFacts) -> Iterator[str]:
    found, pages = listing.status, listing.pages
    seeds = number_of(found.seeds, found.listing.seed_key.noun)
    yield f"Of {seeds} the {found.listing.words} were asked for, with"
    yield f"{number_of(found.requests, 'requests')};"
    if pages.count:
        yield f"pages were received {period(pages.first_at, pages.last_at)}."
    else:
        yield "no page was received."
    if found.counts[SeedState.COMPLETE]:
        yield f"Of the lists, {describe_ends(found.listing, found.tally)}."
    if found.counts[SeedState.REFUSED]:
        refused = number_of(found.counts[SeedState.REFUSED], found.listing.seed_key.noun)
        yield f"The API refused {refused}: {describe_refusals(found.listing, found.tally)}."
    delivered = describe_delivered(found.listing, found.tally)
    if listed_by(found.listing).counted_by is None:
        yield f"The last listing of each delivered {delivered}."
    else:
        yield f"The database has {delivered} of these."


def _comments(facts: Provenance) -> Iterator[str]:
    """Tell how many comments are stored: a later listing can bring fewer, or others."""
    if stored := facts.rows.get(Comment.__tablename__):
        yield f"The database has {number_of(stored, 'comments')}, replies among them."


def _lacking_of_query(query: QueryFacts) -> Iterator[str]:
    status = query.status
    if status.is_complete:
        return
    name, days = f"Query {status.used.query_id}", status.days
    if days.missing:
        yield (
            f"{name}: {len(days.missing):,} of {number_of(len(days.by_day), 'days')} are not "
            f"covered: {ranges(days.missing)}."
        )
    if days.unsettled:
        yield f"{name}: {ranges(days.unsettled)} are {UNSETTLED}."
    if days.doubts:
        yield f"{name}: {FEW} came of {ranges(days.doubts)}."
    if not (days.missing or days.unsettled or days.doubts):
        yield f"{name}: {number_of(status.next_windows, 'searches')} are still to come."


def _lacking_of_list(found: ListStatus) -> Iterator[str]:
    name = f"List of {found.each}"
    if found.lacking:
        yield f"{name}: {found.lacking:,} lack some of {listed_ranges(found.missing)}."
    if found.refused:
        yield f"{name}: the API refuses searches for {len(found.refused):,} of them."
    if found.unsettled:
        yield f"{name}: {listed_ranges(found.unsettled)} are {UNSETTLED}."
    if found.suspicious:
        days = listed_ranges(found.suspicious)
        yield f"{name}: {FEW} came of {days} for some of them."


def _lacking_of_listing(listing: ListingFacts) -> Iterator[str]:
    found = listing.status
    left = found.counts[SeedState.OPEN] + found.counts[SeedState.PARKED]
    seeds = number_of(found.seeds, found.listing.seed_key.noun)
    name = found.listing.words.capitalize()
    if left:
        yield f"{name}: {left:,} of {seeds} are not at their end."
    if found.tally.broken_off:
        yield f"{name}: {describe_broken_off(found.listing, found.tally)}."
    if found.suspicious:
        yield f"{name}: {found.suspicious:,} of {seeds} may lack something."


def _not_begun(facts: Provenance) -> Iterator[str]:
    """Name the runs that may have had seeds to ask for of which nothing is known."""
    for spider, begun_at, reason in facts.runs.early_ends:
        if spider in LISTINGS or facts.listings:
            ended = f"ended early ({reason})" if reason else "has not ended, or was killed"
            yield (
                f"The last run of {spider}, begun at {minute(begun_at)}, {ended}: of listings, "
                "what it had not begun is not counted."
            )


def _provenance(facts: Provenance, naming: Naming) -> Iterator[str]:
    yield from ("# Provenance", "")
    if is_invented(facts):
        yield from (f"**{INVENTED}**", "")
    read = f"read by tiktok_crawler {facts.version} from a {facts.database} database"
    yield from (f"As of {minute(facts.status.at)}, {read}. Days and times are UTC.", "")
    yield from ("## What is missing", "")
    yield from [f"- {escaped(each)}" for each in lacking(facts)] or [
        "Nothing of what was asked for."
    ]
    yield from ("", "## How it was collected", "")
    for paragraph in methods_paragraphs(facts, naming):
        yield from (escaped(paragraph), "")
    for query in facts.queries:
        yield from _query_section(query, naming)
    for found in facts.status.lists:
        yield from _list_section(found, naming)
    if facts.listings:
        yield from _markdown("## Listings", dataset_tables.listings(facts))
    if facts.status.imports:
        yield from _markdown("## Imports", dataset_tables.imports(facts, naming))
    yield from _markdown("## Deletions", dataset_tables.removals(facts))
    yield from _markdown("## Runs", dataset_tables.endings(facts))
    yield from _markdown("", dataset_tables.faults(facts))
    yield from _markdown("## Quota", dataset_tables.requests_by_day(facts))
    yield from _markdown("## Size of the whole database", dataset_tables.rows(facts))


def _query_section(query: QueryFacts, naming: Naming) -> Iterator[str]:
    used = query.status.used
    yield from (f"## Query {used.query_id}", "", escaped(query_words(query, naming)), "")
    tags = ", ".join(naming.label(visible(tag)) for tag in used.tags)
    yield from (f"- tags: {escaped(tags) or 'none'}", f"- days wanted: {_all_ranges(used.days)}")
    if sampled := query.status.days.in_state(DayState.SAMPLED):
        yield f"- days sampled at random: {_all_ranges(contiguous(sampled))}"
    yield f"- days covered: {_all_ranges(contiguous(query.status.days.covered)) or 'none'}"
    yield from (f"- fields asked for: {escaped(', '.join(used.fields)) or 'none yet'}", "")
    yield from ("```json", json_text(naming.query(used.query).to_json()), "```", "")
    yield from _markdown("", dataset_tables.missing_days(query.status, naming))
    yield from _markdown("", dataset_tables.delivered(query))


def _list_section(found: ListStatus, naming: Naming) -> Iterator[str]:
    words = each_in_words(naming.query(found.rest), found.each)
    yield from (f"## List of {found.each}", "", escaped(words), "")
    tags = ", ".join(naming.label(visible(tag)) for tag in found.tags)
    yield from (f"- tags: {escaped(tags) or 'none'}", f"- days wanted: {_all_ranges(found.days)}")
    yield f"- values that the API refuses: {len(found.refused):,}"
    yield f"- values besides that lack days: {found.lacking:,}"
    yield from (f"- days that these lack: {_all_ranges(found.missing) or 'none'}", "")


def _all_ranges(found: Iterable[DateRange]) -> str:
    return ", ".join(map(str, found))


def _markdown(heading: str, table: Table) -> Iterator[str]:
    """Write a table, unless it is empty."""
    if not table.rows:
        return
    if heading:
        yield from (heading, "")
    yield from (f"{table.caption}:", "")
    numeric = [isinstance(cell, int) for cell in table.rows[0]]
    yield _line(table.head)
    yield _line(["---:" if each else "---" for each in numeric])
    yield from (_line(escaped(_cell(cell)) for cell in row) for row in table.rows)
    yield ""


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    return f"{cell:,}" if isinstance(cell, int) else cell


def escaped(text: str) -> str:
    """The text on one line, with nothing in it that Markdown takes for more than text."""
    return _MARKUP.sub(r"\\\1", visible(text))
