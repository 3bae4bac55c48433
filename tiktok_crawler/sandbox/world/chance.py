"""Chance that repeats itself: what a seed has decided once it decides always."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random


def happens(rng: Random, share: float) -> bool:
    """True in this share of cases, 0 to 1; draws one number either way."""
    return rng.random() < share


def lot(*parts: object) -> float:
    """A number from 0 to below 1 that the parts decide: cheaper than a generator of their own."""
    text = ":".join(map(str, parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest()) / 2**48
