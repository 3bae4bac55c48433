"""Realistic pages: 100 videos each, newest first, of which five were on a page before."""

from __future__ import annotations

import json
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Record = dict[str, Any]

PAGE_SIZE = 100
SEEN_BEFORE = 5
KEPT_EVERY = 20
"""One video in so many can come again."""

HASHTAGS_EACH = 8
NEWEST = 1_706_745_599
"""2024-01-31 23:59:59 UTC in Unix seconds."""

SECONDS = 31 * 86_400

SCRIPTS = (
    "butter",
    "recipe",
    "хлеб",
    "сыр",
    "料理",
    "バター",
    "خبز",
    "मक्खन",
    "fromage",
    "🧀",
    "pão",
)
NAMES = tuple(f"{SCRIPTS[rank % len(SCRIPTS)]}{rank or ''}" for rank in range(50_000))
WEIGHTS = tuple(accumulate(1 / (rank + 1) for rank in range(len(NAMES))))
"""The most frequent hashtag is on half of all videos; most names are on a handful."""


def write_pages(path: Path, videos: int, *, newest: int = NEWEST) -> None:
    """Write the pages of a search of 31 days that end at a time, one JSON list a line."""
    with path.open("w") as file:
        pages = _invent_pages(videos, newest)
        file.writelines(json.dumps(page, ensure_ascii=False) + "\n" for page in pages)


def _invent_pages(videos: int, newest: int) -> Iterator[list[Record]]:
    rng = Random(newest)
    seen: list[Record] = []
    for number in range(videos // PAGE_SIZE):
        again = [_later(video, rng) for video in rng.sample(seen, min(len(seen), SEEN_BEFORE))]
        first = number * PAGE_SIZE
        new = [
            _video(newest - SECONDS * (first + place) // videos, first + place, rng)
            for place in range(PAGE_SIZE - len(again))
        ]
        seen += new[::KEPT_EVERY]
        yield sorted(new + again, key=lambda video: video["id"], reverse=True)


def _later(video: Record, rng: Random) -> Record:
    return video | {"view_count": video["view_count"] + rng.randrange(100)}


def _video(create_time: int, number: int, rng: Random) -> Record:
    """A record with the keys that most videos have, and some that few have."""
    views = int(rng.lognormvariate(7, 2.2))
    names = _hashtags(rng)
    words = " ".join(rng.choice(SCRIPTS) for _ in range(8))
    record: Record = {
        "id": (create_time - 30) << 32 | number,
        "create_time": create_time,
        "username": f"olive.maple{int(40_000 * rng.random() ** 2)}",
        "region_code": rng.choice(("US", "FR", "BR", "JP", "EG")),
        "video_description": f"{words} {' '.join('#' + name for name in names)}",
        "music_id": 6_700_000_000_000_000_000 + int(20_000 * rng.random() ** 3),
        "view_count": views,
        "like_count": int(views * rng.random() / 5),
        "comment_count": int(views * rng.random() / 50),
        "share_count": int(views * rng.random() / 90),
        "favorites_count": int(views * rng.random() / 40),
        "hashtag_names": names,
        "hashtag_info_list": [{"hashtag_id": len(n) << 20, "hashtag_name": n} for n in names],
        "video_duration": 3 + int(rng.lognormvariate(3, 0.9)),
        "is_stem_verified": False,
    }
    return record | _rarities(rng)


def _hashtags(rng: Random) -> list[str]:
    names: dict[str, None] = {}
    while len(names) < HASHTAGS_EACH:
        names |= dict.fromkeys(rng.choices(NAMES, cum_weights=WEIGHTS, k=HASHTAGS_EACH))
    return list(names)[:HASHTAGS_EACH]


def _rarities(rng: Random) -> Record:
    chances: list[tuple[float, Record]] = [
        (0.10, {"effect_ids": [str(rng.randrange(400)), "7"]}),
        (0.15, {"voice_to_text": " ".join(rng.choices(SCRIPTS, k=40))}),
        (0.01, {"playlist_id": 7_000_000_000_000_000_000 + rng.randrange(1000)}),
        (0.08, {"video_mention_list": ["olive_maple12", "zephyr.7"]}),
        (0.30, {"video_label": {"content": "", "sink": False, "type": 0, "warn": False}}),
    ]
    picked: Record = {}
    for chance, values in chances:
        if rng.random() < chance:
            picked |= values
    return picked
