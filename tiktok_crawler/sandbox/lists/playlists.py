"""Playlists: the ids of an account's videos of a period, oldest first (api_facts.md 10.1)."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from tiktok_crawler.research_api.endpoints import PLAYLISTS
from tiktok_crawler.sandbox.lists.source import ListedEntries, ListEntry, ListSource, seed_number
from tiktok_crawler.sandbox.protocol.errors import invalid_params
from tiktok_crawler.sandbox.world.chance import happens
from tiktok_crawler.sandbox.world.playlist_ids import (
    PERIOD_DAYS,
    SandboxPlaylist,
    find_playlist,
    playlist_of,
)
from tiktok_crawler.sandbox.world.world import DAYS_BACK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tiktok_crawler.sandbox.world.blemishes import Record
    from tiktok_crawler.sandbox.world.corpus import SandboxVideo


class Playlists(ListSource):
    """`data` is the playlist itself, with a page of its ids."""

    listing = PLAYLISTS

    def find(self, seed: str) -> ListedEntries:
        playlist = find_playlist(self._world.seed, seed_number(seed, self.listing.seed_key))
        videos = self._videos(playlist) if playlist else []
        if not videos:
            raise invalid_params(f"Invalid playlist_id: {seed}")
        entries = [ListEntry(video, hidden=self._world.is_hidden(video)) for video in videos]
        return ListedEntries(entries, beside=self._about(int(seed), videos))

    def _videos(self, playlist: SandboxPlaylist) -> list[SandboxVideo]:
        """All of its videos; none if its owner is removed."""
        if self._world.is_gone(playlist.account):
            return []
        videos = self._world.videos_since(playlist.starts_at, PERIOD_DAYS)
        own = (video for video in videos if video.account.number == playlist.account)
        return sorted(own, key=attrgetter("create_time"))

    def record(self, item: SandboxVideo, fields: frozenset[str] | None) -> int:  # noqa: ARG002 - as others
        return item.id

    def data(self, listed: ListedEntries, records: list[Any]) -> dict[str, Any]:
        playlist = {**listed.beside, "playlist_video_ids": records}
        return self._dress(playlist, playlist["playlist_id"], None)

    def seeds(self) -> Iterator[str]:
        """Each playlist of the example videos."""
        seen = set()
        for video in self._world.videos_back(range(DAYS_BACK)):
            number = playlist_of(self._world.seed, video.account.number, video.create_time)
            if number is not None and number not in seen:
                seen.add(number)
                yield str(number)

    def _about(self, playlist_id: int, videos: list[SandboxVideo]) -> Record:
        """All but its videos; a few have no name."""
        about: Record = {
            "playlist_id": playlist_id,
            "playlist_item_total": len(videos),
            "playlist_last_updated": videos[-1].create_time,
        }
        rng = self._world.rng(self.listing.name, playlist_id)
        if happens(rng, 0.95):
            words = rng.choices(videos[0].account.language.words, k=2)
            about["playlist_name"] = " ".join(words).title()
        return about
