"""The `-a` arguments of spiders that list things, and the stages that they ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tiktok_crawler.arguments import search_arguments
from tiktok_crawler.arguments.named_seeds import list_argument, named_seeds
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.planning.seeds import (
    GivenSeeds,
    ProductsOfShops,
    RelatedUsers,
    SeedsOfQuery,
    SeedsOfTag,
    ShopsByName,
    Stage,
    first_seeds,
)
from tiktok_crawler.query_file.options import parse_tag
from tiktok_crawler.query_file.written_dates import NEVER, parse_age
from tiktok_crawler.research_api.endpoints import LISTINGS, SeedKey
from tiktok_crawler.spelling import listed, quoted, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, timedelta

    from tiktok_crawler.planning.seeds import SeedSource
    from tiktok_crawler.research_api.endpoints import Listing

T = TypeVar("T")

SPIDERS = {name: listing for name, listing in LISTINGS.items() if listing.has_spider}
"""The listings that have a spider of their own, which has their name."""

OF_VIDEOS = ("from_query", "from_tag")
"""Arguments that find users, videos and playlists in the database."""

COMMON = ("max_seeds", "max_age", "tags", "max_requests")
DATES = ("start_date", "end_date")
VIA = "via"
MIN_COMMENTS = "min_comment_count"
STEPS = {name: listing for name, listing in LISTINGS.items() if listing.edge}
"""Stored lists of the users that lead to the seeds, where those are not the users themselves."""

ONLY_BESIDE = {**dict.fromkeys(DATES, ("from_query",)), MIN_COMMENTS: OF_VIDEOS}
"""Arguments that say more about where seeds come from."""


@dataclass(frozen=True, slots=True)
class GivenStages:
    """The stages, tags and limit that the arguments of a run ask for.

    `from_tag` is the tag whose videos name the seeds, if they do. `notes` say what a file had that
    is left out.
    """

    stages: tuple[Stage, ...]
    tags: tuple[str, ...]
    max_requests: int | None
    from_tag: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Source:
    """A source of seeds, and the tags and notes that come with it."""

    seeds: SeedSource
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def allowed(listing: Listing) -> tuple[str, ...]:
    """The arguments of a listing's spider."""
    names = [*sources(listing), *COMMON]
    if "from_query" in names:
        names += DATES
    if listing.seed_key is SeedKey.USERNAME:
        names.append(VIA)
    if listing.limit_argument:
        names.append(listing.limit_argument)
    if listing.min_comment_count is not None:
        names.append(MIN_COMMENTS)
    return *names, *listing.switches, *map(_limit_of, listing.switches.values())


def sources(listing: Listing) -> tuple[str, ...]:
    """The arguments that say of which seeds; one of them is needed."""
    found = sources(listing.found_by) if listing.found_by else ()
    of_videos = OF_VIDEOS if listing.seed_key.is_told_by_videos else ()
    return listing.seed_key.argument, *of_videos, *found


def read(listing: Listing, given: Mapping[str, str], *, today: date) -> GivenStages:
    """Read what the arguments of a listing's spider ask for.

    Raises:
        UsageError: an argument is unknown, missing or malformed.
        QueryFileError: the query file has mistakes.
    """
    search_arguments.check(given, allowed(listing))
    found = _source(listing, given, today)
    source = first_seeds(
        _via(found.seeds, given), search_arguments.whole_number(given, "max_seeds")
    )
    limit = search_arguments.whole_number(given, listing.limit_argument or "")
    stage = Stage(listing, source, _age(given), limit)
    more = [
        stage.of_replies(one, search_arguments.whole_number(given, _limit_of(one)))
        for one in listing.switches.values()
        if _is_wanted(one, given)
    ]
    return GivenStages(
        (stage, *more),
        _tags(given) or found.tags,
        search_arguments.whole_number(given, "max_requests"),
        _from_tag(given),
        found.notes,
    )


def _source(listing: Listing, given: Mapping[str, str], today: date) -> _Source:
    """Return the source of the seeds, and what comes with them."""
    names = [name for name in sources(listing) if name in given]
    if len(names) != 1:
        choice = listed([f"-a {name}=..." for name in sources(listing)])
        found = f", not {len(names)}" if names else ""
        raise UsageError(f"{listing.name} need one of {choice}{found}")
    _check_company(given, names[0])
    least = search_arguments.whole_number(given, MIN_COMMENTS) or listing.min_comment_count or 0
    if tag := _from_tag(given):
        return _Source(SeedsOfTag(tag, least))
    if names[0] == "from_query":
        query = {"query": given["from_query"]} | {n: given[n] for n in DATES if n in given}
        collection = search_arguments.collection(query, today=today)
        return _Source(SeedsOfQuery.of(collection, least), collection.tags)
    named = named_seeds(names[0], given[names[0]])
    return _Source(_source_of(listing, names[0], named.values), notes=named.notes)


def _from_tag(given: Mapping[str, str]) -> str | None:
    return _parsed("from_tag", given["from_tag"], parse_tag) if "from_tag" in given else None


def _via(source: SeedSource, given: Mapping[str, str]) -> SeedSource:
    """Whom the users of a source follow, or who follows them, in their place."""
    if VIA not in given:
        return source
    if given[VIA] not in STEPS:
        raise UsageError(f"-a {VIA}={shortened(given[VIA])}: allowed are {listed(list(STEPS))}")
    assert isinstance(source, GivenSeeds | SeedsOfQuery | SeedsOfTag)
    return RelatedUsers(source, STEPS[given[VIA]])


def _check_company(given: Mapping[str, str], source: str) -> None:
    for name, sources_ in ONLY_BESIDE.items():
        if name in given and source not in sources_:
            choice = listed([f"-a {one}=..." for one in sources_])
            raise UsageError(f"-a {name}=... requires {choice}")


def _source_of(listing: Listing, name: str, seeds: tuple[str, ...]) -> SeedSource:
    """The seeds of a listing that an argument names, or what leads to them in the database."""
    if name == listing.seed_key.argument:
        return GivenSeeds(seeds)
    assert listing.found_by
    source = _source_of(listing.found_by, name, seeds)
    if listing.seed_key is SeedKey.SHOP_ID:
        assert isinstance(source, GivenSeeds)
        return ShopsByName(source.values)
    assert isinstance(source, GivenSeeds | ShopsByName)
    return ProductsOfShops(source)


def _age(given: Mapping[str, str]) -> timedelta | None:
    age = _parsed("max_age", given["max_age"], parse_age) if "max_age" in given else NEVER
    return None if age == NEVER else age


def _is_wanted(switched: Listing, given: Mapping[str, str]) -> bool:
    name, limit = switched.name, _limit_of(switched)
    value = given.get(name, "0")
    if value not in ("0", "1"):
        raise UsageError(f"-a {name}={shortened(value)}: allowed are 0 and 1")
    if value == "0" and limit in given:
        raise UsageError(f"-a {limit}=... requires -a {name}=1")
    return value == "1"


def _limit_of(switched: Listing) -> str:
    assert switched.limit_argument
    return switched.limit_argument


def _tags(given: Mapping[str, str]) -> tuple[str, ...]:
    """The tags in their order, without repeats."""
    written = list_argument("tags", given["tags"], "tag") if "tags" in given else []
    return tuple(dict.fromkeys(_parsed("tags", tag, parse_tag) for tag in written))


def _parsed(name: str, value: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(value)
    except ValueError as exc:
        raise UsageError(f"-a {name}: {quoted(value)} {exc}") from None
