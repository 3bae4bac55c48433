"""An export comes into an empty database as it was in the first one."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest
from database_rows import terms
from imported import COLLECTED, import_into, table
from odd_data import fill
from processes import scrapy
from stored_pages import Search

from tiktok_crawler.clock import utc_now
from tiktok_crawler.dataset.protection import Protection
from tiktok_crawler.dataset.pseudonyms import Pseudonyms
from tiktok_crawler.dataset.selection import Selection
from tiktok_crawler.exceptions import ImportFileError
from tiktok_crawler.export.export import export
from tiktok_crawler.export.options import Format, Options, wanted_tables
from tiktok_crawler.storage.engine import database


@pytest.fixture(scope="module")
def template(sqlite_template, tmp_path_factory):
    path = tmp_path_factory.mktemp("filled") / "first.db"
    shutil.copy(sqlite_template, path)
    fill(f"sqlite:///{path}")
    return path


@pytest.fixture
def filled(template, tmp_path):
    shutil.copy(template, tmp_path / "filled.db")
    return f"sqlite:///{tmp_path / 'filled.db'}"


def exported(url, folder, format_, **more):
    options = Options(wanted_tables((), (), Selection()), Format(format_), **more)
    with database.opened(url) as engine:
        export(engine, folder, options, terms, utc_now())
    return folder


def without(rows, *columns):
    return [{key: value for key, value in row.items() if key not in columns} for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize("format_", ["parquet", "jsonl", "csv", "xlsx"])
def test_an_export_comes_into_an_empty_database(filled, prepared_sqlite_url, tmp_path, format_):
    second = prepared_sqlite_url
    folder = exported(filled, tmp_path / "dataset", format_)

    import_, notes = import_into(second, folder, collected_at=None)

    assert import_.kind == "export of tiktok_crawler"
    assert (notes.refused, notes.untold) == (0, {})

    for name in ("video", "comment", "user_info"):
        expected = without(table(filled, name), "crawl_id")
        if format_ in ("csv", "xlsx"):
            expected = list(map(without_empty_text, expected))
        assert said(without(table(second, name), "crawl_id")) == said(expected), name


def said(value):
    """A value without members that are null, as which Parquet has those that are missing."""
    if isinstance(value, list):
        return [said(each) for each in value]
    if isinstance(value, dict):
        return {key: said(each) for key, each in value.items() if each is not None}
    return value


def without_empty_text(row):
    """A row as tables of cells have it, where empty text is the same as none."""
    return {key: None if value == "" else value for key, value in row.items()}


def test_what_the_sandbox_has_invented_is_not_mixed_with_real_data(filled, tmp_path):
    exported(filled, tmp_path / "dataset", "jsonl")
    (tmp_path / "project").mkdir()
    command = ("import", str(tmp_path / "dataset"))

    refused = scrapy(tmp_path / "project", *command)

    assert refused.returncode == 65
    assert "is invented: it comes from the sandbox" in refused.stderr
    assert list((tmp_path / "project").iterdir()) == []
    taken = scrapy(tmp_path / "project", *command, "-s", "TIKTOK_SANDBOX=True")
    assert taken.returncode == 0, taken.stderr


def test_an_export_in_which_persons_are_protected_is_refused(filled, prepared_sqlite_url, tmp_path):
    protection = Protection(pseudonyms=Pseudonyms(b"k" * 32))
    folder = exported(filled, tmp_path / "dataset", "jsonl", protection=protection)

    for path in (folder, folder / "video.jsonl"):
        with pytest.raises(ImportFileError, match="persons are protected"):
            import_into(prepared_sqlite_url, path)


def test_when_a_video_was_collected_first_and_last_is_kept(filled, prepared_sqlite_url, tmp_path):
    second = prepared_sqlite_url
    with Search(filled, now=COLLECTED) as run:
        request = run.first()
        request = run.ask(request, {"id": 77, "view_count": 1}, has_more=True)
        run.now += timedelta(days=3)
        run.ask(request, {"id": 77, "view_count": 2})

    import_into(second, exported(filled, tmp_path / "dataset", "jsonl"), collected_at=None)

    (before,), (after,) = (
        [row for row in table(url, "video") if row["id"] == 77] for url in (filled, second)
    )
    assert before["crawled_updated_at"] is not None
    assert after == before
