"""The lists of videos that a user has: liked, pinned and reposted ones (api_facts.md 6 to 8)."""

from __future__ import annotations

from itertools import islice
from math import exp
from typing import TYPE_CHECKING

from tiktok_crawler.research_api.endpoints import (
    LIKED_VIDEOS,
    PINNED_VIDEOS,
    REPOSTED_VIDEOS,
    USER_VIDEO_FIELDS,
)
from tiktok_crawler.sandbox.lists.source import ListedEntries, ListEntry, ListSource
from tiktok_crawler.sandbox.protocol.errors import FORBIDDEN, INFORMATION_WITHHELD, ApiError
from tiktok_crawler.sandbox.world.chance import happens, lot
from tiktok_crawler.sandbox.world.world import DAYS_BACK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tiktok_crawler.sandbox.world.blemishes import Record
    from tiktok_crawler.sandbox.world.corpus import SandboxVideo
    from tiktok_crawler.sandbox.world.people import Person

_EVERY_FIELD = frozenset(USER_VIDEO_FIELDS)
_NEWEST_LIKE = 1_709_251_200_000
"""The end of February 2024, in milliseconds."""

_MEAN_GAP = 3_600_000
_MOST_PINS = 3
_PIN_DAYS = 31
_KEY, _OTHER_KEY = REPOSTED_VIDEOS.endpoint.records_keys


class _UserVideos(ListSource):
    """The common part of lists of videos."""

    def seeds(self) -> Iterator[str]:
        return self._world.people.accounts()

    def record(self, item: SandboxVideo, fields: frozenset[str] | None) -> Record:
        video = self._world.aging.at(item, self._world.moment)
        return self._world.videos.record(video, _EVERY_FIELD if fields is None else fields)

    def _some_videos(self, person: Person, chosen: int | None, rng: Random) -> list[SandboxVideo]:
        """So many videos, if there are, of the weeks before a day that differs with the person."""
        size = chosen
        if size is None:
            size = 0 if happens(rng, 0.2) else int(exp(rng.gauss(3.5, 1.3)))
        days = range(person.number % 7, DAYS_BACK)
        pool = list(islice(self._world.videos_back(days), 4 * size))
        return rng.sample(pool, min(size, len(pool)))


class LikedVideos(_UserVideos):
    """The latest like first; nearly nobody shows them."""

    listing = LIKED_VIDEOS

    def find(self, seed: str) -> ListedEntries:
        person, lists = self._world.people.find(seed), self._world.lists
        if lot(self._world.seed, "private likes", person.number) < lists.private_likes:
            raise ApiError(FORBIDDEN if person.number % 2 else INFORMATION_WITHHELD)
        rng = self._world.rng(self.listing.name, person.number)
        videos = self._some_videos(person, lists.liked_videos, rng)
        at, entries = _NEWEST_LIKE, []
        for video in videos:
            at -= 1 + int(rng.expovariate(1 / _MEAN_GAP))
            entries.append(ListEntry(video, at, self._world.is_hidden(video)))
        return ListedEntries(entries)


class PinnedVideos(_UserVideos):
    """Up to three of the user's own videos, all at once."""

    listing = PINNED_VIDEOS
    without_empty_list = True

    def find(self, seed: str) -> ListedEntries:
        person = self._world.people.find(seed)
        recent = self._world.videos_back(range(_PIN_DAYS))
        own = (video for video in recent if self._is_shown_by(video, person))
        number = int(self._world.rng(self.listing.name, person.number).random() * (_MOST_PINS + 1))
        pins = [ListEntry(video) for video in islice(own, number)]
        return ListedEntries(pins)

    def _is_shown_by(self, video: SandboxVideo, person: Person) -> bool:
        return video.account.number == person.number and not self._world.is_hidden(video)


class RepostedVideos(_UserVideos):
    """Its key is spelled in one of two ways."""

    listing = REPOSTED_VIDEOS
    fills_pages = True

    def find(self, seed: str) -> ListedEntries:
        person, lists = self._world.people.find(seed), self._world.lists
        rng = self._world.rng(self.listing.name, person.number)
        is_other = lot(self._world.seed, "reposted key", person.number) < lists.other_reposted_key
        videos = self._some_videos(person, lists.reposted_videos, rng)
        entries = [ListEntry(video, hidden=self._world.is_hidden(video)) for video in videos]
        return ListedEntries(entries, _OTHER_KEY if is_other else _KEY)
