"""Feed exporters for records that hold lists and objects."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any

from scrapy.exporters import CsvItemExporter

if TYPE_CHECKING:
    from collections.abc import Mapping


class CsvRecordExporter(CsvItemExporter):
    """CSV with lists and objects as JSON: their values may hold commas themselves.

    The header stands once, also where a run adds to the feed of another.
    """

    def __init__(self, file: IO[bytes], **kwargs: Any):
        super().__init__(file, **kwargs)  # type: ignore[arg-type]
        if file.seekable() and file.tell():
            self.include_headers_line = False

    def serialize_field(self, field: Mapping[str, Any], name: str, value: Any) -> Any:
        if isinstance(value, (list, dict)):
            return json.dumps(value, ensure_ascii=False)
        return super().serialize_field(field, name, value)
