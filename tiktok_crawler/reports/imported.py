"""An import in a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.spelling import number_of
from tiktok_crawler.storage.records.imported import Kind

if TYPE_CHECKING:
    from tiktok_crawler.storage.ledger.imports import Import


def stored(import_: Import) -> str:
    """Say how many records of each kind an import has brought: `12 videos, 1 comment`."""
    numbers = {kind: sum(import_.counts.get(kind, {}).values()) for kind in map(str, Kind)}
    return ", ".join(number_of(n, kind) for kind, n in numbers.items() if n) or "nothing"
