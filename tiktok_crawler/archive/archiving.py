"""What sessions that keep an archive have in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from tiktok_crawler.clock import utc_now
from tiktok_crawler.storage.session import Session

if TYPE_CHECKING:
    from datetime import datetime

    from tiktok_crawler.archive.answers import RawAnswer
    from tiktok_crawler.archive.writer import ArchiveWriter


class ArchivingSession(Session):
    """Opens and closes the archive with the database, and writes each answer into it.

    A window or a seed, known by the id of its row, has one request at a time. Where the archive
    cannot be written, the methods raise ArchiveError. A method that is called again, because the
    database was away, may write its line again, with the same time.
    """

    def __init__(self, url: str, *, archive: ArchiveWriter, **of_session: Any) -> None:
        super().__init__(url, **of_session)
        self._archive = archive
        self._answered_without_page: set[int] = set()

    def open(self) -> str | None:
        warning = super().open()
        self._archive.open(utc_now())
        return warning

    def keep_answer(
        self, row_id: int, answer: RawAnswer, received_at: datetime, *, is_page: bool
    ) -> None:
        """Archive the answer to the last request of a window or a seed, whatever it says."""
        self._append(row_id, answer, received_at)
        change = self._answered_without_page
        (change.discard if is_page else change.add)(row_id)

    @abstractmethod
    def _append(self, row_id: int, event: Any, at: datetime) -> None:
        """Write the line of what happened to a window or a seed."""

    def _release(self) -> None:
        try:
            super()._release()
        finally:
            self._archive.close()
