"""The arguments of the spider of checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.arguments.search_arguments import check, whole_number
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.query_file.written_dates import NEVER, parse_age
from tiktok_crawler.spelling import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

SPIDER = "compliance"

CHECK_ARGUMENTS = ("max_age", "max_requests")

USUAL_AGE = "15 days"
"""Twice as often as the terms of January 2026 ask for (api_facts.md 15)."""


def read(given: Mapping[str, str]) -> tuple[timedelta | None, int | None]:
    """Read after which time everything is checked again, None for never, and how many requests.

    Raises:
        UsageError: an argument is unknown or malformed.
    """
    check(given, CHECK_ARGUMENTS)
    written = given.get("max_age", USUAL_AGE)
    try:
        age = parse_age(written)
    except ValueError as exc:
        raise UsageError(f"-a max_age: {quoted(written)} {exc}") from exc
    return None if age == NEVER else age, whole_number(given, "max_requests")
