"""The output of `scrapy status`: as text for people, and as JSON for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from tiktok_crawler.date_range import contiguous
from tiktok_crawler.planning.days import DayState
from tiktok_crawler.planning.quota import DAILY_QUOTAS
from tiktok_crawler.reports.checks_report import (
    existence_as_json,
    existence_lines,
    held_lines,
)
from tiktok_crawler.reports.dataset_tables import stored
from tiktok_crawler.reports.days_report import (
    day_lines,
    days_together,
    listed_ranges,
    range_as_json,
    ranges,
    ranges_as_json,
)
from tiktok_crawler.reports.keywords_report import keyword_lines
from tiktok_crawler.reports.list_report import list_as_json, list_lines
from tiktok_crawler.reports.listing_report import listing_as_json, listing_lines
from tiktok_crawler.reports.refreshing_report import in_words as refreshing_in_words
from tiktok_crawler.reports.removals_report import removal_lines, removals_as_json
from tiktok_crawler.reports.unseen_values import describe_unseen, unseen_as_json
from tiktok_crawler.reports.words import (
    FOR_NOBODY,
    PARKED,
    UNSETTLED,
    WINDOW,
    from_time,
    time_as_json,
)
from tiktok_crawler.research_api.wording import in_words
from tiktok_crawler.spelling import number_of, shortened, visible
from tiktok_crawler.storage.engine.lock import describe_holder
from tiktok_crawler.storage.ledger.status import OLDEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from tiktok_crawler.reports.days_report import Labelled
    from tiktok_crawler.storage.ledger.coverage import UnfinishedWindow
    from tiktok_crawler.storage.ledger.imports import Import
    from tiktok_crawler.storage.ledger.queries import Totals
    from tiktok_crawler.storage.ledger.quota import Spent
    from tiktok_crawler.storage.ledger.runs import PastRun
    from tiktok_crawler.storage.ledger.status import QueryStatus, Status
    from tiktok_crawler.storage.ledger.value_batches import ListTotals

CLIENT_DIGITS = 8
"""Of the 64 that a client key's hash has: enough to tell a few keys apart."""

USED_UP = "; used up, the API said"


def text(status: Status, daily_budget: int | None) -> str:
    """The status in words."""
    if status.origin is None:
        return f"{status.location}: no crawl has used it yet"
    return "\n".join(_lines(status, daily_budget))


def as_json(status: Status, daily_budget: int | None) -> dict[str, Any]:
    """The status as JSON; docs/operations.md says what the keys mean."""
    return {
        "database": status.location,
        "origin": status.origin,
        "at": time_as_json(status.at),
        "quota": {
            "day": status.at.date().isoformat(),
            "daily_budget": daily_budget,
            "spent": [_spent_as_json(spent) for spent in status.spent],
        },
        "freshness": _freshness_as_json(status),
        "last_run": _run_as_json(status.last_run) if status.last_run else None,
        "at_work": [
            {"name": each.name, "since": time_as_json(each.since)} for each in status.at_work
        ],
        "queries": [_query_as_json(query) for query in status.queries],
        "lists": [list_as_json(found) for found in status.lists],
        "listings": [listing_as_json(listing) for listing in status.listings],
        "imports": [_import_as_json(each) for each in status.imports],
        "existence": existence_as_json(status.existence) if status.existence else None,
        "removals": removals_as_json(status.removals),
        **(_files_as_json(status) if status.files else {}),
    }


def _freshness_as_json(status: Status) -> dict[str, Any]:
    """Return how old the oldest search is, and whether anything is done about that."""
    return {
        "oldest_search_at": time_as_json(status.oldest_search_at),
        "keeps_fresh": status.keeps_fresh,
        "is_stale": status.is_stale,
    }


def _files_as_json(status: Status) -> dict[str, Any]:
    """Return what all query files together have, and which have nothing yet."""
    return {
        "files": {file.name: file.fingerprint for file in status.files},
        "not_begun": _not_begun(status),
        "together": asdict(_together(status)),
    }


