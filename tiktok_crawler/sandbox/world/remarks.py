"""Which comments and replies there are: how many a video has, and which of them are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.sandbox.world.chance import lot
from tiktok_crawler.sandbox.world.comment_ids import (
    MOST_COMMENTS,
    MOST_REPLIES,
    Remark,
    find_comment,
    find_remark,
)
from tiktok_crawler.sandbox.world.people import POPULATION

if TYPE_CHECKING:
    from tiktok_crawler.sandbox.world.corpus import SandboxVideo
    from tiktok_crawler.sandbox.world.world import World


def comment_count(world: World, video: SandboxVideo) -> int:
    """Less than half of what the video counts: replies count too."""
    chosen = world.lists.comments
    return min(video.comment_count * 45 // 100 if chosen is None else chosen, MOST_COMMENTS)


def reply_count(world: World, remark: Remark) -> int:
    """Few have any; those on top have most."""
    if remark.reply is not None:
        return 0
    chosen = world.lists.replies
    if chosen is not None:
        return min(chosen, MOST_REPLIES)
    draw = lot(world.seed, "replies", remark.id) ** 8
    return min(int(draw * (6 + 100 / (remark.rank + 1))), remark.video.comment_count // 4)


def author_number(world: World, remark: Remark) -> int:
    """The number of the person who wrote it."""
    return int(lot(world.seed, "author", remark.id) * POPULATION)


def is_hidden(world: World, remark: Remark) -> bool:
    """Tell whether it is deleted, also with its author, or still to be written."""
    return (
        remark.create_time > world.moment
        or lot(world.seed, remark.id) < world.lists.deleted
        or _is_authorless(world, remark)
    )


def answerable_comment(world: World, comment_id: int) -> Remark | None:
    """The comment that has this id, if its replies can be asked for."""
    comment = find_comment(world.corpus, comment_id)
    return comment if comment and _can_have_replies(world, comment) else None


def shown_remark(world: World, remark_id: int) -> Remark | None:
    """The comment or the reply that has this id, if a list can have it."""
    remark = find_remark(world.corpus, remark_id)
    if remark is None or is_hidden(world, remark):
        return None
    comment = remark._replace(reply=None)
    is_there = remark.reply is None or remark.reply < reply_count(world, comment)
    return remark if is_there and _can_have_replies(world, comment) else None


def _can_have_replies(world: World, comment: Remark) -> bool:
    return (
        comment.rank < comment_count(world, comment.video)
        and not world.is_hidden(comment.video)
        and not _is_authorless(world, comment)
    )


def _is_authorless(world: World, remark: Remark) -> bool:
    return world.is_gone(author_number(world, remark))
