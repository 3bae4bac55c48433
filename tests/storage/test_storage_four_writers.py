"""Four crawls write to one database at once: it ends as if one process had written the pages.

Four processes write to SQLite and four to PostgreSQL, the same pages at the same time. One process
writes them to another SQLite file, in the order in which they were received. All begin a round of
pages (`overlapping_pages`) together, and the next one when the four have ended it: the pages of a
round are committed in any order, those of the next round after them. `TIKTOK_TEST_SECONDS` says for
how long the marathon does so.

Compared are all rows of all tables, where ids that a database gives are replaced by what they stand
for, but for

- `database_origin`, which says when a database was made, and `api_quota`, which is counted;
- rows of `video_revision` for contested videos. A page that comes late replaces nothing, so which
  values are replaced depends on which page is committed first. But what the rows say is true: each
  value was the video's until the page came that is named, and what a video had at the end of each
  round is what the round's last page said.

For the other rows of contested videos to be the same in any order, their records have all fields,
and no two are equal. A page that says what is stored already writes nothing, not even that it was
so once more; a page from before would then be taken for news. Relayed videos, which have any
records, are therefore committed in the order in which they were received: one crawl has them in a
round.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, pairwise
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from archived import content
from marathon import first
from overlapping_pages import CRAWLS, is_contested, pages_of_round
from postgres_server import temporary_database
from sqlalchemy import create_engine
from stored_pages import rows

if TYPE_CHECKING:
    from overlapping_pages import OverlappingPage, Record

    History = list[tuple[datetime, Any]]

pytestmark = pytest.mark.slow

SECONDS = (3.0, float(os.environ.get("TIKTOK_TEST_SECONDS", "60")))
"""In the ordinary run, and in the marathon."""

ONE_BY_ONE = "one by one"
"""The database that one process writes to."""

NEVER = datetime.max.replace(tzinfo=UTC)

REVISED = (
    *("username", "video_description", "region_code", "music_id", "video_duration"),
    *("is_stem_verified", "video_label", "video_mention_list", "hashtag_names", "effect_ids"),
    "extra_data.novelty",
)


class Writer:
    """A process that writes the pages of some crawls, round by round."""

    def __init__(self, url: str, *crawls: int) -> None:
        folder = Path(__file__).parent
        self._process = subprocess.Popen(
            [sys.executable, folder / "crawls_side_by_side.py", url, *map(str, crawls)],
            env=os.environ | {"PYTHONPATH": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.new_counts: list[int] = []

    def begin(self, round_: int) -> None:
        self._process.stdin.write(f"{round_}\n")
        self._process.stdin.flush()

    def end(self) -> bool:
        """Wait until it is ready, or a round's pages are saved; whether that is so."""
        line = self._process.stdout.readline()
        self.new_counts += [int(line)] if line else []
        return bool(line)

    def finish(self) -> tuple[int, str]:
        """End the process after the rounds that it has begun; its status and its errors."""
        output, errors = self._process.communicate()
        self.new_counts += map(int, output.split())
        return self._process.returncode, errors


def have_ended(writers: list[Writer]) -> bool:
    ended = [writer.end() for writer in writers]
    return all(ended)


@dataclass
class Written:
    """The databases, with the processes that wrote to them, and how many rounds they wrote."""

    urls: dict[str, str]
    writers: dict[str, list[Writer]]
    rounds: int = 0
    ends: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def write(self, seconds: float) -> None:
        together = [w for name, each in self.writers.items() if name != ONE_BY_ONE for w in each]
        (alone,) = self.writers[ONE_BY_ONE]
        going = have_ended([*together, alone])
        until = time.monotonic() + seconds
        while going and time.monotonic() < until:
            for writer in (*together, alone):
                writer.begin(self.rounds)
            # It is one round behind: nobody has to wait for it, nor it for the others.
            going = have_ended([*together, alone] if self.rounds else together)
            self.rounds += 1
        for name, writers in self.writers.items():
            self.ends[name] = [writer.finish() for writer in writers]

    def new_count(self, name: str) -> int:
        return sum(sum(writer.new_counts) for writer in self.writers[name])


