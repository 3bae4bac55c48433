"""Crawls of an API that means harm, as processes, and what has to be true of what they leave."""

from __future__ import annotations

import gzip
import html
import json
import os
import re
import sqlite3
from base64 import b64decode, b64encode
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from unicodedata import category
from urllib.parse import unquote

import list_trials
import trials
from archived import assert_same
from crawling import QUICK
from hostile_answers import Hostility
from hostile_server import KEY, SECRET, HostileServer, plainly, serving
from listing_crawls import ListingDatabase
from new_databases import new_database
from processes import scrapy

from tiktok_crawler.sandbox import Profile, Sandbox
from tiktok_crawler.sandbox.faults.profile import DataBehaviour
from tiktok_crawler.storage.models import ledger
from tiktok_crawler.storage.models.base import Base

if TYPE_CHECKING:
    from collections.abc import Iterator
    from subprocess import CompletedProcess

MEGABYTE = 2**20
LONGEST_SECONDS = 6
MOST_MEGABYTES = 512
LONGEST_BEGINNING, LONGEST_OF_A_REQUEST = 40_000, 3_000
"""Of a log: so many characters, and so many more for each request."""

SETTINGS = {
    **QUICK,
    "TIKTOK_RATE_LIMIT_DELAY": 0.0000001,
    "TIKTOK_PROBE_INTERVAL": 0.01,
    "TIKTOK_PROBE_TIMES": 6,
    "TIKTOK_QUOTA_POLICY": "interval",
    "TIKTOK_QUOTA_INTERVAL": 0.05,
    "CLOSESPIDER_TIMEOUT": LONGEST_SECONDS,
    "DOWNLOAD_TIMEOUT": 1,
    "MEMUSAGE_LIMIT_MB": MOST_MEGABYTES,
    "MEMUSAGE_CHECK_INTERVAL_SECONDS": 0.1,
}
CRAWLS = (1, 2, 3)
"""So many crawls of a hostile API are in a round: some come to an early end."""

TOGETHER = """
also_collect:
  - users: {max_seeds: 9}
  - comments: {max_seeds: 9, max_per_video: 100, replies: yes}
  - followers: {max_seeds: 4, max_per_user: 200}
  - following: {max_seeds: 4, max_per_user: 200}
  - liked_videos: {max_seeds: 4}
  - pinned_videos: {max_seeds: 4}
  - reposted_videos: {max_seeds: 4}
  - playlists: {max_seeds: 4}
"""

