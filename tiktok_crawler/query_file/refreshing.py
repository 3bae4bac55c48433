"""How data is kept fresh: `keep_fresh: 15 days`, or `15 days with counters`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from tiktok_crawler.query_file.written_dates import NEVER, age_as_written, parse_age

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

WITH_COUNTERS = "with counters"

LEAST = timedelta(days=1)
"""Nights come once a day."""

_KEYS = ("refresh_after", "revisit", "keep_fresh")

_GROUPED = re.compile(r"\b([0-9]{1,2}),([0-9]{3}) (hours|days)")


@dataclass(frozen=True, slots=True)
class KeepFresh:
    """How often it is found out what is still there; with `counters`, by searching days again."""

    every: timedelta
    counters: bool = False

    def __str__(self) -> str:
        return age_as_written(self.every) + (f" {WITH_COUNTERS}" if self.counters else "")


@dataclass(frozen=True, slots=True)
class Refreshing:
    """The keys of a query file that say when what is there is asked for again."""

    refresh_after: timedelta | None = None
    revisit: tuple[timedelta, ...] = ()
    keep_fresh: KeepFresh | None = None

    @property
    def again_within(self) -> timedelta | None:
        """The age that the last search of a day may have at most."""
        return self.keep_fresh.every if self.keep_fresh and self.keep_fresh.counters else None

    def to_json(self) -> dict[str, str]:
        """Return the keys as they can stand in a query file; nothing of those that do not.

        The same texts are for `from_json`, out of tables and archives, and for people.
        """
        found = {
            "refresh_after": self.refresh_after and age_as_written(self.refresh_after),
            "revisit": ", ".join(map(age_as_written, self.revisit)),
            "keep_fresh": self.keep_fresh and str(self.keep_fresh),
        }
        return {key: words for key, words in found.items() if words}

    @classmethod
    def from_json(cls, words: Mapping[str, str]) -> Self:
        """Read what `to_json` has returned, or what it once did: `1,000 days`.

        Raises:
            ValueError: a text is something else.
        """
        words = {key: _GROUPED.sub(_as_written, words[key]) for key in _KEYS if key in words}
        return cls(
            parse_age(words["refresh_after"]) if "refresh_after" in words else None,
            tuple(map(parse_age, words["revisit"].split(","))) if "revisit" in words else (),
            parse_keep_fresh(words["keep_fresh"]) if "keep_fresh" in words else None,
        )


def _as_written(grouped: re.Match[str]) -> str:
    """Write an age with a comma among its digits as it is written now."""
    thousands, rest, unit = grouped.groups()
    return age_as_written(timedelta(**{unit: int(thousands + rest)}))


def parse_keep_fresh(text: str) -> KeepFresh:
    """Read an age, such as 15 days, perhaps followed by `with counters`; never gives NEVER.

    Raises:
        ValueError: the text is something else, or less than a day.
    """
    words = " ".join(text.lower().split())
    age = words.removesuffix(WITH_COUNTERS)
    try:
        every = parse_age(age)
    except ValueError as exc:
        raise ValueError(
            "is not how often data is kept fresh; allowed: 15 days, 15 days with counters, 4 weeks "
            "or never"
        ) from exc
    if every < LEAST:
        raise ValueError("is less than a day: what is due is looked at once a night")
    return KeepFresh(every, counters=age != words and every != NEVER)
