"""The tables. docs/schema.md is generated from them: every table and column says what it holds."""

from __future__ import annotations

from tiktok_crawler.storage.models import existence, ledger, records
from tiktok_crawler.storage.models.base import Base

METADATA = Base.metadata
"""All tables, whichever module of this package was loaded first."""

__all__ = ["METADATA", "existence", "ledger", "records"]