def _lines(status: Status, daily_budget: int | None) -> Iterator[str]:
    yield f"{status.location}, data from {visible(str(status.origin))}"
    yield from _quota(status, daily_budget)
    if status.last_run:
        yield _run(status.last_run)
    if status.at_work:
        holders = (describe_holder(each.name, each.since) for each in status.at_work)
        yield f"At work: {'; '.join(holders)}"
    yield from map(_import, status.imports)
    yield from removal_lines(status.removals)
    yield from _stale(status)
    for query in status.queries:
        yield ""
        yield from _query(query, status.at, status.files_of(query))
    for found in status.lists:
        yield ""
        yield from list_lines(found, status.at, status.files_of_list(found))
    if status.files:
        yield ""
        yield from _all_files(status)
    for listing in status.listings:
        yield ""
        yield from listing_lines(listing, status.at)
    if status.existence and status.existence.is_known:
        known = status.existence
        yield ""
        yield "What still exists"
        lines = (*existence_lines(known), *held_lines(known))
        yield from (f"  {label:10} {text}" for label, text in lines)


def _stale(status: Status) -> Iterator[str]:
    """Warn of data that nobody refreshes, and that are older than TikTok's terms allow."""
    if status.is_stale and status.oldest_search_at:
        yield (
            f"Warning: some data are of {status.oldest_search_at:%Y-%m-%d}, more than "
            f"{OLDEST.days} days old. TikTok's terms of January 2026 are said to ask for a refresh "
            "at least every 30 days, earlier ones for every 15: write keep_fresh: 15 days into "
            "the query files"
        )


def _import(import_: Import) -> str:
    """Tell of an import in a line."""
    end = "" if import_.ended_at else "; interrupted, or still running: import it again to go on"
    return (
        f"Imported: {visible(import_.file)} on {import_.begun_at:%Y-%m-%d %H:%M} UTC: "
        f"{stored(import_)}{end}"
    )


def _import_as_json(import_: Import) -> dict[str, Any]:
    """Return an import for programs."""
    return {
        "id": import_.id,
        "file": import_.file,
        "kind": import_.kind,
        "sha256": import_.sha256,
        "begun_at": time_as_json(import_.begun_at),
        "ended_at": time_as_json(import_.ended_at),
        "stored": import_.counts,
        "refused": import_.refused,
    }


def _run(run: PastRun) -> str:
    job = f", job {shortened(run.job)}" if run.job else ""
    begun = f"Last run: {shortened(run.spider)}{job}, begun {run.begun_at:%Y-%m-%d %H:%M} UTC"
    if run.ended_at is None:
        return f"{begun}: still running, or killed"
    return (
        f"{begun}, ended {run.ended_at:%Y-%m-%d %H:%M} UTC: {shortened(str(run.close_reason))}, "
        f"exit status {run.exit_status}, requests {run.requests:,}"
    )


def _quota(status: Status, daily_budget: int | None) -> Iterator[str]:
    day = f"{status.at:%Y-%m-%d} UTC"
    if not status.spent:
        yield f"Requests on {day}: none"
    for spent in status.spent:
        yield (
            f"Requests on {day}: {spent.requests:,} of {DAILY_QUOTAS[spent.pool]:,} "
            f"({spent.pool}, client key {visible(spent.client[:CLIENT_DIGITS])}...)"
            f"{USED_UP if spent.is_used_up else ''}"
        )
        if len(spent.parts) > 1:
            parts = (f"{shortened(part)} {requests:,}" for part, requests in spent.parts.items())
            yield f"  of these   {', '.join(parts)}"
        if spent.refreshes:
            yield f"  refreshing {spent.refreshes:,} of them"
    if daily_budget is not None:
        yield f"Daily budget: {daily_budget:,} (TIKTOK_DAILY_BUDGET)"


@dataclass(frozen=True, slots=True)
class _Together:
    """The sums of several queries; days and videos of two of them count twice."""

    wanted_days: int
    covered_days: int
    videos: int
    requests: int
    next_windows: int


def _together(status: Status) -> _Together:
    queries = status.queries
    totals: list[Totals | ListTotals] = [query.totals for query in queries]
    totals += [found.totals for found in status.lists]
    days = days_together(queries, status.lists)
    return _Together(
        wanted_days=days.wanted,
        covered_days=days.covered,
        videos=sum(each.videos for each in totals),
        requests=sum(each.requests for each in totals),
        next_windows=sum(query.next_windows for query in queries)
        + sum(found.is_due(status.at) for found in status.lists),
    )


