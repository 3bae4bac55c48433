"""Leaves out of what the API sends what was deleted: records, and names of persons in others. Pure.

In the place of a record stays a number that says nothing, and the day on which a video was
published: a page keeps the length, the places and the days that it had.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from tiktok_crawler.planning.checks import RecordKind
from tiktok_crawler.research_api.endpoints import (
    COMMENTS,
    FOLLOWERS,
    FOLLOWING,
    LIKED_VIDEOS,
    PINNED_VIDEOS,
    PLAYLISTS,
    REMOVED,
    REPLIES,
    REPOSTED_VIDEOS,
    USERS,
    VIDEO_QUERY,
    SeedKey,
)
from tiktok_crawler.storage.records.field_readers import positive_id, time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from tiktok_crawler.research_api.endpoints import Listing

NAME_PREFIX = "deleted:"
"""The beginning of what stays in the place of a username that is a seed."""

LEAST, RANGE = 10**16, 9 * 10**16
"""What stays in the place of a record has a number of 17 digits, which is no id."""

LABELS = frozenset(
    {
        "effect_ids",
        "effect_info_list",
        "hashtag_info_list",
        "hashtag_names",
        "playlist_video_ids",
        "sticker_info_list",
    }
)
"""Fields whose words are no accounts, even where an account is called the same."""

IDS = frozenset({"id", "video_id", "comment_id", "username", "parent_comment_id"})

_HANDLE = re.compile(r"@?([\w.]{2,200})")
_IN_ADDRESS = re.compile(r"/@([\w.]{2,200})")

VIDEO_LISTS = (LIKED_VIDEOS, PINNED_VIDEOS, REPOSTED_VIDEOS)

_SEED_KINDS = {
    SeedKey.USERNAME: RecordKind.USER,
    SeedKey.VIDEO_ID: RecordKind.VIDEO,
    SeedKey.COMMENT_ID: RecordKind.COMMENT,
}


class Key(NamedTuple):
    """A record by its kind and its id or username, in the form of which digests are made."""

    kind: RecordKind
    text: str


class Keys(Protocol):
    """Some records."""

    def __contains__(self, key: Key, /) -> bool: ...


class Deleted(Keys, Protocol):
    """What was deleted, or is kept out."""

    def stand_in(self, key: Key) -> int:
        """A number for a record, from `LEAST` on; it leads nobody to the record."""


def user(name: str) -> Key:
    return Key(RecordKind.USER, name.casefold())


def profile(name: str) -> Key:
    """Return the key of a profile that goes alone."""
    return Key(RecordKind.USER, f"profile {name}")


def account(name: str) -> Key:
    """Return the key of an account that goes alone, with its edges."""
    return Key(RecordKind.USER, f"account {name}")


def playlist(id_: int | str) -> Key:
    """Return the key of a playlist that goes with the person whose it is."""
    return Key(RecordKind.VIDEO, f"playlist {id_}")


def seed_key(listing: Listing | None, seed: str | None) -> Key | None:
    """Return the record that a seed is; None if it is none that can be deleted."""
    kind = _SEED_KINDS.get(listing.seed_key) if listing else None
    if kind is None or seed is None:
        return None
    return user(seed) if kind is RecordKind.USER else Key(kind, seed)


def deleted_seed(listing: Listing | None, seed: str | None, deleted: Keys) -> Key | None:
    """Return what of a seed was deleted: its record, or what this listing alone has of it."""
    keys = [seed_key(listing, seed)]
    if seed is not None and listing is USERS:
        keys.append(profile(seed))
    if seed is not None and listing in (FOLLOWERS, FOLLOWING):
        keys.append(account(seed))
    if seed is not None and listing is PLAYLISTS:
        keys.append(playlist(seed))
    return next((key for key in keys if key is not None and key in deleted), None)


def seed_stand_in(key: Key, deleted: Deleted) -> str:
    """Return what stays in the place of a seed."""
    number = deleted.stand_in(key)
    return f"{NAME_PREFIX}{number}" if key.kind is RecordKind.USER else str(number)


def is_stand_in(seed: object) -> bool:
    """Tell whether something stays in the place of a username that was deleted."""
    return isinstance(seed, str) and seed.startswith(NAME_PREFIX)


def removed_number(record: Any) -> int | None:
    """Return the number of what stays in the place of a record; None of a record."""
    if not isinstance(record, dict) or REMOVED not in record:
        return None
    number, is_record = record[REMOVED], record.keys() - {REMOVED, "create_time"}
    if is_record or not isinstance(number, int) or not LEAST <= number < LEAST + RANGE:
        return None
    return number


def without_places(records: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Yield records, without what stays in the place of others."""
    for record in records:
        if isinstance(record, dict) and removed_number(record) is None:
            items = record.get("playlist_video_ids")
            if isinstance(items, list) and any(removed_number(item) for item in items):
                kept = [item for item in items if removed_number(item) is None]
                yield record | {"playlist_video_ids": kept}
            else:
                yield record


def without(
    listing: Listing | None, seed: str | None, records: Sequence[Any], deleted: Deleted
) -> tuple[tuple[Any, ...], int]:
    """Leave deleted records, and the names of deleted accounts, out of those of a page.

    Args:
        listing: what is listed; None: the page is one of a search.
        seed: of what it is listed.
        records: the records as they came.
        deleted: what was deleted.

    Returns:
        The records, and how many of them were deleted ones. A playlist counts for each video.
    """
    found, count = [], 0
    for record in records:
        kept, left_out = _record_without(listing, seed, record, deleted)
        found.append(kept)
        count += left_out
    return tuple(found), count


