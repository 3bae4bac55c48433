"""Trials of listings: crawls of a mix of seeds, and what has to be true of their database.

The mix has seeds with few records, with many pages and with none, some that the API refuses, and
some that nobody has heard of.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from listing_crawls import ListingDatabase
from marathon import in_marathon
from sqlalchemy import select, update
from trials import (
    ORDERLY_STATUSES,
    QUICK,
    Run,
    asked_again,
    expected_row,
    lists_are_lists,
    logged_problems,
    read_json,
    served,
    storable,
    videos_in,
)

from tiktok_crawler.commands import status as status_command
from tiktok_crawler.planning.quota import QuotaAccount
from tiktok_crawler.planning.seeds import GivenSeeds, Stage
from tiktok_crawler.research_api.endpoints import LISTINGS, SeedKey
from tiktok_crawler.research_api.paging import Paging
from tiktok_crawler.sandbox import Profile, Sandbox
from tiktok_crawler.sandbox.faults.profile import DataBehaviour, ListBehaviour
from tiktok_crawler.sandbox.protocol.errors import SandboxProblem
from tiktok_crawler.storage.engine.database import create_engine_for, database_url
from tiktok_crawler.storage.models.ledger import Crawl, SeedRow
from tiktok_crawler.storage.models.records import (
    Account,
    Comment,
    Playlist,
    PlaylistVideo,
    Product,
    Review,
    Shop,
    UserInfo,
    UserRelation,
    UserVideo,
)
from tiktok_crawler.storage.stage_session import StageSession

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection

    from tiktok_crawler.sandbox.protocol.answers import SandboxAnswer
    from tiktok_crawler.sandbox.protocol.calls import Call
    from tiktok_crawler.storage.models.base import Base

VIDEOS_PER_DAY = 20
LISTS = ListBehaviour(private_likes=0.5, unknown_users=0.1, withheld_users=0.1, follower_cap=700)
SPIDERS = tuple(name for name, listing in LISTINGS.items() if listing.has_spider)
ALIKE = ("following", "pinned_videos", "reposted_videos")
"""Other listings have records of the same kind."""
OF_EACH_KIND = [in_marathon(name) if name in ALIKE else name for name in SPIDERS]

NOBODY = {
    "comments": ["7000000000000000001", "12"],
    "playlists": ["7000000000000000001"],
    "shops": ["No Such Shop"],
    "products": ["7000000000000000001"],
    "reviews": ["7000000000000000001"],
}
"""Seeds that the sandbox does not know, beside those that it knows and refuses."""

REFUSALS = ("cannot find the user", "cannot return this user", "is private", "cannot be returned")
LARGE = {"products": 25, "reviews": 25, "liked_videos": 150, "reposted_videos": 150}
"""How many records make several pages; of others 250."""

STATUSES = {
    "cannot find the user": "not_found",
    "cannot return this user": "withheld",
    "is private": "withheld",
    "cannot be returned": "withheld",
    "access to this resource is denied": "withheld",
}
"""What a refusal means, by its words; the others are of no special kind."""

TABLES: dict[str, tuple[type[Base], str]] = {
    "comments": (Comment, "id"),
    "replies": (Comment, "id"),
    "users": (UserInfo, "username"),
    "playlists": (Playlist, "id"),
    "shops": (Shop, "id"),
    "products": (Product, "id"),
    "reviews": (Review, "id"),
}
USER_VIDEOS = {"liked_videos": "liked", "pinned_videos": "pinned", "reposted_videos": "reposted"}
RELATIONS = ("followers", "following")
OWN_COLUMNS = {
    *("crawled_at", "crawled_updated_at", "crawl_id"),
    *("first_seen_at", "last_seen_at", "last_returned_at", "missing_since", "gone_at"),
}
"""What the crawler says of a record, and not the API."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request of a listing and its answer; a page is an answer that says all that it must."""

    listing: str
    seed: str
    cursor: int
    count: int
    log_id: str | None
    moves_on: bool
    is_last: bool

    @property
    def task(self) -> tuple[str, str]:
        """What it is a page of."""
        return self.listing, self.seed

    @classmethod
    def of(cls, call: Call, answer: SandboxAnswer) -> Exchange:
        body, listing = call.document(), _listing_of(call)
        numbered = "page_start" in body
        cursor = body["page_start"] - 1 if numbered else body.get("cursor", 0)
        document = read_json(answer.body)
        data, error = document.get("data") or {}, document.get("error") or {}
        data = data if isinstance(data, dict) else {}
        keys = LISTINGS[listing].endpoint.records_keys
        has_lists = lists_are_lists(data, (*keys, "playlist_video_ids"))
        is_said = numbered or LISTINGS[listing].name in ("users", "pinned_videos", "shops")
        records = [record for key in keys for record in data.get(key) or ()]
        is_plain = answer.status == 200 or (answer.status == 500 and bool(records or not keys))
        is_ok = error.get("code", "ok") == "ok" and is_plain and bool(data) and has_lists
        has_more = data.get("has_more")
        leads_on = has_more is False or _leads_on(listing, cursor, data.get("cursor"))
        is_told = is_said or (isinstance(has_more, bool) and leads_on)
        return cls(
            listing=listing,
            seed=str(body[LISTINGS[listing].seed_key]),
            cursor=cursor,
            count=body.get("page_size", 0) if is_said else body["max_count"],
            log_id=error.get("log_id"),
            moves_on=is_ok and is_told,
            is_last=is_ok and (not (numbered and records) if is_said else has_more is False),
        )


