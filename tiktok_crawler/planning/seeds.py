"""Stages of listings and their seeds: given by the user, or found in the database. Pure.

As text, a source of seeds says where they are looked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tiktok_crawler.spelling import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.query_file.collection import Collection
    from tiktok_crawler.research_api.endpoints import Listing, Pool
    from tiktok_crawler.research_api.tasks import PageRequest
    from tiktok_crawler.research_api.verdicts import SeedStatus


@dataclass(frozen=True, slots=True)
class GivenSeeds:
    """Seeds as the user names them, in their order, without repeats; ids in decimal digits."""

    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{len(self.values):,} that are named"


@dataclass(frozen=True, slots=True)
class SeedsOfQuery:
    """Seeds named by the videos a query has found, published on these days or at an unknown time.

    Videos themselves come with the most comments first, unless they are known to have fewer than
    `min_comment_count`; users with the most videos first; playlists likewise. With `values`, the
    queries are those for some of these, which share the fingerprint of a list.
    """

    fingerprint: str
    days: DateRange
    min_comment_count: int = 0
    values: tuple[str, ...] = ()

    @classmethod
    def of(cls, collection: Collection, min_comment_count: int) -> SeedsOfQuery:
        values = collection.each.values if collection.each else ()
        return cls(collection.fingerprint, collection.dates, min_comment_count, values)

    def __str__(self) -> str:
        return f"stored videos of the query, {self.days}{_discussed(self.min_comment_count)}"


@dataclass(frozen=True, slots=True)
class SeedsOfTag:
    """The same of all videos with a tag."""

    tag: str
    min_comment_count: int = 0

    def __str__(self) -> str:
        return f"stored videos with the tag {quoted(self.tag)}{_discussed(self.min_comment_count)}"


@dataclass(frozen=True, slots=True)
class RelatedUsers:
    """Those who stand in lists of users, as far as they are stored: a step in the follow network.

    `listing` says in which lists: of followers, or of those who are followed. Who stands in most
    of them comes first.
    """

    users: GivenSeeds | SeedsOfQuery | SeedsOfTag
    listing: Listing

    def __str__(self) -> str:
        return f"stored {self.listing.name} of users: {self.users}"


@dataclass(frozen=True, slots=True)
class FirstSeeds:
    """The first `count` seeds of a source, in its order."""

    source: SeedsOfQuery | SeedsOfTag | RelatedUsers | ShopsByName | ProductsOfShops
    count: int

    def __str__(self) -> str:
        return str(self.source)


@dataclass(frozen=True, slots=True)
class RepliedComments:
    """The comments with replies among those of the videos that `videos` names."""

    videos: GivenSeeds | SeedsOfQuery | SeedsOfTag | FirstSeeds

    def __str__(self) -> str:
        return f"stored comments with replies, of videos: {self.videos}"


@dataclass(frozen=True, slots=True)
class ShopsByName:
    """The stored shops of these names: seeds of their products."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"stored shops by the name of {listed([quoted(name) for name in self.names])}"


@dataclass(frozen=True, slots=True)
class ProductsOfShops:
    """The stored products of these shops: seeds of their reviews."""

    shops: GivenSeeds | ShopsByName

    def __str__(self) -> str:
        return f"stored products of shops: {self.shops}"


SeedSource = (
    GivenSeeds
    | SeedsOfQuery
    | SeedsOfTag
    | RelatedUsers
    | FirstSeeds
    | RepliedComments
    | ShopsByName
    | ProductsOfShops
)


@dataclass(frozen=True, slots=True)
class Stage:
    """One listing of many seeds, as a run works it off.

    What was completed (or refused) longer than `max_age` ago is listed anew; None: nothing is.
    `limit` is how many records of a seed are wanted at most; None: all that the API has.
    """

    listing: Listing
    source: SeedSource
    max_age: timedelta | None = None
    limit: int | None = None

    @property
    def pool(self) -> Pool:
        """The quota that it draws on."""
        return self.listing.endpoint.pool

    def of_replies(self, replies: Listing, limit: int | None) -> Stage:
        """The stage that lists so many replies to each of the comments that this one lists."""
        assert isinstance(self.source, GivenSeeds | SeedsOfQuery | SeedsOfTag | FirstSeeds)
        return Stage(replies, RepliedComments(self.source), self.max_age, limit)


