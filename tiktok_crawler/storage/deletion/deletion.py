"""Deletes records with all that hangs on them: so many in a transaction, each of which is whole.

Crawls go on meanwhile. What is interrupted leaves nothing half deleted, and done again it goes on.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sqlalchemy import Text, cast, func, insert, literal, select, update

from tiktok_crawler.batches import batched
from tiktok_crawler.planning.checks import RecordKind, RemovalReason
from tiktok_crawler.storage.deletion.authors import playlists_of, works_of
from tiktok_crawler.storage.deletion.mentions import Mentions
from tiktok_crawler.storage.deletion.rows import Names, Rows
from tiktok_crawler.storage.deletion.texts import Texts
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.transactions import reading, transaction
from tiktok_crawler.storage.ledger.kept_out import (
    close_gate,
    digest_of,
    keep_out,
    new_salt,
    note_deleted_names,
)
from tiktok_crawler.storage.models.existence import ArchiveRemoval, ComplianceCheck, Removal
from tiktok_crawler.storage.models.ledger import VIDEOS_TO_CRAWLS, Crawl, SeedRow
from tiktok_crawler.storage.models.records import (
    VIDEOS_TO_EFFECT_IDS,
    VIDEOS_TO_HASHTAGS,
    Account,
    Comment,
    Effect,
    Hashtag,
    UserInfo,
    UserInfoHistory,
    UserRelation,
    UserVideo,
    Video,
)
from tiktok_crawler.storage.records.leaving_out import (
    Key,
    account,
    number_of_digest,
    playlist,
    profile,
    user,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Column, ColumnElement, Connection, Engine, Row, Select, Table

    from tiktok_crawler.storage.deletion.mentions import Change

    Progress = Callable[[str, int], None]
    """Is told what goes, and how many of it have gone."""

T = TypeVar("T")

BATCH = 1_000
"""So many records go in one transaction: others wait for it to end."""

SECURE = "PRAGMA secure_delete = ON"
"""SQLite overwrites what is deleted."""


@dataclass(frozen=True, slots=True)
class Removed:
    """The numbers of a deletion: its records, and the rows that went, by table."""

    kind: RecordKind
    why: RemovalReason
    records: int = 0
    rows: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Cause:
    """The reason of a deletion, and what found it.

    What is `asked` for is kept out. Files in the folders of `archives` are told what they lose.
    Videos that a page after `last_page` has brought stay, with the comments under them.
    """

    why: RemovalReason
    archives: tuple[Path, ...] = ()
    check_id: int | None = None
    query_id: int | None = None
    last_page: int | None = None

    @property
    def keeps_out(self) -> bool:
        return self.why is RemovalReason.ASKED


@dataclass(frozen=True, slots=True)
class Named:
    """The records of a deletion, as they are deleted from elsewhere, too."""

    salt: str
    keys: frozenset[Key] = frozenset()

    def __contains__(self, key: Key) -> bool:
        return key in self.keys

    def stand_in(self, key: Key) -> int:
        return number_of_digest(digest_of(self.salt, key))


def say_nothing(_what: str, _count: int) -> None:
    """Tell nobody."""


def delete_videos(
    engine: Engine, ids: Sequence[int], cause: Cause, now: datetime, progress: Progress
) -> Removed:
    """Delete videos, with the comments under them."""
    deletion = _Deletion(engine, RecordKind.VIDEO, cause, now, progress)
    deletion.videos(ids)
    return deletion.end(named=(Key(RecordKind.VIDEO, str(id_)) for id_ in ids))


def delete_comments(
    engine: Engine, ids: Sequence[int], cause: Cause, now: datetime, progress: Progress
) -> Removed:
    """Delete comments, with the replies to them."""
    deletion = _Deletion(engine, RecordKind.COMMENT, cause, now, progress)
    for batch in batched(ids, BATCH):
        deletion.comments(batch)
    return deletion.end(named=(Key(RecordKind.COMMENT, str(id_)) for id_ in ids))


def delete_users(
    engine: Engine, usernames: Sequence[str], cause: Cause, now: datetime, progress: Progress
) -> Removed:
    """Delete persons: profile, videos, account with its edges, lists, and mentions of them.

    Those of whom nothing but mentions was there do not count as deleted. Playlists go first: the
    videos tell whose they are.
    """
    deletion = _Deletion(engine, RecordKind.USER, cause, now, progress)
    for batch in batched(sorted(usernames), BATCH):
        deletion.close_out(map(user, batch))
    with reading(engine) as connection:
        names = spellings(connection, usernames)
        works = works_of(connection, [spelled for name in names for spelled in names[name]])
        playlists = playlists_of(connection, works)
    deletion.playlists(playlists)
    videos = sorted(works.videos)
    deletion.videos(videos, are_records=False)
    for name in names:
        deletion.person(names[name], has_works=name in works.authors)
    deletion.forget_mentions(usernames)
    texts = (Key(RecordKind.VIDEO, str(id_)) for id_ in (*videos, *playlists))
    deletion.forget_texts((*map(user, usernames), *texts))
    return deletion.end()


def delete_profiles(
    engine: Engine, usernames: Sequence[str], cause: Cause, now: datetime, progress: Progress
) -> Removed:
    """Delete profiles alone: of a name that is not found any more, the person may have another.

    What was collected too long ago goes with what is known of whom an account follows.
    """
    deletion = _Deletion(engine, RecordKind.USER, cause, now, progress)
    for batch in batched(sorted(usernames), BATCH):
        if cause.why is RemovalReason.AGE:
            deletion.accounts(batch)
        deletion.profiles(batch)
    return deletion.end()


def delete_gone(
    engine: Engine,
    older_than: datetime | None,
    now: datetime,
    *,
    archives: tuple[Path, ...] = (),
    progress: Progress = say_nothing,
) -> list[Removed]:
    """Delete what is gone, since a time or longer if one is given: videos, comments and profiles.

    What one check found is one removal, which names it. Done once more with the same time, since
    the database was away, it goes on.

    Returns:
        All removals of this time.
    """
    _end_interrupted(engine, now)
    for records in _MAY_BE_GONE:
        with reading(engine) as connection:
            found = _gone_by_check(connection, records, older_than)
        for check_id, keys in found.items():
            cause = Cause(RemovalReason.GONE, archives, check_id=check_id)
            records.delete(engine, keys, cause, now, progress)
    with reading(engine) as connection:
        rows = connection.execute(_removals_of_gone.where(Removal.begun_at == now)).all()
    return [Removed(row.kind, row.why, row.records, Counter(row.rows)) for row in rows]


class _Records(NamedTuple):
    """Records that can be gone, and how they are deleted by their keys."""

    kind: RecordKind
    record: type[Any]
    key: Column[Any]
    delete: Callable[..., Removed]


_MAY_BE_GONE = (
    _Records(RecordKind.VIDEO, Video, Video.__table__.c.id, delete_videos),
    _Records(RecordKind.COMMENT, Comment, Comment.__table__.c.id, delete_comments),
    _Records(RecordKind.USER, UserInfo, UserInfo.__table__.c.username, delete_profiles),
)


def _gone_by_check(
    connection: Connection, records: _Records, older_than: datetime | None
) -> dict[int | None, list[Any]]:
    """Find the keys of what is gone, by the check that found it; None: it was no check."""
    check, gone_at = ComplianceCheck, records.record.gone_at
    last = select(check.verdict_at, func.max(check.id).label("id"))
    deciding = last.where(check.kind == records.kind).group_by(check.verdict_at).subquery().c
    gone = (
        select(records.key, deciding.id)
        .outerjoin(deciding.id.table, deciding.verdict_at == gone_at)
        .where(records.record.is_gone())
        .order_by(gone_at, records.key)
    )
    if older_than is not None:
        gone = gone.where(gone_at <= older_than)
    found = defaultdict[int | None, list[Any]](list)
    for key, check_id in connection.execute(gone):
        found[check_id].append(key)
    return found


_removals_of_gone = (
    select(Removal.__table__).where(Removal.why == RemovalReason.GONE).order_by(Removal.id)
)


def _end_interrupted(engine: Engine, now: datetime) -> None:
    """End the removals of what was gone that have no end; what is left of it goes anew."""
    with reading(engine) as connection:
        rows = connection.execute(_removals_of_gone.where(Removal.ended_at.is_(None))).all()
    for row in rows:
        cause = Cause(RemovalReason.GONE)
        _Deletion(engine, row.kind, cause, now, say_nothing, interrupted=row).end()


class _Deletion:
    """One deletion, transaction after transaction; that it begins is written down at first.

    One that was `interrupted`, of which there is a row, has nothing left to do but to end.
    """

    def __init__(  # noqa: PLR0913 - as `delete_videos`, for all
        self,
        engine: Engine,
        kind: RecordKind,
        cause: Cause,
        now: datetime,
        progress: Progress,
        *,
        interrupted: Row[Any] | None = None,
    ) -> None:
        self._engine = engine
        self._statements = statements_for(engine.dialect)
        self._kind = kind
        self._cause = cause
        self._now = now
        self._progress = progress
        self._deleted = Named(new_salt())
        self._names = Names()
        self._last_page = 0
        self._row_id = 0
        self._records = 0
        self._rows = Counter[str]()
        self._is_interrupted = interrupted is not None
        if interrupted is None:
            self._begin(cause)
        else:
            self._row_id, self._records = interrupted.id, interrupted.records
            self._rows.update(interrupted.rows)

    def _begin(self, cause: Cause) -> None:
        row: dict[str, Any] = {
            "kind": self._kind,
            "why": cause.why,
            "check_id": cause.check_id,
            "query_id": cause.query_id,
            "begun_at": self._now,
        }
        new = insert(Removal).values(row | self._note_of_archives).returning(Removal.id)
        self._row_id = self._write(lambda on: on.execute(new).scalar_one())

    @property
    def _note_of_archives(self) -> dict[str, Any]:
        """The folders that may have what was deleted, and by which salt its digests are made."""
        if not self._cause.archives:
            return {}
        folders = sorted(set(map(os.path.realpath, self._cause.archives)))
        return {"salt": self._deleted.salt, "archives": folders}

    def close_out(self, keys: Iterable[Key]) -> None:
        """Note records before they are deleted; what is kept out does not come in meanwhile."""
        named = list(keys)

        def act(rows: Rows) -> int:
            self._note(rows.connection, named)
            return 0

        self._do(act)

    def videos(self, ids: Iterable[int], *, are_records: bool = True) -> None:
        """Delete videos; they count as the records of this deletion, or go with these."""
        done = 0
        for batch in batched(ids, BATCH):

            def act(rows: Rows, batch: Sequence[int] = batch) -> int:
                ids = self._left(rows, Video.__table__.c.id, sorted(batch))
                keys = [Key(RecordKind.VIDEO, str(id_)) for id_ in ids]
                self._note(rows.connection, keys, also=self._seeds_under(rows.connection, ids))
                count = rows.videos(ids)
                return count if are_records else 0

            self._do(act)
            done += len(batch)
            self._progress("videos", done)

    def playlists(self, ids: Sequence[int]) -> None:
        """Delete playlists, which go with a person."""
        for batch in batched(ids, BATCH):

            def act(rows: Rows, batch: Sequence[int] = batch) -> int:
                self._note(rows.connection, (), also=list(map(playlist, batch)))
                rows.playlists(batch)
                return 0

            self._do(act)

    def comments(self, ids: Sequence[int]) -> None:
        def act(rows: Rows) -> int:
            left = self._left(rows, Comment.__table__.c.id, sorted(ids))
            self._note(rows.connection, [Key(RecordKind.COMMENT, str(id_)) for id_ in left])
            return rows.comments(left)

        self._do(act)

    def person(self, spelled: Iterable[str], *, has_works: bool) -> None:
        """Delete what is left of a person, however spelled, but for mentions."""
        for username in spelled:
            self._edges(username)

        def act(rows: Rows) -> int:
            left = sum(map(rows.user, spelled))
            return 1 if left or has_works else 0

        self._do(act)

    def _edges(self, username: str) -> None:
        """Delete the edges of an account, some after others, until there are none."""
        before = None
        while before != (deleted := self._rows[UserRelation.__tablename__]):
            before = deleted
            self._do(lambda rows: rows.edges(username))

    def accounts(self, usernames: Sequence[str]) -> None:
        """Delete accounts with their edges."""
        self.close_out(map(account, usernames))
        for username in usernames:
            self._edges(username)

        def act(rows: Rows) -> int:
            rows.accounts(usernames)
            return 0

        self._do(act)

    def profiles(self, usernames: Sequence[str]) -> None:
        def act(rows: Rows) -> int:
            left = self._left(rows, UserInfo.__table__.c.username, usernames)
            self._note(rows.connection, list(map(profile, left)))
            return sum(map(rows.profile, left))

        self._do(act)

    def _left(self, rows: Rows, key: Column[Any], values: Sequence[Any]) -> Sequence[Any]:
        """Leave out what has come back since it was found to be gone, if that is why it goes."""
        if self._cause.why is RemovalReason.GONE:
            return rows.still_gone(key, values)
        if key.table is Video.__table__ and self._cause.last_page is not None:
            return rows.not_brought_since(values, self._cause.last_page)
        if key.table is Comment.__table__ and self._cause.last_page is not None:
            return rows.not_under_brought(values, self._cause.last_page)
        return values

    def forget_mentions(self, usernames: Collection[str]) -> None:
        """Take the names of persons out of the fields of others' records."""
        named = Named(self._deleted.salt, frozenset(map(user, usernames)))
        mentions = Mentions(self._engine, named, [key.text for key in named.keys])
        for change in mentions.changes():
            self._do(partial(_counted, change))

    def forget_texts(self, keys: Iterable[Key]) -> None:
        """Take names and ids out of what the ledger has of runs, queries and imports."""
        texts = Texts(self._statements, frozenset(keys))
        self._do(partial(_counted, texts.forget))

    def end(self, *, named: Iterable[Key] | None = None) -> Removed:
        """Delete the names that nobody has any more, and write down that it has ended.

        What was `named`, and is kept out, is taken out of texts.
        """
        if named is not None and self._cause.keeps_out:
            self.forget_texts(named)
        orphans = self._orphans()

        def act(rows: Rows) -> int:
            for table, name, links, ids in orphans:
                again = self._linked(rows.connection, links, ids, since=self._last_page)
                rows.counts[table.name] += _rename(rows, name, sorted(ids - again))
            note_deleted_names(rows.connection)
            ended = update(Removal).where(Removal.id == self._row_id).values(ended_at=self._now)
            rows.connection.execute(ended)
            return 0

        self._do(act)
        rows = Counter({name: count for name, count in self._rows.items() if count})
        return Removed(self._kind, self._cause.why, self._records, rows)

    def _orphans(self) -> list[tuple[Table, Column[str], Table, set[int]]]:
        """Find the names that no video had when the last one was deleted.

        What a deletion that was interrupted has left of them, nobody knows: all are looked at.
        """
        found = []
        with reading(self._engine) as connection:
            unfinished = connection.scalar(select(func.count()).where(Removal.ended_at.is_(None)))
            is_after_others = (unfinished or 0) > 1
            for name, links, ids in (
                (Hashtag.__table__.c.name, VIDEOS_TO_HASHTAGS, self._names.hashtags),
                (Effect.__table__.c.effect_id, VIDEOS_TO_EFFECT_IDS, self._names.effects),
            ):
                if is_after_others or self._is_interrupted:
                    left = set(connection.scalars(_unlinked(name, links)))
                else:
                    left = ids - self._linked(connection, links, ids)
                found.append((name.table, name, links, left))
        return found

    def _linked(
        self, connection: Connection, links: Table, ids: set[int], *, since: int = 0
    ) -> set[int]:
        """Return those of some names that videos have; with a page, videos of later ones."""
        if not ids:
            return set()
        video_id, name_id = links.columns
        linked = select(name_id).where(self._statements.among(name_id, ids)).distinct()
        if since:
            pages = VIDEOS_TO_CRAWLS.c
            linked = linked.where(
                video_id.in_(select(pages.video_id).where(pages.crawl_id > since))
            )
        return set(connection.scalars(linked))

    def _note(
        self, connection: Connection, keys: Sequence[Key], *, also: Sequence[Key] = ()
    ) -> None:
        """Keep records out, if persons asked for it, and tell the archive of them, and others."""
        if self._cause.keeps_out:
            keep_out(connection, keys, self._now.date())
        if self._cause.archives:
            digests = sorted(digest_of(self._deleted.salt, key) for key in (*keys, *also))
            rows = [(self._row_id, digest) for digest in digests]
            columns = tuple(ArchiveRemoval.__table__.columns)
            self._statements.insert_missing(connection, columns, rows)
            # Crawls that have ended may have forgotten it, as what had gone by then.
            noted = update(Removal).where(Removal.id == self._row_id)
            connection.execute(noted.values(self._note_of_archives))

    def _seeds_under(self, connection: Connection, ids: Sequence[int]) -> list[Key]:
        """Return the comments under videos of which replies were listed."""
        if not self._cause.archives:
            return []
        under = self._statements.among(Comment.__table__.c.video_id, ids)
        comments = [str(id_) for id_ in connection.scalars(select(Comment.id).where(under))]
        seeds = select(SeedRow.seed).where(
            SeedRow.listing == "replies", self._statements.among(SeedRow.__table__.c.seed, comments)
        )
        return [Key(RecordKind.COMMENT, seed) for seed in connection.scalars(seeds)]

    def _do(self, act: Callable[[Rows], int]) -> None:
        """Delete something in a transaction of its own, which counts it; `act` counts records."""

        def write(connection: Connection) -> tuple[int, Rows, int]:
            close_gate(connection)
            last_page = connection.scalar(select(func.max(Crawl.id))) or 0
            rows = Rows(connection, self._statements, self._deleted, self._names)
            records = act(rows)
            added = self._rows + rows.counts
            told = update(Removal).where(Removal.id == self._row_id)
            values = {"records": self._records + records, "rows": dict(sorted(added.items()))}
            connection.execute(told.values(values))
            return records, rows, last_page

        records, rows, self._last_page = self._write(write)
        self._records += records
        self._rows += rows.counts

    def _write(self, work: Callable[[Connection], T]) -> T:
        def secured(connection: Connection) -> T:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql(SECURE)
            return work(connection)

        return transaction(self._engine, secured)


