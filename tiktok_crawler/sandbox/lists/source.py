"""What a kind of list is: which endpoint serves it, what it is asked about, what is in it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from tiktok_crawler.sandbox.protocol.errors import invalid_params
from tiktok_crawler.sandbox.world.blemishes import blemish

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tiktok_crawler.research_api.endpoints import Endpoint
    from tiktok_crawler.sandbox.faults.schedule import Requests
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

    `beside` is what stands next to the list. Pages beyond `reach` entries are refused.
    """

    key: str
    entries: Sequence[ListEntry]
    reach: int | None = None
    beside: Mapping[str, Any] = MappingProxyType({})


class ListSource(ABC):
    """A kind of list. `name` is what a schedule counts its requests by.

    `seed_key` names in a body what is asked about, `count_key` how much of it, `default_count` if
    that is missing. `extras` are fields that come unasked. `fields_in_body`: they may stand there
    too (api_facts.md 1.7). `fills_pages`: a page goes on until it has all records asked for.
    `without_empty_list`: the key is missing where there are no records. `message` is that of
    success, None where answers have no error object (api_facts.md 1.10, 10.2).
    """

    name: ClassVar[Requests]
    endpoint: ClassVar[Endpoint]
    seed_key: ClassVar[str]
    count_key: ClassVar[str] = "max_count"
    default_count: ClassVar[int] = 20
    extras: ClassVar[tuple[str, ...]] = ()
    fields_in_body: ClassVar[bool] = False
    fills_pages: ClassVar[bool] = False
    without_empty_list: ClassVar[bool] = False
    message: ClassVar[str | None] = "ok"

    def __init__(self, world: World) -> None:
        self._world = world

    @abstractmethod
    def find(self, seed: str) -> ListedEntries:
        """What is listed of a seed.

        Raises:
            ApiError: the API refuses the seed.
        """

    @abstractmethod
    def record(self, item: Any, fields: frozenset[str] | None) -> Any:
        """What an answer has of an entry's item; without `fields` everything."""

    @abstractmethod
    def seeds(self) -> Iterator[str]:
        """What can be asked about, in an order that never changes."""

    def data(self, listed: ListedEntries, records: list[Any]) -> dict[str, Any]:
        """The `data` of an answer, but for its cursor."""
        may_be_missing = self.without_empty_list or self._world.data.empty_lists_missing
        return {} if may_be_missing and not records else {listed.key: records}

    def _dress(self, record: Record, key: int, wanted: frozenset[str] | None) -> Record:
        """The record as it is sent: with its blemishes, in an order that its key decides.

        Of the endpoint's fields only the `wanted` ones come, all if it is None; others come anyway.
        """
        rng, fields = Random(self._world.seed ^ key), self.endpoint.fields
        blemish(record, rng, self._world.data, fields + self.extras)
        unwanted = frozenset() if wanted is None else frozenset(fields) - wanted
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