Bend = Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]
"""What an answer's data becomes, from the request's body and the data."""


class WatchedSandbox(Sandbox):
    """Remembers what it was asked of listings and what it answered; `bend` changes that."""

    bend: Bend | None = None

    def __init__(self, profile: Profile, **options: Any) -> None:
        super().__init__(
            **{"videos_per_day": VIDEOS_PER_DAY, "daily_quota": None} | options, profile=profile
        )
        self.exchanges: list[Exchange] = []

    def answer(self, call: Call) -> SandboxAnswer:
        answer = super().answer(call)
        if _listing_of(call):
            answer = self._bent(call, answer)
            self.exchanges.append(Exchange.of(call, answer))
        return answer

    def _bent(self, call: Call, answer: SandboxAnswer) -> SandboxAnswer:
        document = read_json(answer.body)
        if not self.bend or not document.get("data"):
            return answer
        data = self.bend(call.document(), document["data"])
        return replace(answer, body=json.dumps(document | {"data": data}).encode())


@dataclass(frozen=True)
class Trial:
    """A crawl of a listing: what the sandbox does to it, and how it is set up."""

    listing: str
    profile: Profile = field(default_factory=lambda: Profile(lists=LISTS))
    settings: dict[str, Any] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    seeds: tuple[str, ...] = ()

    @property
    def wanted(self) -> tuple[str, ...]:
        return self.seeds or mixed_seeds(self.listing, self.profile.lists)

    @property
    def seed_argument(self) -> dict[str, str]:
        return {LISTINGS[self.listing].seed_key.argument: ",".join(self.wanted)}

    def truth(self, seed: str) -> list[Any] | SandboxProblem:
        return truth_of(self.profile.data, self.profile.lists, self.listing, seed)

    def on_a_good_day(self) -> Trial:
        """The same records, and no fault."""
        profile = self.profile
        return replace(
            self, profile=Profile(seed=profile.seed + 1, data=profile.data, lists=profile.lists)
        )


@lru_cache
def mixed_seeds(listing: str, lists: ListBehaviour) -> tuple[str, ...]:
    """Seeds of each kind, each once; the order is that of their kinds."""
    sandbox = truthful(DataBehaviour(), lists)
    found: list[str] = list(islice(sandbox.seeds(listing), 5))
    found += islice(sandbox.seeds(listing, at_least=1), 2)
    if LISTINGS[listing].has_pages:
        large = islice(sandbox.seeds(listing), 400)
        wanted = LARGE.get(listing, 250)
        found += islice((s for s in large if _size(sandbox.truth(listing, s)) >= wanted), 1)
    candidates = islice(sandbox.seeds(listing), 200)
    found += islice((seed for seed in candidates if sandbox.truth(listing, seed) == []), 1)
    for words in REFUSALS if LISTINGS[listing].seed_key is SeedKey.USERNAME else ():
        found += islice(sandbox.seeds(listing, refusal=words), 1)
    return tuple(dict.fromkeys([*found, *NOBODY.get(listing, ["nobody.at.all", "nobody7"])]))


