"""Three rows for each table of the database: odd values, nothing where that can be, and empty text.

What is read of them is compared with these values, not with what other code makes of them.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Date, Enum, Integer, Text

from tiktok_crawler.dataset.columns import Kind
from tiktok_crawler.dataset.tables import TABLES
from tiktok_crawler.research_api.query import Condition, Query
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.models.base import Base
from tiktok_crawler.storage.models.column_types import UtcDateTime

ROWS = range(3)
LARGEST = 2**63 - 1
IDS = (LARGEST, 7_318_918_926_546_501_718, 1)
NUMBERS = (LARGEST, 5, 0)
TEXTS = (
    "🎵 \"two\" 'one'; a,b\r\n\tnan NULL \u202e\u0645\u0631\u062d \u05e9\u05dc \\ \x7f",
    "NA",
    "",
)
DAYS = (date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 3))
TIMES = (
    datetime(2024, 1, 31, 23, 59, 59, 999_999, UTC),
    datetime(2024, 2, 1, tzinfo=UTC),
    datetime(1999, 12, 31, 1, 2, 3, 4, UTC),
)
OBJECTS = ({"a": [1.5, None, TEXTS[0]], "ü": LARGEST}, {"b": 1}, {})

QUERIES = tuple(Query((Condition("region_code", "EQ", (code,)),)) for code in ("FR", "US", "DE"))

FITTING: dict[str, Any] = {
    "hashtag_info_list": [
        {"hashtag_id": LARGEST, "hashtag_name": TEXTS[0], "hashtag_description": ""},
        {"hashtag_id": 1, "hashtag_name": None, "hashtag_description": None},
    ],
    "sticker_info_list": [],
    "effect_info_list": [
        {
            "effect_id": "7",
            "effect_name": TEXTS[0],
            "effect_photo_url": "",
            "effect_photo_URI": None,
        }
    ],
    "video_mention_list": ["zoe", "ann", TEXTS[0]],
    "video_label": {"content": TEXTS[0], "type": 2, "sink": True, "vote": False, "warn": None},
    "video_tag": {"type": "x", "number": 1, "video_tag_type": None, "video_tag_number": LARGEST},
    "product_price": ["1.50", ""],
}
MISFITS: dict[str, Any] = {"hashtag_info_list": {"odd": [1]}, "video_mention_list": ["bob", 5]}

GIVEN = {
    "query.canonical_json": [query.canonical() for query in QUERIES],
    "query.fingerprint": [query.fingerprint for query in QUERIES],
    "seed.listing": ["users", "followers", "following"],
    "run.faults": [{"fault": LARGEST}, {}, {"a": 1}],
    "crawl_window.fields": [["id"], ["id"], ["id"]],
    "crawl_window.state": ["complete", "open", "complete"],
    "crawl_window.keywords_as": [None, None, None],
    "crawl_window.start_date": DAYS,
    "crawl_window.end_date": DAYS,
    "crawl_window.pages": [1, 1, 1],
    "window_day.videos": [4, 0, None],
    "collection.tags": [["a"], [], ["b"]],
    "collection.start_date": DAYS,
    "collection.end_date": DAYS,
    "crawl.crawl_window_id": [LARGEST, None, 1],
    "crawl.query_id": [LARGEST, None, 1],
    "crawl.seed_id": [None, IDS[1], None],
    "crawl.import_id": [None, None, None],
    "user_relation.followed_id": [IDS[1], IDS[2], IDS[0]],
}
LEFT_AS_IT_IS = {"database_origin"}


def value(column: Any, n: int) -> Any:
    """The value of a column in one of the rows."""
    name = f"{column.table.name}.{column.name}"
    if name in GIVEN:
        return GIVEN[name][n]
    if column.foreign_keys:
        (key,) = column.foreign_keys
        return value(key.column, n)
    if n == 1 and column.nullable:
        return None
    if column.name in FITTING:
        return FITTING[column.name] if n == 0 else MISFITS.get(column.name)
    kinds = {
        UtcDateTime: TIMES,
        Date: DAYS,
        Boolean: (True, False, True),
        Enum: getattr(column.type, "enums", None),
        JSON: OBJECTS,
        Integer: IDS if column.primary_key or column.name.endswith("_id") else NUMBERS,
        Text: TEXTS,
    }
    found = next(values for kind, values in kinds.items() if isinstance(column.type, kind))[n]
    is_whole = getattr(column.type, "precision", None) == "seconds"
    return found.replace(microsecond=0) if is_whole and isinstance(found, datetime) else found


def stored(name: str) -> list[dict[str, Any]]:
    """The rows of a table of the database."""
    return [{c.name: value(c, n) for c in Base.metadata.tables[name].columns} for n in ROWS]


def fill(url: str) -> str:
    engine = database.create_engine_for(database.database_url(url))
    with engine.begin() as connection:
        for table in Base.metadata.sorted_tables:
            if table.name not in LEFT_AS_IT_IS:
                rows = [{c.key: value(c, n) for c in table.columns} for n in ROWS]
                connection.execute(table.insert(), rows)
    engine.dispose()
    return url


def expected(name: str) -> list[dict[str, Any]]:
    """The rows of a table that leaves the database."""
    if name in MADE:
        return MADE[name]()
    columns = TABLES[name].by_name
    return [
        {c: value for c, value in (row | {"misfit_data": None}).items() if c in columns}
        for row in stored(name)
    ]


def addresses(row: dict[str, Any]) -> dict[str, Any]:
    name = row["username"]
    profile = f"https://www.tiktok.com/@{name}" if name else None
    return {"author_url": profile, "url": profile and f"{profile}/video/{row['id']}"}


def videos() -> list[dict[str, Any]]:
    rows = []
    for n, row in enumerate(stored("video")):
        misfits = {
            column: row[column] for column in MISFITS if n and row.get(column) == MISFITS[column]
        }
        made = {"hashtag_names": [TEXTS[n]], "effect_ids": [TEXTS[n]]}
        rows.append(
            row | addresses(row) | made | dict.fromkeys(misfits) | {"misfit_data": misfits or None}
        )
    return rows


def profiles() -> list[dict[str, Any]]:
    rows = stored("user_info")
    return [row | {"url": addresses(row | {"id": 0})["author_url"]} for row in rows]


def of_videos(column: str, values: Any) -> list[dict[str, Any]]:
    return [{"video_id": id_, column: each} for id_, each in zip(IDS, values, strict=True)]


def mentions() -> list[dict[str, Any]]:
    names = [*((IDS[0], name) for name in FITTING["video_mention_list"]), (IDS[2], "bob")]
    return [{"video_id": id_, "username": name} for id_, name in names]


def sources() -> list[dict[str, Any]]:
    crawls, seeds = stored("crawl"), stored("seed")
    return [
        {
            "video_id": value(Base.metadata.tables["videos_to_crawls"].c.video_id, n),
            "crawl_id": crawl["id"],
            "received_at": crawl["crawl_started_at"],
            "query_id": crawl["query_id"],
            "run_id": crawl["run_id"],
            "import_id": crawl["import_id"],
            "listing": seeds[n]["listing"] if crawl["seed_id"] else None,
            "seed": seeds[n]["seed"] if crawl["seed_id"] else None,
        }
        for n, crawl in enumerate(crawls)
    ]


def relations() -> list[dict[str, Any]]:
    return [
        {
            "follower_username": TEXTS[n],
            "followed_username": TEXTS[(n + 1) % 3],
            "first_seen_at": row["first_seen_at"],
            "last_seen_at": row["last_seen_at"],
        }
        for n, row in enumerate(stored("user_relation"))
    ]


def coverage() -> list[dict[str, Any]]:
    """The first query's day was searched, the second one's half, the third one's long before it."""
    counts = ("withheld", "refused", "repeated")
    return [
        dict(
            query_id=LARGEST, day=DAYS[0], state="covered", settled=True, suspicious=False,
            videos=4, **dict.fromkeys(counts, LARGEST),
        ),
        dict(
            query_id=IDS[1], day=DAYS[1], state="open", settled=False, suspicious=False,
            videos=0, **dict.fromkeys(counts),
        ),
        dict(
            query_id=1, day=DAYS[2], state="due", settled=False, suspicious=False,
            videos=None, **dict.fromkeys(counts, 0),
        ),
    ]  # fmt: skip


MADE = {
    "video": videos,
    "user_info": profiles,
    "video_hashtag": lambda: of_videos("hashtag_name", TEXTS),
    "video_effect": lambda: of_videos("effect_id", TEXTS),
    "video_query_tag": lambda: of_videos("tag", TEXTS),
    "video_mention": mentions,
    "video_source": sources,
    "user_relation": relations,
    "coverage": coverage,
}


def comparable(name: str, rows: list[dict[str, Any]]) -> list[str]:
    """Rows in one order; what is JSON's text is read, as its blanks tell nothing."""
    columns = TABLES[name].by_name

    def read(column: str, found: Any) -> Any:
        is_text = columns[column].kind is Kind.JSON and isinstance(found, str)
        return json.loads(found) if is_text else found

    return sorted(
        json.dumps({c: read(c, v) for c, v in row.items()}, sort_keys=True, default=iso)
        for row in rows
    )


def iso(time: date) -> str:
    """A time or day in words that tell one from the other."""
    return f"{type(time).__name__} {time.isoformat()}"
