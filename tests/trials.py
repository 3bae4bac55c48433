"""Trials: crawls of a small query under faults, and what has to be true of their database.

What is asked for are 9 days with 28 videos each, which is enough for several pages and windows.
"""

from __future__ import annotations

import json
import logging
import socket
from collections import defaultdict
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from crawling import CrawlFolder, exit_status, project_settings
from sqlalchemy import create_engine, select, text, update

from tiktok_crawler.clock import utc_now
from tiktok_crawler.commands import status as status_command
from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.task_states import WindowState
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.sandbox import Sandbox
from tiktok_crawler.sandbox.faults.profile import DataBehaviour, Profile
from tiktok_crawler.sandbox.server import start
from tiktok_crawler.storage.models.ledger import Crawl, CrawlWindow, WindowDay
from tiktok_crawler.storage.models.records import (
    VIDEOS_TO_EFFECT_IDS,
    VIDEOS_TO_HASHTAGS,
    Effect,
    Hashtag,
    Video,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator
    from pathlib import Path

    from scrapy.crawler import Crawler
    from sqlalchemy import Connection, Select

    from tiktok_crawler.sandbox.protocol.answers import SandboxAnswer
    from tiktok_crawler.sandbox.protocol.calls import Call

CRAWL, WINDOW, DAY = Crawl.__table__, CrawlWindow.__table__, WindowDay.__table__
MONTH = timedelta(days=30)

VIDEOS_PER_DAY = 28
WANTED = DateRange(date(2024, 1, 1), date(2024, 1, 9))
QUERY = {"and": [{"operation": "GTE", "field_name": "view_count", "field_values": ["0"]}]}
QUERY_FILE = f"start_date: {WANTED.start}\nend_date: {WANTED.end}\nquery: {json.dumps(QUERY)}\n"

PAGES = len(WANTED) + 3
TRIES_OF_A_PAGE = 1 + 5 + 6 + 2
SEARCHES_OF_A_WINDOW = 3
MOST_REQUESTS = PAGES * TRIES_OF_A_PAGE * SEARCHES_OF_A_WINDOW
"""No run may need more: every day alone, every try that the settings allow, every search lost."""

LONGEST_SECONDS = 60
QUICK = {
    "TIKTOK_RATE_LIMIT_DELAY": 0.0000001,  # it doubles many times
    "TIKTOK_PROBE_INTERVAL": 0.01,
    "TIKTOK_PROBE_TIMES": 3,
    "TIKTOK_QUOTA_POLICY": "stop",
    "TIKTOK_QUOTA_INTERVAL": 0.01,
    "CLOSESPIDER_TIMEOUT": LONGEST_SECONDS,
    "DOWNLOAD_MAXSIZE": 2**22,  # to unpack more takes long
}
ORDERLY_STATUSES = {0, 75, 77, 78}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A search request and its answer; `page` is the answer's data, if the answer is a page."""

    window: tuple[str, str]
    cursor: int
    log_id: str
    page: dict[str, Any] | None
    query: str = ""

    @classmethod
    def of(cls, body: dict[str, Any], answer: SandboxAnswer) -> Exchange:
        window = (body["start_date"], body["end_date"])
        envelope = read_json(answer.body) if answer.status == 200 else {}
        error, data = envelope.get("error") or {}, envelope.get("data") or {}
        is_page = error.get("code") == "ok" and isinstance(data.get("has_more"), bool)
        page = data if is_page and lists_are_lists(data, ("videos",)) else None
        query = json.dumps(body["query"], sort_keys=True)
        return cls(window, body.get("cursor", 0), error.get("log_id", ""), page, query)

    @property
    def task(self) -> tuple[str, ...]:
        """What it is a page of."""
        return (self.query, *self.window)

    @property
    def moves_on(self) -> bool:
        """Whether nobody has a reason to ask for this page again."""
        if self.page is None:
            return False
        return not self.page["has_more"] or self.page.get("cursor", 10**9) > self.cursor


class WatchedSandbox(Sandbox):
    """Remembers what it was asked and what it answered."""

    def __init__(
        self,
        profile: Profile,
        *,
        videos_per_day: int = VIDEOS_PER_DAY,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__(videos_per_day=videos_per_day, profile=profile, daily_quota=None, now=now)
        self.exchanges: list[Exchange] = []

    def answer(self, call: Call) -> SandboxAnswer:
        answer = super().answer(call)
        if call.path == VIDEO_QUERY.path:
            self.exchanges.append(Exchange.of(call.document(), answer))
        return answer


@dataclass(frozen=True)
class Trial:
    """What a sandbox does to a crawl, and how the crawl is set up."""

    profile: Profile
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass
class Run:
    """How one crawl of a trial ended."""

    crawler: Crawler
    exchanges: list[Exchange]
    problems: list[str]

    @property
    def exit_status(self) -> int:
        return exit_status(self.crawler)


class TrialFolder(CrawlFolder):
    """A user's folder for the query of all trials."""

    def __init__(self, path: Path, database_url: str = "") -> None:
        super().__init__(path, database_url)
        self.query_file.write_text(QUERY_FILE)

    async def run(self, sandbox: WatchedSandbox, trial: Trial, **arguments: str) -> Run:
        """One crawl, and what has to be true after any crawl."""
        before = len(sandbox.exchanges)
        async with served(sandbox) as url:
            settings = QUICK | {"TIKTOK_SANDBOX": True, "TIKTOK_SANDBOX_URL": url} | trial.settings
            arguments["max_requests"] = str(MOST_REQUESTS)
            with logged_problems() as problems:
                crawler = await self.crawl(url, settings, **arguments)
        return Run(crawler, sandbox.exchanges[before:], problems)

    def status(self) -> dict[str, Any]:
        """What `scrapy status --json` says of the query."""
        settings = project_settings(TIKTOK_DATABASE_URL=self.database_url)
        report = json.loads(status_command._report(settings, as_json=True))
        return report["queries"][0] if report["queries"] else {}

    @contextmanager
    def database_rows(self) -> Iterator[Connection]:
        engine = create_engine(self.database_url)
        with engine.connect() as connection:
            yield connection
        engine.dispose()

    def let_time_pass(self) -> None:
        """All that was done was done a month ago, and nothing has to wait any longer."""
        times = {
            CRAWL: [CRAWL.c.received_at],
            WINDOW: [each for each in WINDOW.c if each.name.endswith("_at")],
        }
        with self.database_rows() as connection:
            for table, columns in times.items():
                for row in connection.execute(select(table.c.id, *columns)).mappings().all():
                    earlier = {each: row[each] - MONTH for each in columns if row[each]}
                    connection.execute(update(table).where(table.c.id == row["id"]).values(earlier))
            connection.commit()


@asynccontextmanager
async def served(sandbox: Sandbox) -> AsyncIterator[str]:
    """Serve the sandbox in the running loop; its URL."""
    listening = socket.create_server(("127.0.0.1", 0))
    runner = await start(sandbox, listening)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        await runner.cleanup()


@contextmanager
def logged_problems() -> Iterator[list[str]]:
    """The log lines with tracebacks: a fault of the API never has one."""
    problems: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info:
                problems.append(f"{record.name}: {record.getMessage()}: {record.exc_info[1]!r}")

    handler = Handler()
    logging.getLogger().addHandler(handler)
    try:
        yield problems
    finally:
        logging.getLogger().removeHandler(handler)


async def try_out(trial: Trial, path: Path, *, runs: int = 3) -> list[Run]:
    """Crawl under faults until all is there; if it is not after so many runs, then without faults.

    After each run the database is honest, and after the last one it equals the truth.
    """
    folder, sandbox = TrialFolder(path), WatchedSandbox(trial.profile)
    done: list[Run] = []
    while len(done) < runs and (not done or done[-1].exit_status):
        done.append(await folder.run(sandbox, trial))
        check_run(done[-1])
        check_database(folder, trial, sandbox.exchanges, done[-1])
    assert asked_again(sandbox.exchanges) == []
    if done[-1].exit_status or not equals_truth(folder, trial):
        await _complete(folder, replace(trial, profile=without_faults(trial.profile)))
    return done


async def _complete(folder: TrialFolder, trial: Trial) -> None:
    """A run on a good day finds everything that is left."""
    folder.let_time_pass()
    sandbox = WatchedSandbox(trial.profile)
    run = await folder.run(sandbox, trial)
    check_run(run)
    assert run.exit_status == 0
    check_database(folder, trial, sandbox.exchanges, run)
    if suspicious_days(folder):
        folder.let_time_pass()
        again = await folder.run(sandbox, trial, refresh_after="7 days")
        assert again.exit_status == 0
    assert equals_truth(folder, trial)


def without_faults(profile: Profile) -> Profile:
    """The same videos on a good day."""
    return Profile(seed=profile.seed + 1, data=profile.data)


def check_run(run: Run) -> None:
    """It ended in order, by itself, and after a bounded number of requests."""
    assert run.problems == []
    reason = run.crawler.stats.get_value("finish_reason")
    assert reason not in {"closespider_timeout", "max_requests_reached"}, "it would never end"
    assert run.exit_status in ORDERLY_STATUSES, reason
    assert len(run.exchanges) <= MOST_REQUESTS


def check_database(folder: TrialFolder, trial: Trial, exchanges: list[Exchange], run: Run) -> None:
    """It has what was delivered, and is complete where it says so, and only there."""
    status = folder.status()
    covered = days_of(status.get("covered", []))
    assert (run.exit_status == 0) == (covered == set(WANTED))
    check_reasons(status)
    with folder.database_rows() as rows:
        pages = list(rows.scalars(text("SELECT log_id FROM crawl WHERE log_id IS NOT NULL")))
    assert len(pages) == len(set(pages)), "a page is stored twice"
    lost = [e for e in exchanges if e.page is not None and e.log_id not in pages]
    assert lost == []
    check_videos(folder, trial, covered)
    check_days(folder, trial, covered - suspicious_days(folder))


def check_days(folder: TrialFolder, trial: Trial, days: set[date]) -> None:
    """What it says to have come of each day is what the API has of it."""
    data = trial.profile.data
    counts, were_searched_once = counted_days(folder)
    truth = {day: len(videos) for day, videos in truth_of(data).items() if day in days}
    told = {day: counts[day]["videos"] for day in truth}
    assert sum(told.values()) == sum(truth.values())
    if not data.without_create_time:
        assert told == truth
    if days == set(WANTED) and were_searched_once:
        sums = [sum(count[name] for count in counts.values()) for name in ("withheld", "refused")]
        assert sum(told.values()) + sum(sums) == match_count(data)


def counted_days(folder: TrialFolder) -> tuple[dict[date, dict[str, int]], bool]:
    """What came of each day by its last search, and whether each was searched by one window alone.

    Where a day is searched once more, alone, the share of the withheld matches that it had in a
    wider window stays with that window's other days.
    """
    with folder.database_rows() as rows:
        counts = [dict(row._mapping) for row in rows.execute(last_counts())]
        states = set(rows.scalars(select(WINDOW.c.state)))
    found = {count["day"]: count for count in counts}
    return found, states == {WindowState.COMPLETE} and len(found) == len(counts)


def last_counts() -> Select[Any]:
    """Select what came of the days of each window, the windows that were searched last at last."""
    return (
        select(DAY)
        .join(WINDOW, WINDOW.c.id == DAY.c.crawl_window_id)
        .where(WINDOW.c.state == WindowState.COMPLETE)
        .where(DAY.c.day.between(WINDOW.c.start_date, WINDOW.c.end_date))
        .order_by(WINDOW.c.begun_at)
    )


def check_reasons(status: dict[str, Any]) -> None:
    """Every day that is not covered is named, and what was given up has its reason."""
    if not status:
        return
    missing = days_of(status["gaps"])
    assert missing == set(WANTED) - days_of(status["covered"])
    assert all(parked["reason"] for parked in status["parked"])
    never_asked_for = missing - days_of(status["open"]) - days_of(status["parked"])
    assert bool(status["next_run"]["new"]) == bool(never_asked_for)


def check_videos(folder: TrialFolder, trial: Trial, covered: set[date]) -> None:
    truth = truth_of(trial.profile.data)
    stored = stored_videos(folder)
    assert stored.items() <= everything_wanted(trial).items()
    for day in covered - suspicious_days(folder):
        assert truth[day].keys() <= stored.keys(), f"{day} is not complete"


def asked_again(exchanges: Iterable[Any]) -> list[Any]:
    """The requests for pages that their search or listing had delivered already.

    It may begin anew only when its last request was not answered with a page.
    """
    last: dict[tuple[str, ...], Any] = {}
    delivered: defaultdict[tuple[str, ...], set[int]] = defaultdict(set)
    repeated = []
    for exchange in exchanges:
        task, before = exchange.task, last.get(exchange.task)
        if exchange.cursor == 0:
            delivered[task] = {0} if before and before.moves_on else set()
        if exchange.cursor in delivered[task]:
            repeated.append(exchange)
        if exchange.moves_on:
            delivered[task].add(exchange.cursor)
        last[task] = exchange
    return repeated


def equals_truth(folder: TrialFolder, trial: Trial) -> bool:
    """Whether every video is stored, as it should be, and no other."""
    return stored_videos(folder) == everything_wanted(trial)


def suspicious_days(folder: TrialFolder) -> set[date]:
    """The days that were last covered by a window that may be empty by mistake."""
    windows = (
        select(WINDOW.c.start_date, WINDOW.c.end_date, WINDOW.c.suspicious)
        .where(WINDOW.c.state == WindowState.COMPLETE)
        .order_by(WINDOW.c.begun_at)
    )
    suspicious: dict[date, bool] = {}
    with folder.database_rows() as rows:
        for first, last, is_suspicious in rows.execute(windows):
            suspicious.update(dict.fromkeys(DateRange(first, last), is_suspicious))
    return {day for day, is_suspicious in suspicious.items() if is_suspicious}


@lru_cache
def truth_of(data: DataBehaviour) -> dict[date, dict[int, dict[str, Any]]]:
    """The rows that the videos of each day should have, by id."""
    sandbox = Sandbox(videos_per_day=VIDEOS_PER_DAY, profile=Profile(data=data))
    return {
        day: dict(
            expected_row(record) for record in sandbox.matches(QUERY, day, day) if "id" in record
        )
        for day in WANTED
    }


def everything_wanted(trial: Trial) -> dict[int, dict[str, Any]]:
    """The rows that all videos of the query should have, by id."""
    truth = truth_of(trial.profile.data)
    return {video_id: row for day in WANTED for video_id, row in truth[day].items()}


@lru_cache
def match_count(data: DataBehaviour) -> int:
    """How many matches the API counts on all days, those included that it does not deliver."""
    sandbox = Sandbox(videos_per_day=VIDEOS_PER_DAY, profile=Profile(data=data))
    return sandbox.match_count(QUERY, WANTED.start, WANTED.end)


def stored_videos(folder: TrialFolder) -> dict[int, dict[str, Any]]:
    """The rows of the videos by id."""
    with folder.database_rows() as connection:
        return videos_in(connection)


def videos_in(connection: Connection) -> dict[int, dict[str, Any]]:
    """What the API has said of the videos, by id, with the names of their hashtags and effects."""
    own = {"id", "crawled_at", "crawled_updated_at"}
    videos = {
        row.id: {k: v for k, v in row._mapping.items() if v is not None and k not in own}
        for row in connection.execute(select(Video.__table__))
    }
    names = {
        "hashtag_names": select(VIDEOS_TO_HASHTAGS.c.video_id, Hashtag.name).join(Hashtag),
        "effect_ids": select(VIDEOS_TO_EFFECT_IDS.c.video_id, Effect.effect_id).join(Effect),
    }
    for key, links in names.items():
        for video_id, name in connection.execute(links):
            videos[video_id].setdefault(key, set()).add(name)
    return videos


def expected_row(record: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    values = {key: value for key, value in storable(record).items() if value is not None}
    video_id = int(values.pop("id"))
    for key in {"music_id", "playlist_id"} & values.keys():
        values[key] = int(values[key])
    for key in ("hashtag_names", "effect_ids"):
        names = set(values.pop(key, ()))
        values |= {key: names} if names else {}
    if "create_time" in values:
        values["create_time"] = datetime.fromtimestamp(values["create_time"], UTC)
    values["region_code"] = values["region_code"].upper()
    known = {"hashtag_names", "effect_ids", *(column.name for column in Video.__table__.columns)}
    extra = {key: values.pop(key) for key in values.keys() - known}
    return video_id, values | ({"extra_data": extra} if extra else {})


def storable(value: Any) -> Any:
    """JSON without what no database takes."""
    if isinstance(value, str):
        return value.encode(errors="ignore").decode().replace("\0", "")
    if isinstance(value, list):
        return [storable(each) for each in value]
    if isinstance(value, dict):
        return {storable(key): storable(each) for key, each in value.items()}
    return value


def days_of(ranges: list[dict[str, str]]) -> set[date]:
    return {
        day
        for each in ranges
        for day in DateRange(date.fromisoformat(each["start"]), date.fromisoformat(each["end"]))
    }


def lists_are_lists(data: dict[str, Any], keys: Iterable[str]) -> bool:
    """Whether what stands under these keys is a list wherever it is there."""
    return all(isinstance(data.get(key), list | None) for key in keys)


def read_json(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
