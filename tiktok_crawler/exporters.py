"""Feed exporters for records that hold lists and objects."""

from __future__ import annotations

import csv
import json
from typing import IO, TYPE_CHECKING, Any

from scrapy.exporters import CsvItemExporter

from tiktok_crawler.spelling import guarded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class CsvRecordExporter(CsvItemExporter):
    """CSV with lists and objects as JSON: their values may hold commas themselves.

    The header stands once, also where a run adds to the feed of another. `is_guarded`: a
    spreadsheet finds no formulas in it.
    """

    def __init__(self, file: IO[bytes], *, is_guarded: bool = False, **kwargs: Any):
        super().__init__(file, **_with_quotes(kwargs))  # type: ignore[arg-type]
        self._is_guarded = is_guarded
        if file.seekable() and file.tell():
            self.include_headers_line = False

    def serialize_field(self, field: Mapping[str, Any], name: str, value: Any) -> Any:
        if isinstance(value, (list, dict)):
            return json.dumps(value, ensure_ascii=False)
        return super().serialize_field(field, name, value)

    def _build_row(self, values: Iterable[Any]) -> Iterable[Any]:
        """All rows pass here, the header too."""
        row = super()._build_row(values)
        return map(guarded, row) if self._is_guarded else row


def _with_quotes(options: dict[str, Any]) -> dict[str, Any]:
    """Options of a CSV file whose cells stay whole.

    Python before 3.13 puts quotes around those ends of lines alone that it writes itself.
    """
    if {"\r", "\n"} <= set(options.get("lineterminator", "\r\n")):
        return options
    quoting = options.get("quoting", csv.QUOTE_MINIMAL)
    is_safe = quoting not in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE)
    return options | {"quoting": quoting if is_safe else csv.QUOTE_NONNUMERIC}
