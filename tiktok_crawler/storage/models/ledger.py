"""The tables that say what was asked for, how far it has come, and what it cost."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Table,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from tiktok_crawler.planning.task_states import SeedState, WindowState
from tiktok_crawler.research_api.verdicts import SeedStatus
from tiktok_crawler.storage.models.base import Base, association, reference
from tiktok_crawler.storage.models.column_types import INT64, NAME
from tiktok_crawler.storage.models.records import VIEWS


class QueryTag(Base):
    __tablename__ = "query_tag"
    __table_args__ = ({"comment": "One row a tag, which a query file gives to what it collects."},)

    id: Mapped[int] = mapped_column(primary_key=True, comment="Given by this database.")
    name: Mapped[str] = mapped_column(NAME, unique=True, comment="The tag, as typed.")


class QueryRow(Base):
    __tablename__ = "query"
    __table_args__ = (
        {"comment": "One row a query, whatever dates, tags and fields it was used with."},
    )

    id: Mapped[int] = mapped_column(primary_key=True, comment="Given by this database.")
    fingerprint: Mapped[str] = mapped_column(
        unique=True, comment="SHA-256 of canonical_json, hexadecimal."
    )
    canonical_json: Mapped[str] = mapped_column(
        comment="The query in canonical form; single keywords are sent as crawl_window.keywords_as."
    )
    first_used_at: Mapped[datetime] = mapped_column(comment="When a run first used it, UTC.")
    last_used_at: Mapped[datetime] = mapped_column(comment="When a run last used it, UTC.")


class QueryValueRow(Base):
    __tablename__ = "query_value"
    __table_args__ = (
        {
            "comment": "One row a value of a query's lists that has brought a video: those without "
            "a row brought none.",
            "sqlite_with_rowid": False,
        },
    )

    query_id: Mapped[int] = mapped_column(
        ForeignKey("query.id"), primary_key=True, comment="The query."
    )
    field_name: Mapped[str] = mapped_column(
        NAME, primary_key=True, comment="What the value's condition is about, such as hashtag_name."
    )
    value: Mapped[str] = mapped_column(
        NAME,
        primary_key=True,
        comment="The value, as in the query; empty: any, the API has delivered such a field.",
    )
    crawl_id: Mapped[int] = mapped_column(
        ForeignKey("crawl.id"), comment="The first page with such a video."
    )


class ValueBatchRow(Base):
    __tablename__ = "value_batch"
    __table_args__ = (
        {
            "comment": "One row a query and value: which values of a list under `each` are "
            "searched together. A value has the days that any of its queries has.",
            "sqlite_with_rowid": False,
        },
    )

    query_id: Mapped[int] = mapped_column(
        ForeignKey("query.id"), primary_key=True, comment="The query."
    )
    value: Mapped[str] = mapped_column(
        NAME, primary_key=True, comment="The value, as in the query."
    )
    field_name: Mapped[str] = mapped_column(NAME, comment="What the values are, such as username.")
    template: Mapped[str] = mapped_column(
        index=True,
        comment="SHA-256, hexadecimal, of field_name, a blank and the query without its condition "
        "on that, in canonical form: the same for all queries of a list.",
    )
    refused_at: Mapped[datetime | None] = mapped_column(
        comment="When the API last refused the query, or answered it without data; NULL: it takes "
        "it. Of a query with this value alone, that is about the value.",
    )
    error: Mapped[str | None] = mapped_column(comment="Why, in the API's words.")
    error_log_id: Mapped[str | None] = mapped_column(comment="API (log_id). That answer.")
    last_returned_at: Mapped[datetime | None] = mapped_column(
        comment="Of ids of videos: when the last search began that has brought the video, UTC."
    )
    first_missed_at: Mapped[datetime | None] = mapped_column(
        comment="Of ids of videos: when the first search began that has not brought the video, "
        "UTC. It proves nothing: the API often returns nothing for an id."
    )


class CollectionRow(Base):
    __tablename__ = "collection"
    __table_args__ = (
        {"comment": "What runs were asked for; the days wanted of a query are those of all rows."},
    )

    id: Mapped[int] = mapped_column(primary_key=True, comment="Given by this database.")
    query_id: Mapped[int] = mapped_column(ForeignKey("query.id"), index=True, comment="The query.")
    start_written: Mapped[str] = mapped_column(
        comment="First day as the user wrote it, such as `3 days ago`."
    )
    end_written: Mapped[str] = mapped_column(comment="Last day as the user wrote it.")
    start_date: Mapped[date] = mapped_column(comment="First day wanted, UTC.")
    end_date: Mapped[date] = mapped_column(comment="Last day wanted, UTC, inclusive.")
    tags: Mapped[list[str]] = mapped_column(comment="List of text: the tags, sorted.")
    refreshing: Mapped[dict[str, Any] | None] = mapped_column(
        comment="Object of texts: refresh_after, revisit and keep_fresh of the query file, as the "
        "last run had them; NULL: none."
    )
    first_run_at: Mapped[datetime] = mapped_column(comment="When a run first asked for it, UTC.")
    last_run_at: Mapped[datetime] = mapped_column(comment="When a run last asked for it, UTC.")


class TaskRow:
    """The common part of windows and seeds: how far a task has come, and what went wrong.

    Where a table's column has another name than the attribute, rows and statements know both.
    """

    id: Mapped[int] = mapped_column(
        primary_key=True, sort_order=-1, comment="Given by this database."
    )
    cursor: Mapped[int] = mapped_column(
        default=0, comment="API. Where the next page starts; 0: at the start."
    )
    begun_at: Mapped[datetime | None] = mapped_column(
        comment="When the first page was asked for last, UTC."
    )
    pages: Mapped[int] = mapped_column(default=0, comment="Pages stored since it was begun last.")
    record_count: Mapped[int] = mapped_column(
        "position", key="record_count", default=0, comment="Records received in these pages."
    )
    requests: Mapped[int] = mapped_column(
        default=0, comment="Requests sent for it ever, failures included."
    )
    attempts: Mapped[int] = mapped_column(
        default=0, comment="Requests sent for a first page, failures included."
    )
    parked_count: Mapped[int] = mapped_column(
        default=0, server_default=text("0"), comment="How often it was parked."
    )
    parked_at: Mapped[datetime | None] = mapped_column(comment="When it was parked last, UTC.")
    retry_at: Mapped[datetime | None] = mapped_column(
        comment="When it may be tried again, if it is parked, UTC."
    )
    suspicious: Mapped[bool] = mapped_column(
        default=False,
        server_default=false(),
        comment="Whether it may lack something though it is complete: the API sent no data at all, "
        "or never said that there is no more.",
    )
    error: Mapped[str | None] = mapped_column(comment="Why it was parked, split or refused.")
    error_log_id: Mapped[str | None] = mapped_column(
        comment="API (log_id). The answer for which it was."
    )
    created_at: Mapped[datetime] = mapped_column(comment="When the row was made, UTC.")
    updated_at: Mapped[datetime] = mapped_column(comment="When the row last changed, UTC.")
    last_page_at: Mapped[datetime | None] = mapped_column(
        comment="When the last page that is stored was received, UTC."
    )
    completed_at: Mapped[datetime | None] = mapped_column(
        comment="When the answer was received that completed or refused it, UTC."
    )
    worker_id: Mapped[int | None] = mapped_column(
        comment="`worker.id`: who works on it, or was the last to; NULL: nobody who is at work now."
    )


def _claims() -> Index:
    """Find what a worker has without looking at all that others had."""
    some = text("worker_id IS NOT NULL")
    return Index(None, "worker_id", postgresql_where=some, sqlite_where=some)


class CrawlWindow(TaskRow, Base):
    """A row exists from the window's first request on."""

    __tablename__ = "crawl_window"
    __table_args__ = (
        CheckConstraint("start_date <= end_date", name="dates"),
        Index(None, "query_id", "state"),
        _claims(),
        {"comment": "One row a window: days that are searched as one, and how far that has come."},
    )

    query_id: Mapped[int] = mapped_column(ForeignKey("query.id"), comment="The query.")
    start_date: Mapped[date] = mapped_column(comment="First day, UTC.")
    end_date: Mapped[date] = mapped_column(comment="Last day, UTC, inclusive.")
    state: Mapped[WindowState] = mapped_column(
        comment="open: begun; complete: all pages are stored; split: replaced by other windows; "
        "parked: postponed to a later run."
    )
    fields: Mapped[list[str]] = mapped_column(
        comment="List of text: the fields of videos that are asked for."
    )
    keywords_as: Mapped[str | None] = mapped_column(
        comment="IN or EQ: how single keywords are sent; NULL: the query has none."
    )
    search_id: Mapped[str | None] = mapped_column(comment="API. The search that the cursor is in.")
    begun_at: Mapped[datetime | None] = mapped_column(
        "searched_at",
        key="begun_at",
        comment="When the first page of the search was asked for, UTC.",
    )
    record_count: Mapped[int] = mapped_column(
        "videos", key="record_count", default=0, comment="Records received in the search's pages."
    )
    compared_at: Mapped[datetime | None] = mapped_column(
        comment="When the videos of the complete window were compared with those that its query "
        "had of the same days, UTC; NULL: not yet.",
    )