@pytest.fixture(scope="module", params=first(1, SECONDS))
def written(request, sqlite_template, postgres_url, postgresql_template, tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    with ExitStack() as stack:
        on_server = temporary_database(postgres_url, f"TEMPLATE {postgresql_template}")
        urls = {"postgresql": stack.enter_context(on_server)}
        for name in ("sqlite", ONE_BY_ONE):
            shutil.copy(sqlite_template, folder / f"{name}.db")
            urls[name] = f"sqlite:///{folder / name}.db"
        writers = {
            name: [Writer(url, *CRAWLS)] if name == ONE_BY_ONE else [Writer(url, n) for n in CRAWLS]
            for name, url in urls.items()
        }
        written = Written(urls, writers)
        written.write(request.param)
        yield written


@pytest.fixture(scope="module")
def pages(written):
    """The pages that were written, by round."""
    return [list(pages_of_round(round_)) for round_ in range(written.rounds)]


@pytest.fixture(scope="module")
def expected(written):
    """What the database holds that one process wrote to."""
    return content(written.urls[ONE_BY_ONE])


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def found(written, kind):
    return content(written.urls[kind])


def test_no_writer_meets_an_error_even_one_that_is_tried_again(written, kind):
    assert written.ends[kind] == [(0, "")] * len(CRAWLS)
    assert written.ends[ONE_BY_ONE] == [(0, "")]


def test_each_page_is_there_and_each_video_was_new_to_one_page(written, kind, pages, found):
    received = list(chain.from_iterable(pages))
    videos = {record["id"] for page in received for record in page.records}

    times = [page.received_at for page in received]
    assert sorted(row["crawl_started_at"] for row in found["crawl"]) == times
    assert {row["id"] for row in found["video"]} == videos
    assert written.new_count(kind) == len(videos)


def test_each_request_is_counted(written, kind, pages):
    engine = create_engine(written.urls[kind])
    requests = [row["requests"] for row in rows(engine, "api_quota")]
    engine.dispose()

    assert sum(requests) == sum(map(len, pages))


def test_four_writers_leave_what_one_leaves(expected, found):
    assert found.keys() == expected.keys()
    for table in found:
        assert all_but_contested_revisions(found, table) == all_but_contested_revisions(
            expected, table
        ), table
    filled = {table for table, rows in found.items() if rows}
    assert filled >= {table for table in found if "video" in table} - {
        "user_video",
        "playlist_video",
    }
    assert filled >= {"crawl", "crawl_window", "effect", "hashtag", "query", "query_tag"}


def all_but_contested_revisions(tables, name):
    if name != "video_revision":
        return tables[name]
    return [row for row in tables[name] if not is_contested(row["video_id"])]


def test_what_is_kept_of_replaced_values_is_true(pages, found):
    said = said_of_contested(pages)
    kept = defaultdict(list)
    for row in found["video_revision"]:
        kept[row["video_id"], row["field"]].append((row["until"], row["old_value"]))
        assert row["crawl_id"][-1] == row["until"], "it names the page that was received then"

    assert any(kept[key] for key in said), "there is something to check"
    for key, rounds in said.items():
        check_history(rounds, sorted(kept[key], key=itemgetter(0)))


def said_of_contested(pages: list[list[OverlappingPage]]) -> dict[tuple[int, str], list[History]]:
    """What pages said of each contested video and field, by the rounds that it was met in."""
    said: dict[tuple[int, str], list[History]] = defaultdict(list)
    for of_round in pages:
        in_round: dict[tuple[int, str], History] = defaultdict(list)
        for page in of_round:
            for record in filter(is_contested_record, page.records):
                for name in REVISED:
                    in_round[record["id"], name].append((page.received_at, as_kept(record, name)))
        for key, history in in_round.items():
            said[key].append(history)
    return said


def is_contested_record(record: Record) -> bool:
    return is_contested(record["id"])


def as_kept(record: Record, name: str) -> Any:
    """A value as `video_revision` has it."""
    value = record[name.removeprefix("extra_data.")]
    return sorted(set(value)) if name in ("hashtag_names", "effect_ids") else value


def check_history(rounds: list[History], kept: History) -> None:
    """What was kept leads from a page's value to the last one, through that of each round's end.

    What replaced a value is the next one that is kept, or the last one that a page said.
    """
    said = dict(chain.from_iterable(rounds))
    replaced = [*kept, (NEVER, rounds[-1][-1][1])]
    first_until, first = replaced[0]
    assert first in [value for received_at, value in said.items() if received_at < first_until]
    for (until, _), (_, next_replaced) in pairwise(replaced):
        assert next_replaced == said[until]
    for history in rounds:
        ended_at, last = history[-1]
        assert next(value for until, value in replaced if until > ended_at) == last