@lru_cache
def truthful(data: DataBehaviour, lists: ListBehaviour) -> Sandbox:
    """The sandbox that knows the truth."""
    return Sandbox(videos_per_day=VIDEOS_PER_DAY, profile=Profile(data=data, lists=lists))


@lru_cache(maxsize=1024)
def truth_of(
    data: DataBehaviour, lists: ListBehaviour, listing: str, seed: str
) -> list[Any] | SandboxProblem:
    return truthful(data, lists).truth(listing, seed)


def _size(truth: list[Any] | SandboxProblem) -> int:
    if isinstance(truth, SandboxProblem):
        return 0
    return max([len(truth), *(len(r.get("playlist_video_ids", ())) for r in truth)])


async def run(database: ListingDatabase, sandbox: Sandbox, trial: Trial, **arguments: str) -> Run:
    """One crawl, and what has to be true after any crawl."""
    exchanges = getattr(sandbox, "exchanges", [])
    before = len(exchanges)
    async with served(sandbox) as url:
        database.api_url = url
        with logged_problems() as problems:
            crawler = await database.crawl(
                trial.listing,
                QUICK | trial.settings,
                **trial.seed_argument | trial.arguments | arguments,
            )
    done = Run(crawler, exchanges[before:], problems)
    check_run(done)
    return done


async def try_out(trial: Trial, url: str, *, runs: int = 3, bend: Bend | None = None) -> list[Run]:
    """Crawl under faults, again until all is there or `runs` are over, then on good days.

    After each run the database is honest, and after the last one it equals the truth.
    """
    database, sandbox = ListingDatabase(url, ""), WatchedSandbox(trial.profile)
    sandbox.bend = bend
    done: list[Run] = []
    while len(done) < runs and (not done or done[-1].exit_status):
        done.append(await run(database, sandbox, trial))
        check_database(database, trial, done[-1])
        if not bend:
            check_pages(database, sandbox.exchanges)
    await _complete(database, trial.on_a_good_day(), sandbox)
    return done


async def _complete(database: ListingDatabase, trial: Trial, before: WatchedSandbox) -> None:
    """A run on a good day finds what is left; a later one also what was said falsely."""
    let_time_pass(database)
    sandbox = WatchedSandbox(trial.profile)
    done = await run(database, sandbox, trial)
    assert asked_again([*([] if before.bend else before.exchanges), *sandbox.exchanges]) == []
    assert done.exit_status == 0
    if before.bend or any(is_doubtful(trial, row) for row in seed_rows(database, trial).values()):
        let_time_pass(database)
        done = await run(database, sandbox, trial, max_age="7d")
        assert done.exit_status == 0
    check_database(database, trial, done)
    assert not any(row.suspicious for row in seed_rows(database, trial).values())


def is_doubtful(trial: Trial, row: Any) -> bool:
    """Whether what stands of a seed may have been said falsely."""
    return row.suspicious or (row.state == "refused" and not is_refused(trial, row))


def is_refused(trial: Trial, row: Any) -> bool:
    """Whether the API refuses a seed on good days too, in the words that are stored."""
    truth = trial.truth(row.seed)
    return isinstance(truth, SandboxProblem) and truth.message in row.error


def check_pages(database: ListingDatabase, exchanges: list[Exchange]) -> None:
    """What was delivered is stored, each page once, and nothing of it was asked for again."""
    assert asked_again(exchanges) == []
    with reading(database) as connection:
        stored = list(connection.scalars(select(Crawl.log_id).where(Crawl.log_id.is_not(None))))
    assert len(stored) == len(set(stored)), "a page is stored twice"
    delivered = {each.log_id for each in exchanges if each.moves_on and each.log_id}
    assert delivered <= set(stored)


