"""Reads in which form keywords have found something, and in which one they find nothing."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, func, select

from tiktok_crawler.planning.keyword_forms import NOTHING_TRIED, KeywordForms
from tiktok_crawler.research_api.query import Operation
from tiktok_crawler.storage.models.ledger import Crawl, CrawlWindow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement, Connection, Row


def keyword_forms(
    connection: Connection, are_of: ColumnElement[bool]
) -> Mapping[int, KeywordForms]:
    """Read what searches with single keywords in either form have found, by query.

    `are_of` says which windows are meant. Of a query that has none, nothing was tried.
    """
    forms: dict[int, KeywordForms] = defaultdict(lambda: NOTHING_TRIED)
    window = CrawlWindow
    of_forms = select(window.query_id, window.keywords_as).where(
        are_of, window.keywords_as.is_not(None)
    )
    tried = (
        of_forms.where(window.completed_at.is_not(None))
        .group_by(window.query_id, window.keywords_as)
        .order_by(func.min(window.completed_at), func.min(window.id))
    )
    for query_id, form in connection.execute(tried):
        forms[query_id] = forms[query_id].after_try(Operation(form or Operation.IN))
    has_records = exists().where(Crawl.crawl_window_id == window.id, Crawl.record_count > 0)
    for query_id, form in connection.execute(of_forms.where(has_records).distinct()):
        forms[query_id] = forms[query_id].after_record(Operation(form or Operation.IN))
    return forms


def is_in_vain(window: Row[Any], forms: KeywordForms) -> bool:
    """Tell whether a window was searched with keywords in a form that finds nothing."""
    return forms.in_vain is not None and window.keywords_as == forms.in_vain
