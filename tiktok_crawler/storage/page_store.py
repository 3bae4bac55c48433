"""Keeps pages (interim)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.research_api.endpoints import USERS
from tiktok_crawler.research_api.tasks import Window
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.list_store import ListStore
from tiktok_crawler.storage.listing_records import refused_user
from tiktok_crawler.storage.models.base import UserStatus
from tiktok_crawler.storage.models.column_types import time_text
from tiktok_crawler.storage.records.record_type import USER
from tiktok_crawler.storage.records.stored_records import StoredRecords
from tiktok_crawler.storage.records.user_history import write_history
from tiktok_crawler.storage.store import Saved, Store

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from tiktok_crawler.planning.task_states import Refused
    from tiktok_crawler.research_api.pages import Page
    from tiktok_crawler.research_api.tasks import PageRequest

__all__ = ["PageStore", "Saved"]


class PageStore:
    def __init__(self, engine: Engine) -> None:
        self._store, self._list_store = Store(engine), ListStore(engine)

    def save(self, page: Page, *, tags: Collection[str], moves_task: bool = True) -> Saved:
        store = self._store if isinstance(page.request.task, Window) else self._list_store
        return store.save_page(page, tags=tags, moves_on=moves_task)

    def refused(
        self, connection: Connection, request: PageRequest, event: Refused, now: datetime
    ) -> None:
        """Write what a refusal says of the seed itself."""
        if request.seed.listing is USERS:
            user = refused_user(request.seed.key, UserStatus(event.status.value))
            state = USER.state(user, time_text(now), None)
            statements = statements_for(connection.dialect)
            written = StoredRecords(connection, statements, USER).write([state])
            write_history(connection, statements, written)
