"""Whatever the body of an answer is: a stored page or a clear outcome, and a healthy database.

One crawl tries many bodies: each is the first answer to a window of one day; when the crawl asks
for that day again, the answer is good.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from crawling import QUERY, CrawlFolder, exit_status
from hypothesis import strategies as st
from marathon import first
from mixtures import try_examples
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import Answer, ScriptedApi, page, serving
from sqlalchemy import create_engine, select
from trials import logged_problems

from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.storage.models.base import Base
from tiktok_crawler.storage.models.ledger import CrawlWindow
from tiktok_crawler.storage.models.records import Video

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.slow

FIRST_DAY = date(2022, 1, 1)
SETTINGS = {"TIKTOK_WINDOW_DAYS": 1, "TIKTOK_RATE_LIMIT_DELAY": 0.0000001}
GOOD_ID, WITNESS_ID = 5_000_000, 6_000_000
"""Videos of good answers have ids from here on; those that stand beside bad values from there."""

OK = {"code": "ok", "message": "", "log_id": "2024010200000000000000000000000000"}
DEEP = 100_000

WRONG_VALUES = (
    *(None, True, False, 0, -1, 2**63, 10**400, 1.5, 1e308, float("nan"), -float("inf")),
    *("", "7", "7" * 50, "text", "\0", "a\0b", "\ud83d", "\udc00\ud83d", "\u00fc" * 3000),
    *([], [[]], [None, "\0"], [1, "a", {}], {}, {"\0": "\ud83d"}, {"a": {"b": [float("nan")]}}),
)


def raw(body: Any, status: int = 200) -> Answer:
    """JSON as lenient as it gets: with NaN, lone surrogates, and all."""
    return Answer(status, body if isinstance(body, bytes) else json.dumps(body).encode())


def envelope(records: Sequence[Any] = (), error: Any = OK, **data: Any) -> dict[str, Any]:
    content = {"videos": list(records), "cursor": 100, "has_more": False, "search_id": "77"}
    return {"data": content | data, "error": error}


def witness(number: int, **values: Any) -> dict[str, Any]:
    return {"id": WITNESS_ID + number, "username": "ann"} | values


GOOD_BODY = json.dumps(envelope([witness(0)])).encode()


def strange_bodies() -> list[bytes]:
    """Bodies that are hard to read, or no JSON."""
    deep = b"[" * DEEP + b"]" * DEEP
    long_text = "x" * 5_000_000
    return [
        *(b"", b" ", b"null", b"true", b"7", b'"text"', b"[]", b"{}", b"\0", b"\xff\xfe\0{", b"{]"),
        *(b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"<html><body>502</body></html>"),
        *(GOOD_BODY[:cut] for cut in range(1, len(GOOD_BODY), 29)),
        b"\xef\xbb\xbf" + GOOD_BODY,
        GOOD_BODY.decode().encode("utf-16"),
        GOOD_BODY.replace(b"ann", b"\xe9\xff"),
        GOOD_BODY.replace(b"ann", b"\x00\x01"),
        GOOD_BODY.replace(b'"ann"', b"1e999"),
        GOOD_BODY.replace(b'"ann"', b"9" * 5000),
        GOOD_BODY.replace(b'"ann"', deep),
        GOOD_BODY.replace(b'"ann"', b"[" * 500 + b"]" * 500),
        GOOD_BODY.replace(b'"ann"', b"[" * 90 + b"]" * 90),
        GOOD_BODY.replace(b'"has_more": false', b'"has_more": false, "has_more": true'),
        GOOD_BODY.replace(b'"data"', b'"data": [], "data"'),
        GOOD_BODY.replace(b'"username"', b'"username": {"a": 1, "a": []}, "username"'),
        GOOD_BODY + GOOD_BODY,
        b"[" * DEEP,
        deep,
        b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        b'{"data":' + deep + b"}",
        json.dumps(long_text).encode(),
        json.dumps(envelope([witness(0, video_description=long_text)])).encode(),
        json.dumps(envelope([witness(0, hashtag_names=[long_text])])).encode(),
        json.dumps(envelope([witness(0, unheard_of=long_text)])).encode(),
        json.dumps(envelope([witness(0), long_text], search_id=long_text)).encode(),
        json.dumps(envelope(error=OK | {"code": long_text, "message": long_text})).encode(),
        json.dumps(envelope(error=OK | {"log_id": long_text})).encode(),
    ]


def wrong_envelopes() -> list[Answer]:
    """A wrong value in each place of the answer around its records."""
    bodies = [
        body
        for value in WRONG_VALUES
        for body in (
            *(value, envelope() | {"data": value}, envelope(error=value)),
            *(envelope([witness(0)], **{key: value}) for key in ("cursor", "has_more")),
            *(envelope([witness(0)], **{key: value}) for key in ("search_id", "videos", "other")),
            *(envelope(error=OK | {key: value}) for key in OK),
            envelope([witness(0)], has_more=True, cursor=value, search_id=value),
        )
    ]
    return [raw(body) for body in bodies]


def wrong_records() -> list[Answer]:
    """Pages of records with a wrong value in each field; each page has a witness of its own."""
    keys = [*VIDEO_QUERY.fields, "video_id", "unheard_of", "", "\0"]
    return [
        raw(
            envelope(
                [
                    witness(number),
                    *(
                        witness(1_000 * (number + 1) + n, **{key: v})
                        for n, v in enumerate(WRONG_VALUES)
                    ),
                    *WRONG_VALUES,
                ]
            )
        )
        for number, key in enumerate(keys)
    ]


SQLITE_FIRST = first(1, ["sqlite", "postgresql"])
POSTGRESQL_FIRST = first(1, ["postgresql", "sqlite"])
"""What is in records matters to a database, what is around them does not."""


@pytest.fixture
def folder(request, tmp_path):
    crawl_folder = CrawlFolder(tmp_path)
    if request.param == "postgresql":
        crawl_folder.database_url = request.getfixturevalue("unused_postgresql_url")
    return crawl_folder


async def crawl_bodies(folder: CrawlFolder, api: ScriptedApi, answers: Sequence[Answer]) -> None:
    """A crawl that gets these answers, one for each day, and a good one after each."""
    asked: Counter[int] = Counter()

    def answer(body: dict[str, Any]) -> Answer:
        number = (date.fromisoformat(body["start_date"]) - FIRST_DAY).days
        asked[number] += 1
        return answers[number] if asked[number] == 1 else page(GOOD_ID + number, cursor=10**19)

    last_day = FIRST_DAY + timedelta(days=len(answers) - 1)
    dates = {"start_date": str(FIRST_DAY), "end_date": str(last_day)}
    await folder.prove_query(api)
    api.answers = [answer]
    with logged_problems() as problems:
        bad = await folder.crawl(api.url, SETTINGS, **dates)
        assert problems == []
        assert exit_status(bad) in {0, 75}, bad.stats.get_value("finish_reason")
        assert set(asked) == set(range(len(answers))), "all bodies were sent"
        check_windows(folder)
        good = await folder.crawl(api.url, SETTINGS, **dates)
        assert problems == []
    assert exit_status(good) == 0
    check_rows(folder)


def check_windows(folder: CrawlFolder) -> None:
    """Each body ended in something: nothing is left open, and what was given up has its reason."""
    for window in rows_of(folder, CrawlWindow):
        assert window.state == "complete" or (window.state == "parked" and window.error)


def check_rows(folder: CrawlFolder) -> None:
    """Every row of every table can be read, and what is JSON is JSON to others, too."""
    for table in Base.metadata.sorted_tables:
        for row in rows_of(folder, table):
            json.dumps([v for v in row if isinstance(v, list | dict)], allow_nan=False)


def rows_of(folder: CrawlFolder, table: Any) -> list[Any]:
    engine = create_engine(folder.database_url)
    with engine.connect() as connection:
        rows = list(connection.execute(select(getattr(table, "__table__", table))))
    engine.dispose()
    return rows


@pytest.mark.parametrize("folder", SQLITE_FIRST, indirect=True)
@deferred_f_from_coro_f
async def test_bodies_that_are_hard_to_read(folder):
    async with serving(ScriptedApi(page(1))) as api:
        await crawl_bodies(folder, api, list(map(raw, strange_bodies())))


@pytest.mark.parametrize("folder", SQLITE_FIRST, indirect=True)
@deferred_f_from_coro_f
async def test_wrong_values_around_the_records(folder):
    async with serving(ScriptedApi(page(1))) as api:
        await crawl_bodies(folder, api, wrong_envelopes())


@pytest.mark.parametrize("folder", POSTGRESQL_FIRST, indirect=True)
@deferred_f_from_coro_f
async def test_wrong_values_in_records_spoil_no_record_beside_them(folder):
    pages = wrong_records()
    async with serving(ScriptedApi(page(1))) as api:
        await crawl_bodies(folder, api, pages)
    stored = {row.id for row in rows_of(folder, Video)}
    assert {WITNESS_ID + number for number in range(len(pages))} <= stored


KEYS = ("data", "error", "videos", "cursor", "has_more", "search_id", "code", "message", "log_id")
keys = st.sampled_from((*KEYS, *VIDEO_QUERY.fields)) | st.text(max_size=3)
scalars = st.sampled_from(WRONG_VALUES) | st.integers() | st.floats() | st.text(max_size=5)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=8,
)
records = st.dictionaries(keys, documents, max_size=3).map(lambda values: witness(0, **values))
envelopes = st.builds(
    lambda records, data, error: envelope(records, OK | error, **data),
    st.lists(records | documents, max_size=3),
    st.dictionaries(st.sampled_from([*KEYS[2:6], "other"]), documents, max_size=2),
    st.dictionaries(st.sampled_from(["log_id", "message", "msg"]), documents, max_size=1),
)
statuses = st.sampled_from([200, 200, 200, 302, 400, 404, 413, 429, 500, 502, 504])
answers = st.builds(raw, envelopes) | st.builds(
    raw, documents | envelopes | st.binary(max_size=50), statuses
)
many_answers = st.lists(answers, min_size=1, max_size=40)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@pytest.mark.parametrize(
    ("folder", "examples"),
    first(1, [("postgresql", 3), ("sqlite", 12), ("postgresql", 12)]),
    indirect=["folder"],
)
@deferred_f_from_coro_f
async def test_random_bodies(folder, examples):
    """All examples share one database; each has a query of its own."""
    numbers = count()

    async def try_bodies(bodies: list[Answer]) -> None:
        folder.query_file.write_text(QUERY.replace("butter", f"butter{next(numbers)}"))
        await crawl_bodies(folder, api, bodies)

    async with serving(ScriptedApi(page(1))) as api:
        await try_examples(20240101, examples, many_answers, try_bodies)
