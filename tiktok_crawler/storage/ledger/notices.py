"""What was told last, by address: its next message has what has changed since."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from tiktok_crawler.storage.models.ledger import Notice

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection

NOTICE = Notice.__table__

ROUNDS = 100_000
"""Makes it slow to try out the passwords that an address may have."""


def mark_of(address: str) -> str:
    """Return what stands for an address, from which it cannot be read."""
    return hashlib.pbkdf2_hmac("sha256", address.encode(), b"notice", ROUNDS, dklen=16).hex()


def told_to(connection: Connection, mark: str) -> dict[str, str]:
    """Read the texts that hold by what was told, by their keys."""
    found = select(NOTICE.c.need, NOTICE.c.text).where(NOTICE.c.address == mark)
    return {row.need: row.text for row in connection.execute(found.order_by(NOTICE.c.told_at))}


def note(connection: Connection, mark: str, needs: Mapping[str, str], now: datetime) -> None:
    """Write down that by now this was told: what is over is forgotten, the rest stays as it was."""
    known = told_to(connection, mark)
    if over := known.keys() - needs.keys():
        of_address = NOTICE.c.address == mark
        connection.execute(delete(NOTICE).where(of_address, NOTICE.c.need.in_(over)))
    for key in needs.keys() - known.keys():
        row = {"address": mark, "need": key, "text": needs[key], "told_at": now}
        connection.execute(insert(NOTICE).values(row))
