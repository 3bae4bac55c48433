"""Finds the seeds of a stage: those that the user gives, or those in the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import aliased

from tiktok_crawler.date_range import DAY, midnight
from tiktok_crawler.planning.seeds import (
    FirstSeeds,
    GivenSeeds,
    ProductsOfShops,
    RelatedUsers,
    RepliedComments,
    SeedsOfQuery,
    SeedsOfTag,
    ShopsByName,
)
from tiktok_crawler.research_api.endpoints import FOLLOWERS, SeedKey
from tiktok_crawler.storage.engine.text import clean_text
from tiktok_crawler.storage.models.ledger import (
    VIDEOS_TO_CRAWLS,
    VIDEOS_TO_QUERY_TAGS,
    Crawl,
    QueryRow,
    QueryTag,
    SeedRow,
)
from tiktok_crawler.storage.models.records import (
    Account,
    Comment,
    Product,
    Shop,
    UserRelation,
    Video,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, Connection, Select

    from tiktok_crawler.planning.seeds import SeedSource, Stage
    from tiktok_crawler.storage.engine.statements import Statements

    Seeds = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class SeedSources:
    """Looks for seeds in a database."""

    connection: Connection
    statements: Statements

    def seeds_of(self, stage: Stage) -> list[str]:
        """The seeds of a stage as text, in the order in which they are listed, each once."""
        if isinstance(stage.source, GivenSeeds):
            found: Iterable[Any] = stage.source.values
        else:
            found = self.connection.scalars(self._select(stage.source, stage.listing.seed_key))
        return list(dict.fromkeys(clean_text(str(seed)) or "" for seed in found))

    def _select(self, source: SeedSource, key: SeedKey) -> Seeds:
        match source:
            case SeedsOfQuery() | SeedsOfTag():
                return self._named_by_videos(source, key)
            case FirstSeeds():
                return self._select(source.source, key).limit(source.count)
            case RelatedUsers():
                return self._related_users(source)
            case RepliedComments():
                return self._replied_comments(source)
            case ShopsByName():
                return self._shops(source)
            case ProductsOfShops():
                return self._products(source)
        raise TypeError(f"{source} is not in a database")

    def _named_by_videos(self, source: SeedsOfQuery | SeedsOfTag, key: SeedKey) -> Seeds:
        is_found = _is_found_by(source)
        if key is SeedKey.VIDEO_ID:
            discussed = select(Video.id).where(is_found, _is_discussed(source))
            return discussed.order_by(func.coalesce(Video.comment_count, 0).desc(), Video.id)
        column = {SeedKey.USERNAME: Video.username, SeedKey.PLAYLIST_ID: Video.playlist_id}[key]
        named = select(column).where(is_found, column.is_not(None)).group_by(column)
        return named.order_by(func.count().desc(), column)

    def _related_users(self, source: RelatedUsers) -> Seeds:
        """Accounts by how many of the users they follow, or are followed by."""
        user, other, relation = aliased(Account), aliased(Account), UserRelation
        ends = [relation.follower_id, relation.followed_id]
        other_id, user_id = ends if source.listing is FOLLOWERS else reversed(ends)
        related = (
            select(other.username)
            .join(relation, other_id == other.id)
            .join(user, user_id == user.id)
            .where(self._is_seed(user.username, source.users, SeedKey.USERNAME))
        )
        return related.group_by(other.username).order_by(func.count().desc(), other.username)

    def _replied_comments(self, source: RepliedComments) -> Seeds:
        comments = Comment.__table__
        is_of_videos = self._is_seed(comments.c.video_id, source.videos, SeedKey.VIDEO_ID)
        replied = select(comments.c.id).where(is_of_videos, comments.c.reply_count > 0)
        return replied.order_by(comments.c.reply_count.desc(), comments.c.id)

    def _shops(self, source: ShopsByName) -> Seeds:
        """Shops of these names, and those that the API found by them."""
        found_by = (
            select(Crawl.id)
            .join(SeedRow, SeedRow.id == Crawl.seed_id)
            .where(self._is_one_of(SeedRow.__table__.c.seed, source.names))
        )
        shops = Shop.__table__
        is_named = self._is_one_of(shops.c.shop_name, source.names)
        named = select(shops.c.id).where(or_(is_named, shops.c.crawl_id.in_(found_by)))
        return named.order_by(shops.c.shop_name, shops.c.id)

    def _products(self, source: ProductsOfShops) -> Seeds:
        products = Product.__table__
        of_shops = self._is_seed(products.c.shop_id, source.shops, SeedKey.SHOP_ID)
        reviews = func.coalesce(products.c.product_review_count, 0)
        return select(products.c.id).where(of_shops).order_by(reviews.desc(), products.c.id)

    def _is_seed(self, column: Any, source: SeedSource, key: SeedKey) -> ColumnElement[bool]:
        """Whether a column has one of the seeds of a source."""
        if not isinstance(source, GivenSeeds):
            return column.in_(self._select(source, key))  # type: ignore[no-any-return]
        read = int if key.is_number else str
        return self._is_one_of(column, map(read, source.values))

    def _is_one_of(self, column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
        return self.statements.among(column, tuple(values))


def _is_discussed(source: SeedsOfQuery | SeedsOfTag) -> ColumnElement[bool]:
    """Whether a video has comments enough, or may have."""
    return or_(Video.comment_count.is_(None), Video.comment_count >= source.min_comment_count)


def _is_found_by(source: SeedsOfQuery | SeedsOfTag) -> ColumnElement[bool]:
    """Whether a video is one of those that a source speaks of."""
    if isinstance(source, SeedsOfTag):
        tagged = (
            select(VIDEOS_TO_QUERY_TAGS.c.video_id)
            .join(QueryTag, QueryTag.id == VIDEOS_TO_QUERY_TAGS.c.query_tag_id)
            .where(QueryTag.name == source.tag)
        )
        return Video.id.in_(tagged)
    found = (
        select(VIDEOS_TO_CRAWLS.c.video_id)
        .join(Crawl, Crawl.id == VIDEOS_TO_CRAWLS.c.crawl_id)
        .join(QueryRow, QueryRow.id == Crawl.query_id)
        .where(QueryRow.fingerprint == source.fingerprint)
    )
    days = source.days
    is_on_days = and_(
        Video.create_time >= midnight(days.start), Video.create_time < midnight(days.end + DAY)
    )
    return and_(Video.id.in_(found), or_(Video.create_time.is_(None), is_on_days))