class WindowDay(Base):
    __tablename__ = "window_day"
    __table_args__ = (
        {
            "comment": "One row a window and day that its last search has reached, newest first: "
            "what came of the day.",
            "sqlite_with_rowid": False,
        },
    )

    crawl_window_id: Mapped[int] = mapped_column(
        ForeignKey("crawl_window.id"), primary_key=True, comment="The window."
    )
    day: Mapped[date] = mapped_column(
        primary_key=True,
        comment="Day, UTC, by `create_time`, or else by the id. Of an open or parked window, the "
        "oldest day may have more.",
    )
    videos: Mapped[int | None] = mapped_column(
        comment="Videos that came, each counted once; NULL, here and in the other columns: not "
        "known, since the window was searched by an earlier version."
    )
    withheld: Mapped[int | None] = mapped_column(
        comment="Matches that the API counted and did not deliver: of a page with videos of "
        "several days, shared out among these."
    )
    undated: Mapped[int | None] = mapped_column(
        comment="Those of the videos that came without `create_time`."
    )
    refused: Mapped[int | None] = mapped_column(
        comment="Records that are not stored, since they have no usable id."
    )
    repeated: Mapped[int | None] = mapped_column(
        comment="Records that the same search had brought before."
    )


class SeedRow(TaskRow, Base):
    """A row exists as soon as the seed is about to be asked for."""

    __tablename__ = "seed"
    __table_args__ = (
        UniqueConstraint("listing", "seed"),
        _claims(),
        {
            "comment": "One row a seed and listing: what something is listed of, and how far that "
            "has come."
        },
    )

    listing: Mapped[str] = mapped_column(
        NAME, comment="What is listed: comments, replies, users, followers and so on."
    )
    seed: Mapped[str] = mapped_column(
        NAME, comment="Whose: a video id, comment id, username, playlist id, shop name and so on."
    )
    state: Mapped[SeedState] = mapped_column(
        comment="open: wanted, or begun; complete: all that was wanted is stored; refused: the API "
        "lists nothing of it; parked: postponed to a later run."
    )
    status: Mapped[SeedStatus | None] = mapped_column(
        comment="Of a refused seed: not_found, withheld (private, or a minor's), or refused for "
        "another reason."
    )
    has_more: Mapped[bool | None] = mapped_column(
        comment="API. Whether there is more than is stored; NULL: no page is. A complete seed of "
        "which there is more has reached the limit of its run."
    )
    at_api_limit: Mapped[bool] = mapped_column(
        default=False,
        server_default=false(),
        comment="Whether a complete seed has all that the API gives of one, such as 1,000 comments "
        "of a video: there may be more.",
    )


