"""The `-a` arguments of spiders that list things, and the stages that they ask for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tiktok_crawler.arguments import search_arguments
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
from tiktok_crawler.query_file.seed_text import read_seeds
from tiktok_crawler.query_file.written_dates import NEVER, parse_age
from tiktok_crawler.research_api import listings
from tiktok_crawler.research_api.listings import SeedKey
from tiktok_crawler.spelling import listed, quoted, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, timedelta

    from tiktok_crawler.planning.seeds import SeedSource
    from tiktok_crawler.research_api.listings import Listing

T = TypeVar("T")

SPIDERS = {name: listing for name, listing in listings.LISTINGS.items() if name != "replies"}
"""The listings that have a spider of their own, which has their name."""

SEED_ARGUMENTS = {
    SeedKey.USERNAME: "usernames",
    SeedKey.VIDEO_ID: "video_ids",
    SeedKey.PLAYLIST_ID: "playlist_ids",
    SeedKey.SHOP_NAME: "shop_names",
    SeedKey.SHOP_ID: "shop_ids",
    SeedKey.PRODUCT_ID: "product_ids",
}
"""The argument that names seeds, by what they are."""

OF_VIDEOS = ("from_query", "from_tag")
"""Arguments that find users, videos and playlists in the database."""

LIMITS = {
    SeedKey.USERNAME: "max_per_user",
    SeedKey.VIDEO_ID: "max_per_video",
    SeedKey.SHOP_ID: "max_per_shop",
    SeedKey.PRODUCT_ID: "max_per_product",
}
"""The argument for how many records of a seed are wanted, where that can be more than a page."""

COMMON = ("max_seeds", "max_age", "tags", "max_requests")
DATES = ("start_date", "end_date")
VIA = "via"
STEPS = {listing.name: listing for listing in (listings.FOLLOWERS, listings.FOLLOWING)}
"""Which stored lists of the users lead to the seeds, where those are not the users themselves."""

ONLY_BESIDE = {**dict.fromkeys(DATES, ("from_query",)), "min_comment_count": OF_VIDEOS}
"""Arguments that say more about where seeds come from."""


@dataclass(frozen=True, slots=True)
class GivenStages:
    """What the arguments of a run ask for."""

    stages: tuple[Stage, ...]
    tags: tuple[str, ...]
    max_requests: int | None


def allowed(listing: Listing) -> tuple[str, ...]:
    """The arguments of a listing's spider."""
    names = [*sources(listing), *COMMON]
    if "from_query" in names:
        names += DATES
    if listing.seed_key is SeedKey.USERNAME:
        names.append(VIA)
    if listing.has_pages and listing.seed_key in LIMITS:
        names.append(LIMITS[listing.seed_key])
    if listing is listings.COMMENTS:
        names += ("replies", "min_comment_count")
    return tuple(names)


def sources(listing: Listing) -> tuple[str, ...]:
    """The arguments that say of which seeds; one of them is needed."""
    own = SEED_ARGUMENTS[listing.seed_key]
    if listing is listings.PRODUCTS:
        return own, SEED_ARGUMENTS[SeedKey.SHOP_NAME]
    if listing is listings.REVIEWS:
        return own, SEED_ARGUMENTS[SeedKey.SHOP_ID], SEED_ARGUMENTS[SeedKey.SHOP_NAME]
    return (own,) if listing is listings.SHOPS else (own, *OF_VIDEOS)


def read(listing: Listing, given: Mapping[str, str], *, today: date) -> GivenStages:
    """What the arguments of a listing's spider ask for.

    Raises:
        UsageError: an argument is unknown, missing or malformed.
        QueryFileError: the query file has mistakes.
    """
    search_arguments.check(given, allowed(listing))
    source, tags = _source(listing, given, today)
    source = first_seeds(_via(source, given), search_arguments.whole_number(given, "max_seeds"))
    limit = LIMITS.get(listing.seed_key, "")
    stage = Stage(listing, source, _age(given), search_arguments.whole_number(given, limit))
    stages = (stage, stage.of_replies()) if _switch(given, "replies") else (stage,)
    return GivenStages(
        stages, _tags(given) or tags, search_arguments.whole_number(given, "max_requests")
    )


