"""The behaviour of a sandbox: its data, and everything that can be wrong with it. Pure values.

The defaults are the API on a good day. `profile_file` reads the same from YAML.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date  # noqa: TC003 - profile_file needs it
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING

from tiktok_crawler.sandbox.faults.schedule import ScheduledFault  # noqa: TC001 - profile_file needs it

if TYPE_CHECKING:
    from collections.abc import Container

OLDEST_ID_DAYS = 30
"""The corpus keeps ids unique as long as they are made at most this long before `create_time`."""

TREND_DAYS = 90
STEEPEST_TREND = 10
"""The days in which the number of videos goes from its lowest to its highest, and the ratio of
these two at most."""


class KeywordForm(StrEnum):
    """The operations that a condition about keywords can have (api_facts.md 3.3)."""

    EQ = "EQ"
    IN = "IN"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchBehaviour:
    """The things that go wrong with searches, always and not by schedule.

    `refuse_new_ids`: so often a search id is not known yet at first (api_facts.md 11.3).
    `lost_at_page`: every search is lost when this page is asked for.
    `expire_after_seconds`: search ids live so long after page 1.
    `fail_over_days`, `fail_over_matches`: larger searches always end in a 500 (api_facts.md 13.1).
    `fail_on_empty_groups`: so do those with an empty list `and`, `or` or `not` (api_facts.md 3.3).
    `fail_on_days`: so do those that have one of these days (api_facts.md 13.2).
    `endless`: pages after the last one are empty, and each says that there are more.
    `repeated_records`: so many records of the page before stand again at the start of a page, as
    far as it has room.
    `silent_days`, and this `silent_share` of all days, at random: searches leave out their videos,
    as if there were none, until a query has searched the day `silent_tries` times, or for ever.
    `keyword_forms`: conditions about keywords find something in these forms alone, and in others
    nothing, without an error (api_facts.md 13.20).
    `refused_values`, `dataless_values`: searches for one of these, whatever they are and whatever
    else is searched for, are refused (api_facts.md 3.3), or answered without data.
    """

    refuse_new_ids: int = 0
    lost_at_page: int | None = None
    expire_after_seconds: float | None = None
    fail_over_days: int | None = None
    fail_over_matches: int | None = None
    fail_on_empty_groups: bool = False
    fail_on_days: tuple[date, ...] = ()
    endless: bool = False
    repeated_records: int = 0
    silent_days: tuple[date, ...] = ()
    silent_share: float = 0.0
    silent_tries: int | None = None
    keyword_forms: tuple[KeywordForm, ...] = tuple(KeywordForm)
    refused_values: tuple[str, ...] = ()
    dataless_values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_numbers(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenHours:
    """In each period of `every` hours, counted from 1970, the first `hours` are all hidden."""

    every: int
    hours: int

    def __post_init__(self) -> None:
        if not 0 <= self.hours <= self.every or self.every < 1:
            raise ValueError(f"{self.hours} of every {self.every} hours is impossible")

    def __contains__(self, create_time: int) -> bool:
        return create_time // 3600 % self.every < self.hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnover:
    """The changes of one midnight, that at which the day `on` begins.

    Without a day they have come about already. `videos`: this share of the videos that there were
    is removed; `accounts`: of all people, these are removed, with their videos and comments;
    `renamed`: of the others, these have another name; `growth`: views and comments of videos are by
    so much more, by half if it is 0.5.
    """

    on: date | None = None
    videos: float = 0.0
    accounts: float = 0.0
    renamed: float = 0.0
    growth: float = 0.0

    def __post_init__(self) -> None:
        _check_numbers(self, but=("growth",))
        if self.growth < 0:
            raise ValueError(f"growth must be at least 0, not {self.growth}")


def _check_numbers(
    behaviour: SearchBehaviour | DataBehaviour | ListBehaviour | ComplianceBehaviour | Turnover,
    *,
    but: Container[str] = (),
) -> None:
    """Refuse numbers with a fraction that are no shares, and negative whole ones."""
    for each in fields(behaviour):
        value = getattr(behaviour, each.name)
        if each.type == "float" and each.name not in but and not 0 <= value <= 1:
            raise ValueError(f"{each.name} must be between 0 and 1, not {value}")
        if each.type in ("int", "int | None") and (value or 0) < 0:
            raise ValueError(f"{each.name} must be at least 0, not {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataBehaviour:
    """The properties of records; those not about days or hours are shares of all videos, 0 to 1.

    `appear_within_hours`: a video becomes searchable at a moment of its own in this time after its
    creation (api_facts.md 14). `hidden`: matches that count for the cursor and are not delivered
    (api_facts.md 3.5). `counts_settle_days`: the counters of a video grow until then, and by
    `yearly_growth` a year from then on; `vanishing`: in a year so many of the videos that are left
    vanish, and are neither found nor counted (api_facts.md 14); `turnover`: so does much at once.
    `hidden_hours` hides whole
    stretches, which makes empty pages, and `empty_lists_missing` leaves out the key `videos` of an
    empty page. `old_ids`: ids made up to `old_id_days` before `create_time`. `weekly_rhythm`: so
    much more videos than usual are created on a Wednesday, and less on weekends; `trend`: within
    `TREND_DAYS` their number rises to so many times as many, and within the next it falls again.
    The others name what is done to a record (api_facts.md 1.18, 13.12, 13.13).
    """

    appear_within_hours: float = 48.0
    counts_settle_days: int = 10
    yearly_growth: float = 0.0
    vanishing: float = 0.0
    turnover: Turnover | None = None
    hidden: float = 0.08
    hidden_hours: HiddenHours | None = None
    empty_lists_missing: bool = False
    old_ids: float = 0.0
    old_id_days: int = OLDEST_ID_DAYS
    weekly_rhythm: float = 0.0
    trend: float = 1.0
    lower_case_regions: float = 0.02
    nul_characters: float = 0.0
    lone_surrogates: float = 0.0
    ids_as_strings: float = 0.0
    without_create_time: float = 0.0
    without_id: float = 0.0
    nulls: float = 0.0
    unknown_fields: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.old_id_days <= OLDEST_ID_DAYS:
            raise ValueError(f"old_id_days must be 1 to {OLDEST_ID_DAYS}, not {self.old_id_days}")
        if not 1 <= self.trend <= STEEPEST_TREND:
            raise ValueError(f"trend must be 1 to {STEEPEST_TREND}, not {self.trend}")
        if self.vanishing == 1:
            raise ValueError("vanishing must be less than 1")
        _check_numbers(self, but=("appear_within_hours", "trend", "yearly_growth"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListBehaviour:
    """The contents of the lists of videos, users and shops; shares are from 0 to 1.

    The first eight are how many each has, counted before any is deleted; without a number, sizes
    are as different as in life. `deleted`: comments and people that count for the cursor and do not
    come.
    `unknown_users`, `withheld_users`: shares of all people whom the API does not know, or not show.
    `private_following`, `private_likes`: shares of people who do not show these lists.
    `comment_cap`: more comments of a video are never listed; with `cap_refuses` the last page says
    that there are more, and the one after it is refused (api_facts.md 4). `follower_cap`: only so
    many of the latest followers are listed (api_facts.md 9). `other_reposted_key`: users whose list
    of reposted videos stands under `user_reposted_videos` (api_facts.md 8). `same_second`:
    relations made in the same second as the one before (api_facts.md 9).
    """

    comments: int | None = None
    replies: int | None = None
    followers: int | None = None
    following: int | None = None
    liked_videos: int | None = None
    reposted_videos: int | None = None
    products: int | None = None
    reviews: int | None = None
    deleted: float = 0.06
    unknown_users: float = 0.02
    withheld_users: float = 0.03
    private_following: float = 0.1
    private_likes: float = 0.97
    comment_cap: int = 1_000
    cap_refuses: bool = False
    follower_cap: int = 5_000
    other_reposted_key: float = 0.5
    same_second: float = 0.03

    def __post_init__(self) -> None:
        _check_numbers(self)


class Category(StrEnum):
    """The records that a compliance check can be about (api_facts.md 10.3)."""

    VIDEO = "video"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplianceBehaviour:
    """Compliance checks (api_facts.md 10.3).

    A check is `Processing` the first `processing_polls` times that it is asked for, and for
    `processing_seconds`. Checks of `refused_categories` are refused.
    """

    processing_polls: int = 0
    processing_seconds: float = 0.0
    refused_categories: tuple[Category, ...] = ()

    def __post_init__(self) -> None:
        _check_numbers(self, but=("processing_seconds",))
        if self.processing_seconds < 0:
            raise ValueError(
                f"processing_seconds must be at least 0, not {self.processing_seconds}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBehaviour:
    """Client access tokens (api_facts.md 2).

    `expires_in` is what an answer says; a token is really refused after `lives_seconds` (the same,
    if not given) or after `lives_requests` requests. `error_status` is the status of token errors.
    """

    expires_in: int = 7200
    lives_seconds: float | None = None
    lives_requests: int | None = None
    error_status: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaBehaviour:
    """Quotas (api_facts.md 12).

    `daily` replaces the sandbox's own limit of research requests, `daily_follow` is that of
    requests for followers and following. A quota day lasts `day_seconds`,
    counted from 00:00 UTC: a shorter one brings the quota back sooner. `per_second`: what exceeds
    so many requests within a second, of one pool, gets `rate_limit_exceeded`.
    """

    daily: int | None = None
    daily_follow: int = 20_000
    day_seconds: int = 86_400
    per_second: int | None = None

    def __post_init__(self) -> None:
        if self.day_seconds < 1:
            raise ValueError(f"day_seconds must be at least 1, not {self.day_seconds}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """An answer comes after `seconds`, or after a random time between that and `up_to`."""

    seconds: float = 0.0
    up_to: float | None = None

    def of_request(self, number: int, seed: int) -> float:
        if self.up_to is None:
            return self.seconds
        return Random(f"{seed}:latency:{number}").uniform(self.seconds, self.up_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Everything about a sandbox that can be chosen.

    `seed` is that of what happens at random; `days_ahead` says how far the sandbox's clock is ahead
    of the machine's. The `Date` header of its answers is that of the machine, or
    `date_ahead_seconds` ahead of it; behind it if that is negative.
    """

    description: str = ""
    seed: int = 1
    days_ahead: int = 0
    date_ahead_seconds: float = 0.0
    faults: tuple[ScheduledFault, ...] = ()
    searches: SearchBehaviour = field(default_factory=SearchBehaviour)
    data: DataBehaviour = field(default_factory=DataBehaviour)
    lists: ListBehaviour = field(default_factory=ListBehaviour)
    compliance: ComplianceBehaviour = field(default_factory=ComplianceBehaviour)
    tokens: TokenBehaviour = field(default_factory=TokenBehaviour)
    quota: QuotaBehaviour = field(default_factory=QuotaBehaviour)
    latency: Latency = field(default_factory=Latency)