def _all_files(status: Status) -> Iterator[str]:
    """Add up the query files, and name those that have nothing yet."""
    found = _together(status)
    yield (
        f"Together ({number_of(len(status.files), 'query files')}): {found.covered_days:,} of "
        f"{number_of(found.wanted_days, 'days')} covered, {number_of(found.videos, 'videos')}, "
        f"{number_of(found.requests, 'requests')} so far; next run: at least "
        f"{number_of(found.next_windows, 'requests')}"
    )
    if missing := _not_begun(status):
        yield f"Not begun: {', '.join(missing)}"


def _not_begun(status: Status) -> list[str]:
    begun = {query.used.query.fingerprint for query in status.queries}
    begun |= {found.template for found in status.lists}
    return [file.name for file in status.files if file.fingerprint not in begun]


def _query(query: QueryStatus, now: datetime, files: Iterable[str]) -> Iterator[str]:
    used, totals = query.used, query.totals
    named = f" ({', '.join(files)})" if files else ""
    yield f"Query {used.query_id}{named}"
    yield f"  {in_words(used.query)}"
    if used.tags:
        yield f"  tags       {visible(', '.join(used.tags))}"
    yield f"  wanted     {listed_ranges(used.days)} ({number_of(len(query.days.by_day), 'days')})"
    yield from (f"  {label:10} {text}" for label, text in day_lines(query.days, now))
    if query.days.unsettled:
        yield (
            f"  not final  {ranges(query.days.unsettled)}: {UNSETTLED}; collected once more when "
            "they have"
        )
    for line in dict.fromkeys(chain.from_iterable(map(keyword_lines, query.plans))):
        yield f"  keywords   {line}"
    if line := _kept_fresh(query):
        yield f"  kept fresh {line}"
    for line in describe_unseen(query.unseen):
        yield f"  unseen     {line}"
    yield from map(_open, query.open_windows)
    for label, line in parked_lines(query.parked_windows, now):
        yield f"  {label:10} {line}"
    yield f"  videos     {totals.videos:,}"
    yield f"  requests   {totals.requests:,} so far"
    yield f"  next run   {_next_run(query)}"


def _kept_fresh(query: QueryStatus) -> str:
    """Say what is refreshed, as the last run had it, and what of it is to be done now."""
    words = refreshing_in_words(query.used.refreshing)
    if words and query.to_refresh:
        windows = number_of(len(query.to_refresh), "windows")
        return f"{words}; now {listed_ranges(query.to_refresh)} ({windows})"
    return words


def _open(window: UnfinishedWindow) -> str:
    return (
        f"  open       {window.days}: {number_of(window.pages, 'pages')} with "
        f"{number_of(window.videos, 'records')} so far"
        f"{_down_to(window)}, last request {window.updated_at:%Y-%m-%d %H:%M} UTC"
    )


def _down_to(window: UnfinishedWindow) -> str:
    return f", down to {window.reached} and a part of that day" if window.reached else ""


def parked_lines(windows: Sequence[UnfinishedWindow], now: datetime) -> Iterator[Labelled]:
    """Tell why windows were parked, and when each is tried again; at first, what that means."""
    explained = f" ({PARKED})"
    for window in windows:
        again = f"; tried again {from_time(window.retry_at, now)}" if window.retry_at else ""
        since = f"{window.days} since {_since(window):%Y-%m-%d %H:%M} UTC{explained}{again}"
        log_id = visible(window.error_log_id or "none")
        yield "parked", f"{since}: {visible(window.error or 'no reason known')} (log_id {log_id})"
        explained = ""


def _since(window: UnfinishedWindow) -> datetime:
    return window.parked_at or window.updated_at


def _next_run(query: QueryStatus) -> str:
    if query.used.query.asks_for_nobody:
        return FOR_NOBODY
    if not query.next_windows:
        return "nothing is missing" if query.is_complete else "nothing is due"
    suspicious = f", {query.next_suspicious:,} suspicious" if query.next_suspicious else ""
    return (
        f"windows: {query.next_windows:,} ({query.next_open:,} open, {query.next_new:,} new, "
        f"{query.next_parked:,} parked{suspicious}), at least as many requests ({WINDOW})"
    )


