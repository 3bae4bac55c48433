"""What a file in sandbox/lists/ would say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from captions_endpoint import CAPTIONS

from tiktok_crawler.sandbox.lists.source import ListedEntries, ListEntry, ListSource, seed_number
from tiktok_crawler.sandbox.protocol.errors import invalid_params

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tiktok_crawler.sandbox.world.blemishes import Record

CAPTION_IDS = 2**62


class Captions(ListSource):
    """Up to twelve captions of each video."""

    listing = CAPTIONS

    def find(self, seed: str) -> ListedEntries:
        video = self._world.corpus.find(seed_number(seed, self.listing.seed_key))
        if video is None:
            raise invalid_params(f"Invalid video_id: {seed}")
        return ListedEntries([ListEntry((video.id, number)) for number in range(video.id % 13)])

    def record(self, item: tuple[int, int], fields: frozenset[str] | None) -> Record:
        video_id, number = item
        caption_id = video_id * 13 % CAPTION_IDS + number
        text = f"Caption {number} of {video_id}"
        record = {"id": caption_id, "language": "en", "text": text, "is_automatic": True}
        return self._dress(record, caption_id, fields)

    def seeds(self) -> Iterator[str]:
        return (str(video.id) for video in self._world.videos_back(range(1)))
