"""Knows the names of persons that a database holds, and finds them in texts.

There can be millions of names. So they are kept in a temporary SQLite file, which has no name that
anybody could open it by and is gone with the connection; memory holds the words of a block, and
some that come often.

A name is found as whole words, whatever its capitals. What stands around the first and the last
word of a name is no part of it.
"""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import contextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from sqlalchemy import select

from tiktok_crawler.batches import batched
from tiktok_crawler.dataset.pseudonyms import folded
from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.research_api.endpoints import LISTINGS, SeedKey
from tiktok_crawler.research_api.query import Field, Query
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.models.ledger import QueryRow, SeedRow
from tiktok_crawler.storage.models.records import (
    Account,
    Comment,
    Product,
    Review,
    Shop,
    UserInfo,
    UserInfoHistory,
    UserVideo,
    Video,
    VideoRevision,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection
    from sqlalchemy.orm import InstrumentedAttribute

WORD = re.compile(r"\w+")
"""Letters, digits and underscores of any script."""

SHORTEST_USERNAME = 5
SHORTEST_SHOWN_NAME = 8
"""Names that are shown are looked for in texts if they have so many characters, and two words."""

NAMES_AT_ONCE = 20_000
PARTS_KEPT = 100_000
CACHE_KIBIBYTES = 32 * 1024
MOST_PAGES = 2**30

USER_LISTINGS = [one.name for one in LISTINGS.values() if one.seed_key is SeedKey.USERNAME]
SHOP_LISTINGS = [one.name for one in LISTINGS.values() if one.seed_key is SeedKey.SHOP_NAME]


USERNAME, SHOWN_NAME, GOES_ON = 1, 2, 4
"""What is known of words next to each other: they are a name, or a longer one begins with them."""

IS_NAME = USERNAME | SHOWN_NAME


class Name(NamedTuple):
    """Where a name ends in a text, and what is known of its words."""

    end: int
    known: int


class KnownNames:
    """The names of a database; `close` removes them."""

    def __init__(self, names: Iterable[tuple[str, int]]) -> None:
        self._file = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._without_names = set[str]()
        try:
            with _told():
                self._file.executescript(
                    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                    f"PRAGMA cache_size = -{CACHE_KIBIBYTES};"
                    f"PRAGMA max_page_count = {MOST_PAGES};"
                    "CREATE TABLE known (words TEXT PRIMARY KEY, known INTEGER NOT NULL)"
                    " WITHOUT ROWID; BEGIN"
                )
            self._add(iter(names))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._file.close()

    def digest(self) -> str:
        """Return what is another one as soon as another name is known."""
        digest = blake2b(digest_size=16)
        with _told():
            rows = self._file.execute("SELECT words, known FROM known ORDER BY words")
            while some := rows.fetchmany(NAMES_AT_ONCE):
                digest.update(orjson.dumps(some))
        return digest.hexdigest()

    def find(self, texts: Iterable[str]) -> dict[str, dict[int, Name]]:
        """Find the names in texts: by text, and by where they begin the longest ones."""
        texts = list(texts)
        known, parts = self._parts_with_names(set("\n".join(texts).split()))
        if not parts:
            return {}
        found = {text: _Words(text) for text in texts if not parts.isdisjoint(text.split())}
        spans = [
            _Span(words, first, first)
            for words in found.values()
            for first, (begin, end) in enumerate(words.bounds)
            if words.text[begin:end] in known
        ]
        while spans := list(_longer(spans, known)):
            known = self._look_up({span.text for span in spans})
        return {text: words.names for text, words in found.items() if words.names}

    def _parts_with_names(self, parts: set[str]) -> tuple[dict[str, int], set[str]]:
        """Return the words that names begin with, and the parts of texts that have such words.

        Most parts have none, and come again and again.
        """
        new = [(part, WORD.findall(part)) for part in parts - self._without_names]
        known = self._look_up(set().union(*(words for _, words in new)))
        found = {part for part, words in new if not known.keys().isdisjoint(words)}
        if len(self._without_names) + len(new) > PARTS_KEPT:
            self._without_names.clear()
        self._without_names.update(part for part, _ in new[:PARTS_KEPT] if part not in found)
        return known, found

    def _look_up(self, spans: set[str]) -> dict[str, int]:
        """Look up words next to each other; what is not known is not in the result."""
        by_key = {span: folded(span) for span in spans}
        keys = orjson.dumps(list(set(by_key.values()))).decode()
        with _told():
            rows = self._file.execute(
                "SELECT words, known FROM json_each(?) JOIN known ON words = value", (keys,)
            ).fetchall()
        known: dict[str, int] = dict(rows)
        return {span: known[key] for span, key in by_key.items() if key in known} if known else {}

    def _add(self, names: Iterator[tuple[str, int]]) -> None:
        for some in map(set, batched(names, NAMES_AT_ONCE)):
            rows = dict[str, int]()
            for words, known in (part for name, kind in some for part in _parts(name, kind)):
                rows[words] = rows.get(words, 0) | known
            with _told():
                self._file.executemany(
                    "INSERT INTO known VALUES (?, ?)"
                    " ON CONFLICT (words) DO UPDATE SET known = known | excluded.known",
                    sorted(rows.items()),
                )
        with _told():
            self._file.execute("COMMIT")


class _Words:
    """The words of a text, and the names that are found among them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.bounds = [word.span() for word in WORD.finditer(text)]
        self.names: dict[int, Name] = {}


class _Span(NamedTuple):
    words: _Words
    first: int
    last: int

    @property
    def begin(self) -> int:
        return self.words.bounds[self.first][0]

    @property
    def end(self) -> int:
        return self.words.bounds[self.last][1]

    @property
    def text(self) -> str:
        return self.words.text[self.begin : self.end]


def _longer(spans: Iterable[_Span], known: dict[str, int]) -> Iterator[_Span]:
    """Note which spans are names, and return one more word of those that can be longer names."""
    for span in spans:
        found = known.get(span.text, 0)
        if found & IS_NAME:
            span.words.names[span.begin] = Name(span.end, found)
        if found & GOES_ON and span.last + 1 < len(span.words.bounds):
            yield span._replace(last=span.last + 1)


def _parts(name: str, kind: int) -> Iterator[tuple[str, int]]:
    """Return the words of a name: those up to each of them, and all."""
    bounds = [word.span() for word in WORD.finditer(name)]
    for _, end in bounds[:-1]:
        yield folded(name[bounds[0][0] : end]), GOES_ON
    for _, end in bounds[-1:]:
        yield folded(name[bounds[0][0] : end]), kind


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as exc:
        raise ConfigurationError(
            f"the names of the database cannot be kept in a temporary file ({exc}): set TMPDIR to "
            "a folder with more room"
        ) from exc


def names_in(connection: Connection) -> Iterator[tuple[str, int]]:
    """Return the names of a database that are looked for in texts; many come more than once."""
    for username in _usernames(connection):
        if len(username) >= SHORTEST_USERNAME:
            yield username, USERNAME
    for name in _shown_names(connection):
        if len(name) >= SHORTEST_SHOWN_NAME and WORD.fullmatch(name) is None:
            yield name, SHOWN_NAME


def _usernames(connection: Connection) -> Iterator[str]:
    for column in (
        Video.username,
        UserInfo.username,
        UserInfoHistory.username,
        Account.username,
        UserVideo.username,
    ):
        yield from _texts(connection, column)
    yield from _texts(connection, SeedRow.seed, SeedRow.listing.in_(USER_LISTINGS))
    yield from _strings(connection, Video.video_mention_list)
    earlier = VideoRevision.field.in_(["username", "video_mention_list"])
    yield from _strings(connection, VideoRevision.old_value, earlier)
    for query in _texts(connection, QueryRow.canonical_json):
        yield from _asked_for(Query.from_json(json.loads(query)))


def _shown_names(connection: Connection) -> Iterator[str]:
    for column in (
        Comment.display_name,
        UserInfo.display_name,
        Account.display_name,
        Review.display_name,
        Shop.shop_name,
        Product.shop_name,
    ):
        yield from _texts(connection, column)
    yield from _texts(connection, SeedRow.seed, SeedRow.listing.in_(SHOP_LISTINGS))
    earlier = UserInfoHistory.field == "display_name"
    yield from _strings(connection, UserInfoHistory.old_value, earlier)


def _texts(
    connection: Connection, column: InstrumentedAttribute[Any], *conditions: Any
) -> Iterator[str]:
    yield from _stream(connection, column, *conditions, distinct=True)


def _strings(
    connection: Connection, column: InstrumentedAttribute[Any], *conditions: Any
) -> Iterator[str]:
    """Return all texts in the documents of a column."""
    for document in _stream(connection, column, *conditions):
        yield from _strings_of(orjson.loads(document))


def _stream(
    connection: Connection,
    column: InstrumentedAttribute[Any],
    *conditions: Any,
    distinct: bool = False,
) -> Iterator[str]:
    statements = statements_for(connection.dialect)
    wanted = select(statements.as_text(column.expression)).where(column.is_not(None), *conditions)
    statement = wanted.distinct() if distinct else wanted
    for rows in statements.stream(connection, statement, NAMES_AT_ONCE):
        yield from (value for (value,) in rows)


def _strings_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings_of(each)


def _asked_for(query: Query) -> Iterator[str]:
    """Return the usernames in the conditions of a query."""
    for condition in (*query.and_, *query.or_, *query.not_):
        if condition.field_name == Field.USERNAME:
            yield from condition.field_values