def _record_without(
    listing: Listing | None, seed: str | None, record: Any, deleted: Deleted
) -> tuple[Any, int]:
    if not isinstance(record, dict) or removed_number(record) is not None:
        return record, 0
    keys = list(keys_of(listing, seed, record))
    if any(key in deleted for key in keys):
        return _in_place_of(record, keys[0], deleted), 1
    known = IDS.union((listing.endpoint if listing else VIDEO_QUERY).record_keys)
    kept = without_names_in(record, deleted, known)
    if listing is PLAYLISTS:
        return _playlist_without(kept, deleted)
    return kept, 0


def keys_of(listing: Listing | None, seed: str | None, record: Mapping[str, Any]) -> Iterator[Key]:
    """Yield what a record goes with: itself first, then what it belongs to."""
    if listing in (COMMENTS, REPLIES):
        yield from comment_keys(record)
        if (key := seed_key(listing, seed)) is not None:
            yield key
    elif listing is USERS and seed is not None:
        yield user(seed)
        yield profile(seed)
    elif listing in (FOLLOWERS, FOLLOWING):
        for key in _users(record):
            yield key
            yield account(record["username"])
    elif listing is PLAYLISTS and seed is not None:
        yield playlist(seed)
    elif listing is None or listing in VIDEO_LISTS:
        yield from video_keys(record)


def video_keys(record: Mapping[str, Any]) -> Iterator[Key]:
    yield from _ids(record, RecordKind.VIDEO, "id", "video_id")
    yield from _users(record)


def comment_keys(record: Mapping[str, Any]) -> Iterator[Key]:
    yield from _ids(record, RecordKind.COMMENT, "id", "comment_id")
    yield from _ids(record, RecordKind.VIDEO, "video_id")
    yield from _ids(record, RecordKind.COMMENT, "parent_comment_id")
    yield from _ids(record, RecordKind.VIDEO, "parent_comment_id")


def _ids(record: Mapping[str, Any], kind: RecordKind, *names: str) -> Iterator[Key]:
    ids = (positive_id(record.get(name)) for name in names)
    id_ = next((id_ for id_ in ids if id_ is not None), None)
    if id_ is not None:
        yield Key(kind, str(id_))


def _users(record: Mapping[str, Any]) -> Iterator[Key]:
    if isinstance(name := record.get("username"), str) and name:
        yield user(name)


def _in_place_of(record: Mapping[str, Any], key: Key, deleted: Deleted) -> dict[str, int]:
    stays = {REMOVED: deleted.stand_in(key)}
    if created_at := time(record.get("create_time")):
        day = created_at.replace(hour=0, minute=0, second=0)
        # A time is never 0.
        stays["create_time"] = int(day.timestamp()) or 1
    return stays


def _playlist_without(record: dict[str, Any], deleted: Deleted) -> tuple[dict[str, Any], int]:
    items = record.get("playlist_video_ids")
    if not isinstance(items, list):
        return record, 0
    keys = [Key(RecordKind.VIDEO, str(positive_id(item))) for item in items]
    count = sum(key in deleted for key in keys)
    if not count:
        return record, 0
    kept = [
        {REMOVED: deleted.stand_in(key)} if key in deleted else item
        for key, item in zip(keys, items, strict=True)
    ]
    return record | {"playlist_video_ids": kept}, count


def without_names_in(
    fields: dict[str, Any], deleted: Deleted, known: AbstractSet[str] = frozenset()
) -> dict[str, Any]:
    """Leave the names of deleted accounts out of the fields of a record.

    Texts of `known` fields stay as they are, and so do hashtags and the like.
    """
    kept: dict[str, Any] = {}
    for key, value in fields.items():
        if key in LABELS or isinstance(value, int | float | None):
            kept[key] = value
        elif isinstance(value, str):
            if key in known or not _names(value, deleted):
                kept[key] = value
        elif isinstance(value, dict) and key not in known and _names(value, deleted):
            continue
        else:
            kept[key] = without_names(value, deleted)
    return fields if kept == fields else kept


def without_names(value: Any, deleted: Deleted) -> Any:
    """Leave out of a JSON value what names a deleted account: texts, and objects with such."""
    if isinstance(value, list):
        return [without_names(item, deleted) for item in value if not _names(item, deleted)]
    if isinstance(value, dict):
        return {
            key: item if key in LABELS else without_names(item, deleted)
            for key, item in value.items()
            if key in LABELS or not _names(item, deleted)
        }
    return value


def _names(value: Any, deleted: Deleted) -> bool:
    """Tell whether a text, or a text of an object, is the name or the address of an account."""
    if isinstance(value, dict):
        return any(isinstance(item, str) and _names(item, deleted) for item in value.values())
    return isinstance(value, str) and any(user(name) in deleted for name in _accounts(value))


def _accounts(text: str) -> Iterator[str]:
    if found := _HANDLE.fullmatch(text):
        yield found[1]
    elif "/@" in text:
        yield from _IN_ADDRESS.findall(text)


@dataclass(slots=True)
class Asked:
    """Notes what is looked for, and has deleted none of it."""

    keys: set[Key] = field(default_factory=set)

    def __contains__(self, key: Key) -> bool:
        self.keys.add(key)
        return False

    def stand_in(self, _key: Key) -> int:
        return LEAST


def number_of_digest(digest: str) -> int:
    """Make a stand-in of a digest, hexadecimal."""
    return LEAST + int(digest[:24], 16) % RANGE
