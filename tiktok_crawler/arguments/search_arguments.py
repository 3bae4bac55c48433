"""The `-a` arguments of a crawl, and the collection that they ask for."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.planning.coverage import Freshness
from tiktok_crawler.planning.plan import Wanted
from tiktok_crawler.planning.value_batches import WantedValues
from tiktok_crawler.query_file.collection import collection_of_arguments
from tiktok_crawler.query_file.options import OPTIONS
from tiktok_crawler.query_file.query_arguments import QUERY_ARGUMENTS
from tiktok_crawler.query_file.several_files import read_collections
from tiktok_crawler.query_file.whole_numbers import parse_whole_number
from tiktok_crawler.spelling import did_you_mean, nearest, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tiktok_crawler.config import Config
    from tiktok_crawler.query_file.collection import Collection

OVERRIDES = OPTIONS
"""Arguments that go before what the query file says."""

JOB = "_job"
"""Under which Scrapyd gives every spider its name for the run."""

SEARCH_ARGUMENTS = ("query", *OVERRIDES, *QUERY_ARGUMENTS)
"""Arguments that say what to search for."""

VIDEOS_ARGUMENTS = ("query", *OVERRIDES, "max_requests", "probes", *QUERY_ARGUMENTS)


def parse_pairs(written: Iterable[str], option: str = "-a") -> dict[str, str]:
    """What stands after `-a` or `-s`; of a name that stands there twice only the last would count.

    Raises:
        UsageError: one is not NAME=VALUE, or stands there twice.
    """
    found: dict[str, str] = {}
    for pair in written:
        name, is_pair, value = pair.partition("=")
        if not is_pair:
            form = "takes NAME=VALUE, without blanks around ="
            raise UsageError(f"{option} {shortened(pair)}: {option} {form}")
        if name in found:
            hint = "; several values are separated by commas, as in -a tags=first,second"
            raise UsageError(
                f"{option} {shortened(name)}=... stands there twice: give it once"
                f"{hint if option == '-a' else ''}"
            )
        found[name] = value
    return found


def as_written(arguments: Mapping[str, object]) -> dict[str, str]:
    """The arguments that a Python script gives, as they would stand after `-a`; None says nothing.

    Raises:
        UsageError: one cannot stand there.
    """
    return {name: _as_text(name, value) for name, value in arguments.items() if value is not None}


def _as_text(name: str, value: object) -> str:
    match value:
        case str():
            return value
        case bool():
            return str(int(value))
        case int() | Path() | date():
            return str(value)
        case list() | tuple():
            values = [_as_text(name, each) for each in value]
            if any("," in each for each in values):
                raise UsageError(
                    f"-a {name}: a comma in a value of a list would separate values: put the list "
                    "into a query file"
                )
            return ",".join(values)
    raise UsageError(
        f"-a {name}={shortened(repr(value))}: expected text, a whole number, a date, a path, or a "
        "list of these"
    )


def check(arguments: Mapping[str, str], allowed: tuple[str, ...]) -> None:
    """Refuse arguments that do not exist or say nothing.

    Raises:
        UsageError: naming the argument and what is allowed.
    """
    for name, value in arguments.items():
        if name == JOB:
            continue
        if name not in allowed:
            hint = did_you_mean(nearest(name, allowed)) or "."
            raise UsageError(
                f"-a {shortened(name)}=...: there is no such argument{hint} "
                f"Allowed are: {', '.join(allowed)}"
            )
        if not value.strip():
            raise UsageError(f"-a {name}=: the value is empty")


def collection(arguments: Mapping[str, str], *, today: date) -> Collection:
    """The one collection that is asked for.

    Raises:
        UsageError: as `collections`, or there are several.
        QueryFileError: as `collections`.
    """
    found = collections(arguments, today=today)
    if len(found) > 1:
        raise UsageError(f"-a query={arguments['query']}: name one query file, not {len(found):,}")
    return found[0]


def collections(arguments: Mapping[str, str], *, today: date) -> tuple[Collection, ...]:
    """The collections that query files and the arguments beside them, or these alone, ask for.

    Raises:
        UsageError: there is no query, or one in a file and one in arguments, or an argument is
            malformed.
        QueryFileError: the query file has mistakes.
    """
    conditions = [name for name in QUERY_ARGUMENTS if name in arguments]
    if conditions and "query" not in arguments:
        return (collection_of_arguments(arguments, today=today),)
    if conditions:
        raise UsageError(
            f"-a {conditions[0]}=... cannot stand beside -a query=...: write it into the query file"
        )
    if "query" not in arguments:
        raise UsageError(
            "-a query=FILE is missing: the query file, such as -a query=query.yaml, or a folder of "
            "them; or name a condition, such as -a any_hashtags=butter"
        )
    overrides = {name: arguments[name] for name in OVERRIDES if name in arguments}
    return read_collections(arguments["query"], today=today, overrides=overrides)


def check_probes(option: str, written: str, collections: Sequence[Collection]) -> None:
    """Refuse probes, which an option asks for, of anything but one query.

    Raises:
        UsageError: there are several query files, or one has a list.
    """
    if len(collections) > 1:
        raise UsageError(f"{option} is about one query file, not {len(collections):,}")
    if any(each.each for each in collections):
        raise UsageError(f"{option}={written}: a list under each is planned without probes")


def wanted(collection: Collection, config: Config) -> Wanted:
    """Work out what a run of the collection asks for, under this configuration."""
    return Wanted(
        query=collection.query,
        days=collection.dates,
        fields=config.video_fields,
        freshness=_freshness(collection, config),
        window_days=config.window_days,
        id_skew=config.id_skew,
    )


def wanted_values(collection: Collection, config: Config) -> WantedValues:
    """Work out what a run of a list asks for, under this configuration."""
    assert collection.each
    return WantedValues(
        collection.each,
        collection.dates,
        _freshness(collection, config),
        size=config.batch,
        window_days=config.window_days,
        id_skew=config.id_skew,
        fields=config.video_fields,
    )


def _freshness(collection: Collection, config: Config) -> Freshness:
    """Return the rules for searching days of the collection again."""
    return Freshness(config.settle).with_keys(collection.refreshing)


def whole_number(arguments: Mapping[str, str], name: str) -> int | None:
    """An argument that has to be a whole number of at least 1; None if it is not given.

    Raises:
        UsageError: it is something else.
    """
    value = arguments.get(name)
    if value is None:
        return None
    number = parse_whole_number(value)
    if number is None:
        raise UsageError(f"-a {name}={value}: not a whole number from 1 to 999,999,999")
    return number