ORDERLY_STATUSES = {0, 75, 77, 78}
BUG_WORDS = (
    *("Traceback", "Unhandled", "Spider error", "Error processing", "never retrieved"),
    *("Error caught on signal", "Could not store", "Could not archive", "rror downloading"),
)
NAMES = (
    *list_trials.SPIDERS,
    *["videos", "together", "together"] * (len(list_trials.SPIDERS) // 3),
)
"""What is collected: a listing, videos, or videos and what hangs on them."""
LEDGER = {
    table.name
    for table in Base.metadata.sorted_tables
    if any(getattr(each, "__tablename__", "") == table.name for each in vars(ledger).values())
}


@dataclass
class Round:
    """A database, crawls of a hostile API into it, and one when the API is good again."""

    seed: str
    folder: Path
    server: HostileServer
    asked: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)
        self.name = self.rng.choice(NAMES)
        self.lies = self.rng.random() < 0.6
        self.has_archive = self.rng.random() < 0.5
        self.database_url = new_database(self.folder / "crawl.db")
        self.listings = ListingDatabase(self.database_url, self.server.url)
        self.settings: dict[str, Any] = SETTINGS | {
            "CONCURRENT_REQUESTS": self.rng.choice([1, 4]),
            "TIKTOK_RETRY_TIMES": self.rng.choice([2, 5]),
            "TIKTOK_WINDOW_DAYS": self.rng.choice([31, 2, 1, 1]),
            "DOWNLOAD_MAXSIZE": self.rng.choice([MEGABYTE, MEGABYTE, 8 * MEGABYTE]),
        }
        self._write_files()
        self.trial = None
        self.planned: tuple[str, ...] = ("query.yaml",)
        self.crawled, self.anew = ("videos", "-a", "query=query.yaml"), "refresh_after=7 days"
        if self.name in list_trials.SPIDERS:
            self.trial = list_trials.Trial(self.name, seeds=seeds_of(self.name))
            self.planned = (self.name, "-a", "=".join(*self.trial.seed_argument.items()))
            self.crawled, self.anew = self.planned, "max_age=7d"

    def _write_files(self) -> None:
        credentials = {"client_key": KEY, "client_secret": SECRET}
        (self.folder / "secrets.yaml").write_text(json.dumps(credentials))
        for name in ("secrets.yaml", "crawl.db"):
            (self.folder / name).chmod(0o600)
        also = TOGETHER if self.name == "together" else ""
        (self.folder / "query.yaml").write_text(trials.QUERY_FILE + also)

    def play(self) -> None:
        """Crawl under fire, look at what it has left, and let a good day complete it."""
        arguments: tuple[str, ...] = ()
        for number in range(self.rng.choice(CRAWLS)):
            share = self.rng.choice([0.15, 0.4, 0.8])
            seed = f"{self.seed} {number}"
            self.server.answering = Hostility(seed, share, lies=self.lies, asked=self.asked)
            run = self._crawl(*arguments)
            self._check_left()
            if not number:
                self._check_commands()
            if run.returncode == os.EX_OK:
                self._let_time_pass()
                arguments = ("-a", self.anew)
        self.server.answering = plainly
        self._complete()
        self._check_left()

    def _complete(self) -> None:
        """A good day, and one on which everything is asked for once more, bring all there is."""
        self.settings |= {"TIKTOK_RETRY_TIMES": 5, "CLOSESPIDER_TIMEOUT": 60}
        (self.folder / "query.yaml").write_text(trials.QUERY_FILE)
        self._let_time_pass()
        assert self._crawl().returncode == os.EX_OK
        if not self.lies:
            self._check_truth()
        self._let_time_pass()
        run = self._crawl("-a", self.anew)
        if run.returncode == os.EX_TEMPFAIL:
            # It has ended what was begun a month ago, which is due once more by now.
            run = self._crawl("-a", self.anew)
        assert run.returncode == os.EX_OK, run.stderr
        self._check_all()

    def _let_time_pass(self) -> None:
        if self.trial:
            list_trials.let_time_pass(self.listings)
        else:
            self._video_folder().let_time_pass()

    def _crawl(self, *arguments: str) -> CompletedProcess[str]:
        """Crawl, with a log of any level and any feed, in bounded memory, to an orderly end."""
        settings = self.settings | ({"TIKTOK_ARCHIVE": "archive"} if self.has_archive else {})
        options = [part for name, value in settings.items() for part in ("-s", f"{name}={value}")]
        feed = self.rng.choice([(), ("-o", "feed.jsonl"), ("-O", "feed.csv"), ("-O", "feed.json")])
        level = self.rng.choice([("-L", "DEBUG"), ("-L", "DEBUG"), ("-L", "INFO"), ()])
        before = self.server.requests
        run = self._command("crawl", *self.crawled, *options, *feed, *level, *arguments)
        requests = self.server.requests - before
        assert run.returncode in ORDERLY_STATUSES, run.stderr
        assert len(run.stderr) < LONGEST_BEGINNING + requests * LONGEST_OF_A_REQUEST, requests
        reasons = self.listings.column("SELECT close_reason FROM run")
        assert "memusage_exceeded" not in set(reasons)
        return run

    def _command(self, *arguments: str, **variables: str) -> CompletedProcess[str]:
        places = {"TIKTOK_DATABASE_URL": self.database_url, "TIKTOK_API_URL": self.server.url}
        run = scrapy(self.folder, *arguments, **places | variables)
        for text in (run.stdout, run.stderr):
            check_shown(text)
            check_no_secret(text, self._secrets, "what is shown")
        return run

    @property
    def _secrets(self) -> tuple[str, ...]:
        return (KEY, SECRET, *self.server.tokens)

    # -- Checks

    def _check_commands(self) -> None:
        """Whatever was stored, the commands can read it, and a replay makes it once more."""
        status = self.rng.choice([("status",), ("status", "--json")])
        for command in (status, ("plan", *self.planned)):
            run = self._command(*command)
            assert run.returncode == os.EX_OK, run.stderr
        if self.has_archive:
            replayed = self.folder / "replayed.db"
            run = self._command("replay", "archive", TIKTOK_DATABASE_URL=f"sqlite:///{replayed}")
            assert run.returncode == os.EX_OK, run.stderr
            assert_same(f"sqlite:///{replayed}", self.database_url)
            replayed.unlink()

    def _check_left(self) -> None:
        """Whatever file there is holds no secret; what is in the database is text, and true."""
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and path.name != "secrets.yaml":
                for content in contents_of(path):
                    check_no_secret(content, self._secrets, path)
        check_database(self.folder / "crawl.db")
        if not self.lies:
            self._check_truth()

    def _check_truth(self) -> None:
        """What is complete is what the sandbox has, and nothing is stored that it has not."""
        if self.trial:
            for row in list_trials.seed_rows(self.listings, self.trial).values():
                if row.state == "complete":
                    list_trials.check_seed(self.listings, self.trial, row)
            list_trials.check_nothing_is_invented(self.listings, self.trial)
        elif self.name == "videos":
            folder = self._video_folder()
            covered = trials.days_of(folder.status().get("covered", []))
            trials.check_videos(folder, trials.Trial(Profile()), covered)

    def _check_all(self) -> None:
        """After a good day nothing is missing, and, without lies, nothing is false."""
        if self.trial:
            rows = list_trials.seed_rows(self.listings, self.trial)
            assert rows.keys() == set(self.trial.wanted)
            for row in rows.values() if not self.lies else ():
                assert row.state in {"complete", "refused"}
                assert not row.suspicious
                list_trials.check_seed(self.listings, self.trial, row)
            return
        stored, truth = trials.stored_videos(self._video_folder()), true_videos()
        assert truth.keys() <= stored.keys()
        if not self.lies:
            assert {key: stored[key] for key in truth} == truth

    def _video_folder(self) -> trials.TrialFolder:
        """The same database in a folder of its own: with it come other credentials."""
        folder = self.folder / "looked_at"
        folder.mkdir(exist_ok=True)
        return trials.TrialFolder(folder, self.database_url)


