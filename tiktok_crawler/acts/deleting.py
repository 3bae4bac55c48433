"""Deletes what persons ask for, what is gone, what is too old; wherever it is."""

from __future__ import annotations

import os
import sys
from os import EX_OK, EX_TEMPFAIL
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tiktok_crawler.archive.rewriting import Rewritten, pending_archives, rewrite_archive
from tiktok_crawler.arguments.named_seeds import named_seeds
from tiktok_crawler.clock import utc_now
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.output import NowAndThen, fail, show, tell
from tiktok_crawler.planning.checks import RecordKind, RemovalReason
from tiktok_crawler.query_file.known_query import query_ids
from tiktok_crawler.query_file.written_dates import parse_time_ago
from tiktok_crawler.reports.deletion_report import (
    archive_lines,
    left_lines,
    pending_lines,
    removed_lines,
    selected_lines,
)
from tiktok_crawler.spelling import number_of, quoted
from tiktok_crawler.storage.deletion import disk, selecting
from tiktok_crawler.storage.deletion.deletion import (
    Cause,
    delete_comments,
    delete_gone,
    delete_profiles,
    delete_users,
    delete_videos,
)
from tiktok_crawler.storage.deletion.take_back import HeldQueries, to_list_again, to_take_back
from tiktok_crawler.storage.engine import database, sqlite
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.transactions import PAUSES_SECONDS, reading
from tiktok_crawler.storage.ledger.journal_marks import behind, done_until
from tiktok_crawler.storage.ledger.queries import stored_queries
from tiktok_crawler.storage.ledger.runs import outputs_of_runs
from tiktok_crawler.storage.ledger.value_batches import queries_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection, Engine

    from tiktok_crawler.config import Config
    from tiktok_crawler.storage.deletion.deletion import Removed
    from tiktok_crawler.storage.deletion.selecting import Selected

NAMED = ("usernames", "video_ids", "comment_ids")
SINGLE = ("query", "tag", "older_than", "gone")

SEARCHING_SECONDS = 600
"""The longest that long texts are searched for many names between two statements of a deletion."""

EXAMPLE = "such as: scrapy delete --usernames some.body1; scrapy delete -h lists what there is"


def delete(config: Config, args: list[str], opts: argparse.Namespace) -> int:
    """Delete what the options say, and return the exit status.

    Raises:
        UsageError: they say nothing, or more than goes together.
    """
    wanted = _wanted(args, opts)
    folders = _folders(config, opts)
    with database.opened(config.database_url) as engine:
        if not database.has_data(engine, config.origin):
            show(f"{database.describe(engine.url)} has no data{config.sandbox_hint}")
            return EX_OK
        sqlite_file = sqlite.file_of(database.database_url(config.database_url))
        searching = engine.execution_options(**{PAUSES_SECONDS: SEARCHING_SECONDS})
        return _delete(_Place(searching, config.origin, folders, sqlite_file), wanted, opts)


class _Place(NamedTuple):
    """Where records are deleted from."""

    engine: Engine
    origin: str
    folders: tuple[Path, ...]
    file: Path | None


class _Wanted(NamedTuple):
    """What is to be deleted, as far as it can be told without the database."""

    users: tuple[str, ...] = ()
    videos: tuple[int, ...] = ()
    comments: tuple[int, ...] = ()
    select: Callable[[Connection], Selected] | None = None

    @property
    def is_named(self) -> bool:
        return bool(self.users or self.videos or self.comments)


def _wanted(args: list[str], opts: argparse.Namespace) -> _Wanted:
    """Read the options.

    Raises:
        UsageError: they name nothing, or more than goes together.
    """
    if args:
        raise UsageError(
            f"{quoted(args[0])} stands alone: what to delete is named by an option, {EXAMPLE}"
        )
    single = [name for name in SINGLE if getattr(opts, name)]
    named = [name for name in NAMED if getattr(opts, name) is not None]
    if len(single) > 1 or (single and named):
        raise UsageError(
            "--query, --tag, --older-than and --gone go alone: one command for each of them"
        )
    if not (single or named or opts.vacuum or opts.archive):
        raise UsageError(f"say what to delete, {EXAMPLE}")
    if named:
        users, videos, comments = (
            _named(name, getattr(opts, name)) if name in named else () for name in NAMED
        )
        return _Wanted(users, tuple(map(int, videos)), tuple(map(int, comments)))
    return _Wanted(select=_selection(opts) if single else None)


def _named(name: str, written: str) -> tuple[str, ...]:
    option = f"--{name.replace('_', '-')}"
    try:
        seeds = named_seeds(name, written)
    except UsageError as exc:
        raise UsageError(str(exc).replace(f"-a {name}", option)) from None
    for note in seeds.notes:
        tell(note)
    return seeds.values


def _selection(opts: argparse.Namespace) -> Callable[[Connection], Selected]:
    if opts.query:
        return lambda connection: selecting.of_query(connection, _queries(connection, opts.query))
    if opts.tag:
        return lambda connection: _of_tag(connection, opts.tag)
    if opts.gone:
        return selecting.gone
    try:
        time = parse_time_ago(opts.older_than, now=utc_now())
    except (ValueError, OverflowError) as exc:
        raise UsageError(f"--older-than {quoted(opts.older_than)} {exc}") from None
    return lambda connection: selecting.older_than(connection, time)


