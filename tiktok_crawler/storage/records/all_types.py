"""The types of records, and which listing brings what: found in the files of this folder."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from tiktok_crawler.research_api.tasks import Seed
from tiktok_crawler.storage import records
from tiktok_crawler.storage.engine.text import clean_text
from tiktok_crawler.storage.records.video import SEARCHED

if TYPE_CHECKING:
    from tiktok_crawler.research_api.endpoints import Listing
    from tiktok_crawler.research_api.tasks import Task
    from tiktok_crawler.storage.records.record_type import Listed


def _declarations() -> dict[Listing, Listed]:
    """Collect what the modules beside this one declare as `LISTED`."""
    found: dict[Listing, Listed] = {}
    for module in iter_modules(records.__path__, f"{records.__name__}."):
        if module.name != __name__:
            declared: dict[Listing, Listed] = getattr(import_module(module.name), "LISTED", {})
            if twice := found.keys() & declared.keys():
                raise TypeError(f"{module.name} brings what another module brings: {twice}")
            found |= declared
    return found


LISTED = _declarations()


def listed(listing: Listing) -> Listed:
    """Look up what a listing brings.

    Raises:
        LookupError: no module of this folder says so.
    """
    if listing not in LISTED:
        raise LookupError(f"no type of records is declared for the listing {listing.name}")
    return LISTED[listing]


def brought_by(task: Task) -> Listed:
    """Return what the pages of a task bring."""
    return listed(task.listing) if isinstance(task, Seed) else SEARCHED


def seed_of(task: Task) -> Any:
    """Return the seed of a task as columns hold it; a search has none."""
    if not isinstance(task, Seed):
        return None
    return int(task.key) if task.listing.seed_key.is_number else clean_text(task.key)
