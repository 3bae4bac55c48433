"""What leaves the database is right also where few of its columns are wanted."""

from __future__ import annotations

import pytest
from stored_pages import JANUARY_10, NOON, Search
from test_again import DAY, collect, content, see

from tiktok_crawler import data
from tiktok_crawler.dataset.protection import Protection
from tiktok_crawler.dataset.pseudonyms import Pseudonyms
from tiktok_crawler.dataset.selection import Selection
from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.research_api.query import Condition, Query

MUSIC = "6912345678901234567"


@pytest.mark.parametrize("columns", [("hashtag_name",), ("hashtag_name", "video_id")])
def test_links_can_lack_a_column_or_have_them_in_another_order(sqlite_source, tmp_path, columns):
    source = collect(sqlite_source)
    wanted = tuple(f"video_hashtag.{name}" for name in columns)
    folder = source.export(tmp_path / "out", "csv", columns=wanted).folder
    found = [line.split(",") for line in (folder / "video_hashtag.csv").read_text().splitlines()]
    whole = data.open(source.url).hashtags(columns=list(columns)).to_arrow().to_pylist()
    assert found[0] == [f'"{name}"' for name in columns]
    assert [[cell.strip('"') for cell in row] for row in found[1:]] == [
        [str(row[name]) for name in columns] for row in whole
    ]
    assert whole


def test_earlier_texts_stay_where_they_are_also_without_the_names_of_their_fields(
    sqlite_source, tmp_path
):
    for days, text in enumerate(("a private story", "another")):
        video = {"id": 1, "create_time": JANUARY_10, "video_description": text}
        see(sqlite_source, NOON + days * DAY, video)
    columns = ("video_revision.video_id", "video_revision.old_value")
    protection = Protection(no_text=True)
    folder = sqlite_source.export(
        tmp_path / "out", "csv", columns=columns, protection=protection
    ).folder
    assert len((folder / "video_revision.csv").read_text().splitlines()) == 2
    assert "private story" not in (folder / "video_revision.csv").read_text()


def test_links_of_videos_that_have_got_a_tag_are_not_missed(sqlite_source, tmp_path):
    source = collect(sqlite_source)
    video = {"id": 20, "create_time": JANUARY_10 + 90 * 86_400, "hashtag_names": ["x"]}
    see(source, NOON + DAY, video, tags=("late",))
    wanted = {"tables": ("video_hashtag",), "selection": Selection(tags=("late",))}
    folder = source.export(tmp_path / "again", **wanted).folder
    see(source, NOON + 2 * DAY, tags=("late",))
    source.export(folder, **wanted)
    assert content(folder) == content(source.export(tmp_path / "fresh", **wanted).folder)


def test_a_query_is_told_as_its_table_has_it(sqlite_source, tmp_path):
    query = Query(and_=(Condition("music_id", "EQ", (MUSIC,)),))
    with Search(sqlite_source.url, query=query, now=NOON) as run:
        run.ask(run.first(), {"id": 5, "create_time": JANUARY_10, "music_id": int(MUSIC)})
    protection = Protection(Pseudonyms(bytes(32)), hide_ids=True)
    folder = sqlite_source.export(tmp_path / "out", "csv", protection=protection).folder
    for name in ("query.csv", "PROVENANCE.md"):
        assert MUSIC in (folder / name).read_text()


def test_an_export_that_was_written_anew_is_not_mixed_with_the_one_before(sqlite_source, tmp_path):
    source = collect(sqlite_source)
    folder = source.export(tmp_path / "out").folder
    with data.open(folder) as dataset:
        assert dataset.videos().to_arrow().num_rows
        see(source, NOON + DAY, {"id": 77, "create_time": JANUARY_10})
        source.export(folder)
        with pytest.raises(ConfigurationError, match="written anew meanwhile: open it once more"):
            dataset.videos().to_arrow()


def test_files_of_others_are_not_read_as_data(sqlite_source, tmp_path):
    folder = collect(sqlite_source).export(tmp_path / "out").folder
    rows = data.open(folder).videos().to_arrow().num_rows
    (folder / "video" / "notes.txt").write_text("mine")
    assert data.open(folder).videos().to_arrow().num_rows == rows > 0
