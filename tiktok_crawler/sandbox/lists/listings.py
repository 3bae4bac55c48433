"""All lists of a sandbox: their endpoints, and the truth that they serve."""

from __future__ import annotations

from importlib import import_module
from inspect import isabstract, isclass
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from tiktok_crawler.sandbox import lists
from tiktok_crawler.sandbox.lists.endpoint import ListEndpoint
from tiktok_crawler.sandbox.lists.paging import shown
from tiktok_crawler.sandbox.lists.source import ListSource
from tiktok_crawler.sandbox.protocol.errors import ApiError, SandboxProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tiktok_crawler.sandbox.access.research_endpoint import Gate
    from tiktok_crawler.sandbox.world.world import World


def _found_sources() -> Iterator[type[ListSource]]:
    """The sources that the files of this folder declare."""
    for file in iter_modules(lists.__path__, f"{lists.__name__}."):
        module = import_module(file.name)
        for kind in vars(module).values():
            is_own = isclass(kind) and kind.__module__ == file.name
            if is_own and issubclass(kind, ListSource) and not isabstract(kind):
                yield kind


class Listings:
    """Every kind of list, by its name."""

    def __init__(self, world: World) -> None:
        self._sources = {kind.listing.name: kind(world) for kind in _found_sources()}

    def endpoints(self, gate: Gate) -> dict[str, ListEndpoint]:
        """Return the endpoint at each path; sources of one path stand side by side."""
        by_path: dict[str, tuple[ListSource, ...]] = {}
        for source in self._sources.values():
            path = source.listing.endpoint.path
            by_path[path] = (*by_path.get(path, ()), source)
        return {path: ListEndpoint(gate, sources) for path, sources in by_path.items()}

    def truth(self, name: str, seed: str) -> list[Any] | SandboxProblem:
        """See `Sandbox.truth`."""
        source = self._sources[name]
        try:
            listed = source.find(seed)
        except ApiError as exc:
            return exc.problem
        entries = listed.entries[: listed.reach]
        records = [source.record(item, None) for item in shown(entries)]
        return records if source.listing.endpoint.records_keys else [source.data(listed, records)]

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