def check_run(done: Run) -> None:
    """It ended in order, and by itself."""
    assert done.problems == []
    reason = done.crawler.stats.get_value("finish_reason")
    assert reason != "closespider_timeout", "it would never end"
    assert done.exit_status in ORDERLY_STATUSES, reason


def check_least_requests(exchanges: list[Exchange]) -> None:
    """As large pages as there are, none twice, and none after the last one."""
    assert asked_again(exchanges) == []
    ended: set[tuple[str, str]] = set()
    for each in exchanges:
        largest = LISTINGS[each.listing].endpoint.max_count
        assert each.count in (0, largest)
        assert (each.listing, each.seed) not in ended, f"{each} comes after the last page"
        if each.is_last:
            ended.add((each.listing, each.seed))


def seed_rows(database: ListingDatabase, trial: Trial) -> dict[str, Any]:
    """What the database says of a listing's seeds."""
    seeds = select(SeedRow.__table__).where(SeedRow.listing == trial.listing)
    with reading(database) as connection:
        return {row.seed: row for row in connection.execute(seeds)}


def check_database(database: ListingDatabase, trial: Trial, done: Run) -> None:
    """It is complete where it says so, refused where the API refuses, and says so of the rest."""
    rows = seed_rows(database, trial)
    assert rows.keys() <= set(trial.wanted)
    finished = {seed for seed, row in rows.items() if row.state in ("complete", "refused")}
    assert (done.exit_status == 0) == (finished == set(trial.wanted))
    for row in rows.values():
        check_seed(database, trial, row)
    check_status(database, trial)
    check_nothing_is_invented(database, trial)


def check_status(database: ListingDatabase, trial: Trial) -> None:
    """`scrapy status --json` counts what the database has."""
    settings = database.settings()
    report = json.loads(status_command._report(settings, as_json=True))
    (listing,) = [each for each in report["listings"] if each["listing"] == trial.listing]
    states = Counter(row.state.value for row in seed_rows(database, trial).values())
    assert Counter(listing["seeds"]) == states
    assert listing["requests"] == sum(r.requests for r in seed_rows(database, trial).values())


def check_seed(database: ListingDatabase, trial: Trial, row: Any) -> None:
    truth = trial.truth(row.seed)
    match row.state:
        case "refused":
            assert row.status
            assert row.error
            if is_refused(trial, row):
                assert row.status == status_of(truth)
            else:
                assert row.error in injected_refusals(trial)
        case "parked":
            assert row.error
            assert row.retry_at
        case "complete" if not row.suspicious:
            assert not isinstance(truth, SandboxProblem), row
            assert not row.has_more
            expected = expected_of(trial.listing, row.seed, truth)
            stored = stored_of(database, trial.listing, row.seed)
            assert stored == expected, row


def injected_refusals(trial: Trial) -> set[str]:
    """What scheduled faults say to a request that is all right."""
    refusals = {"refused": "HTTP 400: invalid_params Invalid query parameters"}
    refusals["forbidden"] = "HTTP 403: access_denied Access to this resource is denied."
    refusals["invalid_cursor"] = "HTTP 400: invalid_params Invalid count or cursor"
    return {refusals[f.fault] for f in trial.profile.faults if f.fault in refusals}


def status_of(problem: SandboxProblem) -> str:
    words = problem.message.lower()
    return next((status for part, status in STATUSES.items() if part in words), "refused")


def check_nothing_is_invented(database: ListingDatabase, trial: Trial) -> None:
    """Whatever is stored of a seed is in the truth, value for value."""
    for seed in trial.wanted:
        truth = trial.truth(seed)
        expected = (
            {} if isinstance(truth, SandboxProblem) else expected_of(trial.listing, seed, truth)
        )
        stored = stored_of(database, trial.listing, seed)
        if trial.listing == "users":
            stored = {"records": [row for row in stored["records"] if row["status"] == "found"]}
        for table, rows in stored.items():
            invented = Counter(map(repr_of, rows)) - Counter(map(repr_of, expected.get(table, [])))
            assert not invented, (seed, table)


# -- What should be stored


