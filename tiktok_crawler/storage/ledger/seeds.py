"""Finds the seeds that a database names, in the order of what they promise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

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
from tiktok_crawler.storage.ledger.value_batches import batches_of
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

    from sqlalchemy import ColumnElement, Select

    from tiktok_crawler.planning.seeds import SeedSource
    from tiktok_crawler.storage.engine.statements import Statements

    Seeds = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class SeedSources:
    """Looks for seeds in a database.

    What it finds are selects of a `seed_key`, each once, with its `weight`: heavier seeds come
    first, of equal ones that with the lower key.
    """

    statements: Statements

    def find(self, source: SeedSource, key: SeedKey) -> Seeds:
        """Select the seeds of a source that names none itself."""
        match source:
            case SeedsOfQuery() | SeedsOfTag():
                return self._named_by_videos(source, key)
            case FirstSeeds():
                found = self.find(source.source, key).subquery().c
                first = select(found.seed_key, found.weight)
                return first.order_by(found.weight.desc(), found.seed_key).limit(source.count)
            case RelatedUsers():
                return self._related_users(source)
            case RepliedComments():
                return self._replied_comments(source)
            case ShopsByName():
                return self._shops(source)
            case ProductsOfShops():
                return self._products(source)
        raise TypeError(f"{source} is not in a database")

    def _related_users(self, source: RelatedUsers) -> Seeds:
        """Accounts by how many of the users they follow, or are followed by."""
        user, other, relation = aliased(Account), aliased(Account), UserRelation
        ends = [relation.follower_id, relation.followed_id]
        other_id, user_id = ends if source.listing is FOLLOWERS else reversed(ends)
        related = (
            _weighed(other.username, func.count())
            .join(relation, other_id == other.id)
            .join(user, user_id == user.id)
            .where(self._is_seed(user.username, source.users, SeedKey.USERNAME))
        )
        return related.group_by(other.username)

    def _replied_comments(self, source: RepliedComments) -> Seeds:
        comments = Comment.__table__
        is_of_videos = self._is_seed(comments.c.video_id, source.videos, SeedKey.VIDEO_ID)
        replied = _weighed(comments.c.id, comments.c.reply_count)
        return replied.where(is_of_videos, comments.c.reply_count > 0)

    def _shops(self, source: ShopsByName) -> Seeds:
        """Shops of these names, and those that the API found by them, by name."""
        found_by = (
            select(Crawl.id)
            .join(SeedRow, SeedRow.id == Crawl.seed_id)
            .where(self._is_one_of(SeedRow.__table__.c.seed, source.names))
        )
        shops = Shop.__table__
        is_named = self._is_one_of(shops.c.shop_name, source.names)
        from_behind = [shops.c.shop_name.desc(), shops.c.id.desc()]
        named = _weighed(shops.c.id, func.row_number().over(order_by=from_behind))
        return named.where(or_(is_named, shops.c.crawl_id.in_(found_by)))

    def _products(self, source: ProductsOfShops) -> Seeds:
        products = Product.__table__
        of_shops = self._is_seed(products.c.shop_id, source.shops, SeedKey.SHOP_ID)
        reviews = func.coalesce(products.c.product_review_count, 0)
        return _weighed(products.c.id, reviews).where(of_shops)

    def _is_seed(self, column: Any, source: SeedSource, key: SeedKey) -> ColumnElement[bool]:
        """Build the condition that a column has one of the seeds of a source."""
        if not isinstance(source, GivenSeeds):
            found = self.find(source, key).subquery().c
            return column.in_(select(found.seed_key))  # type: ignore[no-any-return]
        read = int if key.is_number else str
        return self._is_one_of(column, map(read, source.values))

    def _is_one_of(self, column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
        return self.statements.among(column, tuple(values))

    def _named_by_videos(self, source: SeedsOfQuery | SeedsOfTag, key: SeedKey) -> Seeds:
        if key is SeedKey.VIDEO_ID:
            discussed = _weighed(Video.id, func.coalesce(Video.comment_count, 0))
            return self._found_by(source, discussed).where(_is_discussed(source))
        column = getattr(Video, key)
        named = _weighed(column, func.count()).where(column.is_not(None)).group_by(column)
        return self._found_by(source, named)

    def _found_by(self, source: SeedsOfQuery | SeedsOfTag, videos: Seeds) -> Seeds:
        """Those of the videos that a source speaks of."""
        if isinstance(source, SeedsOfTag):
            # A video has a tag once, and joined it is found faster than in a list.
            tagged = videos.join(VIDEOS_TO_QUERY_TAGS, VIDEOS_TO_QUERY_TAGS.c.video_id == Video.id)
            named = tagged.join(QueryTag, QueryTag.id == VIDEOS_TO_QUERY_TAGS.c.query_tag_id)
            return named.where(QueryTag.name == source.tag)
        found = (
            select(VIDEOS_TO_CRAWLS.c.video_id)
            .join(Crawl, Crawl.id == VIDEOS_TO_CRAWLS.c.crawl_id)
            .where(Crawl.query_id.in_(self._queries(source)))
        )
        is_on_days = Video.is_published_on(source.days)
        return videos.where(Video.id.in_(found), or_(Video.create_time.is_(None), is_on_days))

    def _queries(self, source: SeedsOfQuery) -> Select[*tuple[Any, ...]]:
        if source.values:
            return batches_of(self.statements, source.fingerprint, source.values)
        return select(QueryRow.id).where(QueryRow.fingerprint == source.fingerprint)


def _weighed(key: Any, weight: ColumnElement[Any]) -> Seeds:
    return select(key.label("seed_key"), weight.label("weight"))


def _is_discussed(source: SeedsOfQuery | SeedsOfTag) -> ColumnElement[bool]:
    """Build the condition that a video has enough comments, or may have."""
    return or_(Video.comment_count.is_(None), Video.comment_count >= source.min_comment_count)
