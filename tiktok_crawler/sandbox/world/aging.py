"""What time does to videos and people: counters grow, some vanish (api_facts.md 14).

It happens at midnight, so that all answers of a day agree.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

from tiktok_crawler.sandbox.world.chance import lot
from tiktok_crawler.sandbox.world.corpus import DAY_SECONDS
from tiktok_crawler.sandbox.world.turnover import TurnoverNight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiktok_crawler.sandbox.faults.profile import DataBehaviour
    from tiktok_crawler.sandbox.world.corpus import SandboxVideo

_YEAR_DAYS = 365


class Aging:
    """Decides by the seed and the moment alone what something is like then, in Unix seconds.

    `goes_on`: videos change however old they are.
    """

    def __init__(self, seed: int, behaviour: DataBehaviour) -> None:
        self._seed = seed
        self._behaviour = behaviour
        self._turnover = TurnoverNight(seed, behaviour.turnover)
        self.goes_on = bool(behaviour.yearly_growth or behaviour.vanishing or behaviour.turnover)

    def at(self, video: SandboxVideo, moment: int) -> SandboxVideo:
        """The video with the counters that it has by then, and under its owner's name."""
        factor = self._factor(_age_days(video, moment))
        if self._turnover.has_come(moment):
            factor *= self._turnover.growth(video)
            video = self._under_its_name(video)
        if factor == 1:
            return video
        return video._replace(
            view_count=int(video.view_count * factor),
            comment_count=int(video.comment_count * factor),
        )

    def is_gone(self, video: SandboxVideo, moment: int) -> bool:
        """Tell whether the video has vanished by then: no search or list has it any more."""
        if self._turnover.has_come(moment) and self._turnover.removes(video):
            return True
        share = self._behaviour.vanishing
        if not share:
            return False
        years = log(1 - lot(self._seed, "vanishes", video.id)) / log(1 - share)
        return _age_days(video, moment) > years * _YEAR_DAYS

    def turnover_has_come(self, moment: int) -> bool:
        return self._turnover.has_come(moment)

    def is_person_gone(self, number: int, moment: int) -> bool:
        """Tell whether a person, by number, is removed by then, with all that is theirs."""
        return self._turnover.has_come(moment) and self._turnover.is_removed(number)

    def name_at(self, username: str, moment: int) -> str:
        """The name that a person has by then, by the one at the beginning."""
        return self._turnover.name_after(username) if self._turnover.has_come(moment) else username

    def of_day(self, videos: Sequence[SandboxVideo], moment: int) -> Sequence[SandboxVideo | None]:
        """The videos of a day as they are by then; None for each that is gone."""
        is_over = videos and _age_days(videos[0], moment) >= self._behaviour.counts_settle_days
        if not self.goes_on and is_over:
            return videos
        return [None if self.is_gone(video, moment) else self.at(video, moment) for video in videos]

    def _under_its_name(self, video: SandboxVideo) -> SandboxVideo:
        username = self._turnover.name_after(video.account.username)
        if username == video.account.username:
            return video
        return video._replace(account=video.account._replace(username=username))

    def _factor(self, days: int) -> float:
        """How the counters are to those that a settled video has."""
        settle = self._behaviour.counts_settle_days
        if days < settle:
            return float(((max(days, 0) + 1) / (settle + 1)) ** 0.5)
        return 1 + self._behaviour.yearly_growth * (days - settle) / _YEAR_DAYS


def _age_days(video: SandboxVideo, moment: int) -> int:
    """Count the midnights since the video was created."""
    return moment // DAY_SECONDS - video.create_time // DAY_SECONDS