class WorkerRow(Base):
    __tablename__ = "worker"
    __table_args__ = (
        {
            "comment": "One row a crawl or command that is at work on a query, a listing or the "
            "like, on PostgreSQL: others leave it what it works on. (SQLite: a file beside the "
            "database.)"
        },
    )

    id: Mapped[int] = mapped_column(primary_key=True, comment="Given by this database.")
    purpose: Mapped[str] = mapped_column(
        NAME, index=True, comment="What it is at work on: the first 16 digits of a SHA-256."
    )
    is_alone: Mapped[bool] = mapped_column(comment="Whether nobody else may be at work on that.")
    name: Mapped[str] = mapped_column(comment="Its session's name, with machine and process.")
    process: Mapped[str | None] = mapped_column(
        comment="Its process, for others of the same machine: boot, namespace, number, start, and "
        "a mark of its own; NULL: not known."
    )
    begun_at: Mapped[datetime] = mapped_column(comment="When it began, UTC, by the server's clock.")
    alive_until: Mapped[datetime] = mapped_column(
        comment="From when on it counts as gone, UTC, by the server's clock: it is renewed every "
        "30 seconds."
    )


class RunRow(Base):
    __tablename__ = "run"
    __table_args__ = ({"comment": "One row a run of a spider that has begun on this database."},)

    id: Mapped[int] = mapped_column(primary_key=True, comment="Given by this database.")
    spider: Mapped[str] = mapped_column(comment="Its name.")
    arguments: Mapped[dict[str, Any]] = mapped_column(
        comment="Object: the arguments (`-a`) as given; secrets are hidden."
    )
    job: Mapped[str | None] = mapped_column(comment="Scrapyd's name for the run (`_job`).")
    version: Mapped[str] = mapped_column(comment="The version of tiktok_crawler.")
    begun_at: Mapped[datetime] = mapped_column(comment="When it began, UTC.")
    ended_at: Mapped[datetime | None] = mapped_column(
        comment="When it ended, UTC; NULL: it is still running, or was killed."
    )
    close_reason: Mapped[str | None] = mapped_column(
        comment="Why the spider was closed, such as `finished`."
    )
    exit_status: Mapped[int | None] = mapped_column(
        comment="0: all that was asked for is stored; 75: run it again to go on; others are faults."
    )
    requests: Mapped[int] = mapped_column(
        default=0, comment="Research requests sent, known when it has ended."
    )
    faults: Mapped[dict[str, Any]] = mapped_column(
        default=dict,
        comment="Object: how often what went wrong, such as `fault` (the API failed) or "
        "`no_answer`.",
    )
    feeds: Mapped[list[str]] = mapped_column(
        default=list, comment="List of text: the feeds that were written (`-O`)."
    )
    exports: Mapped[list[str]] = mapped_column(
        default=list, comment="List of text: the exports that were written."
    )


