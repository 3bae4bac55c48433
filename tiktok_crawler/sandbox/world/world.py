"""The source of all lists: the videos, the people, and how the profile wants them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tiktok_crawler.sandbox.faults.profile import DataBehaviour, ListBehaviour
    from tiktok_crawler.sandbox.world.aging import Aging
    from tiktok_crawler.sandbox.world.corpus import Corpus, SandboxVideo
    from tiktok_crawler.sandbox.world.people import People
    from tiktok_crawler.sandbox.world.records import SandboxRecords


_LAST_DAY = date(2024, 1, 31)
DAYS_BACK = 2_000
"""The last day whose videos lists and examples have, and how many days they reach back."""


@dataclass(frozen=True, slots=True)
class World:
    """Shared by all sources; changes only with the time."""

    corpus: Corpus
    aging: Aging
    people: People
    videos: SandboxRecords
    lists: ListBehaviour
    data: DataBehaviour
    now: Callable[[], datetime]

    @property
    def seed(self) -> int:
        return self.corpus.seed

    @property
    def moment(self) -> int:
        """Now, in Unix seconds."""
        return int(self.now().timestamp())

    def is_hidden(self, video: SandboxVideo) -> bool:
        """Tell whether the video is deleted or private, or has vanished by now."""
        return video.hidden or self.aging.is_gone(video, self.moment)

    def is_gone(self, number: int) -> bool:
        """Tell whether a person, by number, is removed by now."""
        return self.aging.is_person_gone(number, self.moment)

    def is_anyone_gone(self) -> bool:
        """Tell whether people may be removed by now: `is_gone` need not be asked otherwise."""
        return self.aging.turnover_has_come(self.moment)

    def rng(self, *parts: object) -> Random:
        return Random(":".join(map(str, (self.seed, *parts))))

    def videos_back(self, days: Iterable[int]) -> Iterator[SandboxVideo]:
        """The videos of so many days before the last of January 2024, hidden ones too."""
        for number in days:
            yield from self.corpus.videos_of_day(_LAST_DAY - timedelta(days=number))

    def videos_since(self, start: int, days: int) -> Iterator[SandboxVideo]:
        """The videos of the days that begin with a midnight, in Unix seconds."""
        first = datetime.fromtimestamp(start, UTC).date()
        for number in range(days):
            yield from self.corpus.videos_of_day(first + timedelta(days=number))
