"""Which tables and columns are exported, and what is said of those that there are not."""

from __future__ import annotations

import pytest
from readers import by_arrow, by_jsonl, parquet_rows

from tiktok_crawler.dataset.selection import Selection
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.export.options import wanted_tables

ALL = Selection()
SOME = Selection(tags=("a",))


def test_a_table_that_is_named_twice_has_each_row_once(filled_sqlite, tmp_path):
    exported = filled_sqlite.export(tmp_path / "out", tables=("comment", "video", "comment"))

    rows = list(by_arrow(exported.folder, "comment"))
    assert len(rows) == exported.rows["comment"] == len({row["id"] for row in rows})


@pytest.mark.parametrize("table", ["video", "product"])
def test_whatever_does_not_fit_comes_along_with_a_list_or_object(filled_sqlite, tmp_path, table):
    nested = {"video": "video.video_label", "product": "product.product_price"}[table]
    columns = (f"{table}.misfit_data", nested, f"{table}.id")
    folder = filled_sqlite.export(tmp_path / "out", columns=columns).folder

    rows = list(parquet_rows(by_arrow, folder, table))
    name = nested.partition(".")[2]
    assert set(rows[0]) == {name, "id", "misfit_data"}
    assert any(name in (row["misfit_data"] or ()) for row in rows)
    assert {name, "id"} == {*by_jsonl(jsonl(filled_sqlite, tmp_path, columns), table)[0]}


def jsonl(source, folder, columns):
    return source.export(folder / "jsonl", "jsonl", columns=columns).folder


def test_what_does_not_fit_cannot_be_had_alone():
    with pytest.raises(UsageError, match="misfit_data goes with a list or object: name one, such"):
        wanted_tables((), ("misfit_data",), ALL)