def true_videos() -> dict[int, Any]:
    truth = trials.truth_of(DataBehaviour())
    return {key: row for day in trials.WANTED for key, row in truth[day].items()}


def seeds_of(listing: str) -> tuple[str, ...]:
    """Some that the sandbox has, and some that nobody has heard of."""
    sandbox = list_trials.truthful(DataBehaviour(), list_trials.LISTS)
    nobody = list_trials.NOBODY.get(listing, ["nobody.at.all"])
    return (*islice(sandbox.seeds(listing), 9), *nobody)


def play(seed: str) -> None:
    """Play the round of a seed; a failure names it, and the last answers that were hostile."""
    is_listing = Random(seed).choice(NAMES) in list_trials.SPIDERS
    sandbox = Sandbox(
        videos_per_day=list_trials.VIDEOS_PER_DAY if is_listing else trials.VIDEOS_PER_DAY,
        profile=Profile(lists=list_trials.LISTS),
        daily_quota=None,
    )
    server = HostileServer(sandbox, plainly)
    with serving(server), TemporaryDirectory() as folder:
        try:
            Round(seed, Path(folder), server).play()
            assert server.errors == []
        except BaseException as exc:
            answers = "\n".join(server.told[-20:])
            exc.add_note(f"TIKTOK_FUZZ_SEED={seed} repeats it. The last answers were\n{answers}")
            raise


# -- What is in what they leave


def check_shown(text: str) -> None:
    """What a user sees has no traceback, and nothing that steers a terminal."""
    for words in BUG_WORDS:
        assert words not in text, text[max(0, text.index(words) - 500) :][:6000]
    for line in text.split("\n"):
        steering = {each for each in line if category(each) in {"Cc", "Cs", "Zl", "Zp", "Cf"}}
        assert steering <= set("\t\u200c\u200d"), repr(line[:2000])


def check_no_secret(text: str, secrets: tuple[str, ...], where: Any) -> None:
    """No secret, in no encoding, and in no encoding of an encoding."""
    for spelled in _spellings(text):
        for form in (form for secret in secrets for form in _forms(secret)):
            place = spelled.find(form)
            assert place < 0, f"{where}: ...{spelled[max(0, place - 300) : place + 100]!r}"


@lru_cache(maxsize=1000)
def _forms(secret: str) -> tuple[str, ...]:
    """The secret, and what it is in base64, wherever in it it begins."""
    packed = [b64encode(b"." * before + secret.encode() + b"...") for before in range(3)]
    inner = [form[(4 if before else 0) : -8].decode() for before, form in enumerate(packed)]
    return (secret, *inner, *(form.replace("+", "-").replace("/", "_") for form in inner))


def _spellings(text: str) -> Iterator[str]:
    """The text with one encoding after the other taken off."""
    text = text.replace("\0", "")
    yield text
    for _ in range(6):
        before = text
        text = unquote(text, "latin-1")
        yield text
        text = html.unescape(text)
        yield text
        text = re.sub(r"\\u00([0-9a-fA-F]{2})", lambda found: chr(int(found[1], 16)), text)
        text = re.sub(r"\\(.)", r"\1", text)
        yield text
        if text == before:
            break


def contents_of(path: Path) -> Iterator[str]:
    """A file's text; of an archive that of its lines, and of the answers in them."""
    content = path.read_bytes()
    if path.name.endswith(".gz"):
        for line in gzip.decompress(content).splitlines():
            document = json.loads(line)
            if body := document.pop("body", None):
                yield b64decode(body).decode("latin-1")
            yield json.dumps(document, ensure_ascii=False)
        return
    yield content.decode("latin-1")


def check_database(path: Path) -> None:
    """Text is text; that of the ledger, which is printed, has nothing that steers a terminal."""
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        tables = [
            name.decode()
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        for table in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                for cell in row:
                    if isinstance(cell, bytes):
                        _check_cell(table, cell.decode())


def _check_cell(table: str, text: str) -> None:
    assert "\0" not in text, table
    if table in LEDGER:
        steering = [each for each in text if category(each) in {"Cc", "Cs", "Zl", "Zp"}]
        assert not set(steering) - {"\n"}, (table, text[:500])
    if text[:1] in "[{" and text[-1:] in "]}":
        assert "NaN" not in text or json.loads(text) is not None
