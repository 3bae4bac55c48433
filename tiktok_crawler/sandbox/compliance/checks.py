"""Checks which ids are still valid: how far each is, and what it has found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING

from tiktok_crawler.sandbox.compliance.check_files import Check, CheckFolder, CheckMemory
from tiktok_crawler.sandbox.faults.schedule import FaultName
from tiktok_crawler.sandbox.protocol.errors import invalid_params
from tiktok_crawler.sandbox.world.existence import still_there

if TYPE_CHECKING:
    from pathlib import Path

    from tiktok_crawler.sandbox.compliance.check_files import CheckStore
    from tiktok_crawler.sandbox.compliance.upload import Upload
    from tiktok_crawler.sandbox.faults.profile import ComplianceBehaviour
    from tiktok_crawler.sandbox.world.world import World

_LOWEST_ID = 10**19
_IDS = 8 * 10**18
"""The id of a check has 20 digits: more than 63 bits hold, and no more than 64 do."""


class CheckState(StrEnum):
    """The states of a check, as the API spells them (api_facts.md 10.3)."""

    PROCESSING = "Processing"
    COMPLETED = "Completed"
    FAILED = "Failed"


class Checks:
    """Begins checks, and tells how far they are and what they find.

    What is valid is what was so when the check began. Without a `folder` they end with the sandbox.
    """

    def __init__(
        self, world: World, behaviour: ComplianceBehaviour, folder: Path | None = None
    ) -> None:
        self._world = world
        self._behaviour = behaviour
        self._begun = 0
        self._kept: CheckStore = CheckFolder(folder) if folder else CheckMemory()

    def begin(self, upload: Upload, fate: FaultName | None) -> int:
        """Begin a check, and return its id.

        Raises:
            ApiError: the profile refuses its category.
        """
        if upload.category in self._behaviour.refused_categories:
            raise invalid_params(f"Category {upload.category} is not supported")
        created_at = self._world.now().timestamp()
        task_id = self._new_id(upload, created_at)
        self._kept.keep(task_id, Check(upload.category, upload.ids, created_at, fate))
        return task_id

    def ask(self, task_id: int) -> CheckState:
        """Tell how far a check is; that it was asked for counts.

        Raises:
            ApiError: there is no such check.
        """
        check = self._find(task_id)
        state = self._state(check)
        self._kept.keep(task_id, replace(check, polls=check.polls + 1))
        return state

    def valid_ids(self, task_id: int) -> list[int]:
        """Those ids of a check that are still valid, in the order in which they were given.

        Raises:
            ApiError: there is no such check, or it is not completed.
        """
        check = self._find(task_id)
        if self._state(check) is not CheckState.COMPLETED:
            raise invalid_params("The task is not completed")
        began_at = datetime.fromtimestamp(check.created_at, UTC)
        world = replace(self._world, now=lambda: began_at)
        return still_there(world, check.category, check.ids)

    def _find(self, task_id: int) -> Check:
        check = self._kept.find(task_id)
        if check is None:
            raise invalid_params("Invalid task_id")
        return check

    def _state(self, check: Check) -> CheckState:
        done_at = check.created_at + self._behaviour.processing_seconds
        is_early = self._world.now().timestamp() < done_at
        if is_early or check.polls < self._behaviour.processing_polls:
            return CheckState.PROCESSING
        if check.fate is FaultName.CHECK_ENDLESS:
            return CheckState.PROCESSING
        is_failed = check.fate is FaultName.CHECK_FAILED
        return CheckState.FAILED if is_failed else CheckState.COMPLETED

    def _new_id(self, upload: Upload, created_at: float) -> int:
        self._begun += 1
        about = f"{self._world.seed}:{self._begun}:{created_at}:{upload.category}:".encode()
        digest = sha256(about + upload.ids.tobytes()).digest()
        number = int.from_bytes(digest[:8])
        while self._kept.find(_LOWEST_ID + number % _IDS):
            number += 1
        return _LOWEST_ID + number % _IDS
