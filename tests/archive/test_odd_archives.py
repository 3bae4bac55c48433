"""Archives of unknown origin: whatever a line says, it is done as a session would, or left out."""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import sqlite3
from collections import defaultdict
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from itertools import chain
from os import EX_CONFIG, EX_OK, EX_SOFTWARE
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from archived import archived_crawl
from crawling import CrawlFolder, project_settings
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from listing_crawls import ListingDatabase
from new_databases import new_database
from sandboxes import recording_sandbox
from scrapy.utils.defer import deferred_f_from_coro_f

from tiktok_crawler.archive.lines import START, dump_line, dump_start, read_line, read_start
from tiktok_crawler.archive.reader import MOST_NAMED, find_archives
from tiktok_crawler.archive.values import LineError
from tiktok_crawler.commands import plan, replay, status
from tiktok_crawler.date_range import DateRange
from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.sandbox import load_profile

QUERY = """
start_date: 2024-01-01
end_date: 2024-01-12
tags: [dairy, first]
include: {any_hashtags: [butter, cheese]}
also_collect: {users: {max_seeds: 2}, comments: {max_seeds: 2, max_per_video: 100}}
"""
PROFILE = """
description: Searches are lost, and wide ones fail.
searches: {refuse_new_ids: 1, fail_over_days: 7}
faults:
  - {fault: search_lost, of: later_pages, every: 3}
  - {fault: internal_error, every: 3}
"""

ODD = [
    *(float("inf"), float("-inf"), float("nan"), 1e300, 0.5, 2**70, 2**63, 2**63 - 1, -1, 0, 1, 7),
    *("", " ", "\ud800", "a\0b", "\x1b[2J", "x" * 100_000, "7", "sandbox", "comments", "EQ"),
    *([], [[]], [""], [None], {}, {"a": []}, None, True, False),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2024-06-01T00:00:00"),
    *("2024-06-01T00:00:00+02:00", "2024-06-01", "0001-01-01", "9999-12-31", "2024-01-03"),
    *("file", "begin", "close", "page", "end", "lost", "cut", "parked", "refused", "not_found"),
]
JUNK = [
    b"",
    b"{}",
    b"[]",
    b"\xff",
    b"[" * 10_000,
    b'{"line":' + b"9" * 5000 + b"}",
    b'{"a":1,"a":1}',
]


ANY = settings(
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


@dataclass
class Recorded:
    """The folder of some crawls, and the lines of the files of their archive."""

    folder: Path
    url: str

    def __post_init__(self):
        self.truth = brought(self.url)[1]
        self.files = {
            path.name: gzip.decompress(path.read_bytes()).splitlines()
            for path in find_archives([self.folder / "archive"])
        }


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Crawl once: with faults, so that windows are cut, lost and parked, and to the end."""
    found = []

    async def crawl():
        if not found:
            folder = CrawlFolder(tmp_path_factory.mktemp("recorded"))
            folder.query_file.write_text(QUERY)
            (folder.path / "profile.yaml").write_text(PROFILE)
            await crawl_all(folder, load_profile(str(folder.path / "profile.yaml")))
            await crawl_all(folder, load_profile("none"))
            found.append(Recorded(folder.path, folder.database_url))
        return found[0]

    return crawl


async def crawl_all(folder, profile):
    options = {"daily_quota": None, "videos_per_day": 250, "profile": profile}
    with recording_sandbox(**options) as (_, url):
        sandbox = {"TIKTOK_SANDBOX": True, "TIKTOK_SANDBOX_URL": url}
        # One request at a time: what fails is always the same.
        one = {"CONCURRENT_REQUESTS": 1, "TIKTOK_RETRY_TIMES": 1}
        await archived_crawl(folder, url, sandbox | one)
        listings = ListingDatabase(folder.database_url, url)
        archive = {"TIKTOK_ARCHIVE": str(folder.path / "archive")}
        await listings.crawl("users", archive, usernames="nobody.of.all")


def paths(value, before=()):
    """The ways to all values in a JSON value but itself."""
    if not isinstance(value, dict | list):
        return
    for key, member in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*before, key)
        yield from paths(member, (*before, key))


def put(content, path, value):
    changed = deepcopy(content)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed


def parsed(line):
    try:
        return json.loads(line) or {"kind": None}
    except ValueError:
        return {"kind": None}


def changed(draw, lines):
    """Return lines with one thing changed."""
    at = draw(st.integers(0, len(lines) - 1))
    match draw(st.sampled_from(["value", "value", "value", "drop", "double", "swap", "junk"])):
        case "value":
            content = parsed(lines[at])
            where = list(paths(content))
            where, odd = draw(st.sampled_from(where)), draw(st.sampled_from(ODD))
            note(f"line {at + 1}: {where} of {content.get('kind')} is {str(odd)[:40]!r}")
            content = put(content, where, odd)
            return [*lines[:at], json.dumps(content).encode(), *lines[at + 1 :]]
        case "drop":
            return [*lines[:at], *lines[at + 1 :]]
        case "double":
            other = draw(st.integers(at, len(lines) - 1))
            return [*lines[: at + 1], *lines[at:other], *lines[at + 1 :]]
        case "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines = list(lines)
            lines[at], lines[other] = lines[other], lines[at]
            return lines
    return [*lines[:at], draw(st.sampled_from(JUNK)), *lines[at:]]


def write(folder, name, lines):
    path = folder / name
    path.write_bytes(gzip.compress(b"".join(line + b"\n" for line in lines), compresslevel=1))
    return path


def run(command, url, *args, **opts):
    """Run a command in this process, and return its status."""
    command.settings = project_settings(TIKTOK_DATABASE_URL=url, TIKTOK_SANDBOX=True)
    try:
        command.run(list(args), argparse.Namespace(**opts))
    except SystemExit as end:
        return end.code
    return command.exitcode


def told(out, word):
    """Return the number that a replay tells of something."""
    found = re.search(rf"^  {word} +([\d,]+)", out, re.MULTILINE)
    return int(found[1].replace(",", "")) if found else 0


def check(found, files, url, capsys):
    """Replay files; say what the outcome has to be, whatever they are; return what is left out."""
    with TemporaryDirectory() as name:
        for file, lines in files.items():
            write(Path(name), file, lines)
        capsys.readouterr()
        code = run(replay.Command(), url, name)
        out, err = capsys.readouterr()
    if code == EX_CONFIG:
        assert err.startswith("error: ")
        assert err.count("\n") == 1
        return 0
    damaged = told(out, "damaged")
    assert code == (EX_SOFTWARE if damaged else EX_OK)
    assert err.count("WARNING: ") == min(damaged, MOST_NAMED) + (damaged > MOST_NAMED)
    done = int(re.search(r"([\d,]+) lines?$", out, re.MULTILINE)[1].replace(",", ""))
    everything = sum(map(len, files.values()))
    starts = sum(is_start(line) for lines in files.values() for line in lines)
    assert done + damaged + told(out, "repeated") + starts == everything
    query = str(found.folder / "query.yaml")
    assert run(status.Command(), url, json=damaged % 2, check=False) == EX_OK
    assert run(plan.Command(), url, query, json=damaged % 2, spargs={}, probe=None) == EX_OK
    return damaged


def brought(url):
    """The days that count as completely collected, and the videos of each day; of one query."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        windows = connection.execute(
            "SELECT start_date, end_date FROM crawl_window WHERE state = 'complete'"
        ).fetchall()
        videos = connection.execute("SELECT date(create_time), id FROM video").fetchall()
    days = (DateRange(*map(date.fromisoformat, window)) for window in windows)
    by_day = defaultdict(set)
    for day, video in videos:
        by_day[day].add(video)
    return {str(day) for day in chain.from_iterable(days)}, by_day


