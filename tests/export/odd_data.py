"""A database with rows in every table, and in them whatever makes formats stumble."""

from __future__ import annotations

from datetime import timedelta

from imported_pages import import_pages, imported_page
from listed_pages import Crawl, stage, store_list
from stored_pages import JANUARY_10, MINUTE, NOON, OTHER_QUERY, Search

from tiktok_crawler.planning.task_states import Parked, Refused
from tiktok_crawler.research_api import endpoints
from tiktok_crawler.research_api.verdicts import SeedStatus
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.ledger.imports import ImportStart
from tiktok_crawler.storage.ledger.runs import RunEnd, RunStart, begin_run, end_run
from tiktok_crawler.storage.records.imported import Kind

LARGEST = 2**63 - 1
MONTH = 31 * 86_400
DAY = timedelta(days=1)

ODD_TEXTS = (
    "",
    " ",
    "a,b;c\td",
    'said "yes", and """',
    "one\ntwo\r\nthree\rfour",
    "\\N \\n \\",
    "NULL",
    "null",
    "nan",
    "None",
    "007",
    "1e5",
    "true",
    "2024-01-01",
    "=1+1",
    "+49 30 1234",
    "-x",
    "@ann",
    "\t=1+1",
    "'",
    "_x0041_ and _x000D_",
    "👩‍👩‍👧‍👦 🇺🇦 e\u0301",
    "\u202e\u05e9\u05dc\u05d5\u05dd \u0639\u0644\u064a\u0643\u0645\u202c",
    "\ufeffmarked",
    "\x01\x0b\x1f\x7f\x85\u2028\u2029\ufffe\uffff",
    "a\0b\ud800c\udfff",
    "]]><&amp;>",
    "%s {0} $1",
)
"""What an API may deliver as text; NUL and lone surrogates are dropped by storing."""

NESTED = (
    {
        "hashtag_info_list": [{"hashtag_id": LARGEST, "hashtag_name": "tea", "other": None}],
        "sticker_info_list": [{"sticker_id": 1, "sticker_name": "a\n\"b'"}, {}, None],
        "effect_info_list": [{"effect_id": "7", "effect_photo_URI": "", "effect_name": "e👍"}],
        "video_mention_list": ["ann", "ann", "b,ob", "", "zoë"],
        "video_label": {"content": "", "type": 0, "sink": False, "vote": True, "warn": False},
        "video_tag": {"type": "AI", "number": -1},
    },
    {
        "hashtag_info_list": [],
        "video_mention_list": [],
        "video_label": {},
        "video_tag": {"number": None},
        "sticker_info_list": [{"sticker_id": -(2**63)}],
        "effect_info_list": [{}],
    },
    {
        "hashtag_info_list": {"hashtag_id": 1},
        "sticker_info_list": [{"sticker_id": "1"}, {"sticker_id": 1}],
        "effect_info_list": [{"effect_id": 7}],
        "video_mention_list": ["ann", 7, None, ["x"], {"username": "y"}],
        "video_label": {"type": 2**64, "content": "c"},
        "video_tag": {"novel": {"deep": [[[1.5]]]}},
    },
    {
        "hashtag_info_list": [{"hashtag_id": 1.0}],
        "sticker_info_list": [[]],
        "video_label": ["a"],
        "video_mention_list": {"0": "ann"},
        "video_tag": {"type": 5, "number": "x"},
    },
    {
        "hashtag_info_list": [{"hashtag_id": 2**63}],
        "sticker_info_list": ["a"],
        "video_label": {"sink": 1},
        "video_tag": {"number": 1e300, "type": "a" * 1000},
        "video_mention_list": [True],
    },
)
"""Documents as they are documented, and of other shapes."""

TIMES = (JANUARY_10, JANUARY_10 + MONTH, 1, 2**32 - 1, None, JANUARY_10 - 1, JANUARY_10 + 2 * MONTH)
"""Times of creation: near the id's or not, far back, far ahead, missing."""


def odd_videos():
    """Videos, each with something odd."""
    for number, text in enumerate(ODD_TEXTS, start=1):
        yield {
            "id": (JANUARY_10 << 32) + number,
            "create_time": TIMES[number % len(TIMES)],
            "username": ("ann", "zoë.x", "", None)[number % 4],
            "region_code": "FR",
            "video_description": text,
            "voice_to_text": text[::-1],
            "view_count": (0, None, LARGEST, 7)[number % 4],
            "like_count": number,
            "is_stem_verified": (True, False, None)[number % 3],
            "hashtag_names": ([text, "tea", "Ä,b"], [], None)[number % 3],
            "effect_ids": (["7", text], None)[number % 2],
            "novel": ({"big": 2**80, "text": text}, None, -(2**70))[number % 3],
        } | NESTED[number % len(NESTED)]
    yield {"id": 1}
    yield {"id": LARGEST, "create_time": JANUARY_10, "music_id": "12", "playlist_id": LARGEST}