def expected_of(listing: str, seed: str, truth: list[Any]) -> dict[str, list[Any]]:
    """The rows that the truth of a seed makes, by table, in the order of the list."""
    records = list(map(storable, truth))
    if listing in ("comments", *USER_VIDEOS):
        records = [record for record in records if record.get("id")]
    if listing in USER_VIDEOS:
        return _expected_videos(records)
    if listing in RELATIONS:
        return _expected_accounts(records)
    rows = [_expected_row(listing, seed, record) for record in records]
    if listing != "playlists":
        return {"records": _sorted(rows)}
    ids = [int(each) for record in records for each in record["playlist_video_ids"]]
    return {"records": rows, "videos": ids}


def _expected_videos(records: list[Any]) -> dict[str, list[Any]]:
    rows = [expected_row(record) for record in records]
    return {"videos": [id_ for id_, _ in rows], "records": _sorted(row for _, row in rows)}


def _expected_accounts(records: list[Any]) -> dict[str, list[Any]]:
    names = [record["username"] for record in records]
    return {"relations": sorted(names), "records": _sorted(map(_account, records))}


def _account(record: dict[str, Any]) -> dict[str, Any]:
    known = {key: record[key] for key in ("username", "display_name") if record.get(key)}
    extra = {key: value for key, value in record.items() if key not in known and value is not None}
    return known | ({"extra_data": extra} if extra else {})


RENAMED = {
    "comments": {},
    "replies": {},
    "users": {},
    "playlists": {
        "playlist_id": "id",
        "playlist_name": "name",
        "playlist_item_total": "item_total",
        "playlist_last_updated": "last_updated",
    },
    "shops": {"shop_id": "id"},
    "products": {"product_id": "id"},
    "reviews": {},
}
SEED_COLUMNS = {
    "users": {"username": str},
    "comments": {"video_id": int},
    "replies": {"parent_comment_id": int},
    "playlists": {"id": int},
    "products": {"shop_id": int},
    "reviews": {"product_id": str},
}


def _expected_row(listing: str, seed: str, record: dict[str, Any]) -> dict[str, Any]:
    model, _ = TABLES[listing]
    row = {convert: of(seed) for convert, of in SEED_COLUMNS.get(listing, {}).items()}
    extra = {}
    for key, value in record.items():
        name = RENAMED[listing].get(key, key)
        if value is None or key == "playlist_video_ids":
            continue
        (row if name in model.__table__.columns else extra)[name] = value
    for key in ("id", "video_id", "parent_comment_id"):
        if key in row:
            row[key] = str(row[key]) if listing == "products" else int(row[key])
    if "create_time" in row:
        row["create_time"] = _time(listing, row["create_time"])
    if listing == "users":
        row |= {"username": seed, "status": "found"}
        row["avatar_url"] = row["avatar_url"].partition("?")[0]
    return row | ({"extra_data": extra} if extra else {})


def _time(listing: str, value: int) -> datetime:
    if listing != "reviews":
        return datetime.fromtimestamp(value, UTC)
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=value)


# -- What is stored


def stored_of(database: ListingDatabase, listing: str, seed: str) -> dict[str, list[Any]]:
    """The rows of a seed, in the form of `expected_of`."""
    with reading(database) as connection:
        if listing in USER_VIDEOS:
            return _stored_videos(connection, USER_VIDEOS[listing], seed)
        if listing in RELATIONS:
            return _stored_relations(connection, listing, seed)
        model, key = TABLES[listing]
        column = next(iter(SEED_COLUMNS.get(listing, {})), None)
        rows = select(model.__table__)
        if listing == "shops":
            found = (
                select(Crawl.id)
                .join(SeedRow, SeedRow.id == Crawl.seed_id)
                .where(SeedRow.seed == seed)
            )
            rows = rows.where(Shop.crawl_id.in_(found))
        else:
            assert column
            value = SEED_COLUMNS[listing][column](seed)
            rows = rows.where(model.__table__.c[column] == value)
        if listing == "comments":
            rows = rows.where(Comment.parent_comment_id == Comment.video_id)
        records = [_api_values(row._mapping) for row in connection.execute(rows)]
        if listing == "reviews":
            for record in records:
                del record[key]
        stored = {"records": _sorted(records)}
        if listing == "playlists":
            videos = select(PlaylistVideo.video_id).where(PlaylistVideo.playlist_id == int(seed))
            stored["videos"] = list(connection.scalars(videos.order_by(PlaylistVideo.position)))
        return stored


