"""The form that begins a check: a category, and a file of ids (api_facts.md 10.3)."""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING, NamedTuple

from tiktok_crawler.sandbox.faults.profile import Category
from tiktok_crawler.sandbox.protocol.errors import file_refused, invalid_params

if TYPE_CHECKING:
    from tiktok_crawler.sandbox.protocol.calls import Call, FormPart

MOST_IDS = 10_000

_ID = re.compile(rb"[0-9]{1,19}")


class Upload(NamedTuple):
    """What is to be checked; the ids stand in the file's order."""

    category: Category
    ids: array[int]


def parse_upload(call: Call) -> Upload:
    """Read a request for a check.

    Raises:
        ApiError: the API would refuse it.
    """
    return Upload(_category(call.part("category")), _ids(call.part("file_data")))


def _category(part: FormPart | None) -> Category:
    name = part.content.decode("utf-8", "replace") if part else ""
    if name not in set(Category):
        raise invalid_params("Invalid category")
    return Category(name)


def _ids(part: FormPart | None) -> array[int]:
    """The ids of a file, one a line; empty lines are none."""
    if part is None or part.filename is None:
        raise file_refused("file_data is required")
    lines = [line for each in part.content.splitlines() if (line := each.strip())]
    if not lines:
        raise file_refused("The file is empty")
    if len(lines) > MOST_IDS:
        raise file_refused(f"The file has more than {MOST_IDS} ids")
    if not all(map(_ID.fullmatch, lines)):
        raise file_refused("The file has lines that are no ids")
    return array("Q", map(int, lines))
