"""Says what of a database needs a person, and what to do next. Pure.

Queries and lists are named by number and tags, never by values: digests go to mail and chats.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from os import EX_CONFIG, EX_NOPERM, EX_SOFTWARE
from typing import TYPE_CHECKING

from tiktok_crawler.planning.days import DayState
from tiktok_crawler.query_file.each_value import NAMES
from tiktok_crawler.spelling import number_of, shortened, visible
from tiktok_crawler.storage.ledger.status import OLDEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from tiktok_crawler.attention.disks import Disk
    from tiktok_crawler.storage.ledger.existence import HeldCheck
    from tiktok_crawler.storage.ledger.list_status import ListStatus
    from tiktok_crawler.storage.ledger.queries import UsedQuery
    from tiktok_crawler.storage.ledger.runs import PastRun
    from tiktok_crawler.storage.ledger.status import QueryStatus, Status

LATE = timedelta(hours=36)
"""A night that did not come; also how long a run that broke is told, unless it comes again."""

NIGHTS_BEFORE, LEAST_NIGHTS = {1, 2, 3, 4}, 3
"""Runs are regular if they came on so many of these days before the last one."""

PARKED_LONG = timedelta(days=7)

CHECKS_TAKE = timedelta(days=2)
"""The API works on checks for a while, and a later run fetches what they say."""

LOW_SHARE, LOW_BYTES = 0.05, 10**9
"""A disk is nearly full with less of both."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something that needs a person.

    `key` stays the same for as long as it lasts, whatever the `text` says meanwhile.
    """

    key: str
    text: str


def needs_a_person(status: Status, disks: Iterable[Disk] = ()) -> tuple[Need, ...]:
    """Find what needs a person, in the order in which to look at it; nothing when all is well."""
    return tuple(
        chain(
            _unused(status),
            _credentials(status),
            _broken_runs(status),
            _late_run(status),
            _full_disks(disks),
            chain.from_iterable(_of_query(query, status.at) for query in status.queries),
            chain.from_iterable(_of_list(found, status.at) for found in status.lists),
            _stale(status),
            _overdue_checks(status),
            _held_checks(status),
        )
    )


def held(check: HeldCheck) -> str:
    """Say about which check a person has to decide, and how."""
    records = number_of(check.records, f"{check.kind}s")
    return (
        f"check {check.id}, {records}: {visible(check.reason)}. That may be a fault of the API: "
        "nothing is marked or deleted until a person says that it is true (scrapy gone --confirm "
        f"{check.id}) or not (scrapy gone --reject {check.id})"
    )


def _unused(status: Status) -> Iterator[Need]:
    if status.origin is None:
        yield Need(
            "unused",
            "no crawl has used this database yet: give the settings of the crawl, such as "
            "TIKTOK_DATABASE_URL, or start one",
        )


def _credentials(status: Status) -> Iterator[Need]:
    ended = next((run for run in status.recent_runs if run.ended_at), None)
    if ended and ended.exit_status == EX_NOPERM:
        yield Need(
            "credentials",
            f"TikTok refused the credentials of {_run(ended)}: check secrets.yaml, and the state "
            "of the project at developers.tiktok.com",
        )


def _broken_runs(status: Status) -> Iterator[Need]:
    """Look at the last run of each kind: one that goes well excuses no other."""
    told = set()
    for run in status.recent_runs:
        is_last = run is status.recent_runs[0] or status.at - run.begun_at <= LATE
        if run.kind not in told and is_last and run.exit_status in WHAT_TO_DO:
            yield Need(
                f"run:{run.exit_status}:{run.kind}",
                f"{_run(run)} ended with exit status {run.exit_status} "
                f"({shortened(str(run.close_reason))}): {WHAT_TO_DO[run.exit_status]}",
            )
        told.add(run.kind)


WHAT_TO_DO = {
    EX_SOFTWARE: "read the last ERROR of its log, mend the cause, and run it again",
    EX_CONFIG: "read the last lines of its log, and correct the query file or the setting",
}


def _run(run: PastRun) -> str:
    return f"the crawl of {shortened(run.spider)} begun {_minute(run.begun_at)}"


def _late_run(status: Status) -> Iterator[Need]:
    if not status.recent_runs:
        return
    last, *earlier = status.recent_runs
    if not _is_late(last, status) or not _are_regular(last, earlier):
        return
    if last.ended_at is None:
        yield Need(
            "late",
            f"the last run, begun {_minute(last.begun_at)}, has no end, and has sent nothing "
            "today: it was killed, or hangs. Look at its log, and run it again",
        )
        return
    yield Need(
        "late",
        f"no run has come since {_minute(last.ended_at)}, though they came every night: look at "
        "what starts them (cron, the timer, Scrapyd), and whether that machine is on",
    )


def _is_late(last: PastRun, status: Status) -> bool:
    """Tell whether the last run is too long ago; one that still sends is none of the past."""
    is_at_work = last.ended_at is None and any(spent.requests for spent in status.spent)
    return not is_at_work and status.at - (last.ended_at or last.begun_at) > LATE


def _are_regular(last: PastRun, earlier: Iterable[PastRun]) -> bool:
    ages = {(last.begun_at.date() - run.begun_at.date()).days for run in earlier}
    return len(ages & NIGHTS_BEFORE) >= LEAST_NIGHTS


def _full_disks(disks: Iterable[Disk]) -> Iterator[Need]:
    for disk in disks:
        if disk.free < LOW_BYTES and disk.free < disk.total * LOW_SHARE:
            yield Need(
                f"disk:{disk.what}",
                f"the disk of {disk.what} is nearly full: {disk.free / 10**6:,.0f} MB are free. "
                "Make room, or move it; a crawl that cannot store ends",
            )


def _of_query(query: QueryStatus, now: datetime) -> Iterator[Need]:
    used, days = query.used, query.days
    searched = len(days.in_state(DayState.COVERED, DayState.SAMPLED, DayState.DUE))
    if used.query.asks_for_nobody:
        return
    if not query.totals.videos and _is_half(searched, len(days.by_day)):
        yield Need(
            f"empty:{used.query_id}",
            f"{_query(used)} has brought no video, though most of its days were searched: scrapy "
            "status says what may be wrong",
        )
    parked = [w for w in query.parked_windows if now - (w.opened_at or w.updated_at) > PARKED_LONG]
    if parked:
        count = len({day for window in parked for day in window.days})
        first = min(window.opened_at or window.updated_at for window in parked)
        yield Need(
            f"parked:{used.query_id}",
            f"{_query(used)}: {number_of(count, 'days')} could not be collected since "
            f"{first:%Y-%m-%d}: scrapy status has the reason, and the log_id that TikTok's "
            "support asks for",
        )
    every, oldest = used.refreshing.again_within, query.oldest_search_at
    if every and oldest and now - oldest > every:
        yield Need(
            f"refresh:{used.query_id}",
            f"{_query(used)}: days last searched on {oldest:%Y-%m-%d} are overdue "
            f"(keep_fresh: {used.refreshing.keep_fresh}): run the crawl each night; scrapy plan "
            "says whether the quota carries it",
        )


def _is_half(searched: int, wanted: int) -> bool:
    return searched > 0 and searched * 2 >= wanted


def _query(used: UsedQuery) -> str:
    return f"query {used.query_id}{_tagged(used.tags)}"


def _tagged(tags: tuple[str, ...]) -> str:
    return f" (tags {shortened(', '.join(tags))})" if tags else ""


def _of_list(found: ListStatus, now: datetime) -> Iterator[Need]:
    name = f"the list of {number_of(len(found.each.values), NAMES[found.each.field])}"
    name += _tagged(found.tags)
    wanted, missing = sum(map(len, found.days)), sum(map(len, found.missing))
    if not found.totals.videos and _is_half(wanted - missing, wanted):
        yield Need(
            f"empty-list:{found.template}",
            f"{name} has brought no video, though most of its days were searched: look at how the "
            "values are spelled, and at the rest of the query file",
        )
    refused = [value for value in found.refused if now - value.refused_at > PARKED_LONG]
    if refused:
        yield Need(
            f"refused:{found.template}",
            f"{name}: the API has refused {number_of(len(refused), 'values')} for more than a "
            "week: scrapy status names them, with its words; correct the list",
        )
    if found.overdue:
        yield Need(
            f"refresh-list:{found.template}",
            f"{name}: days of {number_of(found.overdue, 'values')} are overdue (keep_fresh: "
            f"{found.refreshing.keep_fresh}): run the crawl each night; scrapy plan says whether "
            "the quota carries it",
        )


def _stale(status: Status) -> Iterator[Need]:
    if status.is_stale:
        yield Need(
            "stale",
            f"some data are of {status.oldest_search_at:%Y-%m-%d}, more than {OLDEST.days} days "
            "old, and nothing refreshes them: write keep_fresh: 15 days into the query files",
        )


def _overdue_checks(status: Status) -> Iterator[Need]:
    """Look whether it is found out what is still there as often as the query files say."""
    kept = [(query.used.refreshing, query.totals.videos) for query in status.queries]
    kept += [(found.refreshing, found.totals.videos) for found in status.lists]
    keeping = (keys.keep_fresh for keys, videos in kept if videos)
    every = min((keep.every for keep in keeping if keep and not keep.counters), default=None)
    if every is None or status.existence is None:
        return
    known_at = (status.oldest_search_at, status.existence.last_check_at)
    last = max(filter(None, known_at), default=None)
    if last and status.at - last - CHECKS_TAKE > every:
        yield Need(
            "checks",
            f"what still exists was last found out on {last:%Y-%m-%d}, and is overdue: run the "
            "crawl each night; its log says what keeps checks from ending",
        )


def _held_checks(status: Status) -> Iterator[Need]:
    if status.existence:
        for check in status.existence.held:
            yield Need(f"held:{check.id}", held(check))


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
