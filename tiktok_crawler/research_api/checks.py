"""Checks of existence: TikTok's Batch Compliance API (api_facts.md 10.3).

A check is created with up to 10,000 ids, asked about until it is completed, and then downloaded: a
text file with those of the ids that are still valid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tiktok_crawler.research_api.endpoints import CHECK_FILE, CHECK_STATUS, CREATE_CHECK, Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tiktok_crawler.research_api.paging import Place

MOST_IDS = 10_000
"""The API takes no more at once."""

MOST_DIGITS = 20
"""Neither an id nor the name of a check has more."""


class Category(StrEnum):
    """The kinds of records that can be checked, as the API calls them."""

    VIDEO = "video"
    COMMENT = "comment"


class TaskStatus(StrEnum):
    """The API's words for how far a check is."""

    COMPLETED = "Completed"
    PROCESSING = "Processing"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class Checks:
    """The subject of all checks, as a query is that of its windows."""

    def __str__(self) -> str:
        return "checks of existence"


CHECKS = Checks()


@dataclass(frozen=True, slots=True)
class CheckStep:
    """One request about a check: to create it, to ask how far it is, or for its file.

    `row_id` is the row in `compliance_check`; `task_id` the API's name for the check, as text: it
    has 20 digits. `ids` are sent when it is created. `asked` is how often it was asked about.
    """

    category: Category
    row_id: int
    endpoint: Endpoint
    task_id: str | None = None
    ids: tuple[int, ...] = ()
    asked: int = 0

    def __str__(self) -> str:
        return f"check {self.row_id} of {self.category}s"

    @property
    def subject(self) -> Checks:
        """The subject whose session it belongs to."""
        return CHECKS

    @property
    def fields(self) -> tuple[str, ...]:
        """Say that no fields are asked for."""
        return ()

    @property
    def limit(self) -> None:
        """Say that there is no limit."""
        return

    @property
    def is_sample(self) -> bool:
        """Say that it is none."""
        return False

    def page_size(self, _place: Place) -> int:
        """Return how many ids an answer can be about."""
        return MOST_IDS

    def body(self, _place: Place) -> dict[str, Any]:
        """Return the JSON body about a check that there is."""
        return {"task_id": int(self.task_id or 0)}

    def form(self) -> tuple[str, bytes] | None:
        """Return the content type and the body that create a check; None of other steps."""
        return _form(self.category, self.ids) if self.endpoint is CREATE_CHECK else None

    def status(self, task_id: str | None = None) -> CheckStep:
        """Return the step that asks, once more, how far the check is."""
        known = task_id or self.task_id
        return replace(self, endpoint=CHECK_STATUS, task_id=known, ids=(), asked=self.asked + 1)

    def download(self) -> CheckStep:
        """Return the step that asks for the file."""
        return replace(self, endpoint=CHECK_FILE)


BOUNDARY = "tiktok-crawler-ids"
"""No line of ids can be it."""


def _form(category: Category, ids: Iterable[int]) -> tuple[str, bytes]:
    file = "".join(f"{id_}\n" for id_ in ids)
    lines = (
        f"--{BOUNDARY}",
        'Content-Disposition: form-data; name="category"',
        "",
        str(category),
        f"--{BOUNDARY}",
        'Content-Disposition: form-data; name="file_data"; filename="ids.txt"',
        "Content-Type: text/plain",
        "",
        file,
        f"--{BOUNDARY}--",
        "",
    )
    return f"multipart/form-data; boundary={BOUNDARY}", "\r\n".join(lines).encode()


def task_id_of(data: dict[str, Any] | None) -> str | None:
    """Return the API's name for a new check as text; None if there is none that can be one."""
    task_id = (data or {}).get("task_id")
    is_one = isinstance(task_id, int | str) and not isinstance(task_id, bool)
    return str(task_id) if is_one and _is_number(str(task_id)) else None


def task_status_of(data: dict[str, Any] | None) -> TaskStatus | None:
    """Return how far a check is; None if the API says something else."""
    word = str((data or {}).get("task_status", "")).strip().title()
    return next((status for status in TaskStatus if status == word), None)


@dataclass(frozen=True, slots=True)
class ListedIds:
    """The ids of a file in its order, and how many of its lines are none."""

    ids: tuple[int, ...]
    others: int = 0


def read_ids(file: bytes) -> ListedIds:
    """Read the file of a check, one id a line; how it looks is not documented.

    A byte order mark, blanks, quotes, further columns, and words in the first line are passed over.
    """
    lines = file.decode("utf-8-sig", "replace").split("\n")
    cells = [line.split(",")[0].strip(" \t\r\"'\0") for line in lines]
    cells = [cell for cell in cells if cell]
    if cells and not cells[0].isdecimal():
        del cells[0]
    ids = tuple(int(cell) for cell in cells if _is_number(cell))
    return ListedIds(ids, len(cells) - len(ids))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