def _queries(connection: Connection, written: str) -> Sequence[int]:
    statements = statements_for(connection.dialect)
    known = stored_queries(connection)
    return query_ids(
        written, known, lambda wanted: queries_of(connection, statements, wanted), "--query "
    )


def _of_tag(connection: Connection, tag: str) -> Selected:
    found = selecting.of_tag(connection, tag)
    if found is None:
        raise UsageError(f"--tag {quoted(tag)}: no run has used this tag")
    return found


def _folders(config: Config, opts: argparse.Namespace) -> tuple[Path, ...]:
    given = [Path(folder).expanduser().absolute() for folder in opts.archive]
    for folder in given:
        if not folder.is_dir():
            raise UsageError(f"--archive {quoted(str(folder))}: there is no such folder")
    return tuple(dict.fromkeys([*([config.archive] if config.archive else []), *given]))


def _delete(place: _Place, wanted: _Wanted, opts: argparse.Namespace) -> int:
    engine = place.engine
    show(database.describe(engine.url))
    with reading(engine) as connection:
        outputs = outputs_of_runs(connection)  # In the database, a name in theirs goes, too.
    selected: Selected | None = None
    if wanted.is_named or wanted.select:
        with reading(engine) as connection:
            selected = _selected(connection, wanted)
            counts = selecting.count(connection, selected)
        show("\n".join(selected_lines(selected, counts)))
        if opts.dry_run:
            show("Nothing was deleted (--dry-run)")
            return 0
        if selected.is_empty:
            selected = None
        else:
            _ask(opts)
    disk.check_may_delete(engine)
    removed: list[Removed] = []
    if selected:
        with HeldQueries(engine) as held:
            if wanted.select:
                selected = _settle(place, wanted, held)
            removed = _remove(place, selected)
        show("\n".join(removed_lines(removed, selected)))
    return _finish(place, opts, removed, outputs)


def _selected(connection: Connection, wanted: _Wanted) -> Selected:
    if wanted.select:
        return wanted.select(connection)
    return selecting.named(connection, wanted.users, wanted.videos, wanted.comments)


def _ask(opts: argparse.Namespace) -> None:
    """Ask whether to go on.

    Raises:
        UsageError: there is nobody to ask.
    """
    if opts.yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here: say --yes to delete this, or --dry-run")
    tell("Type yes to delete this for good:")
    if sys.stdin.readline().strip().lower() != "yes":
        fail(EX_TEMPFAIL, "nothing was deleted")


def _settle(place: _Place, wanted: _Wanted, held: HeldQueries) -> Selected:
    """Let the days and lists be missing of which something goes, while nobody crawls them.

    What a crawl of the queries brings from then on stays.

    Returns:
        What goes: more may have come since it was counted.

    Raises:
        QueryLockedError: one of their queries or listings is being crawled.
    """
    selected = held.select(lambda connection: _selected(connection, wanted))
    searches, now = to_take_back(place.engine, selected.windows), utc_now()
    lists = to_list_again(place.engine, selected)
    if (searches or lists) and place.folders:
        # First: what is interrupted behind it is searched again, and nothing is missing unseen.
        from tiktok_crawler.archive.taken_back import write_taken_back  # noqa: PLC0415 - seldom

        write_taken_back(
            place.folders[0], place.origin, searches, now, lists=lists, beside=place.file
        )
    held.take_back(selected, now)
    return selected


def _remove(place: _Place, selected: Selected) -> list[Removed]:
    engine = place.engine
    with reading(engine) as connection:
        # An archive has lines by the clocks of all machines that have crawled.
        now = behind(done_until(connection), utc_now())
    told = NowAndThen()

    def progress(what: str, count: int) -> None:
        told.tell(f"{number_of(count, what)} so far")

    if selected.why is RemovalReason.GONE:
        return delete_gone(engine, None, now, archives=place.folders, progress=progress)
    cause = Cause(
        selected.why, place.folders, query_id=selected.query_id, last_page=selected.last_page
    )
    removed = []
    if selected.users:
        removed.append(delete_users(engine, selected.users, cause, now, progress))
    if selected.videos:
        removed.append(delete_videos(engine, selected.videos, cause, now, progress))
    if selected.comments:
        removed.append(delete_comments(engine, selected.comments, cause, now, progress))
    if selected.profiles:
        removed.append(delete_profiles(engine, selected.profiles, cause, now, progress))
    return removed


def _finish(
    place: _Place, opts: argparse.Namespace, removed: list[Removed], outputs: list[str]
) -> int:
    """Take what was deleted out of the archive and off the disk, and say what is left to do.

    `outputs` are the files that runs have written, as they were called.
    """
    engine = place.engine
    rewritten = rewrite_archive(engine, place.folders) if place.folders else Rewritten()
    show("\n".join(archive_lines(rewritten, has_folders=bool(place.folders))))
    pending = pending_archives(engine)
    named = {Path(os.path.realpath(folder)) for folder in place.folders}
    for line in pending_lines(sorted(pending - named)):
        tell(line)
    is_empty = sqlite.empty_log(engine, patiently=True)
    vacuumed = opts.vacuum and disk.vacuum(engine)
    names_users = any(each.kind is RecordKind.USER for each in removed)
    state = disk.Left(
        engine.dialect.name, is_log_empty=is_empty, is_vacuumed=vacuumed, asked_to=opts.vacuum
    )
    for line in left_lines(state, outputs, has_removed=bool(removed), names_users=names_users):
        show(line)
    return 0 if rewritten.is_done and not pending else EX_TEMPFAIL