def _stored_videos(connection: Connection, kind: str, seed: str) -> dict[str, list[Any]]:
    listed = select(UserVideo.video_id).where(UserVideo.username == seed, UserVideo.kind == kind)
    ids = list(connection.scalars(listed.order_by(UserVideo.position)))
    videos = videos_in(connection)
    return {"videos": ids, "records": _sorted(videos[id_] for id_ in ids)}


def _stored_relations(connection: Connection, listing: str, seed: str) -> dict[str, list[Any]]:
    other, own = UserRelation.follower_id, UserRelation.followed_id
    if listing == "following":
        other, own = own, other
    seed_id = select(Account.id).where(Account.username == seed).scalar_subquery()
    accounts = select(Account.__table__).join(UserRelation, other == Account.id)
    rows = connection.execute(accounts.where(own == seed_id))
    records = [_api_values(row._mapping) for row in rows]
    for record in records:
        del record["id"]
    return {
        "relations": sorted(record["username"] for record in records),
        "records": _sorted(records),
    }


def _api_values(row: Any) -> dict[str, Any]:
    values = {k: v for k, v in row.items() if v is not None and k not in OWN_COLUMNS}
    if "avatar_url" in values:
        values["avatar_url"] = values["avatar_url"].partition("?")[0]
    return values


def _sorted(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=repr_of)


def repr_of(row: Any) -> str:
    """Equal for equal rows, whatever the order of their columns."""
    if not isinstance(row, dict):
        return repr(row)
    columns = ((k, sorted(v) if isinstance(v, set) else v) for k, v in row.items())
    return repr(sorted((key, _dumped(value)) for key, value in columns))


def _dumped(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


# -- Around it


@contextmanager
def reading(database: ListingDatabase) -> Iterator[Connection]:
    """A connection to a crawl's database."""
    engine = create_engine_for(database_url(database.url))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@contextmanager
def running_crawl(database: ListingDatabase, listing: str) -> Iterator[None]:
    """Another crawl of the listing, as far as its lock goes."""
    session = StageSession(
        database.url,
        origin="sandbox",
        stage=Stage(LISTINGS[listing], GivenSeeds(())),
        tags=(),
        account=QuotaAccount("somebody", LISTINGS[listing].endpoint.pool),
    )
    session.open()
    try:
        yield
    finally:
        session.release()


def let_time_pass(
    database: ListingDatabase, days: int = 30, *, seeds: tuple[str, ...] = ()
) -> None:
    """These seeds (all, if none are named) were worked on so many days ago, and wait no longer."""
    columns = (
        SeedRow.retry_at,
        SeedRow.parked_at,
        SeedRow.completed_at,
        SeedRow.begun_at,
        SeedRow.last_page_at,
    )
    with reading(database) as connection:
        for row in list(connection.execute(select(SeedRow.id, SeedRow.seed, *columns))):
            times = {
                column.key: at - timedelta(days=days)
                for column, at in zip(columns, row[2:], strict=True)
                if at
            }
            if times and (not seeds or row.seed in seeds):
                connection.execute(update(SeedRow).where(SeedRow.id == row.id).values(**times))
        connection.commit()


def _listing_of(call: Call) -> str:
    body = call.document()
    return next(
        (
            name
            for name, listing in LISTINGS.items()
            if listing.endpoint.path == call.path and listing.seed_key in body
        ),
        "",
    )


def _leads_on(listing: str, cursor: int, following: Any) -> bool:
    """Whether a cursor comes after another one: times fall, places rise."""
    if not isinstance(following, int):
        return False
    match LISTINGS[listing].endpoint.paging:
        case Paging.FALLING:
            return following < (cursor or following + 1)
        case Paging.OPAQUE:
            return following != cursor
    return following > cursor
