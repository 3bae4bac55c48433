"""Lists that change: requests for 400 accounts, for 12 more, for a bad one; planning of 100,000.

Requests are counted by a sandbox in which every search has less than a page of videos: the least
possible is one for each 31 days of each ten accounts.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from math import ceil
from pathlib import Path
from time import perf_counter

from measured import answers, crawl_command, machine, print_table, run, served_sandbox
from requests_spent import NO_DELAYS
from sqlalchemy import insert

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.coverage import Freshness
from tiktok_crawler.planning.value_batches import WantedValues
from tiktok_crawler.query_file.collection import Collection
from tiktok_crawler.query_file.each_value import Each
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.query import Field, Query
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.models.ledger import CrawlWindow, QueryRow, ValueBatchRow
from tiktok_crawler.storage.value_lists import look_up_list

ACCOUNTS, ADDED, BATCH = 400, 12, 10
START, DAYS = date(2024, 1, 1), 90
WINDOW_DAYS = 31
BAD = "account0123"
MOST_FAILING = 5

VALUES, YEAR = 100_000, DateRange(date(2024, 1, 1), date(2024, 12, 30))
MOST_SECONDS, MOST_MEGABYTES = 10, 300
SEARCHED_AT = datetime(2025, 3, 1, tzinfo=UTC)
NOW = SEARCHED_AT + timedelta(days=30)
COLLECTION = Collection(
    Query(), YEAR, "", "", each=Each(Field.USERNAME, tuple(f"u{n:06}" for n in range(VALUES)))
)
WANTED = WantedValues(
    COLLECTION.each or Each(Field.USERNAME, ()),
    YEAR,
    Freshness(timedelta(days=2)),
    fields=VIDEO_QUERY.fields,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", metavar="DATABASE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.plan:
        print(json.dumps(planned(options.plan)))
        return
    print(f"{machine()}\n")
    with tempfile.TemporaryDirectory() as name:
        print_table(["requests", "least possible", "spent", "met"], *crawled(Path(name)))
        print()
        print_table(
            ["planning 100,000 accounts over 365 days", "seconds", "MB", "met"], *times(name)
        )


def crawled(folder: Path) -> list[list[str]]:
    windows = ceil(DAYS / WINDOW_DAYS)
    first = spent(folder, ACCOUNTS, "good.db")
    again = spent(folder, ACCOUNTS + ADDED, "good.db")
    bad = spent(folder, BATCH, "bad.db", bad=f"account{BATCH // 2:04}")
    rows = [
        [f"{ACCOUNTS} accounts over {DAYS} days", ceil(ACCOUNTS / BATCH) * windows, first[0]],
        [f"after {ADDED} more were added", ceil(ADDED / BATCH) * windows, again[0]],
    ]
    met = [[*map(str, row), "yes" if row[1] == row[2] else "NO"] for row in rows]
    failing = "yes" if bad[1] <= MOST_FAILING else "NO"
    return [
        *met,
        [f"one bad among {BATCH}: failing", f"{MOST_FAILING} at most", f"{bad[1]}", failing],
    ]


def spent(folder: Path, count: int, name: str, *, bad: str = "") -> tuple[int, int]:
    """The requests of a run, and those among them that the sandbox has refused."""
    values = [f"account{number:04}" for number in range(count)]
    dates = {"start_date": f"{START}", "end_date": f"{START + timedelta(days=DAYS - 1)}"}
    query = folder / "list.yaml"
    query.write_text(json.dumps(dates | {"each": {"usernames": values}}))
    profile = folder / "profile.yaml"
    profile.write_text(json.dumps({"searches": {"refused_values": [bad] if bad else []}}))
    with served_sandbox(folder, f"--profile={profile}") as url:
        run(crawl_command(query, folder / name, url, **NO_DELAYS), folder)
        counts = answers(url)
    return sum(counts.values()), counts.get(400, 0)


def times(folder: str) -> list[list[str]]:
    return [
        plan_of(f"sqlite:///{folder}/none.db", "new"),
        plan_of(filled(f"sqlite:///{folder}/half.db", VALUES // 2), "half of them collected"),
        plan_of(filled(f"sqlite:///{folder}/all.db", VALUES), "all of them collected"),
    ]


def plan_of(url: str, name: str) -> list[str]:
    command = [sys.executable, __file__, "--plan", url]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds, megabytes = json.loads(output)
    is_met = seconds <= MOST_SECONDS and megabytes <= MOST_MEGABYTES
    return [name, f"{seconds:.1f}", f"{megabytes:.0f}", "yes" if is_met else "NO"]


def planned(url: str) -> tuple[float, float]:
    """The time that planning takes, reading included, and the most memory of the process."""
    begun = perf_counter()
    look_up_list(url, "sandbox", COLLECTION, WANTED, NOW)
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return perf_counter() - begun, kilobytes / 1024


def filled(url: str, count: int) -> str:
    """A database in which so many of the accounts were collected, in windows of 31 days."""
    assert COLLECTION.each
    engine = database.create_engine_for(database.database_url(url))
    database.prepare(engine, "sandbox")
    at = {"first_used_at": SEARCHED_AT, "last_used_at": SEARCHED_AT}
    for_windows = {"created_at": SEARCHED_AT, "updated_at": SEARCHED_AT, "begun_at": SEARCHED_AT}
    starts = range(0, len(YEAR), WINDOW_DAYS)
    with engine.begin() as connection:
        for number in range(count // BATCH):
            some = COLLECTION.for_values(COLLECTION.each.values[number * BATCH :][:BATCH])
            query = {"id": number + 1, "canonical_json": some.query.canonical()}
            of_query = insert(QueryRow).values(query | at | {"fingerprint": some.query.fingerprint})
            connection.execute(of_query)
            assert some.batch
            of_batch = {"query_id": number + 1, "template": some.batch.template}
            field = {"field_name": some.batch.field.value}
            rows = [of_batch | field | {"value": value} for value in some.batch.values]
            connection.execute(insert(ValueBatchRow), rows)
            of_all = {"query_id": number + 1, "state": "complete", "requests": 1, "pages": 1}
            windows = [
                {
                    "start_date": YEAR.start + timedelta(days=start),
                    "end_date": min(YEAR.start + timedelta(days=start + 30), YEAR.end),
                    "fields": list(VIDEO_QUERY.fields),
                    **(of_all | for_windows),
                }
                for start in starts
            ]
            connection.execute(insert(CrawlWindow), windows)
    engine.dispose()
    return url


if __name__ == "__main__":
    main()