def _discussed(min_comment_count: int) -> str:
    return f" and at least {min_comment_count:,} comments" if min_comment_count > 1 else ""


def first_seeds(source: SeedSource, count: int | None) -> SeedSource:
    """The first seeds of a source; without a number, all of them."""
    if count is None:
        return source
    if isinstance(source, GivenSeeds):
        return GivenSeeds(source.values[:count])
    assert not isinstance(source, FirstSeeds | RepliedComments)
    return FirstSeeds(source, count)


def stages_of(collection: Collection) -> tuple[Stage, ...]:
    """Return the stages that follow the videos of a collection, in its order."""
    stages: list[Stage] = []
    for wish in collection.also_collect:
        found = SeedsOfQuery.of(collection, wish.min_comment_count)
        source = first_seeds(found, wish.max_seeds)
        stage = Stage(wish.listing, source, collection.refresh_after, wish.limit)
        stages += [stage, *(stage.of_replies(one, limit) for one, limit in wish.switches)]
    return tuple(stages)


@dataclass(frozen=True, slots=True)
class StagePlan:
    """The numbers of seeds of a stage that are to be asked for now, and that are not.

    Of the `due` ones a page is asked for; `complete` and `refused` ones need nothing now, `waiting`
    ones are parked and not due before `next_retry_at`. For those who look ahead, there are the
    `first_requests` in the order of the seeds, and `most_requests`: how many pages the due ones can
    take by what the database knows (counts of comments or followers), None if it cannot tell, and
    `most_records` likewise; they are `is_counted` if each due seed's own record tells how many
    there are. `usual_requests` is what a seed of the listing has taken so far, and
    `leading_on` the share of its records that are seeds of what is listed with it.
    """

    due: int = 0
    complete: int = 0
    refused: int = 0
    waiting: int = 0
    next_retry_at: datetime | None = None
    most_requests: int | None = None
    most_records: int | None = None
    is_counted: bool = False
    usual_requests: float | None = None
    leading_on: float | None = None
    first_requests: tuple[PageRequest, ...] = ()

    @property
    def seeds(self) -> int:
        return self.due + self.complete + self.refused + self.waiting

    @property
    def least_requests(self) -> int:
        """Each listing takes one request at least."""
        return self.due


class SeedEnd(StrEnum):
    """The end that the list of a complete seed has come to."""

    COMPLETE = "complete"
    """The API said that there is no more."""
    API_LIMIT = "api_limit"
    """It has as many records as the API gives of one seed: there may be more."""
    CUT = "cut"
    """It has as many as the run wanted: there is more."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What seeds have come to: the ends of complete ones, and why the API lists nothing of others.

    Of `seeds`, which are those that were asked for and not refused, `stored` records came when they
    were listed last. For `counted` of them a record says how many there are, `total` in sum, of
    which `counted_stored` came. Of the refused ones, the lists of `broken_off` had brought
    `broken_off_records` until then.
    """

    ends: Mapping[SeedEnd, int]
    refusals: Mapping[SeedStatus, int]
    seeds: int
    stored: int
    counted: int
    counted_stored: int
    total: int
    broken_off: int = 0
    broken_off_records: int = 0


@dataclass(frozen=True, slots=True)
class StageResult:
    """The progress of a stage's seeds after a run, and what they have come to.

    The first of the parked ones is due at `next_retry_at`.
    """

    open: int
    complete: int
    refused: int
    parked: int
    tally: Tally
    next_retry_at: datetime | None = None

    @property
    def seeds(self) -> int:
        return self.open + self.complete + self.refused + self.parked

    @property
    def is_fulfilled(self) -> bool:
        """True if all that was asked for is stored, or known not to exist."""
        return not self.open and not self.parked
