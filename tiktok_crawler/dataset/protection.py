"""Says what is done to protect persons where data leaves the database, and which columns stay."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tiktok_crawler.dataset.persons import Holds
from tiktok_crawler.dataset.rewriting import LINK, MAIL
from tiktok_crawler.exceptions import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tiktok_crawler.dataset.columns import Column
    from tiktok_crawler.dataset.pseudonyms import Pseudonyms
    from tiktok_crawler.dataset.tables import DataTable

IDS: Mapping[str, tuple[str, ...]] = {
    "video": ("id",),
    "comment": ("id", "video_id"),
    "playlist": ("id",),
    "product": ("id",),
}
"""What whoever has access needs in order to collect the same, by table and column."""

OWN_WORK = ("query", "seed", "run", "import")
"""Tables whose texts are the collecting team's and the program's own."""

OLD_VALUE = "old_value"
MISFITS = "misfit_data"

PSEUDONYMS, HIDE_IDS, NO_TEXT, IDS_ONLY = "--pseudonyms", "--hide-ids", "--no-text", "--ids-only"

NAMES_WITHIN = f"Names in it are replaced by pseudonyms ({PSEUDONYMS})."
DONE: Mapping[Holds, str] = {
    Holds.NAME: f"Replaced by a pseudonym ({PSEUDONYMS}).",
    Holds.SEED: f"Names are replaced by pseudonyms ({PSEUDONYMS}).",
    Holds.LABEL: NAMES_WITHIN,
    Holds.TEXT: f"{NAMES_WITHIN[:-1]}, addresses by {LINK} and {MAIL}.",
}
HIDDEN = f"Replaced by another number, the same in all tables ({HIDE_IDS})."
HIDDEN_WITHIN = f"Ids of videos and comments are replaced by other numbers ({HIDE_IDS})."
TEXTS_MISSING = f"Missing where it was a text ({NO_TEXT})."


@dataclass(frozen=True, slots=True)
class Protection:
    """What is done to protect persons: nothing, unless it is said.

    Raises:
        UsageError: two wishes contradict each other.
    """

    pseudonyms: Pseudonyms | None = None
    hide_ids: bool = False
    no_text: bool = False
    ids_only: bool = False

    def __post_init__(self) -> None:
        if self.hide_ids and self.ids_only:
            raise UsageError(f"{HIDE_IDS} and {IDS_ONLY} contradict each other: choose one of them")
        if self.hide_ids and not self.pseudonyms:
            raise UsageError(
                f"{HIDE_IDS} requires {PSEUDONYMS}: names lead to their owners as ids do"
            )

    def __bool__(self) -> bool:
        return self != Protection()

    def table(self, table: DataTable) -> DataTable | None:
        """Return what becomes of a table, and what is said of its columns: None if it stays out."""
        if not self:
            return table
        kept = tuple(self._column(one) for one in table.columns if self._keeps(table, one))
        left_out = [column for column in table.columns if not self._keeps(table, column)]
        if not kept:
            return None
        meaning = " ".join([table.meaning, *self._told_of(left_out)])
        return replace(table, columns=kept, meaning=meaning)

    def told(self) -> tuple[str, ...]:
        """Return sentences on what was done and what was not, for those who get the data."""
        if self.ids_only:
            return (f"It has ids alone ({IDS_ONLY}): to be of use, they have to be asked for.",)
        return (*self._told_of_names(), *self._told_of_texts())

    def _told_of_names(self) -> tuple[str, ...]:
        if not self.pseudonyms:
            return ()
        names = (
            f"Usernames and names that are shown are replaced by pseudonyms ({PSEUDONYMS}), in "
            "texts too; addresses are left out. Who has the key file can tell whose they are."
        )
        ids = (
            f"Ids of videos, comments and playlists are replaced by other numbers ({HIDE_IDS})."
            if self.hide_ids
            else "Ids are TikTok's own, and lead whoever has access to TikTok to the authors: the "
            f"data are pseudonymous to readers without access only; {HIDE_IDS} replaces them."
        )
        return (names, ids, *(() if self.no_text else (SEARCHABLE,)))

    def _told_of_texts(self) -> tuple[str, ...]:
        return (f"Texts that persons wrote are left out ({NO_TEXT}).",) if self.no_text else ()

    def _keeps(self, table: DataTable, column: Column) -> bool:
        if self.ids_only:
            return column.name in IDS.get(table.name, ())
        return not (
            (self.pseudonyms and column.holds is Holds.ADDRESS)
            or (self.no_text and is_persons_text(table, column))
        )

    def _column(self, column: Column) -> Column:
        meaning = " ".join([column.meaning, *self._done_to(column)])
        return column if meaning == column.meaning else replace(column, meaning=meaning)

    def _done_to(self, column: Column) -> list[str]:
        told = list[str]()
        if self.ids_only:
            return told
        if self.no_text and column.name == OLD_VALUE:
            told.append(TEXTS_MISSING)
        if self.pseudonyms and column.holds in DONE:
            told.append(DONE[column.holds])
        if self.hide_ids and column.holds is Holds.RECORD_ID:
            told.append(HIDDEN)
        if self.hide_ids and column.holds in (Holds.TEXT, Holds.SEED):
            told.append(HIDDEN_WITHIN)
        return told

    def _told_of(self, left_out: list[Column]) -> list[str]:
        """Say which columns are left out, and why."""
        if self.ids_only:
            return [f"Its ids alone ({IDS_ONLY})."] if left_out else []
        by_reason = {
            PSEUDONYMS: [one.name for one in left_out if one.holds is Holds.ADDRESS],
            NO_TEXT: [one.name for one in left_out if one.holds is not Holds.ADDRESS],
        }
        return [
            f"Left out ({reason}): {', '.join(names)}."
            for reason, names in by_reason.items()
            if names
        ]


SEARCHABLE = (
    "Texts are as they were written but for names and addresses: who searches TikTok for one can "
    f"find its author; {NO_TEXT} leaves them out."
)


def is_persons_text(table: DataTable, column: Column) -> bool:
    """Tell whether a column has what persons who are collected wrote or said, and nothing else."""
    return (
        column.holds is Holds.TEXT
        and table.name not in OWN_WORK
        and column.name not in (OLD_VALUE, MISFITS)
    )
