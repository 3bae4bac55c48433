"""Ids of comments and replies: each tells its video and its place, so that none is remembered.

The upper half is the second in which it was made, as of any id (api_facts.md 3.7, 4). The lower
half has the tag of the video's id, and what tells comments made in the same second apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tiktok_crawler.sandbox.world.corpus import TAG_BITS, TAG_MASK

if TYPE_CHECKING:
    from tiktok_crawler.sandbox.world.corpus import Corpus, SandboxVideo

MOST_COMMENTS = 1 << 15
MOST_REPLIES = 1 << 11
"""Of a video, and to a comment."""

_NOISE_BITS = 6
_SLOTS = MOST_COMMENTS * MOST_REPLIES
_STRIDE = 40_503_321
_BACK = pow(_STRIDE, -1, _SLOTS)
_SECONDS = _SLOTS >> _NOISE_BITS
"""Comments come in the twelve days after their video, replies in the twelve days after these."""


class Remark(NamedTuple):
    """A comment of a video, by its place among them, or the reply of that place to it."""

    video: SandboxVideo
    rank: int
    reply: int | None = None

    @property
    def id(self) -> int:
        slot = self.rank if self.reply is None else self.rank * MOST_REPLIES + self.reply
        place = (slot * _STRIDE + self.video.id) % _SLOTS
        made_at = self.video.create_time + (place >> _NOISE_BITS)
        made_at += 0 if self.reply is None else _SECONDS
        noise = place & ((1 << _NOISE_BITS) - 1)
        return made_at << 32 | noise << TAG_BITS | self.video.id & TAG_MASK

    @property
    def create_time(self) -> int:
        return self.id >> 32


def find_comment(corpus: Corpus, comment_id: int) -> Remark | None:
    """The comment that has this id; none for replies, which have no replies of their own."""
    remark = find_remark(corpus, comment_id)
    return remark if remark and remark.reply is None else None


def find_remark(corpus: Corpus, remark_id: int) -> Remark | None:
    """The comment or the reply that has this id, of as many as a video could have."""
    video = corpus.find_before(remark_id & TAG_MASK, remark_id >> 32)
    if video is None:
        return None
    made_after = (remark_id >> 32) - video.create_time
    noise = remark_id >> TAG_BITS & ((1 << _NOISE_BITS) - 1)
    place = made_after % _SECONDS << _NOISE_BITS | noise
    slot = (place - video.id) * _BACK % _SLOTS
    is_comment = made_after < _SECONDS
    remark = Remark(video, slot) if is_comment else Remark(video, *divmod(slot, MOST_REPLIES))
    exists = remark.rank < MOST_COMMENTS and remark.id == remark_id
    return remark if exists else None
