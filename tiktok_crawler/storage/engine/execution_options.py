"""The demands on transactions, as execution options of SQLAlchemy."""

from __future__ import annotations

READS_ONLY = "tiktok_reads_only"
"""Of connections that write nothing, and so need not wait for a writer."""

WAITS_SECONDS = "tiktok_waits_seconds"
"""The time that a transaction on SQLite waits for another program's."""

FLUSHED_LATER = "tiktok_flushed_later"
"""Of transactions that need not survive a power cut before the next one does."""
