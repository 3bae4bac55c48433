"""Runs of collections, the pages that they store, and what a database holds after them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.coverage import Freshness
from tiktok_crawler.planning.plan import Wanted
from tiktok_crawler.planning.quota import QuotaAccount
from tiktok_crawler.query_file.collection import Collection
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY, Pool
from tiktok_crawler.research_api.pages import Page
from tiktok_crawler.research_api.paging import Paging
from tiktok_crawler.research_api.query import Condition, Query
from tiktok_crawler.research_api.tasks import PageRequest, Window
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.transactions import transaction
from tiktok_crawler.storage.ledger import quota
from tiktok_crawler.storage.ledger.queries import register_collection
from tiktok_crawler.storage.ledger.tasks import Tasks
from tiktok_crawler.storage.models.base import Base
from tiktok_crawler.storage.models.ledger import QueryTag
from tiktok_crawler.storage.models.records import Effect, Hashtag
from tiktok_crawler.storage.search_session import SearchSession

JANUARY = DateRange(date(2024, 1, 1), date(2024, 1, 31))
JANUARY_10 = 1704844800
"""2024-01-10 00:00 UTC in Unix seconds."""

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ACCOUNT = QuotaAccount("", Pool.RESEARCH).of_client("key-of-ann")
QUERY = Query(and_=(Condition("region_code", "EQ", ("FR",)),))
OTHER_QUERY = Query(and_=(Condition("region_code", "EQ", ("US",)),))


def collection(*, query=QUERY, dates=JANUARY, tags=(), **keys):
    return Collection(query, dates, str(dates.start), str(dates.end), tags, **keys)


class Run:
    """A run on a query or a listing; each step is a minute after the one before."""

    def __init__(self, session, now, *, alone=True):
        self.session, self.now = session, now
        session.is_alone = alone

    def __enter__(self):
        self.session.open()
        self.session.begin(self.now)
        return self

    def __exit__(self, *_error):
        self.session.release()

    def later(self):
        self.now += MINUTE
        return self.now

    def book(self, request, now=None):
        """Open the task of a request, and book it."""
        now = now or self.later()
        return self.session.book(self.session.open_task(request, now), now)

    def store(self, request, *records, **answer):
        """Store the answer to a request; what it leads to is asked for next."""
        answer_ = page(request, *records, **({"received_at": self.later()} | answer))
        self.saved = self.session.save_page(answer_)
        return answer_.next_request

    def ask(self, request, *records, **answer):
        """Book a request, and store its answer."""
        return self.store(self.book(request), *records, **answer)


class Search(Run):
    """A run of a collection."""

    def __init__(
        self, url, *, now=NOON, account=None, fields=VIDEO_QUERY.fields, alone=True, **wish
    ):
        self.collection = collection(**wish)
        self.wanted = Wanted(
            self.collection.query, self.collection.dates, fields, Freshness(timedelta(days=2))
        )
        session = SearchSession(
            url, origin="sandbox", collection=self.collection, wanted=self.wanted, account=account
        )
        super().__init__(session, now, alone=alone)

    def first(self, days=JANUARY, *, fields=None, **kwargs):
        """The first request of a window."""
        window = Window(self.collection.query, days, fields or self.wanted.fields)
        return PageRequest(window, **kwargs)

    def booked(self, days=JANUARY, *, now=NOON, fields=None):
        """The first request of a window, which is booked."""
        return self.book(self.first(days, fields=fields), now)


def first_request(engine, **wish):
    """The first request of a new window, booked as by a run that holds no lock."""
    wish = collection(**wish)
    window = Window(wish.query, wish.dates, VIDEO_QUERY.fields)
    return book(engine, query_id_of(engine, wish), PageRequest(window), NOON)


def query_id_of(engine, wish, now=NOON):
    """Register a collection."""
    statements = statements_for(engine.dialect)
    return transaction(engine, lambda on: register_collection(on, statements, wish, now))


def book(engine, query_id, request, now, account=None):
    """Book a request, opening its window if it has no row."""

    def write(connection):
        tasks, opened = Tasks(connection, statements_for(engine.dialect)), request
        if request.task.row_id is None:
            opened = request.opened(tasks.open_window(query_id, request, now))
        tasks.book(opened, now)
        if account:
            quota.spend(connection, account, now)
        return opened.booked(now)

    return transaction(engine, write, flushed_later=True)


def page(request, *records, received_at=NOON, **answer):
    """The answer to a request, as far on as its endpoint's cursors go."""
    endpoint, before = request.endpoint, request.place.cursor
    cursor = {
        Paging.INDEX: before + endpoint.max_count,
        Paging.NUMBERED: before + 1,
        Paging.FALLING: (before or 1_700_000_000) - 10,
        Paging.OPAQUE: before + 7,
        Paging.SINGLE: 0,
    }[endpoint.paging]
    values = {"cursor": cursor, "has_more": False, "log_id": "202406011230"}
    values["search_id"] = "7001" if endpoint is VIDEO_QUERY else None
    return Page(request=request, records=records, received_at=received_at, **(values | answer))


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
