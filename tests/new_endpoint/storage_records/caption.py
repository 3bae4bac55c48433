"""What a file in storage/records/ would say of it."""

from __future__ import annotations

from captions_endpoint import CAPTIONS
from captions_table import Caption

from tiktok_crawler.storage.records.field_readers import text
from tiktok_crawler.storage.records.record_type import Listed, RecordType
from tiktok_crawler.storage.records.shape import Shape

CAPTION = RecordType(
    Shape("caption", {"language": text, "text": text}, id_keys=("id",)), Caption.__table__
)

LISTED = {CAPTIONS: Listed(CAPTION, seed_column="video_id")}
