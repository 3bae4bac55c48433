"""Collections, pages, and what a database holds after them."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import select

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.quota import QuotaAccount
from tiktok_crawler.query_file.collection import Collection
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY, Pool
from tiktok_crawler.research_api.pages import Page
from tiktok_crawler.research_api.query import Condition, Query
from tiktok_crawler.research_api.tasks import PageRequest
from tiktok_crawler.storage.models.base import Base
from tiktok_crawler.storage.models.ledger import QueryTag
from tiktok_crawler.storage.models.records import Effect, Hashtag

JANUARY = DateRange(date(2024, 1, 1), date(2024, 1, 31))
JANUARY_10 = 1704844800
"""2024-01-10 00:00 UTC in Unix seconds."""

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)
ACCOUNT = QuotaAccount.of("key-of-ann", Pool.RESEARCH, daily_budget=None, parked_share=0.1)
QUERY = Query(and_=(Condition("region_code", "EQ", ("FR",)),))
OTHER_QUERY = Query(and_=(Condition("region_code", "EQ", ("US",)),))


def collection(*, query=QUERY, dates=JANUARY, tags=()):
    return Collection(query, dates, str(dates.start), str(dates.end), tags)


def booked(ledger, query_id, *, window=JANUARY, now=NOON, fields=VIDEO_QUERY.fields):
    """The first request of a new window."""
    return ledger.book(query_id, PageRequest(None, window, fields, 100), now)


def first_request(ledger, now=NOON, **kwargs):
    """The first request of a new window of a new query."""
    return booked(ledger, ledger.begin(collection(**kwargs), now), now=now)


def page(request, *records, has_more=False, received_at=NOON, **kwargs):
    """The answer to a request."""
    answer = {"cursor": request.cursor + 100, "search_id": "7001", "log_id": "202406011230"}
    return Page(
        request=request,
        records=records,
        has_more=has_more,
        received_at=received_at,
        **(answer | kwargs),
    )


def video(number, **fields):
    return {"id": number, "create_time": JANUARY_10 + number % 1000, **fields}


def rows(engine, name):
    """The rows of a table as dicts, by primary key."""
    table = Base.metadata.tables[name]
    with engine.connect() as connection:
        found = connection.execute(select(table).order_by(*table.primary_key.columns))
        return [dict(row) for row in found.mappings()]


def row(engine, name):
    """The only row of a table."""
    (only,) = rows(engine, name)
    return only


def names_of(engine, table, column, model_column):
    """Which name is linked to what: pairs, sorted."""
    links = Base.metadata.tables[table]
    model = model_column.class_
    with engine.connect() as connection:
        found = connection.execute(
            select(links.c[column], model_column).join(
                model, model.id == next(c for c in links.c if c.name != column)
            )
        )
        return sorted(tuple(pair) for pair in found)


def hashtags(engine):
    return names_of(engine, "videos_to_hashtags", "video_id", Hashtag.name)


def effects(engine):
    return names_of(engine, "videos_to_effect_ids", "video_id", Effect.effect_id)


def video_tags(engine):
    return names_of(engine, "videos_to_query_tags", "video_id", QueryTag.name)


def crawl_tags(engine):
    return names_of(engine, "crawls_to_query_tags", "crawl_id", QueryTag.name)


def content(engine):
    """All that a database holds, by table."""
    return {name: rows(engine, name) for name in Base.metadata.tables}