class ImportRow(Base):
    __tablename__ = "import"
    __table_args__ = (
        {"comment": "One row a file or database of others whose records were brought in."},
    )

    id: Mapped[int] = mapped_column(primary_key=True, comment="Given by this database.")
    sha256: Mapped[str] = mapped_column(
        unique=True,
        comment="SHA-256 of the file, hexadecimal; of a database on a server, of its rows.",
    )
    file: Mapped[str] = mapped_column(comment="The file, or the database on a server.")
    kind: Mapped[str] = mapped_column(comment="What it was recognised as.")
    collected_at: Mapped[datetime | None] = mapped_column(
        comment="When its records were collected, as the user said (`--collected-at`), UTC; NULL: "
        "it says so itself."
    )
    tags: Mapped[list[str]] = mapped_column(
        comment="List of text: the tags that the user gave it (`--tag`), sorted."
    )
    queries: Mapped[list[Any]] = mapped_column(
        comment="List of objects: the queries by which it was collected, as text, with how many "
        "of their crawls it knows (`crawls`), and how many did not reach their end (`unfinished`)."
    )
    version: Mapped[str] = mapped_column(comment="The version of tiktok_crawler.")
    begun_at: Mapped[datetime] = mapped_column(comment="When it was first begun, UTC.")
    ended_at: Mapped[datetime | None] = mapped_column(
        comment="When all of it was stored, UTC; NULL: it is still running, or was interrupted."
    )
    batches: Mapped[int] = mapped_column(
        default=0, comment="Parts of it that are stored, each with up to 1,000 records."
    )
    counts: Mapped[dict[str, Any]] = mapped_column(
        default=dict,
        comment="Object: of videos, comments and profiles how many were stored, by what became of "
        "them: new, updated, filled (only what was missing) or unchanged.",
    )
    refused: Mapped[int] = mapped_column(
        default=0, comment="Records that are not stored, known when it has ended."
    )


