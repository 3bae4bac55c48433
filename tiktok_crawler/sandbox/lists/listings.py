"""All lists of a sandbox: their endpoints, and the truth that they serve."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from tiktok_crawler.sandbox.lists.comments import Comments, Replies
from tiktok_crawler.sandbox.lists.endpoint import ListEndpoint
from tiktok_crawler.sandbox.lists.follows import Followers, Following
from tiktok_crawler.sandbox.lists.paging import shown
from tiktok_crawler.sandbox.lists.playlists import Playlists
from tiktok_crawler.sandbox.lists.profiles import Profiles
from tiktok_crawler.sandbox.lists.shops import Products, Reviews, Shops
from tiktok_crawler.sandbox.lists.user_videos import LikedVideos, PinnedVideos, RepostedVideos
from tiktok_crawler.sandbox.protocol.errors import ApiError, SandboxProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tiktok_crawler.sandbox.access.research_endpoint import Gate
    from tiktok_crawler.sandbox.lists.source import ListSource
    from tiktok_crawler.sandbox.world.world import World

_SOURCES: tuple[type[ListSource], ...] = (
    Comments,
    Replies,
    Profiles,
    Followers,
    Following,
    LikedVideos,
    PinnedVideos,
    RepostedVideos,
    Playlists,
    Shops,
    Products,
    Reviews,
)


class Listings:
    """Every kind of list, by its name."""

    def __init__(self, world: World) -> None:
        self._sources = {str(kind.name): kind(world) for kind in _SOURCES}

    def endpoints(self, gate: Gate) -> dict[str, ListEndpoint]:
        """What answers at each path; sources of one path stand side by side."""
        by_path = groupby(self._sources.values(), lambda source: source.endpoint.path)
        return {path: ListEndpoint(gate, tuple(sources)) for path, sources in by_path}

    def truth(self, name: str, seed: str) -> list[Any] | SandboxProblem:
        """See `Sandbox.truth`."""
        source = self._sources[name]
        try:
            listed = source.find(seed)
        except ApiError as exc:
            return exc.problem
        entries = listed.entries[: listed.reach]
        records = [source.record(item, None) for item in shown(entries)]
        return records if source.endpoint.records_keys else [source.data(listed, records)]

    def seeds(self, name: str, *, at_least: int, refusal: str | None) -> Iterator[str]:
        """See `Sandbox.seeds`."""
        return (
            seed
            for seed in self._sources[name].seeds()
            if self._fits(name, seed, at_least=at_least, refusal=refusal)
        )

    def _fits(self, name: str, seed: str, *, at_least: int, refusal: str | None) -> bool:
        try:
            listed = self._sources[name].find(seed)
        except ApiError as exc:
            return refusal is not None and refusal in exc.problem.message
        return refusal is None and len(shown(listed.entries[: listed.reach])) >= at_least
