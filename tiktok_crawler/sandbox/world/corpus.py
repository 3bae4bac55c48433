"""The videos of the sandbox: invented day by day from a seed, so that every day has some.

A `Video` holds what a search can ask for; `records` makes the API's object of it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import accumulate
from math import cos, exp, log, pi
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.sandbox.faults.profile import TREND_DAYS
from tiktok_crawler.sandbox.world.accounts import SandboxAccount, invent_accounts
from tiktok_crawler.sandbox.world.chance import happens
from tiktok_crawler.sandbox.world.vocabulary import ADJECTIVES, COMMON_HASHTAGS, EMOJI, NOUNS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tiktok_crawler.sandbox.faults.profile import DataBehaviour

FIRST_DAY = date(2016, 9, 1)
"""Nothing was posted before."""

DAY_SECONDS = 86_400
INT32_MAX = 2**31 - 1

_DAYS_KEPT = 40
_VIDEOS_KEPT = 30_000
_NUMBER_BITS = 20
_DAY_BITS = 5
MAX_VIDEOS_PER_DAY = 1 << _NUMBER_BITS

TAG_BITS = _NUMBER_BITS + _DAY_BITS
TAG_MASK = (1 << TAG_BITS) - 1
"""The bits of an id that tell the videos of a month apart."""

_ID_LIMIT = 1 << 63
_EPOCH = date(1970, 1, 1)

_HASHTAGS = (
    *COMMON_HASHTAGS,
    *(f"{adjective}{noun}" for adjective in ADJECTIVES for noun in NOUNS),
)
_HASHTAG_WEIGHTS = tuple(accumulate(1 / (rank + 3) for rank in range(len(_HASHTAGS))))
_TRACKS = 2_000
_BUSIEST_WEEKDAY = 2


class SandboxVideo(NamedTuple):
    """One video, sorted by id; `appears_at` is when a search first finds it, in Unix seconds."""

    id: int
    create_time: int
    appears_at: int
    account: SandboxAccount
    video_description: str
    hashtag_names: tuple[str, ...]
    music_id: int | None
    effect_ids: tuple[str, ...]
    video_duration: int
    view_count: int
    comment_count: int
    hidden: bool


class Corpus:
    """All videos, about `videos_per_day` for each UTC day; the days last used are kept in memory.

    Without rhythm and trend each day has exactly so many.
    """

    def __init__(self, *, seed: int, videos_per_day: int, behaviour: DataBehaviour) -> None:
        if not 1 <= videos_per_day <= MAX_VIDEOS_PER_DAY:
            raise ConfigurationError(
                f"the sandbox makes 1 to {MAX_VIDEOS_PER_DAY} videos a day, not {videos_per_day}"
            )
        self.seed = seed
        self.videos_per_day = videos_per_day
        self._behaviour = behaviour
        keep_days = lru_cache(max(_DAYS_KEPT, _VIDEOS_KEPT // videos_per_day))
        self.videos_of_day: Callable[[date], tuple[SandboxVideo, ...]] = keep_days(self._invent_day)
        """The videos created on a UTC day, in the order of their ids, newest first."""
        self._tags_of_day: Callable[[date], dict[int, SandboxVideo]] = keep_days(self._read_tags)

    @cached_property
    def _accounts(self) -> tuple[SandboxAccount, ...]:
        return invent_accounts(self.seed)

    def find(self, video_id: int) -> SandboxVideo | None:
        """The video with this id: it was created within a month after its id was made."""
        if not 0 < video_id < _ID_LIMIT:
            return None
        made_on = (video_id >> 32) // DAY_SECONDS
        video = self._tagged(video_id, made_on + (_day_tag(video_id) - made_on) % (1 << _DAY_BITS))
        return video if video and video.id == video_id else None

    def find_before(self, tag: int, moment: int) -> SandboxVideo | None:
        """The last video created before the end of the moment's day whose id has this tag."""
        day = moment // DAY_SECONDS
        return self._tagged(tag, day - (day - _day_tag(tag)) % (1 << _DAY_BITS))

    def _tagged(self, tag: int, day: int) -> SandboxVideo | None:
        """The video of a day, counted from 1970, whose id has this tag."""
        return self._tags_of_day(_EPOCH + timedelta(days=day)).get(tag & TAG_MASK)

    def _read_tags(self, day: date) -> dict[int, SandboxVideo]:
        return {video.id & TAG_MASK: video for video in self.videos_of_day(day)}

    def _invent_day(self, day: date) -> tuple[SandboxVideo, ...]:
        if day < FIRST_DAY:
            return ()
        rng = Random(f"{self.seed}:{day}")
        start = midnight(day)
        videos = (self._invent_video(rng, start, n) for n in range(self._number(day)))
        return tuple(sorted(videos, reverse=True))

    def _number(self, day: date) -> int:
        """Count the videos of a day; with a trend, half of the days have more than usual."""
        rhythm = cos(2 * pi * (day.weekday() - _BUSIEST_WEEKDAY) / 7)
        into_trend = day.toordinal() % (2 * TREND_DAYS) / TREND_DAYS
        climbed = 0.5 - abs(1 - into_trend)
        usual = self.videos_per_day * (1 + self._behaviour.weekly_rhythm * rhythm)
        number = usual * exp(climbed * log(self._behaviour.trend))
        return min(MAX_VIDEOS_PER_DAY, round(number))

    def _invent_video(self, rng: Random, start: int, number: int) -> SandboxVideo:
        random = rng.random
        create_time = start + int(random() * DAY_SECONDS)
        account = self._accounts[int(len(self._accounts) * random() ** 2)]
        hashtags = _hashtags(rng, account)
        return SandboxVideo(
            id=self._invent_id(rng, create_time, number),
            create_time=create_time,
            appears_at=create_time + int(random() * self._behaviour.appear_within_hours * 3600),
            account=account,
            video_description=_description(rng, account, hashtags),
            hashtag_names=hashtags,
            music_id=_music_id(int(_TRACKS * random() ** 3)) if happens(rng, 0.97) else None,
            effect_ids=_effect_ids(rng) if happens(rng, 0.04) else (),
            video_duration=int(min(600.0, 3 + exp(rng.gauss(3, 0.9)))),
            view_count=_view_count(rng),
            comment_count=int(random() ** 6 * 20_000),
            hidden=self._is_hidden(rng, create_time),
        )

    def _invent_id(self, rng: Random, create_time: int, number: int) -> int:
        """An id whose upper half is the second in which it was made (api_facts.md 3.7).

        The lower half makes it unique: day and number stand in it, and no two days with the same
        `_DAY_BITS` are close enough for their ids to be made in the same second.
        """
        made_before = 20 + int(rng.random() * 21)
        if happens(rng, self._behaviour.old_ids):
            made_before += int(rng.random() * self._behaviour.old_id_days * DAY_SECONDS)
        day = create_time // DAY_SECONDS % (1 << _DAY_BITS)
        noise = rng.getrandbits(32 - _DAY_BITS - _NUMBER_BITS)
        low = ((noise << _DAY_BITS) | day) << _NUMBER_BITS | number
        return (create_time - made_before) << 32 | low

    def _is_hidden(self, rng: Random, create_time: int) -> bool:
        stretches = self._behaviour.hidden_hours
        at_random = happens(rng, self._behaviour.hidden)
        return at_random or (stretches is not None and create_time in stretches)


