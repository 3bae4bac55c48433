"""Accounts that follow others, and are followed (api_facts.md 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.research_api.endpoints import FOLLOWERS, FOLLOWING
from tiktok_crawler.storage.models.records import Account, UserInfo, UserRelation
from tiktok_crawler.storage.records.field_readers import id_text, text
from tiktok_crawler.storage.records.links import Link
from tiktok_crawler.storage.records.record_type import Listed, RecordType
from tiktok_crawler.storage.records.shape import Shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tiktok_crawler.storage.records.links import StoredPage

ACCOUNT = RecordType(
    Shape("account", {"display_name": text}, id_keys=("username",), read_id=id_text),
    Account.__table__,
    key="username",
)


def _followers(stored: StoredPage) -> Iterator[tuple[int, int]]:
    """The numbers of the accounts of a page, each with that of the seed."""
    ids = stored.numbers(Account.__table__.c.username)
    seed_id = ids.get(stored.seed)
    others = (key for key in stored.keys if key not in (None, stored.seed))
    return ((ids[key], seed_id) for key in others if seed_id is not None)


def _followed(stored: StoredPage) -> Iterator[tuple[int, int]]:
    return ((seed_id, id_) for id_, seed_id in _followers(stored))


LISTED = {
    FOLLOWERS: Listed(
        ACCOUNT,
        links=(Link(UserRelation.__table__, _followers),),
        with_seed=True,
        known_total=UserInfo.__table__.c.follower_count,
    ),
    FOLLOWING: Listed(
        ACCOUNT,
        links=(Link(UserRelation.__table__, _followed),),
        with_seed=True,
        known_total=UserInfo.__table__.c.following_count,
    ),
}
