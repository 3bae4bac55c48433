"""What a source of others has: its records as the API would deliver them, and what is to be said.

A source is read twice: once for its checksum, once for its records, which come in the same order
each time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tiktok_crawler.spelling import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from tiktok_crawler.storage.records.imported import Kind

MOST_EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class Found:
    """A record with the keys of the API, and where it stands.

    Its values are those of the time `at`; it was `first_at` when it was collected first. `given`
    are values of its columns that the API has no key for.
    """

    kind: Kind
    record: dict[str, Any]
    at: datetime
    first_at: datetime | None = None
    tags: tuple[str, ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Notes:
    """What is said of a source: what was refused with some examples, and what could not be told.

    `untold` and `kept_aside` count occasions, by what it is in words. `kept_out` are records that
    persons have asked to delete.
    """

    read: int = 0
    refused: int = 0
    examples: list[str] = field(default_factory=list)
    untold: Counter[str] = field(default_factory=Counter)
    kept_aside: Counter[str] = field(default_factory=Counter)
    cleaned: int = 0
    tags: Counter[str] = field(default_factory=Counter)
    left_out: set[str] = field(default_factory=set)
    kept_out: int = 0

    def refuse(self, where: str, why: str) -> None:
        self.refused += 1
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(f"{where}: {why}")


class Source(ABC):
    """A file or database of others that is recognised.

    `name` is what the user calls it by, `kind` what it was recognised as; `is_invented`: it says
    that the sandbox has made it. `untimed` says in words which of its records do not say when they
    were collected, `suggested` when that may have been, and `suggestion` why. `queries` are those
    by which it was collected.
    """

    name: str
    kind: str
    is_invented: bool = False
    untimed: str = ""
    suggested: datetime | None = None
    suggestion: str
    queries: tuple[Mapping[str, Any], ...] = ()

    @abstractmethod
    def sha256(self) -> str:
        """The checksum of all of it, hexadecimal."""

    @abstractmethod
    def records(self, collected_at: datetime | None, notes: Notes) -> Iterator[Found | None]:
        """Yield its records in their order, None for each that was refused, and note that.

        Records that do not say when they were collected are of `collected_at`.

        Raises:
            ImportFileError: it cannot be read any further.
        """

    @abstractmethod
    def close(self) -> None: ...


def told(value: object) -> str:
    """A value in a message, of others and perhaps long."""
    return shortened(str(value))