class Crawl(Base):
    __tablename__ = "crawl"
    __table_args__ = (
        # The identity of an answer: a page whose commit was in doubt is stored once.
        UniqueConstraint("crawl_window_id", "cursor", "received_at"),
        UniqueConstraint("seed_id", "cursor", "received_at"),
        UniqueConstraint("import_id", "cursor", "received_at"),
        CheckConstraint(
            "(crawl_window_id IS NOT NULL AND seed_id IS NULL AND import_id IS NULL) OR "
            "(crawl_window_id IS NULL AND seed_id IS NOT NULL AND import_id IS NULL) OR "
            "(crawl_window_id IS NULL AND seed_id IS NULL AND import_id IS NOT NULL)",
            name="window_seed_or_import",
        ),
        {
            "comment": "One row a page: an answer of the API, or records of an import that were "
            "collected at one time."
        },
    )

    id: Mapped[int] = mapped_column(primary_key=True, comment="Given by this database.")
    crawl_window_id: Mapped[int | None] = mapped_column(
        ForeignKey("crawl_window.id"), comment="The window, if the page is one of a search."
    )
    query_id: Mapped[int | None] = mapped_column(
        ForeignKey("query.id"), comment="The query, if the page is one of a search."
    )
    seed_id: Mapped[int | None] = mapped_column(
        ForeignKey("seed.id"), comment="The seed, if the page is one of a listing."
    )
    import_id: Mapped[int | None] = mapped_column(
        ForeignKey("import.id"), comment="The import, if the page is one of records of others."
    )
    run_id: Mapped[int | None] = mapped_column(
        ForeignKey("run.id"), comment="The run that asked for the page; NULL: it is not known."
    )
    cursor: Mapped[int] = mapped_column(
        comment="Where the page starts; 0: the first page; of an import a running number."
    )
    next_cursor: Mapped[int] = mapped_column(
        comment="API (cursor). Where the next page starts; on the last page the number of matches."
    )
    search_id: Mapped[str | None] = mapped_column(comment="API. The search.")
    has_more: Mapped[bool] = mapped_column(comment="API. Whether there are more pages.")
    max_count: Mapped[int] = mapped_column(comment="Records that were asked for.")
    record_count: Mapped[int] = mapped_column(
        comment="Records received: fewer where videos were deleted or made private."
    )
    log_id: Mapped[str | None] = mapped_column(comment="API. Names the answer to TikTok's support.")
    received_at: Mapped[datetime] = mapped_column(
        "crawl_started_at",
        key="received_at",
        comment="When the page was received, UTC; of an import, when its records were collected.",
    )


class ApiQuota(Base):
    __tablename__ = "api_quota"
    __table_args__ = (
        {"comment": "One row a client key, pool and day: the requests of all crawls here."},
    )

    client: Mapped[str] = mapped_column(
        primary_key=True,
        comment="SHA-256 of the client key, hexadecimal; the key itself is stored nowhere.",
    )
    pool: Mapped[str] = mapped_column(
        primary_key=True,
        comment="research: 1,000 requests a day; follow: 20,000, for followers and following.",
    )
    day: Mapped[date] = mapped_column(primary_key=True, comment="Day of the quota, UTC.")
    requests: Mapped[int] = mapped_column(comment="Requests sent by all crawls on this database.")
    is_used_up: Mapped[bool] = mapped_column(
        default=False,
        server_default=false(),
        comment="Whether the API said that the day's quota is used up, whoever has spent it.",
    )
    second_tries: Mapped[int] = mapped_column(
        default=0,
        server_default=text("0"),
        comment="Those of the requests that tried a parked or suspicious window again.",
    )
    refreshes: Mapped[int] = mapped_column(
        default=0,
        server_default=text("0"),
        comment="Those of the requests that asked for newer values of what is there.",
    )


