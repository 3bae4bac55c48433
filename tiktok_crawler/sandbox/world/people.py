"""The people of the sandbox: the accounts that post, and many more that only follow and comment.

A handle ends with the number of its owner, so that everybody can be found without being remembered.
"""

from __future__ import annotations

from functools import cached_property
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from tiktok_crawler.sandbox.protocol.errors import (
    USER_PRIVATE,
    USER_WITHHELD,
    ApiError,
    user_unknown,
)
from tiktok_crawler.sandbox.world.accounts import (
    ACCOUNTS,
    SandboxAccount,
    invent_accounts,
    invent_username,
    number_in,
)
from tiktok_crawler.sandbox.world.chance import happens, lot
from tiktok_crawler.sandbox.world.vocabulary import COUNTRIES, EMOJI, Language

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from tiktok_crawler.sandbox.faults.profile import ListBehaviour
    from tiktok_crawler.sandbox.world.aging import Aging

POPULATION = 100_000
"""All people; the first of them are the accounts."""


class Person(NamedTuple):
    """Somebody with a profile; `number` is their place among all people.

    `username` is the one of now.
    """

    number: int
    username: str
    display_name: str
    language: Language


class People:
    """Invents people by their numbers, and says whom the API knows and shows."""

    def __init__(
        self, seed: int, behaviour: ListBehaviour, aging: Aging, now: Callable[[], datetime]
    ) -> None:
        self._seed = seed
        self._behaviour = behaviour
        self._aging = aging
        self._now = now

    @cached_property
    def _accounts(self) -> tuple[SandboxAccount, ...]:
        return invent_accounts(self._seed)

    def person(self, number: int) -> Person:
        rng = Random(self._seed << 32 ^ number)
        if number < ACCOUNTS:
            username, _, language = self._accounts[number]
        else:
            username, language = invent_username(rng, number), rng.choice(COUNTRIES)[1]
        name = self._aging.name_at(username, self._moment)
        return Person(number, name, _display_name(rng, username, language), language)

    def names_now(self, usernames: Iterable[str]) -> dict[str, str | None]:
        """The name that each has by now; None for those who are removed."""
        numbers = {name: number_in(name) for name in usernames}
        return {
            name: None if self._is_gone(number) else self.person(number).username
            for name, number in numbers.items()
        }

    def find(self, username: str) -> Person:
        """Whom the API shows under this name.

        Raises:
            ApiError: it knows nobody of that name, or withholds them (api_facts.md 5).
        """
        person = self._named(username)
        if person is None or self._is_gone(person.number):
            raise user_unknown(username)
        draw = lot(self._seed, "standing", person.number) - self._behaviour.unknown_users
        if draw < 0:
            raise user_unknown(username)
        if draw < self._behaviour.withheld_users:
            raise ApiError(USER_PRIVATE if person.number % 4 == 0 else USER_WITHHELD)
        return person

    def accounts(self) -> Iterator[str]:
        """The names of those who post; the first post most."""
        at, moment = self._aging.name_at, self._moment
        return (at(account.username, moment) for account in self._accounts)

    def _is_gone(self, number: int) -> bool:
        return self._aging.is_person_gone(number, self._moment)

    @property
    def _moment(self) -> int:
        return int(self._now().timestamp())

    def _named(self, username: str) -> Person | None:
        number = number_in(username)
        person = self.person(number) if 0 <= number < POPULATION else None
        return person if person and person.username == username else None


def _display_name(rng: Random, username: str, language: Language) -> str:
    if happens(rng, 0.1):
        return username
    name = " ".join(rng.choices(language.words, k=2)).title()
    return f"{name} {rng.choice(EMOJI)}" if happens(rng, 0.2) else name
