"""Reads single settings, and says what is wrong with one."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, TypeVar

from scrapy.settings import BaseSettings

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.spelling import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import StrEnum

    E = TypeVar("E", bound=StrEnum)


def check_dictionaries(pairs: Iterable[str], settings: BaseSettings) -> None:
    """Check pairs NAME=VALUE whose settings are dictionaries, such as FEEDS.

    Raises:
        ConfigurationError: a value is none in JSON; Scrapy would call it an invalid -s.
    """
    for name, _, value in (pair.partition("=") for pair in pairs):
        if isinstance(settings.get(name), BaseSettings) and not _is_dictionary(value):
            raise ConfigurationError(
                f'{name} is not a dictionary in JSON, such as -s \'{name}={{"key": "value"}}\''
            )


def _is_dictionary(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def number(
    settings: BaseSettings, name: str, *, least: float = 0, most: float = float("inf")
) -> float:
    """A setting that has to be a number.

    Raises:
        ConfigurationError: it is none, or out of bounds.
    """
    value = settings[name]
    bounds = f" of at least {least:g}" if math.isfinite(least) else ""
    if math.isfinite(most):
        bounds = f" from {least:g} to {most:g}"
    try:
        as_number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        as_number = math.nan
    if not (math.isfinite(as_number) and least <= as_number <= most):
        raise ConfigurationError(f"{name}={shortened(str(value))} is not a number{bounds}")
    return as_number


def whole_number(
    settings: BaseSettings, name: str, *, least: float = 0, most: float = 10**6
) -> int:
    """A setting that has to be a whole number.

    Raises:
        ConfigurationError: it is none, or out of bounds.
    """
    as_number = number(settings, name, least=least, most=most)
    if not as_number.is_integer():
        raise ConfigurationError(f"{name}={settings[name]} is not a whole number")
    return int(as_number)


def switch(settings: BaseSettings, name: str) -> bool:
    """A setting that has to be True or False.

    Raises:
        ConfigurationError: it is something else.
    """
    try:
        return settings.getbool(name)
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"{name}={shortened(str(settings[name]))} is not True or False"
        ) from None


def choice(settings: BaseSettings, name: str, choices: type[E]) -> E:
    """A setting that has to be one of the words of an enumeration.

    Raises:
        ConfigurationError: it is another word.
    """
    value = str(settings.get(name)).strip().lower()
    try:
        return choices(value)
    except ValueError:
        allowed = ", ".join(choices)
        raise ConfigurationError(f"{name}={shortened(value)} is not one of: {allowed}") from None
