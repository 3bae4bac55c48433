"""What storage/models/records.py would say of it."""

from __future__ import annotations

import sys

from sqlalchemy.orm import Mapped, mapped_column

from tiktok_crawler.storage.engine.database import create_engine_for, database_url, prepare
from tiktok_crawler.storage.models.base import Base
from tiktok_crawler.storage.models.records import ListedRecord


class Caption(ListedRecord, Base):
    __tablename__ = "caption"
    __table_args__ = ({"comment": "One row a caption."},)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, comment="API.")
    video_id: Mapped[int | None] = mapped_column(comment="The video that was asked for.")
    language: Mapped[str | None] = mapped_column(comment="API.")
    text: Mapped[str | None] = mapped_column(comment="API.")


def migrate(url: str) -> None:
    """Do what a migration would do."""
    engine = create_engine_for(database_url(url))
    prepare(engine, "sandbox")
    Caption.__table__.create(engine)


if __name__ == "__main__":
    migrate(sys.argv[1])