def _spent_as_json(spent: Spent) -> dict[str, Any]:
    return {
        "pool": spent.pool,
        "client": spent.client[:CLIENT_DIGITS],
        "requests": spent.requests,
        "limit": DAILY_QUOTAS[spent.pool],
        "used_up": spent.is_used_up,
        "refreshes": spent.refreshes,
        "parts": dict(spent.parts),
    }


def _run_as_json(run: PastRun) -> dict[str, Any]:
    times = {"begun_at": time_as_json(run.begun_at), "ended_at": time_as_json(run.ended_at)}
    return {name: value for name, value in (asdict(run) | times).items() if name != "kind"}


def _query_as_json(query: QueryStatus) -> dict[str, Any]:
    days, found = query.days, query.days.found
    return {
        "id": query.used.query_id,
        "fingerprint": query.used.query.fingerprint,
        "query": query.used.query.to_json(),
        "text": in_words(query.used.query),
        "keywords": _keywords_as_json(query),
        "tags": list(query.used.tags),
        "wanted": ranges_as_json(query.used.days),
        "wanted_days": len(days.by_day),
        "covered": _days_as_json(days.covered),
        "covered_days": len(days.covered),
        "sampled_days": len(days.in_state(DayState.SAMPLED)),
        "coverage_percent": days.percent,
        "is_complete": query.is_complete,
        "gaps": _days_as_json(days.missing),
        "not_searched": _days_as_json(days.in_state(DayState.GAP)),
        "due_again": _days_as_json(days.in_state(DayState.DUE)),
        "not_final": _days_as_json(days.unsettled),
        "suspicious": _doubts_as_json(days.doubts),
        "delivered": found.videos,
        "withheld": None if query.used.query.sample else found.withheld,
        "undated": found.undated,
        "refused": found.refused,
        "repeated": found.repeated,
        "uncounted": _days_as_json(days.uncounted),
        "refreshing": query.used.refreshing.to_json() or None,
        "to_refresh": ranges_as_json(query.to_refresh),
        "oldest_search_at": time_as_json(query.oldest_search_at),
        **unseen_as_json(query.unseen),
        "open": [_open_as_json(window) for window in query.open_windows],
        "parked": [_parked_as_json(window) for window in query.parked_windows],
        "videos": query.totals.videos,
        "requests": query.totals.requests,
        "next_run": {
            "windows": query.next_windows,
            "open": query.next_open,
            "new": query.next_new,
            "parked": query.next_parked,
            "suspicious": query.next_suspicious,
        },
    }


def _keywords_as_json(query: QueryStatus) -> dict[str, str | None] | None:
    """The form in which keywords are sent, and the one that finds nothing, if there is a choice."""
    if not query.used.query.has_keyword_forms:
        return None
    forms = query.plans[0].keyword_forms
    return {"sent_as": forms.sent_as, "in_vain": forms.in_vain}


def _open_as_json(window: UnfinishedWindow) -> dict[str, Any]:
    return {
        **range_as_json(window.days),
        "pages": window.pages,
        "videos": window.videos,
        "reached": window.reached.isoformat() if window.reached else None,
        "last_request_at": time_as_json(window.updated_at),
    }


def _parked_as_json(window: UnfinishedWindow) -> dict[str, Any]:
    return {
        **range_as_json(window.days),
        "since": time_as_json(_since(window)),
        "due": time_as_json(window.retry_at),
        "reason": window.error,
        "log_id": window.error_log_id,
    }


def _doubts_as_json(doubts: Mapping[date, datetime | None]) -> list[dict[str, str | None]]:
    """Days by when they are searched once more; null: they were."""
    times = dict.fromkeys(doubts.values())
    found = [
        {
            **range_as_json(days),
            "again_at": time_as_json(again_at),
        }
        for again_at in times
        for days in contiguous(day for day, at in doubts.items() if at == again_at)
    ]
    return sorted(found, key=lambda each: each["start"] or "")


def _days_as_json(days: Iterable[date]) -> list[dict[str, str]]:
    return ranges_as_json(contiguous(days))