NAMED = (
    Video.__table__.c.username,
    UserInfo.__table__.c.username,
    UserInfoHistory.__table__.c.username,
    Account.__table__.c.username,
    UserVideo.__table__.c.username,
    SeedRow.__table__.c.seed,
)
"""The columns in which persons are named."""


def spellings(connection: Connection, usernames: Iterable[str]) -> dict[str, list[str]]:
    """Return how names are spelled, by what they are in lower case, as the API writes them.

    They are spelled as they were written, and as they were stored: imported ones have capitals.
    """
    found = defaultdict[str, set[str]](set)
    for name in usernames:
        found[name.casefold()] |= {name, name.casefold()}
    for column in NAMED if found else ():
        has_capitals = select(column).where(column != func.lower(column)).distinct()
        for name in connection.scalars(has_capitals):
            if name.casefold() in found:
                found[name.casefold()].add(name)
    return {name: sorted(found[name]) for name in sorted(found)}


def _unlinked(name: Column[str], links: Table) -> Select[int]:
    """Select the numbers of all names that no video has, and that say something."""
    own_id, (_, name_id) = name.table.c.id, links.columns
    says_something = name != _nameless(own_id)
    return select(own_id).where(says_something, ~select(name_id).where(name_id == own_id).exists())


def _nameless(own_id: Column[int]) -> ColumnElement[str]:
    return literal("-").concat(cast(own_id, Text))


def _rename(rows: Rows, name: Column[str], ids: Sequence[int]) -> int:
    """Let names that nobody has say nothing; their numbers are not given to others."""
    table = name.table
    for batch in batched(ids, BATCH):
        among = rows.statements.among(table.c.id, batch)
        nameless = update(table).where(among).values({name.key: _nameless(table.c.id)})
        rows.connection.execute(nameless)
    return len(ids)


def _counted(change: Change, rows: Rows) -> int:
    """Count the rows of others that a change makes other ones."""
    rows.counts.update(change(rows.connection))
    return 0
