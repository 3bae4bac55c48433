"""Which values of queries have brought videos.

What is stored already is read, page by page, until every value of its query has been found. Where
the SQL is only printed (`--sql`), the table stays empty.

Revision ID: 0104
Revises: 0103
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from tiktok_crawler.planning.query_values import SoughtValues
from tiktok_crawler.research_api.query import Query
from tiktok_crawler.storage.ledger.query_values import shown_of
from tiktok_crawler.storage.records.shape import Record

revision = "0104"
down_revision = "0103"
branch_labels = None
depends_on = None

INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

QUERY = sa.table("query", sa.column("id"), sa.column("canonical_json"))
CRAWL = sa.table("crawl", sa.column("id"), sa.column("query_id"))
VIDEO_COLUMNS = (
    *map(sa.column, ("username", "region_code", "video_description", "voice_to_text")),
    *map(sa.column, ("music_id", "video_duration")),
    *(sa.column(name, JSON) for name in ("hashtag_info_list", "effect_info_list")),
)
VIDEO = sa.table("video", sa.column("id"), *VIDEO_COLUMNS)
BROUGHT = sa.table("videos_to_crawls", sa.column("video_id"), sa.column("crawl_id"))
NAMES = {
    "hashtag_names": (
        "SELECT brought.video_id, hashtag.name FROM videos_to_crawls AS brought "
        "JOIN videos_to_hashtags AS links ON links.video_id = brought.video_id "
        "JOIN hashtag ON hashtag.id = links.hashtag_id WHERE brought.crawl_id = :crawl_id"
    ),
    "effect_ids": (
        "SELECT brought.video_id, effect.effect_id FROM videos_to_crawls AS brought "
        "JOIN videos_to_effect_ids AS links ON links.video_id = brought.video_id "
        "JOIN effect ON effect.id = links.effect_id WHERE brought.crawl_id = :crawl_id"
    ),
}


def upgrade() -> None:
    table = op.create_table(
        "query_value",
        sa.Column("query_id", INT64, nullable=False, comment="The query."),
        sa.Column(
            "field_name",
            NAME,
            nullable=False,
            comment="What the value's condition is about, such as hashtag_name.",
        ),
        sa.Column(
            "value",
            NAME,
            nullable=False,
            comment="The value, as in the query; empty: any, the API has delivered such a field.",
        ),
        sa.Column("crawl_id", INT64, nullable=False, comment="The first page with such a video."),
        sa.ForeignKeyConstraint(["crawl_id"], ["crawl.id"], name=op.f("fk_query_value_crawl_id")),
        sa.ForeignKeyConstraint(["query_id"], ["query.id"], name=op.f("fk_query_value_query_id")),
        sa.PrimaryKeyConstraint("query_id", "field_name", "value", name=op.f("pk_query_value")),
        comment="One row a value of a query's lists that has brought a video: those without a row "
        "brought none.",
        sqlite_with_rowid=False,
    )
    if not context.is_offline_mode():
        _fill(op.get_bind(), table)


def downgrade() -> None:
    op.drop_table("query_value")


def _fill(connection: sa.Connection, table: sa.Table) -> None:
    for query_id, text in connection.execute(sa.select(QUERY).order_by(QUERY.c.id)).all():
        sought = SoughtValues(Query.from_json(json.loads(text)))
        if sought:
            _fill_query(connection, table, query_id, sought)


def _fill_query(
    connection: sa.Connection, table: sa.Table, query_id: int, sought: SoughtValues
) -> None:
    pages = sa.select(CRAWL.c.id).where(CRAWL.c.query_id == query_id).order_by(CRAWL.c.id)
    for crawl_id in connection.scalars(pages).all():
        records = _records(connection, crawl_id)
        found = sought.found(lambda field, records=records: shown_of(field, records))
        for field_name, value in sorted(found):
            values = (query_id, field_name, value, crawl_id)
            connection.execute(table.insert().values(values))
        sought.remember(found)
        if not sought:
            return


def _records(connection: sa.Connection, crawl_id: int) -> list[Record]:
    """Read the videos of a page, as far as their latest values tell what it brought."""
    videos = (
        sa.select(VIDEO)
        .join(BROUGHT, BROUGHT.c.video_id == VIDEO.c.id)
        .where(BROUGHT.c.crawl_id == crawl_id)
    )
    records = {}
    for row in connection.execute(videos).mappings():
        values = {key: value for key, value in row.items() if key != "id" and value is not None}
        records[row["id"]] = Record(row["id"], values)
    for key, pairs in NAMES.items():
        for video_id, name in connection.execute(sa.text(pairs), {"crawl_id": crawl_id}):
            if video_id in records:
                names = records[video_id].names
                names[key] = names.get(key, frozenset()) | {name}
    return list(records.values())
