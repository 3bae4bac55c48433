"""Pages of four crawls that meet the same videos at the same time. They are always the same pages.

A round is a few pages of each crawl. Its pages were received before those of the next round, at
times that differ and go back and forth between the crawls. Crawls that write a round's pages as
fast as they can commit them in another order: most of the pages that others see too come late.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from stored_pages import NOON, video

from tiktok_crawler.date_range import DAY, DateRange

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    Record = dict[str, Any]

CRAWLS = range(4)
PAGES_A_ROUND = 6
BETWEEN_PAGES = timedelta(minutes=1)

CONTESTED, RELAYED, UNCHANGED = (place * 10_000_000 for place in (1, 2, 3))
"""Three kinds of videos, by their first ids.

Contested: on pages of all crawls in one round. Each record has all fields, and a view_count that no
other has. Relayed: on pages of one crawl in a round, and of the next crawl in the next round, with
records that lack anything, or have `[]`, or what was there already. Unchanged: on pages of all
crawls, always with the same record.
"""

ON_A_PAGE = {CONTESTED: 16, RELAYED: 5, UNCHANGED: 4}
MET = {CONTESTED: 50, RELAYED: 40, UNCHANGED: 20}
"""How many videos of a kind are met in a round: each round a tenth of them for the first time."""

TEXTS = ("Beurre", "Хлеб", "バター 🧈", "\\ \"'", "")


@dataclass(frozen=True)
class OverlappingPage:
    """A page of a crawl that searches one window a round; some windows stay open."""

    crawl: int
    received_at: datetime
    window: DateRange
    records: tuple[Record, ...]
    tags: tuple[str, ...]
    starts_search: bool
    has_more: bool


def pages_of_round(round_: int, crawls: Collection[int] = CRAWLS) -> Iterator[OverlappingPage]:
    """The pages of some of the crawls, in the order in which they were received."""
    for step in range(PAGES_A_ROUND):
        for turn in CRAWLS:
            crawl = (turn + step + round_) % len(CRAWLS)
            if crawl in crawls:
                page_number = (round_ * PAGES_A_ROUND + step) * len(CRAWLS) + turn
                yield _page(round_, step, crawl, NOON + page_number * BETWEEN_PAGES)


def is_contested(video_id: int) -> bool:
    return CONTESTED <= video_id < RELAYED


def _page(round_: int, step: int, crawl: int, received_at: datetime) -> OverlappingPage:
    day = date(2000, 1, 1) + round_ * DAY
    is_last = step == PAGES_A_ROUND - 1
    return OverlappingPage(
        crawl=crawl,
        received_at=received_at,
        window=DateRange(day, day),
        records=tuple(_records(round_, step, crawl, received_at)),
        tags=("shared", f"round {round_}"),
        starts_search=step == 0,
        has_more=not is_last or (round_ + crawl) % 3 == 0,
    )


def _records(round_: int, step: int, crawl: int, received_at: datetime) -> list[Record]:
    chance = Random(f"page {step} of crawl {crawl} in round {round_}")
    met = {kind: _met(kind, round_) for kind in ON_A_PAGE}
    met[RELAYED] = [id_ for id_ in met[RELAYED] if (id_ + round_) % len(CRAWLS) == crawl]
    ids = {kind: chance.sample(met[kind], count) for kind, count in ON_A_PAGE.items()}
    views = {"view_count": (received_at - NOON) // BETWEEN_PAGES}
    names = [f"new in {round_}.{step}: {number}" for number in range(40)]
    contested = [_changed(id_, chance, names) | views for id_ in ids[CONTESTED]]
    relayed = [_cut(_changed(id_, chance, names), chance) for id_ in ids[RELAYED]]
    unchanged = [_whole(id_, Random(id_), TEXTS) for id_ in ids[UNCHANGED]]
    return chance.sample([*contested, *relayed, *unchanged], sum(ON_A_PAGE.values()))


def _met(kind: int, round_: int) -> list[int]:
    first = kind + round_ * MET[kind] // 10
    return list(range(first, first + MET[kind]))


def _changed(video_id: int, chance: Random, names: Sequence[str]) -> Record:
    """A video's first record with some other values; the names in it are new and old ones."""
    changes = _whole(video_id, chance, names)
    some = {name: value for name, value in changes.items() if chance.random() < 0.3}
    return _whole(video_id, Random(video_id), TEXTS) | some


def _whole(video_id: int, chance: Random, names: Sequence[str]) -> Record:
    """A record with all fields, of which all but the names have few values."""
    return video(
        video_id,
        username=chance.choice(TEXTS),
        video_description=chance.choice(TEXTS) * 2,
        region_code=chance.choice(("FR", "US")),
        music_id=chance.choice((7, 2**63 - 1)),
        video_duration=chance.randrange(3),
        is_stem_verified=chance.random() < 0.5,
        like_count=chance.randrange(3),
        comment_count=chance.randrange(3),
        share_count=0,
        view_count=chance.randrange(3),
        favorites_count=chance.randrange(3),
        hashtag_names=[*chance.choices(names, k=8), f"old {chance.randrange(200)}"],
        effect_ids=[*chance.choices(names, k=2), str(chance.randrange(20))],
        video_label={"a": chance.choice((1, 1.5, 2)), "b": chance.choice(TEXTS)},
        video_mention_list=chance.sample(TEXTS, 2),
        novelty=chance.choice(([1], "", 0)),
    )


def _cut(record: Record, chance: Random) -> Record:
    """A record that lacks some fields, has null in others, and no names in some of its lists."""
    said = {name: value for name, value in record.items() if chance.random() < 0.7}
    said |= {name: None for name in said if chance.random() < 0.1}
    said |= {name: [] for name in ("hashtag_names", "effect_ids") if chance.random() < 0.1}
    return said | {"id": record["id"]}
