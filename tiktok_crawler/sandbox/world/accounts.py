"""The invented accounts that post in the sandbox: a handle, a country and a language each."""

from __future__ import annotations

import re
from functools import lru_cache
from random import Random
from typing import NamedTuple

from tiktok_crawler.sandbox.world.vocabulary import ADJECTIVES, COUNTRIES, NOUNS, Language

ACCOUNTS = 4_000


class SandboxAccount(NamedTuple):
    """`region_code` is where the account was registered (api_facts.md 3.3)."""

    username: str
    region_code: str
    language: Language

    @property
    def number(self) -> int:
        """Its place among all accounts."""
        return number_in(self.username)


@lru_cache(maxsize=4)
def invent_accounts(seed: int) -> tuple[SandboxAccount, ...]:
    """All accounts of a sandbox; the first ones post most."""
    rng = Random(f"{seed}:accounts")
    shares = [share for _, _, share in COUNTRIES]
    countries = rng.choices(COUNTRIES, weights=shares, k=ACCOUNTS)
    return tuple(
        SandboxAccount(invent_username(rng, number), region_code, language)
        for number, (region_code, language, _) in enumerate(countries)
    )


def invent_username(rng: Random, number: int) -> str:
    """A handle that ends with the number of who has it."""
    separator = rng.choice(("", "_", "."))
    return f"{rng.choice(ADJECTIVES)}{separator}{rng.choice(NOUNS)}{number}"


@lru_cache(2 * ACCOUNTS)
def number_in(username: str) -> int:
    """The number that a handle ends with; -1 if it ends with none."""
    digits = re.search("[0-9]{1,9}$", username)
    return int(digits.group()) if digits else -1
