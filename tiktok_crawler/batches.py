"""Cuts what there is much of into parts."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the items in parts of a size, and what is left of them."""
    left = iter(items)
    while part := list(islice(left, size)):
        yield part
