"""How many records of a seed there are, where the database has the API's count of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tiktok_crawler.research_api.endpoints import (
    COMMENTS,
    FOLLOWERS,
    FOLLOWING,
    PLAYLISTS,
    REPLIES,
    REVIEWS,
)
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.models.records import Comment, Playlist, Product, UserInfo, Video

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Column, Connection

    from tiktok_crawler.research_api.endpoints import Listing

TOTALS: dict[str, tuple[Column[Any], Column[Any]]] = {
    COMMENTS.name: (Video.__table__.c.id, Video.__table__.c.comment_count),
    REPLIES.name: (Comment.__table__.c.id, Comment.__table__.c.reply_count),
    FOLLOWERS.name: (UserInfo.__table__.c.username, UserInfo.__table__.c.follower_count),
    FOLLOWING.name: (UserInfo.__table__.c.username, UserInfo.__table__.c.following_count),
    PLAYLISTS.name: (Playlist.__table__.c.id, Playlist.__table__.c.item_total),
    REVIEWS.name: (Product.__table__.c.id, Product.__table__.c.product_review_count),
}
"""By listing: the column of its seeds, and the column that says how many records they have."""


def known_totals(connection: Connection, listing: Listing, seeds: Sequence[str]) -> dict[str, int]:
    """The number of records by seed, as far as it is known."""
    if listing.name not in TOTALS:
        return {}
    key, total = TOTALS[listing.name]
    keys = [int(seed) if listing.seed_key.is_number else seed for seed in seeds]
    is_wanted = statements_for(connection.dialect).among(key, keys)
    found = connection.execute(select(key, total).where(is_wanted, total.is_not(None)))
    return {str(seed): count for seed, count in found}
