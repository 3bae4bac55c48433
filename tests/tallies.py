"""Tallies of seeds, of which only what matters is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.planning.seeds import SeedEnd, Tally
from tiktok_crawler.research_api.verdicts import SeedStatus

if TYPE_CHECKING:
    from collections.abc import Mapping


def tally(
    ends: Mapping[str, int] | None = None, refusals: Mapping[str, int] | None = None, **sums: int
) -> Tally:
    """A tally with these ends, refusals and sums; all others are 0."""
    found = dict.fromkeys(SeedEnd, 0) | {SeedEnd(name): n for name, n in (ends or {}).items()}
    why = dict.fromkeys(SeedStatus, 0) | {SeedStatus(k): n for k, n in (refusals or {}).items()}
    nothing = {"seeds": 0, "stored": 0, "counted": 0, "counted_stored": 0, "total": 0}
    return Tally(found, why, **nothing | sums)
