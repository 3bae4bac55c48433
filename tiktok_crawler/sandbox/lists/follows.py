"""Follower relations by the second they were made in, newest first (api_facts.md 9)."""

from __future__ import annotations

from abc import abstractmethod
from functools import lru_cache
from math import exp, log
from typing import TYPE_CHECKING

from tiktok_crawler.research_api.endpoints import FOLLOWERS, FOLLOWING
from tiktok_crawler.sandbox.lists.source import ListedEntries, ListEntry, ListSource
from tiktok_crawler.sandbox.protocol.errors import INFORMATION_WITHHELD, ApiError
from tiktok_crawler.sandbox.world.chance import happens, lot
from tiktok_crawler.sandbox.world.people import POPULATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tiktok_crawler.sandbox.world.blemishes import Record
    from tiktok_crawler.sandbox.world.people import Person
    from tiktok_crawler.sandbox.world.world import World

_NEWEST = 1_704_067_200
"""The end of 2023: no relation is newer."""

_YEAR = 365 * 86_400
_MEAN_GAP = 3_600
_MOST = 10_000
_LISTS_KEPT = 16


def follower_count(world: World, person: Person) -> int:
    """All followers, listed or not; those who post most have most."""
    mean = 9 - 0.5 * log(person.number + 1)
    return _size(world, world.lists.followers, "followers", person, mean)


def following_count(world: World, person: Person) -> int:
    """All whom a person follows."""
    return _size(world, world.lists.following, "following", person, 4.5)


def _size(world: World, chosen: int | None, kind: str, person: Person, mean: float) -> int:
    if chosen is not None:
        return chosen
    rng = world.rng("size", kind, person.number)
    return 0 if happens(rng, 0.05) else min(_MOST, int(exp(rng.gauss(mean, 1.2))))


class _Relations(ListSource):
    """The common part of followers and following."""

    without_empty_list = True

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._relations: Callable[[int, int], list[ListEntry]] = lru_cache(_LISTS_KEPT)(
            self._invent
        )
        """Those of a person, by number, and how many."""

    def seeds(self) -> Iterator[str]:
        return self._world.people.accounts()

    def find(self, seed: str) -> ListedEntries:
        person = self._world.people.find(seed)
        relations = self._relations(person.number, self._size(person))
        if self._world.is_anyone_gone():
            gone = self._world.is_gone
            relations = [each._replace(hidden=each.hidden or gone(each.item)) for each in relations]
        return ListedEntries(relations)

    def record(self, item: int, fields: frozenset[str] | None) -> Record:
        person = self._world.people.person(item)
        record = {"username": person.username, "display_name": person.display_name}
        if person.number % 50 == 0:
            del record["display_name"]
        return self._dress(record, item, fields)

    @abstractmethod
    def _size(self, person: Person) -> int:
        """Return how many are listed, hidden ones included.

        Raises:
            ApiError: the person does not show them.
        """

    def _invent(self, number: int, size: int) -> list[ListEntry]:
        """Other people, each once."""
        lists, rng = self._world.lists, self._world.rng(self.listing.name, number)
        at = _NEWEST - int(rng.random() * _YEAR)
        entries = []
        for distance in rng.sample(range(1, POPULATION), min(size, POPULATION - 1)):
            if not happens(rng, lists.same_second):
                at -= 1 + int(rng.expovariate(1 / _MEAN_GAP))
            deleted = happens(rng, lists.deleted)
            entries.append(ListEntry((number + distance) % POPULATION, at, deleted))
        return entries


class Followers(_Relations):
    """The latest followers of a person, up to a cap."""

    listing = FOLLOWERS

    def _size(self, person: Person) -> int:
        return min(follower_count(self._world, person), self._world.lists.follower_cap)


class Following(_Relations):
    """Whom a person follows, if the person shows it."""

    listing = FOLLOWING

    def _size(self, person: Person) -> int:
        share = self._world.lists.private_following
        if lot(self._world.seed, "private following", person.number) < share:
            raise ApiError(INFORMATION_WITHHELD)
        return following_count(self._world, person)
