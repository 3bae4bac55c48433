"""The invented accounts that post in the sandbox: a handle, a country and a language each."""

from __future__ import annotations

from functools import lru_cache
from random import Random
from typing import NamedTuple

from tiktok_crawler.sandbox.vocabulary import ADJECTIVES, COUNTRIES, NOUNS, Language

ACCOUNTS = 4_000


class Account(NamedTuple):
    """`region_code` is where the account was registered (API.md 3.3)."""

    username: str
    region_code: str
    language: Language


@lru_cache(maxsize=4)
def invent_accounts(seed: int) -> tuple[Account, ...]:
    """All accounts of a sandbox; the first ones post most."""
    rng = Random(f"{seed}:accounts")
    shares = [share for _, _, share in COUNTRIES]
    countries = rng.choices(COUNTRIES, weights=shares, k=ACCOUNTS)
    return tuple(
        Account(_username(rng, number), region_code, language)
        for number, (region_code, language, _) in enumerate(countries)
    )


def _username(rng: Random, number: int) -> str:
    separator = rng.choice(("", "_", "."))
    return f"{rng.choice(ADJECTIVES)}{separator}{rng.choice(NOUNS)}{number}"
