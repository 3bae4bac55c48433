"""The components of this project that no crawl can do without, in the settings that have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scrapy.settings import BaseSettings

from tiktok_crawler.config.rules import Derived, load
from tiktok_crawler.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

ADD = (
    "add to what the project has (in a module of settings from tiktok_crawler.settings import *; "
    "in a Python script get_project_settings()) instead of replacing it"
)


@dataclass(frozen=True)
class Keeps:
    """Components of ours in their order; those of Scrapy's that they replace stay off.

    `first`: they stand before all others.
    """

    ours: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    first: bool = False

    def __call__(self, settings: BaseSettings, name: str) -> None:
        scrapys = dict(settings[f"{name}_BASE"] or {})
        places = _places(name, scrapys | dict(settings[name] or {}))
        for path in self.ours:
            if path not in places:
                raise ConfigurationError(f"{name} lacks {path}: {ADD}")
        for path in self.replaced:
            if path in places:
                raise ConfigurationError(f"{name} must not have {path}: the project has its own")
        order = sorted(places, key=lambda path: places[path])
        if [path for path in order if path in self.ours] != list(self.ours):
            raise ConfigurationError(f"{name} must keep this order: {', '.join(self.ours)}")
        if self.first and not set(order[: len(self.ours)]).issubset(self.ours):
            raise ConfigurationError(f"{name} must begin with {', '.join(self.ours)}: {ADD}")
        for path in (settings[name] or {}).keys() & places.keys() - set(self.ours):
            load(name, path)


@dataclass(frozen=True)
class Handlers:
    """The class with which requests to the API are sent, or one that is derived from it."""

    ours: str

    def __call__(self, settings: BaseSettings, name: str) -> None:
        handlers = dict(settings[f"{name}_BASE"]) | dict(settings[name] or {})
        rule = Derived((self.ours,), "otherwise Ctrl-C ends no crawl whose answers hang")
        for scheme in ("http", "https"):
            rule(BaseSettings({f"{name}: {scheme}": handlers[scheme]}), f"{name}: {scheme}")


def _places(name: str, components: Mapping[Any, Any]) -> dict[str, float]:
    """The places of the components that are switched on, by their paths."""
    places = {}
    for component, place in components.items():
        path = component if isinstance(component, str) else _path(component)
        if isinstance(place, bool) or not isinstance(place, int | float | None):
            raise ConfigurationError(f"{name}: the place of {path} is no number: {place}")
        if place is not None:
            places[path] = place
    return places


def _path(component: type) -> str:
    return f"{component.__module__}.{component.__qualname__}"
