"""Records that others have collected, and what becomes of them here."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tiktok_crawler.storage.records.comment import COMMENT
from tiktok_crawler.storage.records.leaving_out import (
    comment_keys,
    user,
    video_keys,
    without_names_in,
)
from tiktok_crawler.storage.records.names import TAGS
from tiktok_crawler.storage.records.user import USER
from tiktok_crawler.storage.records.video import VIDEO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from tiktok_crawler.storage.records.comparison import Change
    from tiktok_crawler.storage.records.leaving_out import Deleted, Key
    from tiktok_crawler.storage.records.names import Ids
    from tiktok_crawler.storage.records.record_type import RecordType
    from tiktok_crawler.storage.records.shape import Record


class Kind(StrEnum):
    """The records that can be imported."""

    VIDEOS = "videos"
    COMMENTS = "comments"
    PROFILES = "profiles"

    @property
    def type(self) -> RecordType:
        return {Kind.VIDEOS: VIDEO, Kind.COMMENTS: COMMENT, Kind.PROFILES: USER}[self]


class Outcome(StrEnum):
    """What has become of a record."""

    NEW = "new"
    UPDATED = "updated"
    """It was there, with older values."""
    FILLED = "filled"
    """It was there, with newer values, and has got some that it lacked."""
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class ImportedPage:
    """Records of one kind, sorted by their keys, collected at one time, with these tags."""

    kind: Kind
    at: datetime
    tags: tuple[str, ...]
    records: tuple[Record, ...]

    @property
    def names(self) -> dict[str, set[str]]:
        """All names of the records by their kind, and the tags."""
        found = {
            key: {name for record in self.records for name in record.names.get(key, ())}
            for key in self.kind.type.names
        }
        return found | {TAGS: set(self.tags)}

    def own(self, ids: Ids) -> Ids:
        """Choose those of the ids that are its names'."""
        return {key: {name: ids[key][name] for name in names} for key, names in self.names.items()}

    def without(self, deleted: Deleted) -> ImportedPage:
        """Return the page without deleted records, and without the names of deleted accounts."""
        kept = (
            _without_names(record, deleted)
            for record in self.records
            if not any(key in deleted for key in _keys(self.kind, record))
        )
        return replace(self, records=tuple(kept))


def _keys(kind: Kind, record: Record) -> Iterator[Key]:
    fields = {"id": record.id, **record.values}
    match kind:
        case Kind.VIDEOS:
            return video_keys(fields)
        case Kind.COMMENTS:
            return comment_keys(fields)
    return iter((user(record.id),))


def _without_names(record: Record, deleted: Deleted) -> Record:
    values = without_names_in(record.values, deleted, frozenset(record.values))
    return replace(record, values=values, extra_data=without_names_in(record.extra_data, deleted))


def all_names(pages: Iterable[ImportedPage]) -> dict[str, set[str]]:
    """Collect the names of pages by their kind."""
    joined: dict[str, set[str]] = {}
    for page in pages:
        for key, names in page.names.items():
            joined.setdefault(key, set()).update(names)
    return joined


@dataclass(slots=True)
class Tally:
    """What has become of the records of a batch, each counted once on however many pages it is."""

    _found: dict[tuple[Kind, Any], Outcome] = field(default_factory=dict)

    def add(self, page: ImportedPage, changes: Sequence[Change]) -> None:
        """Count a page by what it has changed; what is not among that it left as it was."""
        for change in changes:
            self._raise((page.kind, change.after.key), _outcome(change))
        for record in page.records:
            self._raise((page.kind, record.id), Outcome.UNCHANGED)

    def outcomes(self) -> Counter[tuple[Kind, Outcome]]:
        return Counter((kind, outcome) for (kind, _), outcome in self._found.items())

    def _raise(self, record: tuple[Kind, Any], outcome: Outcome) -> None:
        """Keep what says most: a record that was new stays so, whatever came to it later."""
        known = self._found.get(record, Outcome.UNCHANGED)
        self._found[record] = min(known, outcome, key=list(Outcome).index)


def _outcome(change: Change) -> Outcome:
    if change.before is None:
        return Outcome.NEW
    if not change.is_update:
        return Outcome.UNCHANGED
    return Outcome.FILLED if change.is_late else Outcome.UPDATED
