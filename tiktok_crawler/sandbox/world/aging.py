"""What time does to videos: their counters grow, and some of them vanish (api_facts.md 14).

It happens at midnight, so that all answers of a day agree.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

from tiktok_crawler.sandbox.world.chance import lot
from tiktok_crawler.sandbox.world.corpus import DAY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiktok_crawler.sandbox.faults.profile import DataBehaviour
    from tiktok_crawler.sandbox.world.corpus import SandboxVideo

_YEAR_DAYS = 365


class Aging:
    """Decides by the seed and the moment alone what a video is like then; moments in Unix seconds.

    `goes_on`: videos change however old they are.
    """

    def __init__(self, seed: int, behaviour: DataBehaviour) -> None:
        self._seed = seed
        self._behaviour = behaviour
        self.goes_on = bool(behaviour.yearly_growth or behaviour.vanishing)

    def at(self, video: SandboxVideo, moment: int) -> SandboxVideo:
        """The video with the counters that it has by then."""
        factor = self._factor(_age_days(video, moment))
        if factor == 1:
            return video
        return video._replace(
            view_count=int(video.view_count * factor),
            comment_count=int(video.comment_count * factor),
        )

    def is_gone(self, video: SandboxVideo, moment: int) -> bool:
        """Tell whether the video has vanished by then: no search or list has it any more."""
        share = self._behaviour.vanishing
        if not share:
            return False
        years = log(1 - lot(self._seed, "vanishes", video.id)) / log(1 - share)
        return _age_days(video, moment) > years * _YEAR_DAYS

    def of_day(self, videos: Sequence[SandboxVideo], moment: int) -> Sequence[SandboxVideo | None]:
        """The videos of a day as they are by then; None for each that is gone."""
        is_over = videos and _age_days(videos[0], moment) >= self._behaviour.counts_settle_days
        if not self.goes_on and is_over:
            return videos
        return [None if self.is_gone(video, moment) else self.at(video, moment) for video in videos]

    def _factor(self, days: int) -> float:
        """How the counters are to those that a settled video has."""
        settle = self._behaviour.counts_settle_days
        if days < settle:
            return float(((max(days, 0) + 1) / (settle + 1)) ** 0.5)
        return 1 + self._behaviour.yearly_growth * (days - settle) / _YEAR_DAYS


def _age_days(video: SandboxVideo, moment: int) -> int:
    """Count the midnights since the video was created."""
    return moment // DAY_SECONDS - video.create_time // DAY_SECONDS
