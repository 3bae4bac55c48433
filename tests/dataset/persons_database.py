"""A database in which names stand everywhere, stored as crawls store them."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import cycle

from listed_pages import Crawl, stage, store_list
from stored_pages import NOON, Search

from tiktok_crawler.dataset.protector import Protector
from tiktok_crawler.dataset.reading import Reader
from tiktok_crawler.dataset.selection import Drawn
from tiktok_crawler.dataset.tables import TABLES
from tiktok_crawler.planning.task_states import Refused
from tiktok_crawler.research_api.endpoints import LISTINGS
from tiktok_crawler.research_api.query import Condition, Query
from tiktok_crawler.research_api.verdicts import SeedStatus
from tiktok_crawler.storage.engine.database import create_engine_for, database_url
from tiktok_crawler.storage.engine.transactions import reading
from tiktok_crawler.storage.ledger.runs import RunEnd, RunStart, begin_run, end_run

DAY = timedelta(days=1)
VIDEO, OTHER_VIDEO, COMMENT, REPLY, PLAYLIST = (
    7_319_000_000_000_000_000 + number for number in (1, 2, 50, 51, 70)
)
RECORDS_ROWS = {table.name for table in TABLES.values() if table.rows is not None}


def fill(url, names, texts):
    """Store names and texts in every place that has some; of both there are four or more."""
    ann, bob, zoe, ida = names[:4]
    said = cycle(texts)
    _search(url, names, said)
    again = {"now": NOON + 3 * DAY, "max_age": DAY}
    for display_name, more in ((f"{ann} {bob}", {}), (zoe, again)):
        profile = {"display_name": display_name, "bio_description": next(said), "nick": {bob: zoe}}
        addresses = {"avatar_url": f"https://p16.example/{ann}", "bio_url": f"www.me.example/{ann}"}
        store_list(url, LISTINGS["users"], ann, profile | addresses, **more)
    _refuse(url, ida)
    followers = [{"username": name, "display_name": f"{name} {ida}"} for name in names[1:]]
    store_list(url, LISTINGS["followers"], ann, *followers)
    store_list(url, LISTINGS["liked_videos"], bob, {"id": VIDEO, "username": ann})
    comment = {"id": COMMENT, "video_id": VIDEO, "parent_comment_id": VIDEO, "text": next(said)}
    reply = {"id": REPLY, "video_id": VIDEO, "parent_comment_id": COMMENT, "text": next(said)}
    store_list(url, LISTINGS["comments"], str(VIDEO), comment | {"display_name": f"{bob} {zoe}"})
    store_list(url, LISTINGS["replies"], str(COMMENT), reply | {zoe: next(said)})
    playlist = {"playlist_id": PLAYLIST, "playlist_name": next(said)}
    store_list(
        url, LISTINGS["playlists"], str(PLAYLIST), playlist | {"playlist_video_ids": [VIDEO, 9]}
    )
    store_list(url, LISTINGS["shops"], zoe, {"shop_id": 8, "shop_name": zoe, ann: bob})
    product = {"product_id": "10", "product_name": next(said), "product_description": next(said)}
    store_list(url, LISTINGS["products"], "8", product | {"shop_name": zoe})
    review = {"review_text": next(said), "create_time": 1_700_000_000_000, "display_name": ida}
    store_list(url, LISTINGS["reviews"], "10", review | {"product_name": next(said)})


def _search(url, names, said):
    ann, bob, zoe, ida = names[:4]
    query = Query(
        and_=(
            Condition("username", "IN", tuple(names)),
            Condition("keyword", "IN", (bob, next(said))),
            Condition("hashtag_name", "EQ", (zoe,)),
            Condition("video_id", "EQ", (str(VIDEO),)),
        )
    )
    for now, username, other in ((NOON, ann, bob), (NOON + 3 * DAY, zoe, ida)):
        with Search(url, query=query, tags=(ida,), now=now) as search:
            records = (
                {
                    "id": VIDEO,
                    "create_time": 1_704_844_800,
                    "username": username,
                    "region_code": "FR",
                    "video_description": next(said),
                    "voice_to_text": next(said),
                    "playlist_id": PLAYLIST,
                    "view_count": 3,
                    "hashtag_names": [ann, other, "tea"],
                    "hashtag_info_list": [{"hashtag_id": 4, "hashtag_name": other}],
                    "sticker_info_list": [{"sticker_id": 5, "sticker_name": next(said)}],
                    "effect_info_list": [{"effect_id": "6", "effect_name": next(said)}],
                    "video_mention_list": [zoe, other],
                    "video_label": {"content": next(said), "type": 0},
                    bob: {"deep": [next(said), {ida: 7}]},
                },
                {"id": OTHER_VIDEO, "username": ida, "video_mention_list": {"odd": zoe}},
            )
            search.ask(search.first(), *records)
    engine = create_engine_for(database_url(url))
    arguments = {"usernames": ",".join(names), "query": f"{ann}.yaml", "tags": ida}
    run = begin_run(engine, RunStart("videos", arguments, job=bob), NOON)
    end_run(engine, run, RunEnd("finished", 0, 7, {}, (f"{zoe}.csv",)), NOON)
    engine.dispose()


def _refuse(url, username):
    with Crawl(url, stage(LISTINGS["users"], username)) as crawl:
        (request,) = crawl.requests
        said = f"`username: {username}` is invalid: cannot find the user"
        refused = Refused(SeedStatus.NOT_FOUND, said, "20240601LOG")
        crawl.session.end(crawl.book(request), refused, crawl.later())


def tables(url, protection):
    """All tables but `coverage`, protected: the rows of each as dicts, in the order read."""
    engine = create_engine_for(database_url(url))
    found = {name: [] for name in RECORDS_ROWS}
    with reading(engine) as connection, Protector(connection, protection) as protector:
        reader = Reader(connection, Drawn())
        wanted = [TABLES[name] for name in RECORDS_ROWS]
        lists = [table for table in TABLES.values() if table.lists]
        found |= {table.name: [] for table in lists}
        parts = [
            *reader.videos([TABLES["video"], *(t for t in wanted if t.beside_video), *lists]),
            *(
                part
                for table in wanted
                if table.name != "video" and not table.beside_video
                for part in reader.rows(table)
            ),
        ]
        for part in parts:
            block = protector.block(part.table, part.block)
            found[part.table.name] += [
                dict(zip(block, row, strict=True)) for row in zip(*block.values(), strict=True)
            ]
    engine.dispose()
    return found


def strings_in(document):
    """All texts in JSON, keys included."""
    return list(_strings(json.loads(document)))


def _strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