def is_start(line):
    try:
        return bool(read_start(line, {}))
    except LineError:
        return False


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_a_line_is_taken_only_as_a_session_would_have_written_it(recorded):
    found = await recorded()
    taken, kinds = 0, set()
    for line, subjects in samples(found):
        content = json.loads(line)
        kinds.add((content["kind"], content.get("event")))
        for path in paths(content):
            for odd in ODD:
                text = json.dumps(put(content, path, odd)).encode()
                taken += is_taken(text, dict(subjects), path[-1])
    assert kinds >= {("end", event) for event in ("parked", "refused", "cut", "lost")}
    assert taken > 100


def samples(found):
    """Yield a line of each kind, as is told by its keys, with what is begun before it."""
    seen = set()
    for lines in found.files.values():
        subjects = {}
        for line in lines:
            content = json.loads(line)
            kind = (content["kind"], content.get("event"), "listing" in content)
            if kind not in seen:
                seen.add(kind)
                yield line, subjects
            read(line, subjects)


def read(text, subjects):
    """Read a line of whatever kind."""
    if text.startswith(START):
        return dump_start(read_start(text, subjects))
    return dump_line(read_line(text, "j", subjects))


def is_taken(text, subjects, key):
    """Tell whether a line can be read; written once more it is the same, but for times in UTC."""
    try:
        again = read(text, subjects)
    except (LineError, ConfigurationError):
        return False
    if key not in ("at", "now", "opened_at", "marked_at", "version"):
        assert json.loads(again) == json.loads(text)
    return True


@pytest.mark.slow
@pytest.mark.parametrize(
    "examples", [10, pytest.param(200, marks=pytest.mark.marathon)], ids=["some", "many"]
)
def test_whatever_is_changed_in_an_archive_it_is_replayed(recorded, capsys, examples):
    @deferred_f_from_coro_f
    async def crawl_and_change():
        found = await recorded()

        @given(st.data())
        @settings(ANY, max_examples=examples)
        def replay_one(data):
            files = dict(found.files)
            for _ in range(data.draw(st.integers(1, 3))):
                name = data.draw(st.sampled_from(sorted(files)))
                files[name] = changed(data.draw, files[name])
            with TemporaryDirectory() as folder:
                url = new_database(Path(folder, "replayed.db"))
                check(found, files, url, capsys)
                covered, made = brought(url)
            for day in covered:
                assert made[day] >= found.truth[day], day

        replay_one()

    return crawl_and_change()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_an_archive_with_an_odd_value_in_every_line_is_replayed(request, recorded, capsys, kind):
    url, chance = request.getfixturevalue(f"{kind}_url"), random.Random(20240601)

    @deferred_f_from_coro_f
    async def crawl_and_change():
        found = await recorded()
        files = {
            name: [lines[0], *(with_odd_value(line, chance) for line in lines[1:])]
            for name, lines in found.files.items()
        }
        assert check(found, files, url, capsys) > 50

    return crawl_and_change()


def with_odd_value(line, chance):
    content = json.loads(line)
    # Sessions begin: others would be left out for that alone.
    where = [path for path in paths(content) if path[0] != "kind" and content["kind"] != "begin"]
    if not where:
        return line
    return json.dumps(put(content, chance.choice(where), chance.choice(ODD))).encode()
