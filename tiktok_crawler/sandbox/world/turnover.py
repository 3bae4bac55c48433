"""The midnight at which much changes at once: who and what is removed, who has another name."""

from __future__ import annotations

from functools import lru_cache
from math import inf
from random import Random
from typing import TYPE_CHECKING

from tiktok_crawler.sandbox.faults.profile import Turnover
from tiktok_crawler.sandbox.world.accounts import invent_username, number_in
from tiktok_crawler.sandbox.world.chance import lot
from tiktok_crawler.sandbox.world.corpus import midnight

if TYPE_CHECKING:
    from collections.abc import Callable

    from tiktok_crawler.sandbox.world.corpus import SandboxVideo

_NAMES_KEPT = 8_192


class TurnoverNight:
    """Decides by the seed alone whom and what a turnover strikes; moments are in Unix seconds.

    Without a day it has struck everything there ever is, with one only what there was before it;
    people are struck for good.
    """

    def __init__(self, seed: int, turnover: Turnover | None) -> None:
        self._seed = seed
        self._shares = turnover or Turnover()
        self._is_dated = self._shares.on is not None
        self._at = _moment(turnover)
        self.is_removed: Callable[[int], bool] = lru_cache(_NAMES_KEPT)(self._is_removed)
        """Tell whether a person is removed by it, with all that is theirs."""
        self.name_after: Callable[[str], str] = lru_cache(_NAMES_KEPT)(self._name_after)
        """The name that who had this one has afterwards."""

    def has_come(self, moment: int) -> bool:
        return moment >= self._at

    def removes(self, video: SandboxVideo) -> bool:
        """Tell whether it removes the video, or whose it is."""
        share = self._shares.videos if self._strikes(video) else 0
        is_struck = bool(share) and lot(self._seed, "turnover video", video.id) < share
        return is_struck or self.is_removed(video.account.number)

    def growth(self, video: SandboxVideo) -> float:
        """How the counters are afterwards to those before."""
        return 1 + self._shares.growth if self._strikes(video) else 1

    def _strikes(self, video: SandboxVideo) -> bool:
        return not self._is_dated or video.create_time < self._at

    def _is_removed(self, number: int) -> bool:
        return lot(self._seed, "turnover person", number) < self._shares.accounts

    def _name_after(self, username: str) -> str:
        number = number_in(username)
        if lot(self._seed, "turnover name", number) >= self._shares.renamed:
            return username
        rng = Random(f"{self._seed}:turnover name:{number}")
        name = username
        while name == username:
            name = invent_username(rng, number)
        return name


def _moment(turnover: Turnover | None) -> float:
    if turnover is None:
        return inf
    return midnight(turnover.on) if turnover.on else -inf
