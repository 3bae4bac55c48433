"""What a writer's process does: store pages when it is its turn, and say how long that took.

Runs in the environment of whoever writes, so it needs nothing but Python. Orders are lines on
standard input: `begin` starts a new crawl at the first page, a number stores so many pages.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Page = list[dict[str, Any]]
    Write = Callable[[Page], None]

FIELDS = [
    "id",
    "video_description",
    "create_time",
    "region_code",
    "share_count",
    "view_count",
    "like_count",
    "comment_count",
    "music_id",
    "hashtag_names",
    "username",
    "effect_ids",
    "voice_to_text",
    "playlist_id",
]
"""The fields that tiktok-research-api-helper asks for and has columns for."""


def take_turns(begin: Callable[[], Write]) -> None:
    """Obey until standard input ends; the second argument of the command is the file of pages.

    `begin` starts a crawl, and returns what stores one page of it. With a third argument, videos
    have no other fields than `FIELDS`.
    """
    path, fields = Path(sys.argv[2]), FIELDS if sys.argv[3:] else None
    for order in sys.stdin:
        if order.strip() == "begin":
            write, pages = begin(), _pages(path, fields)
            print(0, flush=True)
        else:
            turn = islice(pages, int(order))
            print(sum(_seconds(write, page) for page in turn), flush=True)


def _pages(path: Path, fields: list[str] | None) -> Iterator[Page]:
    with path.open() as lines:
        for line in lines:
            yield [_cut(video, fields) for video in json.loads(line)]


def _cut(video: dict[str, Any], fields: list[str] | None) -> dict[str, Any]:
    return {name: video[name] for name in fields if name in video} if fields else video


def _seconds(write: Write, page: Page) -> float:
    started = time.perf_counter()
    write(page)
    return time.perf_counter() - started
