"""Reads seeds as users write them: names and ids, separated by commas or line feeds. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.query_file.addresses import without_address
from tiktok_crawler.query_file.doubtful_values import doubt_about
from tiktok_crawler.research_api.conditions import rounded_id_hint, text_problem
from tiktok_crawler.research_api.endpoints import SeedKey
from tiktok_crawler.spelling import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_ID = 2**63 - 1
MAX_ID_DIGITS = 19
MAX_NAME_LENGTH = 200
NO_NAME_HAS = frozenset("@/")


def read_seeds(texts: Iterable[str], key: SeedKey) -> tuple[str, ...]:
    """The seeds in some texts, such as the lines of a file, in their order, without repeats.

    Raises:
        ValueError: one of them cannot be a seed; the message has it in quotes.
    """
    parts = (part.strip() for text in texts for part in text.split(","))
    return tuple(dict.fromkeys(parse_seed(part, key) for part in parts if part))


def parse_seed(text: str, key: SeedKey) -> str:
    """Return the seed that a text, without blanks around it, is.

    Raises:
        ValueError: it cannot be one; the message has it in quotes.
    """
    written = without_address(key, text)
    parse = _id if key.is_id else _username if key is SeedKey.USERNAME else _name
    if (doubt := doubt_about(key, written, typed=text)) and doubt.is_certain:
        raise ValueError(f"{quoted(text)} {doubt.words}")
    return parse(written)


def _name(text: str) -> str:
    if (problem := text_problem(text)) or len(text) > MAX_NAME_LENGTH:
        raise ValueError(f"{quoted(text)} {problem or 'is too long'}")
    return text


def _id(text: str) -> str:
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_ID_DIGITS
    if not is_number or not 0 < int(text) <= MAX_ID:
        hint = rounded_id_hint(text)
        raise ValueError(f"{quoted(text)} is not an id, such as 7318480000000000001{hint}")
    return str(int(text))


def _username(text: str) -> str:
    """The handle without the @ that the API does not take (api_facts.md 5)."""
    name = text.removeprefix("@")
    has_blank = len(name.split()) != 1
    has_sign = not NO_NAME_HAS.isdisjoint(name)
    if has_blank or has_sign or text_problem(name) or len(name) > MAX_NAME_LENGTH:
        raise ValueError(f"{quoted(text)} is not a username, such as some.body1")
    return name
