"""Comments of videos and replies to comments, the most liked first (api_facts.md 4)."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from tiktok_crawler.research_api.endpoints import COMMENTS, REPLIES
from tiktok_crawler.sandbox.lists.source import ListedEntries, ListEntry, ListSource, seed_number
from tiktok_crawler.sandbox.protocol.errors import invalid_params
from tiktok_crawler.sandbox.world.chance import happens
from tiktok_crawler.sandbox.world.comment_ids import Remark
from tiktok_crawler.sandbox.world.remarks import (
    answerable_comment,
    author_number,
    comment_count,
    is_hidden,
    reply_count,
)
from tiktok_crawler.sandbox.world.vocabulary import EMOJI
from tiktok_crawler.sandbox.world.world import DAYS_BACK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from random import Random

    from tiktok_crawler.sandbox.world.blemishes import Record
    from tiktok_crawler.sandbox.world.corpus import SandboxVideo

_MASKED = ("40******30", "a*******@****", "**** **** **** 1111")


class _Remarks(ListSource):
    """The common part of comments and replies."""

    default_count = 10

    @abstractmethod
    def _parent_id(self, remark: Remark) -> int: ...

    def record(self, item: Remark, fields: frozenset[str] | None) -> Record:
        world, number = self._world, item.id
        rng = world.rng("remark", number)
        record: Record = {
            "id": number,
            "video_id": item.video.id,
            "parent_comment_id": self._parent_id(item),
            "create_time": item.create_time,
            "text": _text(rng, item.video),
            "reply_count": reply_count(world, item),
        }
        if happens(rng, 0.97):
            record["like_count"] = _like_count(item)
        if happens(rng, 0.95):
            author = world.people.person(author_number(world, item))
            record["display_name"] = author.display_name
        return self._dress(record, number, fields)

    def _entries(self, remarks: Iterable[Remark]) -> list[ListEntry]:
        """Deleted ones are hidden, and those that are still to be written."""
        world = self._world
        return [ListEntry(remark, hidden=is_hidden(world, remark)) for remark in remarks]


class Comments(_Remarks):
    """The comments of a video, up to a cap."""

    listing = COMMENTS
    message = ""

    def find(self, seed: str) -> ListedEntries:
        video = self._world.corpus.find(seed_number(seed, self.listing.seed_key))
        if video is None or self._world.is_hidden(video):
            raise invalid_params(f"Invalid video_id: {seed}")
        cap, number = self._world.lists.comment_cap, comment_count(self._world, video)
        if number > cap and self._world.lists.cap_refuses:
            return ListedEntries(self._of(video, number), reach=cap)
        return ListedEntries(self._of(video, min(number, cap)))

    def seeds(self) -> Iterator[str]:
        return (str(video.id) for video in self._world.videos_back(range(DAYS_BACK)))

    def _of(self, video: SandboxVideo, number: int) -> list[ListEntry]:
        return self._entries(Remark(video, rank) for rank in range(number))

    def _parent_id(self, remark: Remark) -> int:
        return remark.video.id


class Replies(_Remarks):
    """The replies to a comment."""

    listing = REPLIES

    def find(self, seed: str) -> ListedEntries:
        comment = answerable_comment(self._world, seed_number(seed, self.listing.seed_key))
        if comment is None:
            raise invalid_params(f"Invalid comment_id: {seed}")
        replies = range(reply_count(self._world, comment))
        return ListedEntries(self._entries(comment._replace(reply=number) for number in replies))

    def seeds(self) -> Iterator[str]:
        return (
            str(Remark(video, rank).id)
            for video in self._world.videos_back(range(DAYS_BACK))
            if not video.hidden
            for rank in range(comment_count(self._world, video))
        )

    def _parent_id(self, remark: Remark) -> int:
        return remark._replace(reply=None).id


def _like_count(remark: Remark) -> int:
    """Falls from place to place."""
    place = remark.rank if remark.reply is None else remark.reply
    return int(remark.video.view_count * 0.01 / (place + 1) ** 0.9)


def _text(rng: Random, video: SandboxVideo) -> str:
    """A few words; nothing for a picture, and personal data masked (api_facts.md 4)."""
    if happens(rng, 0.04):
        return ""
    words = rng.choices(video.account.language.words, k=1 + int(rng.random() ** 2 * 20))
    if happens(rng, 0.3):
        words.append(rng.choice(EMOJI))
    if happens(rng, 0.03):
        words.append(rng.choice(_MASKED))
    return " ".join(words)