def _source(
    listing: Listing, given: Mapping[str, str], today: date
) -> tuple[SeedSource, tuple[str, ...]]:
    """Where the seeds come from, and the tags that come with them."""
    names = [name for name in sources(listing) if name in given]
    if len(names) != 1:
        choice = listed([f"-a {name}=..." for name in sources(listing)])
        found = f", not {len(names)}" if names else ""
        raise UsageError(f"{listing.name} need one of {choice}{found}")
    _check_company(given, names[0])
    least = search_arguments.whole_number(given, "min_comment_count") or 1
    if names[0] == "from_tag":
        tag = _parsed("from_tag", given["from_tag"], parse_tag)
        return SeedsOfTag(tag, least), ()
    if names[0] == "from_query":
        query = {"query": given["from_query"]} | {n: given[n] for n in DATES if n in given}
        collection = search_arguments.collection(query, today=today)
        fingerprint = collection.query.fingerprint
        return SeedsOfQuery(fingerprint, collection.dates, least), collection.tags
    return _named_seeds(listing, names[0], given[names[0]]), ()


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
            raise UsageError(f"-a {name}=...: has a meaning only beside {choice}")


def _named_seeds(listing: Listing, name: str, written: str) -> SeedSource:
    key = next(key for key, argument in SEED_ARGUMENTS.items() if argument == name)
    seeds = _seeds(name, written, key)
    is_name = key is SeedKey.SHOP_NAME and listing is not listings.SHOPS
    source = ShopsByName(seeds) if is_name else GivenSeeds(seeds)
    is_of_shop = listing is listings.REVIEWS and key is not listing.seed_key
    return ProductsOfShops(source) if is_of_shop else source


def _seeds(name: str, written: str, key: SeedKey) -> tuple[str, ...]:
    """The seeds of an argument, or of the file that it names: `@file.txt`."""
    path = _file(name, written, key)
    place, texts = (str(path), _lines(path)) if path else (f"-a {name}", [written])
    try:
        seeds = read_seeds(texts, key)
    except ValueError as exc:
        raise UsageError(f"{place}: {exc}") from None
    if not seeds:
        raise UsageError(f"{place}: names nothing")
    return seeds


def _file(name: str, written: str, key: SeedKey) -> Path | None:
    """The file that is named; of usernames a list can begin with an @ as well."""
    if not written.startswith("@"):
        return None
    path = Path(written[1:])
    if _is_file(path):
        return path
    if key is SeedKey.USERNAME and "," in written:
        return None
    hint = "; names are written without @" if key is SeedKey.USERNAME else ""
    raise UsageError(f"-a {name}={quoted(written)}: there is no such file{hint}")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name that is too long for one
        return False


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as exc:
        raise UsageError(f"{path} cannot be read: {exc.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not text in UTF-8") from None


def _age(given: Mapping[str, str]) -> timedelta | None:
    age = _parsed("max_age", given["max_age"], parse_age) if "max_age" in given else NEVER
    return None if age == NEVER else age


def _switch(given: Mapping[str, str], name: str) -> bool:
    value = given.get(name, "0")
    if value not in ("0", "1"):
        raise UsageError(f"-a {name}={shortened(value)}: allowed are 0 and 1")
    return value == "1"


def _tags(given: Mapping[str, str]) -> tuple[str, ...]:
    """The tags in their order, without repeats."""
    written = given["tags"].split(",") if "tags" in given else []
    return tuple(dict.fromkeys(_parsed("tags", tag, parse_tag) for tag in written))


def _parsed(name: str, value: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(value)
    except ValueError as exc:
        raise UsageError(f"-a {name}: {quoted(value)} {exc}") from None
