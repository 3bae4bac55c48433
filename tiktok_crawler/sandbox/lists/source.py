"""A kind of list: which endpoint serves it, what it is asked about, what is in it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from tiktok_crawler.sandbox.protocol.errors import invalid_params
from tiktok_crawler.sandbox.world.blemishes import blemish

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tiktok_crawler.research_api.endpoints import Listing
    from tiktok_crawler.sandbox.world.blemishes import Record
    from tiktok_crawler.sandbox.world.world import World


_LONGEST_ID = 19


class ListEntry(NamedTuple):
    """Something in a list; `at` is the time by which it is paged, `hidden` what does not come."""

    item: Any
    at: int = 0
    hidden: bool = False


class ListedEntries(NamedTuple):
    """All that is listed of a seed, under the key that the answer has for it.

    Without a `key` it is the first that the endpoint is known to have. `beside` is what stands next
    to the list. Pages beyond `reach` entries are refused.
    """

    entries: Sequence[ListEntry]
    key: str | None = None
    reach: int | None = None
    beside: Mapping[str, Any] = MappingProxyType({})


class ListSource(ABC):
    """A kind of list: what is listed for a client that asks for `listing`.

    `default_count` records come if a body does not say how many. `fills_pages`: a page goes on
    until it has as many records as were asked for. `without_empty_list`: the key is missing where
    there are no records. `message` is that of success, None where answers have no error object
    (api_facts.md 1.10, 10.2).
    """

    listing: ClassVar[Listing]
    default_count: ClassVar[int] = 20
    fills_pages: ClassVar[bool] = False
    without_empty_list: ClassVar[bool] = False
    message: ClassVar[str | None] = "ok"

    def __init__(self, world: World) -> None:
        self._world = world

    @abstractmethod
    def find(self, seed: str) -> ListedEntries:
        """Find the entries listed for a seed.

        Raises:
            ApiError: the API refuses the seed.
        """

    @abstractmethod
    def record(self, item: Any, fields: frozenset[str] | None) -> Any:
        """Return the part of an entry's item that an answer has; without `fields` all of it."""

    @abstractmethod
    def seeds(self) -> Iterator[str]:
        """Return the seeds to ask about, in an order that never changes."""

    def data(self, listed: ListedEntries, records: list[Any]) -> dict[str, Any]:
        """The `data` of an answer, but for its cursor."""
        may_be_missing = self.without_empty_list or self._world.data.empty_lists_missing
        if may_be_missing and not records:
            return {}
        return {listed.key or self.listing.endpoint.records_keys[0]: records}

    def _dress(self, record: Record, key: int, wanted: frozenset[str] | None) -> Record:
        """The record as it is sent: with its blemishes, in an order that its key decides.

        Of the endpoint's fields only the `wanted` ones come, all if it is None; others come anyway.
        """
        rng, endpoint = Random(self._world.seed ^ key), self.listing.endpoint
        blemish(record, rng, self._world.data, endpoint.record_keys)
        unwanted = frozenset() if wanted is None else frozenset(endpoint.fields) - wanted
        names = rng.sample(list(record), len(record))
        return {name: record[name] for name in names if name not in unwanted}


def seed_number(seed: str, key: str) -> int:
    """A seed that is an id.

    Raises:
        ApiError: it is none.
    """
    if not (seed.isascii() and seed.isdigit() and len(seed) <= _LONGEST_ID):
        raise invalid_params(f"Invalid {key}")
    return int(seed)
