"""Tells what a deletion would remove, what it has removed, and what is left to do."""

from __future__ import annotations

import shlex
from itertools import islice
from typing import TYPE_CHECKING

from tiktok_crawler.planning.checks import RecordKind, RemovalReason
from tiktok_crawler.reports.removals_report import NOUNS
from tiktok_crawler.spelling import and_more, listed, named, number_of, visible
from tiktok_crawler.storage.deletion.texts import STAYS
from tiktok_crawler.storage.models.ledger import QueryTag

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from tiktok_crawler.archive.rewriting import Rewritten
    from tiktok_crawler.storage.deletion.deletion import Removed
    from tiktok_crawler.storage.deletion.disk import Left
    from tiktok_crawler.storage.deletion.selecting import Selected

MOST_NAMED = 10

COMMENTS_HAVE_NO_NAME = (
    "Comments carry no name of their author: those that these persons wrote under videos of others "
    "cannot be found by it, and stay. Delete them by --comment-ids"
)

WHOSE_IS_NOT_KNOWN = (
    "whether it is by one of these persons cannot be told, and it stays. Delete such by --video-ids"
)


def selected_lines(selected: Selected, counts: Counter[str]) -> Iterator[str]:
    """Tell what would be deleted."""
    if selected.why is RemovalReason.ASKED:
        yield from _asked(selected)
    if not counts:
        yield (
            "Nothing of it is in the database: deleting it keeps it out from then on"
            if selected.why is RemovalReason.ASKED
            else "There is nothing to delete"
        )
    else:
        yield "To be deleted, rows by table:"
    for table, rows in counts.most_common():
        yield f"  {table:22} {rows:14,}"
    if parts := _taken_back(selected):
        yield (
            f"  The coverage of {listed(parts, conjunction='and')} is taken back: a crawl that "
            "asks for it collects it again"
        )
    if selected.users:
        yield COMMENTS_HAVE_NO_NAME
    if selected.nameless:
        videos = number_of(selected.nameless, "videos")
        yield f"{videos} came without `username`: {WHOSE_IS_NOT_KNOWN}"


def _taken_back(selected: Selected) -> list[str]:
    lost = ((selected.windows, "windows"), (selected.seeds, "lists"))
    return [number_of(len(ids), noun) for ids, noun in lost if ids]


def _asked(selected: Selected) -> Iterator[str]:
    parts = [
        number_of(len(keys), noun)
        for keys, noun in (
            (selected.users, "users"),
            (selected.videos, "videos"),
            (selected.comments, "comments"),
        )
        if keys
    ]
    yield f"Named: {listed(parts, conjunction='and')}"


def removed_lines(removed: Sequence[Removed], selected: Selected) -> Iterator[str]:
    """Tell what was deleted."""
    for each in removed:
        yield f"Deleted: {number_of(each.records, NOUNS[each.kind])}"
        for table, rows in each.rows.most_common():
            if not table.endswith(STAYS):
                yield f"  {table:22} {rows:14,}"
        persons = {name.casefold() for name in selected.users}
        if each.kind is RecordKind.USER and (unknown := len(persons) - each.records) > 0:
            yield f"Kept out from now on, of whom nothing was there: {number_of(unknown, 'users')}"
    tags = max((each.rows[f"{QueryTag.__tablename__}{STAYS}"] for each in removed), default=0)
    if tags:
        yield (
            f"{number_of(tags, 'tags')} with a name or id of it left, as tags are your own words: "
            "docs/deletion.md, Tags, says how to rename one"
        )
    if selected.windows and not removed:
        yield "Deleted: nothing; days are missing again"


def archive_lines(rewritten: Rewritten, *, has_folders: bool) -> Iterator[str]:
    """Tell what became of the archive."""
    if not has_folders:
        yield "No archive (TIKTOK_ARCHIVE). If there are some of earlier crawls: --archive FOLDER"
        return
    files = number_of(rewritten.files, "files")
    records = number_of(rewritten.records, "records")
    yield f"Archive: {files} written anew, without {records}"
    if rewritten.bodies:
        answers = number_of(rewritten.bodies, "answers")
        yield f"  {answers} taken out whole: no page can be read from them, and it may be in there"
    yield from (f"  {line}" for line in lost_lines(rewritten))
    for path in islice(rewritten.running, MOST_NAMED):
        yield (
            f"  {named(path)} is being written by a crawl: it is seen to when that ends, or by the "
            "next `scrapy delete`"
        )
    for path in islice(rewritten.damaged, MOST_NAMED):
        yield (
            f"  {named(path)} is damaged, and may have something of it that cannot be read: remove "
            "it"
        )
    for path, reason in islice(rewritten.failed, MOST_NAMED):
        yield f"  {named(path)} cannot be written: {reason}. Then run the same command again"


def lost_lines(rewritten: Rewritten) -> Iterator[str]:
    """Tell what else was left out of the archive's files, as nobody could read it."""
    for path, count in rewritten.unreadable.items():
        lines = number_of(count, "lines")
        yield f"{named(path)}: {lines} that cannot be read left out, since it may be in there"
    for path in rewritten.torn:
        yield f"{named(path)} ended in the middle, as its crawl was killed: a torn line is left out"


def pending_lines(folders: Iterable[Path]) -> Iterator[str]:
    """Tell which archives a deletion has yet to reach that were not named."""
    for folder in folders:
        yield (
            f"WARNING: {named(folder)} has yet to lose what was deleted before: go on with "
            f"`scrapy delete --archive {shlex.quote(visible(str(folder)))}`; if the folder is gone "
            "for good, make an empty one in its place first"
        )


def left_lines(
    left: Left, outputs: Sequence[str], *, has_removed: bool, names_users: bool
) -> Iterator[str]:
    """Tell what is left to do."""
    if left.dialect == "sqlite":
        if not left.is_log_empty:
            yield (
                "The database's log could not be emptied, since others use the database: run "
                "`scrapy delete --vacuum` when no crawl is running"
            )
        elif left.is_vacuumed:
            yield "The database file was written anew: nothing of it is in its free space"
        elif left.asked_to:
            yield "The database could not be written anew: run `scrapy delete --vacuum` later"
        elif has_removed:
            yield (
                "What was deleted is overwritten in the database file. Older versions of rows can "
                "be left in its free space: `scrapy delete --vacuum` writes the file anew"
            )
    elif has_removed:
        yield (
            "PostgreSQL keeps deleted rows until it cleans up: VACUUM FULL gets them off the disk "
            "at once, and archives of its log (WAL) and backups keep them as long as you do"
        )
    if not has_removed:
        return
    yield "Left to do, as it is beyond this program:"
    yield "  exports: export into the same folders again; --verify says which are stale"
    yield "  backups, copies of the database or of the archive, and logs"
    if outputs:
        shown = list(map(visible, outputs[:MOST_NAMED]))
        yield f"  feeds that runs have written: {and_more(shown, len(outputs))}"
    if names_users:
        yield "  query files and lists that name these persons"
