"""The `-a` arguments of each spider in words, with an example: what `--help` shows."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, NamedTuple

from tiktok_crawler.arguments.check_arguments import CHECK_ARGUMENTS, SPIDER, USUAL_AGE
from tiktok_crawler.arguments.listing_arguments import SPIDERS, allowed, sources
from tiktok_crawler.arguments.search_arguments import VIDEOS_ARGUMENTS
from tiktok_crawler.query_file.query_arguments import QUERY_ARGUMENTS
from tiktok_crawler.research_api.endpoints import SeedKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tiktok_crawler.research_api.endpoints import Listing

    About = Mapping[str, tuple[str, str]]

SPIDER_NAMES = ("videos", *SPIDERS, SPIDER)
WIDTH = 100
COLUMN = 34

_SEEDS = {
    SeedKey.USERNAME: "ann,bob",
    SeedKey.VIDEO_ID: "7318480000000000001",
    SeedKey.COMMENT_ID: "7318480000000000005",
    SeedKey.PLAYLIST_ID: "7318480000000000002",
    SeedKey.SHOP_NAME: "Cheese Shop",
    SeedKey.SHOP_ID: "7495000000000000003",
    SeedKey.PRODUCT_ID: "1729000000000000004",
}

_COMMON = {
    "start_date": ("2024-01-01", "the first day, in UTC; goes before the query file"),
    "end_date": ("2024-01-31", "the last day, likewise"),
    "tags": ("one,two", "names of your own, stored with all that comes"),
    "max_requests": ("100", "send so many requests at most"),
}
_OF_VIDEOS = _COMMON | {
    "query": (
        "query.yaml",
        "the query file (see README.md), a folder of them, or several: a.yaml,b.yaml",
    ),
    "refresh_after": ("7d", "search days again that were searched longer ago than this"),
    "revisit": ("3d,11d", "search days again when they are as old as each of these"),
    "keep_fresh": ("15d", "find out as often what is still there; 15d with counters: search again"),
    "probes": ("12", "ask for so many first pages alone: what `scrapy plan --probe` does"),
}
_OF_LISTINGS = _COMMON | {
    "from_query": ("query.yaml", "those of the videos that a query has collected"),
    "from_tag": ("elections", "those of all collected videos that have this tag"),
    "max_seeds": ("100", "only of the first so many"),
    "max_age": ("7d", "ask again for what was asked for longer ago than this"),
    "via": ("following", "not of these users, but of those whom they follow (or: followers)"),
    "min_comment_count": ("5", "leave out videos that had fewer comments"),
}
_OF_CHECKS = {
    "max_age": (USUAL_AGE, "check all not confirmed for so long; never: only what is missing"),
    "max_requests": _COMMON["max_requests"],
}


def spiders_text() -> str:
    """Name the spiders, and how to ask for the arguments of one."""
    return "\n".join(
        (
            fill(f"Spiders: {', '.join(SPIDER_NAMES)}", WIDTH, subsequent_indent="  "),
            "The arguments of one: scrapy crawl videos --help",
        )
    )


class Argument(NamedTuple):
    """An argument of a spider, with an example of its value and what it means."""

    name: str
    example: str
    meaning: str


def arguments_of(spider: str) -> list[Argument]:
    """Return the arguments of a spider of this project; of videos, also keys are taken."""
    if spider == "videos":
        return _arguments(_OF_VIDEOS, [name for name in VIDEOS_ARGUMENTS if name in _OF_VIDEOS])
    if spider == SPIDER:
        return _arguments(_OF_CHECKS, CHECK_ARGUMENTS)
    return _arguments(_about_listing(SPIDERS[spider]), allowed(SPIDERS[spider]))


def arguments_text(spider: str) -> str:
    """List the arguments of a spider of this project; of any other, nothing is known."""
    if spider not in SPIDER_NAMES:
        return f"{spider} is a spider of your own"
    lines = (
        f"  {_pair(name, example):<{COLUMN}} {meaning}"
        for name, example, meaning in arguments_of(spider)
    )
    return "\n".join([f"Arguments of {spider} (-a NAME=VALUE)", *lines, *_more(spider)])


def _more(spider: str) -> Iterator[str]:
    """Say what else there is to know, with an example."""
    if spider == "videos":
        yield "  or, in place of query=, the keys of a query file, lists with commas between:"
        yield fill(
            ", ".join(QUERY_ARGUMENTS), WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 4
        )
        yield "Examples"
        yield "  scrapy crawl videos -a query=query.yaml"
        yield (
            "  scrapy crawl videos -a any_hashtags=butter,cheese -a start_date=2024-01-01 "
            "-a end_date=2024-01-31"
        )
    elif spider == SPIDER:
        yield "Example"
        yield f"  scrapy crawl {SPIDER}"
    else:
        seeds = sources(SPIDERS[spider])
        example = _about_listing(SPIDERS[spider])[seeds[0]][0]
        yield f"Of which to ask, one says: {', '.join(seeds)}"
        yield "Example"
        yield f"  scrapy crawl {spider} -a {_pair(seeds[0], example)}"


def _about_listing(listing: Listing) -> dict[str, tuple[str, str]]:
    about = _OF_LISTINGS | {
        key.argument: (example, f"these {key.noun}, or of these; @names.csv: those in a file")
        for key, example in _SEEDS.items()
    }
    for name, one in listing.switches.items():
        about |= {
            name: ("1", f"also the {name}"),
            one.limit_argument or "": ("50", f"with {name}=1, stop after so many {name} of each"),
        }
    if listing.limit_argument:
        about[listing.limit_argument] = ("200", f"stop after so many {listing.noun} of each")
    return about


def _arguments(about: About, names: Iterable[str]) -> list[Argument]:
    return [Argument(name, *about[name]) for name in names]


def _pair(name: str, example: str) -> str:
    return f"'{name}={example}'" if " " in example else f"{name}={example}"
