"""Profiles of people (api_facts.md 5)."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING, Any

from tiktok_crawler.research_api.endpoints import USERS
from tiktok_crawler.sandbox.lists.follows import follower_count, following_count
from tiktok_crawler.sandbox.lists.source import ListedEntries, ListEntry, ListSource
from tiktok_crawler.sandbox.world.chance import happens
from tiktok_crawler.sandbox.world.corpus import DAY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tiktok_crawler.sandbox.world.blemishes import Record
    from tiktok_crawler.sandbox.world.people import Person

_PICTURE_DAYS = 2
"""The address of a picture is signed, and good for so long."""


class Profiles(ListSource):
    """One record, which is the whole `data`; it is live."""

    listing = USERS
    message = ""

    def find(self, seed: str) -> ListedEntries:
        return ListedEntries([ListEntry(self._world.people.find(seed))])

    def seeds(self) -> Iterator[str]:
        return self._world.people.accounts()

    def data(self, listed: ListedEntries, records: list[Any]) -> dict[str, Any]:  # noqa: ARG002 - as others
        profile: dict[str, Any] = records[0]
        return profile

    def record(self, item: Person, fields: frozenset[str] | None) -> Record:
        world, rng = self._world, self._world.rng("profile", item.number)
        words = rng.choices(item.language.words, k=3 + int(rng.random() * 12))
        followers = follower_count(world, item)
        record: Record = {
            "display_name": item.display_name,
            "bio_description": "" if happens(rng, 0.2) else " ".join(words),
            "avatar_url": self._avatar_url(item),
            "is_verified": happens(rng, 0.02),
            "follower_count": followers,
            "following_count": following_count(world, item),
            "likes_count": int(followers * exp(rng.gauss(3, 1.5))),
            "video_count": int(exp(rng.gauss(3, 1.2))),
        }
        if happens(rng, 0.25):
            record["bio_url"] = f"https://links.invalid/{item.number}"
        if happens(rng, 0.25):
            record["username"] = item.username
        return self._dress(record, item.number, fields)

    def _avatar_url(self, person: Person) -> str:
        expires = (self._world.moment // DAY_SECONDS + _PICTURE_DAYS) * DAY_SECONDS
        return f"https://pictures.invalid/{person.number}.jpeg?x-expires={expires}"
