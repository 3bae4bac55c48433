"""Which videos and comments there still are, as a compliance check tells it (api_facts.md 10.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.sandbox.faults.profile import Category
from tiktok_crawler.sandbox.world.remarks import shown_remark

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tiktok_crawler.sandbox.world.world import World


def still_there(world: World, category: Category, ids: Iterable[int]) -> list[int]:
    """Those of the ids that are still valid, each once, in their order."""
    exists = _has_video if category is Category.VIDEO else _has_comment
    known = list(dict.fromkeys(ids))
    # In the order of time each day of the corpus is needed once.
    found = {number for number in sorted(known) if exists(world, number)}
    return [number for number in known if number in found]


def _has_video(world: World, video_id: int) -> bool:
    video = world.corpus.find(video_id)
    return bool(video and video.create_time <= world.moment and not world.is_hidden(video))


def _has_comment(world: World, comment_id: int) -> bool:
    return shown_remark(world, comment_id) is not None