def _day_tag(number: int) -> int:
    return number >> _NUMBER_BITS & ((1 << _DAY_BITS) - 1)


def midnight(day: date) -> int:
    """00:00 UTC at the start of the day, as Unix seconds."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _hashtags(rng: Random, account: SandboxAccount) -> tuple[str, ...]:
    """Up to a dozen names, each once; a few are used by nearly everybody, most by nearly nobody."""
    number = int(rng.random() ** 1.5 * 11)
    names = rng.choices(_HASHTAGS, cum_weights=_HASHTAG_WEIGHTS, k=number)
    if number and happens(rng, 0.4):
        names.append(rng.choice(account.language.hashtags))
    return tuple(dict.fromkeys(names))


def _description(rng: Random, account: SandboxAccount, hashtags: tuple[str, ...]) -> str:
    """A caption: some words, an emoji, the hashtags in another order; sometimes nothing."""
    if happens(rng, 0.04):
        return ""
    parts = rng.choices(account.language.words, k=2 + int(rng.random() * 9))
    if happens(rng, 0.3):
        parts.append(rng.choice(EMOJI))
    parts += [f"#{name}" for name in reversed(hashtags)]
    return " ".join(parts)


def _music_id(track: int) -> int:
    return 6_700_000_000_000_000_000 + track * 123_456_789_012_347


def _effect_ids(rng: Random) -> tuple[str, ...]:
    return tuple({str(int(rng.random() * 40)): None for _ in range(1 + int(rng.random() * 3))})


def _view_count(rng: Random) -> int:
    """Mostly hundreds or thousands; a few are beyond 32 bits (api_facts.md 13.11)."""
    if happens(rng, 0.0005):
        return INT32_MAX + rng.getrandbits(31)
    return min(INT32_MAX, int(exp(rng.gauss(7, 2.2))))
