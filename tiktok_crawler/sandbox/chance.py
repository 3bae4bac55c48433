"""Chance that repeats itself: what a seed has decided once it decides always."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random


def happens(rng: Random, share: float) -> bool:
    """True in this share of cases, 0 to 1; draws one number either way."""
    return rng.random() < share
