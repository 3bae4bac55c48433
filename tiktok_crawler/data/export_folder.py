"""Reads the tables from the folder of an export in Parquet."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as arrow_dataset

from tiktok_crawler.data.conditions import all_of, are_of, is_among, were_created
from tiktok_crawler.dataset.arrow import schema
from tiktok_crawler.dataset.reading import ROWS_AT_ONCE
from tiktok_crawler.dataset.tables import COVERAGE, TABLES, VIDEOS
from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.query_file.each_value import ValueBatch
from tiktok_crawler.research_api.query import Query
from tiktok_crawler.spelling import listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from tiktok_crawler.dataset.selection import Selection
    from tiktok_crawler.dataset.tables import DataTable
    from tiktok_crawler.query_file.collection import Collection as WantedCollection

QUERY_OF_VIDEO = ("video_source", "query_id")
TAG_OF_VIDEO = ("video_query_tag", "tag")

OTHER_FORMATS = ("csv", "jsonl", "xlsx")

IN_LITTLE_MEMORY = {
    "batch_size": ROWS_AT_ONCE,
    "batch_readahead": 2,
    "fragment_readahead": 1,
    "fragment_scan_options": arrow_dataset.ParquetFragmentScanOptions(
        use_buffered_stream=True, pre_buffer=False
    ),
}
"""Pages of a file are read as they are needed, and few batches ahead."""


class ExportFolder:
    """The tables of an export: a file a table, or a folder a table with files by month or day.

    Raises:
        ConfigurationError: it is no export in Parquet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: tuple[int, int] | None = None
        if not any(map(self._place, TABLES)):
            raise ConfigurationError(f"{folder} {_what_it_is(folder)}")

    def __str__(self) -> str:
        return f"the export {self._folder}"

    @contextmanager
    def one_state(self) -> Iterator[None]:
        """Read one export: another one in its place is another folder."""
        held, self._held = self._held, self._held or self._identity()
        try:
            yield
        finally:
            self._held = held

    def _identity(self) -> tuple[int, int]:
        state = self._folder.stat()
        return state.st_dev, state.st_ino

    def queries(self) -> Mapping[int, str | None]:
        if not self._place("query"):
            return dict.fromkeys(self._values(*QUERY_OF_VIDEO).drop_null().to_pylist())
        return {row["id"]: row.get("fingerprint") for row in self._queries("fingerprint")}

    def batches(self, collection: WantedCollection) -> Sequence[int]:
        assert collection.each
        texts = {row["id"]: row.get("canonical_json") for row in self._queries("canonical_json")}
        return [id_ for id_, text in texts.items() if text and _is_batch(text, collection)]

    def _queries(self, column: str) -> list[dict[str, Any]]:
        """Read the ids of queries, with a column if it is there."""
        if not self._place("query"):
            return []
        there = self._files("query", "id").schema.names
        batches = list(self._scan("query", [name for name in ("id", column) if name in there]))
        return [row for batch in batches for row in batch.to_pylist()]

    def tags(self) -> Collection[str]:
        tags: list[str] = self._values(*TAG_OF_VIDEO).to_pylist()
        return tags

    def schema(self, table: DataTable) -> pa.Schema:
        """Return the columns that are there, with the types that the files have."""
        meant = {field.name: field for field in schema(table.columns)}
        found = self._files(table.name).schema
        return pa.schema([_explained(field, meant.get(field.name)) for field in found])

    def read(
        self, table: DataTable, selection: Selection, columns: Sequence[str]
    ) -> Iterator[pa.RecordBatch]:
        found = self.schema(table)
        wanted = pa.schema([found.field(name) for name in columns])
        for batch in self._scan(table.name, columns, self._condition(table, selection)):
            yield batch.cast(wanted)

    def _condition(self, table: DataTable, selection: Selection) -> pc.Expression | None:
        """Return the condition that rows belong to the videos selected."""
        if table is COVERAGE or not selection:
            return are_of(selection)
        of_videos = self._of_videos(selection)
        if table is VIDEOS:
            return of_videos
        assert table.belongs_by
        column, of_video = (each.name for each in table.belongs_by)
        column = "video_id" if table.beside_video else column
        self._files(table.name, column)
        return is_among(column, self._values(VIDEOS.name, of_video, of_videos))

    def _of_videos(self, selection: Selection) -> pc.Expression | None:
        """Return the condition that rows of `video` are selected."""
        conditions = list(were_created(selection))
        self._files(VIDEOS.name, *["create_time"] * bool(conditions))
        for (name, column), values in (
            (QUERY_OF_VIDEO, selection.query_ids),
            (TAG_OF_VIDEO, selection.tags),
        ):
            if values:
                self._files(VIDEOS.name, "id")
                self._files(name, column)
                ids = self._values(name, "video_id", is_among(column, values))
                conditions.append(is_among("id", ids))
        return all_of(conditions)

    def _values(self, name: str, column: str, condition: pc.Expression | None = None) -> pa.Array:
        """Read the values of a column, each once."""
        type_ = self._files(name, column).schema.field(column).type
        batches = self._scan(name, [column], condition)
        each = [pc.unique(batch.column(0)) for batch in batches]
        return pc.unique(pa.concat_arrays([pa.array([], type_), *each]))

    def _scan(
        self, name: str, columns: Sequence[str], condition: pc.Expression | None = None
    ) -> Iterator[pa.RecordBatch]:
        files = self._files(name, *columns)
        batches = files.to_batches(columns=list(columns), filter=condition, **IN_LITTLE_MEMORY)
        return (batch for batch in batches if batch.num_rows)

    def _files(self, name: str, *columns: str) -> arrow_dataset.Dataset:
        """Return the files of a table that has these columns.

        Raises:
            ConfigurationError: the table is not there, or lacks one, or another export is.
        """
        if self._held and self._held != self._identity():
            raise ConfigurationError(
                f"the export {self._folder} was written anew meanwhile: open it once more"
            )
        place = self._place(name)
        if place is None:
            raise ConfigurationError(
                f"the export {self._folder} lacks the table {name}: write it again, with "
                f"--tables if you choose tables, so that {name} is among them"
            )
        try:
            # Others have files of their own in an export.
            own = sorted(map(str, place.rglob("*.parquet"))) if place.is_dir() else place
            files = arrow_dataset.dataset(own, format="parquet", partitioning=None)
        except (OSError, pa.ArrowInvalid) as exc:
            raise ConfigurationError(f"{place} cannot be read: {exc}") from None
        lacking = [column for column in columns if column not in files.schema.names]
        if lacking:
            raise ConfigurationError(
                f"the table {name} of the export {self._folder} lacks {listed(lacking)}: write it "
                "again, with --columns if you choose columns, so that it has them"
            )
        return files

    def _place(self, name: str) -> Path | None:
        """Return the file or folder of a table."""
        places = (self._folder / f"{name}.parquet", self._folder / name)
        return next((place for place in places if place.exists()), None)


def _is_batch(canonical_json: str, collection: WantedCollection) -> bool:
    """Tell whether a query is one for some values of a list."""
    assert collection.each
    try:
        batch = ValueBatch.of(Query.from_json(json.loads(canonical_json)), collection.each.field)
    except ValueError:
        return False
    is_wanted = not set(batch.values).isdisjoint(collection.each.values)
    return batch.template == collection.fingerprint and is_wanted


def _explained(found: pa.Field, meant: pa.Field | None) -> pa.Field:
    """Say of a column what it means; Parquet has a name of its own for what is in a list."""
    if meant is None:
        return found.remove_metadata()
    return meant if meant.type.equals(found.type) else meant.with_type(found.type)


def _what_it_is(folder: Path) -> str:
    """Say what a folder is that is no export in Parquet, and what to do."""
    found = {path.suffix[1:] for path in folder.iterdir()}.intersection(OTHER_FORMATS)
    if found:
        return (
            f"has an export in {listed(sorted(map(str.upper, found)))}, which cannot be read with "
            "whole numbers, times and lists as they are: write it with `scrapy export OUT --format "
            "parquet`, or open the database"
        )
    return (
        "is a folder without an export: `scrapy export OUT` writes one; or name the file of a "
        "database"
    )