class ApiQuotaShare(Base):
    __tablename__ = "api_quota_share"
    __table_args__ = (
        {"comment": "One row a client key, pool, day and kind of request: its part of api_quota."},
    )

    client: Mapped[str] = mapped_column(primary_key=True, comment="As in api_quota.")
    pool: Mapped[str] = mapped_column(primary_key=True, comment="As in api_quota.")
    day: Mapped[date] = mapped_column(primary_key=True, comment="Day of the quota, UTC.")
    part: Mapped[str] = mapped_column(
        primary_key=True, comment="The spider whose requests they are, such as videos."
    )
    requests: Mapped[int] = mapped_column(comment="Requests sent by all crawls on this database.")


class DatabaseOrigin(Base):
    __tablename__ = "database_origin"
    __table_args__ = (
        CheckConstraint("id = 1", name="single_row"),
        {"comment": "One row: data of the real API and of the sandbox never mix."},
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, comment="Always 1.")
    origin: Mapped[str] = mapped_column(
        comment="URL of the API that all data came from, or `sandbox`."
    )
    created_at: Mapped[datetime] = mapped_column(comment="When the first crawl set it, UTC.")
    salt: Mapped[str | None] = mapped_column(
        comment="Random, hexadecimal: what `kept_out.digest` begins with; NULL: nothing is kept "
        "out."
    )
    deletions: Mapped[int] = mapped_column(
        default=0,
        server_default=text("0"),
        comment="How often names, such as hashtags, were deleted: crawls that remember some look "
        "them up anew when it has grown.",
    )


class JournalMark(Base):
    __tablename__ = "journal_mark"
    __table_args__ = (
        {"comment": "One row a crawl with TIKTOK_ARCHIVE that is running, or was killed."},
    )

    journal: Mapped[str] = mapped_column(
        primary_key=True, comment="Names the crawl's files in the archive."
    )
    line: Mapped[int] = mapped_column(
        comment="The last line of these files whose deed is in this database."
    )


class Notice(Base):
    __tablename__ = "notice"
    __table_args__ = (
        {
            "comment": "One row a thing that needs a person and an address that was told so: the "
            "next message has what has changed."
        },
    )

    address: Mapped[str] = mapped_column(
        primary_key=True,
        comment="Stands for an address of TIKTOK_NOTIFY, which cannot be read from it.",
    )
    need: Mapped[str] = mapped_column(primary_key=True, comment="What it is, such as `parked:7`.")
    text: Mapped[str] = mapped_column(comment="What was told of it.")
    told_at: Mapped[datetime] = mapped_column(comment="When, UTC.")


VIDEOS_TO_CRAWLS = association(
    "videos_to_crawls",
    reference("crawl_id", "crawl.id", "The page."),
    reference("video_id", "video.id", "A video on it.", index=True),
    "Which page brought which video.",
)


VIDEOS_TO_QUERY_TAGS = association(
    "videos_to_query_tags",
    reference("query_tag_id", "query_tag.id", "The tag."),
    reference("video_id", "video.id", "A video that was collected with it.", index=True),
    "The tags of each video.",
)


CRAWLS_TO_QUERY_TAGS = association(
    "crawls_to_query_tags",
    reference("crawl_id", "crawl.id", "The page."),
    reference("query_tag_id", "query_tag.id", "A tag that it was collected with."),
    "The tags of each page.",
)

VIDEOS_TO_QUERIES = Table(
    "videos_to_queries",
    VIEWS,
    Column("video_id", INT64, comment="The video."),
    Column("query_id", INT64, comment="A query that has found it (`query.id`)."),
    Column(
        "first_run_id",
        INT64,
        comment="The first run (`run.id`) that is known to have brought it for this query; NULL: "
        "none is known.",
    ),
    Column("last_run_id", INT64, comment="The last one, likewise."),
    comment="A view, for reading: one row a video and query that has found it. `query_id = 1` "
    "selects the videos of one query, by the number that `scrapy status` shows.",
)
