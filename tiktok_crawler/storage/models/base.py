"""The common part of all tables: types by annotation, names of constraints, tables of pairs."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import Column, Enum, ForeignKey, MetaData, Table, Text
from sqlalchemy.orm import DeclarativeBase

from tiktok_crawler.planning.task_states import SeedState, WindowState
from tiktok_crawler.research_api.verdicts import SeedStatus
from tiktok_crawler.storage.models.column_types import INT64, JSON_DOCUMENT, UtcDateTime

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UserStatus(StrEnum):
    """The API's last answer about a user: a profile, or why there is none."""

    FOUND = "found"
    NOT_FOUND = SeedStatus.NOT_FOUND.value
    WITHHELD = SeedStatus.WITHHELD.value
    REFUSED = SeedStatus.REFUSED.value


class VideoList(StrEnum):
    """The lists of videos that a user has."""

    LIKED = "liked"
    PINNED = "pinned"
    REPOSTED = "reposted"


def one_of(words: type[StrEnum], name: str) -> Enum:
    """Text that is one of some words, as the database checks."""
    return Enum(
        words,
        native_enum=False,
        create_constraint=True,
        name=name,
        values_callable=lambda members: [member.value for member in members],
    )


EXTRA_DATA = "API. Object: fields that have no column, and values that do not fit their column."
CRAWL_ID = "The page that last changed the row, or first brought it."
POSITION = "Place in the list when it was seen last; 1: the first."


class Base(DeclarativeBase):
    """The base class of the tables: types by annotation, and names for all constraints."""

    if TYPE_CHECKING:
        __table__: ClassVar[Table]

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: INT64,
        str: Text(),
        datetime: UtcDateTime(),
        list[str]: JSON_DOCUMENT,
        list[Any]: JSON_DOCUMENT,
        dict[str, Any]: JSON_DOCUMENT,
        WindowState: one_of(WindowState, "state"),
        SeedState: one_of(SeedState, "state"),
        SeedStatus: one_of(SeedStatus, "status"),
        UserStatus: one_of(UserStatus, "status"),
        VideoList: one_of(VideoList, "kind"),
    }


def association(name: str, first: Column[int], second: Column[int], comment: str) -> Table:
    """A table of pairs, stored in the order of its key: columns that grow with time come first."""
    return Table(name, Base.metadata, first, second, comment=comment, sqlite_with_rowid=False)


def reference(name: str, target: str, comment: str, *, index: bool = False) -> Column[int]:
    """A column of a table of pairs; with an index where deleting needs its rows found by it."""
    return Column(name, INT64, ForeignKey(target), primary_key=True, index=index, comment=comment)