def fill(url, *, begin=NOON):
    """Fill a prepared database."""
    videos = list(odd_videos())
    with database.opened(url) as engine:
        run_id = begin_run(engine, RunStart("videos", {"query": 'q "1".yaml', "x": "é\0"}), begin)
        with Search(url, now=begin, tags=("zweite,Welle", "a")) as run:
            run.session.run_id = run_id
            going_on = run.ask(run.first(), *videos, has_more=True)
            run.ask(going_on, {"id": 5, "create_time": JANUARY_10})
        end_run(engine, run_id, RunEnd("finished", 0, 2, {"fault": 1}, ("a.csv",)), begin + MINUTE)
        begin_run(engine, RunStart("videos", {}, "job"), begin + MINUTE)
    with Search(url, now=begin + DAY, query=OTHER_QUERY, tags=("b",)) as run:
        changed = {"view_count": 8, "username": "other\n", "hashtag_names": ["x"], "novel": 1.5}
        request = run.booked(now=begin + DAY)
        run.store(request, {**videos[2], **changed}, {"id": 1, "like_count": 2}, has_more=True)
    for number, listing in enumerate(endpoints.LISTINGS.values(), start=2):
        fill_listing(url, listing, begin + number * DAY)
    refuse(url, begin + 40 * DAY)
    queries = [{"query": text, "crawls": 1, "unfinished": 0} for text in ODD_TEXTS]
    start = ImportStart("ab" * 32, "=old;\n.db", "database", begin, ("b",), tuple(queries))
    with database.opened(url) as engine:
        import_pages(engine, imported_page(Kind.VIDEOS, {"id": 1}, at=begin), start=start)


def fill_listing(url, listing, now):
    seed, records = RECORDS[listing.name]
    store_list(url, listing, seed, *records, now=now)
    if listing is endpoints.USERS:
        later = [record | {"display_name": "Anna", "bio_url": "x"} for record in records]
        store_list(url, listing, seed, *later, now=now + DAY, max_age=timedelta(hours=1))


def refuse(url, now):
    """Let a user not be found, and another one be asked for later."""
    with Crawl(url, stage(endpoints.USERS, "gone\t", "later"), now=now) as crawl:
        first, second = (crawl.book(request) for request in crawl.requests)
        crawl.session.end(first, Refused(SeedStatus.NOT_FOUND, "no\r\nsuch user", "LOG"), now)
        crawl.session.end(second, Parked("the API failed", "LOG", second.place), now)


def _comments(key, **more):
    return [
        {key: 10 + number, "text": text, "create_time": TIMES[number % len(TIMES)]} | more
        for number, text in enumerate(ODD_TEXTS)
    ]


RECORDS = {
    "comments": ("5", [*_comments("id", video_id=5, novel=[None, 2**64]), {"id": LARGEST}]),
    "replies": ("11", [{"id": 3, "text": "no", "video_id": 5, "parent_comment_id": 11}]),
    "users": ("ann", [{"display_name": "Ann", "follower_count": 3, "bio_description": "a\r\nb"}]),
    "followers": ("ann", [{"username": 'bob,"', "display_name": ""}, {"username": "zoë.x"}]),
    "following": ("ann", [{"username": "zoë.x", "novel": {"a": "\ud800"}}]),
    "liked_videos": ("ann", [{"id": 2, "hashtag_names": ["tea"]}, {"id": 5}]),
    "pinned_videos": ("ann", [{"id": 2}]),
    "reposted_videos": ("zoë.x", [{"id": 3}]),
    "playlists": (
        str(LARGEST),
        [
            {
                "playlist_id": LARGEST,
                "playlist_name": 'a\n"b"',
                "playlist_video_ids": [1, 9, LARGEST],
                "playlist_item_total": 3,
                "playlist_last_updated": LARGEST,
            }
        ],
    ),
    "shops": ("Tea & Co", [{"shop_id": 8, "shop_name": "Tea & Co", "shop_rating": 4.5}]),
    "products": (
        "8",
        [
            {"product_id": "10", "product_name": "t", "product_price": ["20.79GBP", ""]},
            {"product_id": "11", "product_price": [20.79], "product_rating": "4"},
            {"product_id": "0012", "product_price": {"low": "1GBP"}, "novel": {"a": 2**65}},
        ],
    ),
    "reviews": (
        "10",
        [
            {"review_text": text, "create_time": 1_700_000_000_123 + number}
            for number, text in enumerate(ODD_TEXTS)
        ],
    ),
}
"""A seed and records of each listing."""
