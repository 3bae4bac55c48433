"""Keeps the checks that were begun: in memory, or in files that the next sandbox finds again.

The latest `MOST_CHECKS` are kept.
"""

from __future__ import annotations

import json
import os
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tiktok_crawler.own_files import folder_beside, make_folder
from tiktok_crawler.sandbox.faults.profile import Category
from tiktok_crawler.sandbox.faults.schedule import FaultName

if TYPE_CHECKING:
    from pathlib import Path

MOST_CHECKS = 500
"""With 10,000 ids each, these have 40 MB."""


@dataclass(frozen=True, slots=True)
class Check:
    """What is checked, and since when, in Unix seconds.

    `polls` is how often its status was asked for; `fate` what goes wrong with it, if anything does.
    """

    category: Category
    ids: array[int]
    created_at: float
    fate: FaultName | None = None
    polls: int = 0


class CheckStore(Protocol):
    """The checks by their ids."""

    def find(self, task_id: int) -> Check | None:
        """Return the check that has this id."""

    def keep(self, task_id: int, check: Check) -> None:
        """Keep a new check, or what has become of one."""


class CheckMemory:
    """Checks that are forgotten with the sandbox."""

    def __init__(self) -> None:
        self._checks: dict[int, Check] = {}

    def find(self, task_id: int) -> Check | None:
        return self._checks.get(task_id)

    def keep(self, task_id: int, check: Check) -> None:
        self._checks[task_id] = check
        while len(self._checks) > MOST_CHECKS:
            del self._checks[next(iter(self._checks))]


class CheckFolder:
    """Checks in a file each; the folder is made for the first one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, task_id: int) -> Check | None:
        try:
            return _read(self._file(task_id).read_bytes())
        except FileNotFoundError:
            return None

    def keep(self, task_id: int, check: Check) -> None:
        make_folder(self._folder)
        file = self._file(task_id)
        with folder_beside(file) as beside:
            (beside / file.name).write_bytes(_written(check))
            (beside / file.name).replace(file)
        self._forget_oldest()

    def _file(self, task_id: int) -> Path:
        return self._folder / f"{task_id}.check"

    def _forget_oldest(self) -> None:
        with os.scandir(self._folder) as entries:
            files = [each.path for each in entries if each.name.endswith(".check")]
        if len(files) > MOST_CHECKS:
            files.sort(key=os.path.getmtime)
            for path in files[:-MOST_CHECKS]:
                os.unlink(path)  # noqa: PTH108 - thousands of them


def _written(check: Check) -> bytes:
    """A line about the check, and its ids."""
    about = [check.category, check.created_at, check.fate, check.polls]
    return json.dumps(about).encode() + b"\n" + check.ids.tobytes()


def _read(content: bytes) -> Check:
    line, _, numbers = content.partition(b"\n")
    category, created_at, fate, polls = json.loads(line)
    ids = array("Q")
    ids.frombytes(numbers)
    return Check(Category(category), ids, created_at, FaultName(fate) if fate else None, polls)
