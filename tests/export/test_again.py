"""A second export writes what has changed, keeps the rest, and equals one into a new folder."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta

import pytest
from database_rows import in_order
from listed_pages import Crawl, stage, store_list
from readers import by_arrow, parquet_rows
from sqlalchemy import create_engine, text
from stored_pages import JANUARY_10, NOON, OTHER_QUERY, Search

from tiktok_crawler.dataset.selection import Selection
from tiktok_crawler.dataset.tables import TABLES
from tiktok_crawler.date_range import DateRange
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.export import description
from tiktok_crawler.export.options import UNITS
from tiktok_crawler.research_api.endpoints import COMMENTS, LIKED_VIDEOS, REPLIES

MONTH = 31 * 86_400
FEBRUARY_10, MARCH_10 = JANUARY_10 + MONTH, JANUARY_10 + 60 * 86_400
QUARTER = DateRange(date(2024, 1, 1), date(2024, 3, 31))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

VIDEOS = (
    {"id": 1, "create_time": JANUARY_10, "view_count": 1, "hashtag_names": ["tea"]},
    {"id": 2, "create_time": JANUARY_10 + 1, "view_count": 2, "username": "ann"},
    {"id": 3, "create_time": FEBRUARY_10, "view_count": 3, "video_mention_list": ["bob"]},
    {"id": 4, "create_time": MARCH_10, "view_count": 4},
    {"id": 5, "view_count": 5, "hashtag_names": ["tea"]},
)
COMMENTS_OF_1 = (
    {"id": 11, "video_id": 1, "text": "a", "create_time": JANUARY_10},
    {"id": 12, "video_id": 1, "text": "b", "create_time": FEBRUARY_10},
    {"id": 13, "video_id": 1, "text": "c"},
)


SOME = (
    *("video", "video_hashtag", "video_statistics", "video_query_tag", "video_source"),
    *("comment", "user_video", "query"),
)
"""Tables in which pages change something."""

GONE = "missing_since = '2024-06-03 00:00:00.000000', gone_at = '2024-06-04 00:00:00.000000'"
BACK = "missing_since = NULL, gone_at = NULL"


def collect(source):
    see(source, NOON, *VIDEOS, tags=("all",))
    store_list(source.url, COMMENTS, "1", *COMMENTS_OF_1, now=NOON + HOUR)
    return source


@pytest.fixture(scope="module")
def first_export(source_at, sqlite_template, tmp_path_factory):
    """A folder with a database and its export, of which each test gets copies."""
    path = tmp_path_factory.mktemp("first")
    shutil.copy(sqlite_template, path / "test.db")
    collect(source_at(path / "test.db")).export(path / "out", tables=SOME)
    return path


@pytest.fixture
def collected(first_export, source_at, tmp_path):
    return source_at(shutil.copy(first_export / "test.db", tmp_path))


def see(source, now, *records, **wish):
    """Store a page of a search."""
    with Search(source.url, now=now, dates=QUARTER, **wish) as run:
        run.store(run.booked(QUARTER, now=now), *records, has_more=True)


def change(source, *statements):
    engine = create_engine(source.url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def content(folder):
    """The rows of all tables of an export, as it says itself."""
    package = json.loads((folder / description.DESCRIPTION).read_text(encoding="utf-8"))
    names = [resource["name"] for resource in package["resources"]]
    return {name: in_order(parquet_rows(by_arrow, folder, name)) for name in names}


def parts(folder, table):
    """The files of a table, by month or day."""
    return {
        path.parent.name.partition("=")[2]: path.stat().st_ino
        for path in (folder / table).rglob("*.parquet")
    }


def again(source, folder, **options):
    """Export once more, and see that there is now what a new folder gets."""
    options = {"tables": SOME} | options
    exported = source.export(folder, **options)
    fresh = source.export(folder.with_name(f"{folder.name}-fresh"), **options)
    assert content(folder) == content(fresh.folder)
    assert exported.rows == fresh.rows
    shutil.rmtree(fresh.folder)
    return exported


def anew(source, folder, table="video", **options):
    """The months of a table that are written anew by a second export, or are gone."""
    before = parts(folder, table)
    again(source, folder, **options)
    after = parts(folder, table)
    return {part for part in {*before, *after} if before.get(part) != after.get(part)}


@pytest.fixture
def folder(first_export, tmp_path):
    return shutil.copytree(first_export / "out", tmp_path / "out")


@pytest.mark.slow
def test_where_nothing_has_changed_all_months_are_kept(source, tmp_path):
    folder = collect(source).export(tmp_path / "out").folder
    exported = again(source, folder, tables=())

    dated = [t.name for t in TABLES.values() if t.is_dated]
    assert exported.kept == sum(len(parts(folder, name)) for name in dated if exported.rows[name])


@pytest.mark.slow
def test_one_change_after_the_other(source, tmp_path):
    """On both databases; what each changes is told below."""
    folder = collect(source).export(tmp_path / "out", tables=SOME).folder
    moved = VIDEOS[0] | {"create_time": MARCH_10, "view_count": 7}
    changes = (
        lambda: see(source, NOON + DAY, moved, VIDEOS[4] | {"create_time": FEBRUARY_10}),
        lambda: see(source, NOON + 2 * DAY, tags=("late",)),
        lambda: store_list(source.url, LIKED_VIDEOS, "ann", VIDEOS[1], {"id": 9}, now=NOON),
        lambda: store_late(source, REPLIES, "1", {"id": 12, "video_id": 1, "like_count": 7}),
        lambda: change(source, "DELETE FROM comment WHERE id = 13"),
    )
    for change_ in changes:
        change_()
        again(source, folder)


def test_a_new_page_changes_the_months_of_its_videos(collected, folder):
    new = {"id": 6, "create_time": JANUARY_10 + 5}
    see(collected, NOON + DAY, VIDEOS[3] | {"view_count": 44}, new)

    assert anew(collected, folder) == {"2024-01", "2024-03", "undated"}


def test_a_page_that_says_the_same_again_is_a_source(collected, folder):
    see(collected, NOON + 40 * DAY, VIDEOS[2])

    assert anew(collected, folder, "video_source") == {"2024-07"}


def test_a_video_that_gets_another_time_moves(collected, folder):
    see(collected, NOON + DAY, VIDEOS[0] | {"create_time": MARCH_10})

    assert anew(collected, folder) == {"2024-01", "2024-03", "undated"}


def test_a_video_that_gets_its_time_late_moves(collected, folder):
    see(collected, NOON + DAY, VIDEOS[4] | {"create_time": FEBRUARY_10})

    assert anew(collected, folder, "video_hashtag") == {"2024-02", "undated"}


@pytest.mark.slow
def test_tags_may_come_late(collected, folder):
    see(collected, NOON + DAY, tags=("late",))

    again(collected, folder)
    assert any('"late"' in row for row in content(folder)["video_query_tag"])


def test_a_tag_that_was_renamed_has_its_new_name(collected, folder):
    change(collected, "UPDATE query_tag SET name = 'renamed' WHERE name = 'all'")

    again(collected, folder)
    assert all('"renamed"' in row for row in content(folder)["video_query_tag"])
    assert again(collected, folder).kept > 0


def test_another_tag_leaves_months_as_they_are_that_have_none_of_it(collected, folder):
    see(collected, NOON + DAY, VIDEOS[3], query=OTHER_QUERY, tags=("march",))

    assert anew(collected, folder) == {"2024-03", "undated"}


def test_a_listing_may_bring_videos(collected, folder):
    new = {"id": 7, "create_time": FEBRUARY_10}
    store_list(collected.url, LIKED_VIDEOS, "ann", new, now=NOON + DAY)

    assert anew(collected, folder) == {"2024-02", "undated"}


def test_comments_of_old_months_may_come(collected, folder):
    new = {"id": 14, "video_id": 3, "create_time": FEBRUARY_10}
    store_list(collected.url, COMMENTS, "3", new, now=NOON + DAY)

    assert anew(collected, folder, "comment") == {"2024-02", "undated"}
    assert anew(collected, folder) == set()


@pytest.mark.parametrize(
    ("found", "undone", "month"),
    [
        (
            "missing_since = '2024-06-03 00:00:00.000000' WHERE id = 3",
            "missing_since = NULL",
            "2024-02",
        ),
        (f"{GONE} WHERE id = 4", BACK, "2024-03"),
        (f"{GONE} WHERE id = 5", "gone_at = NULL", "undated"),
    ],
)
def test_a_check_changes_the_months_of_what_it_does_not_find(
    collected, folder, found, undone, month
):
    """It stores no page."""
    change(collected, f"UPDATE video SET {found}")
    assert anew(collected, folder) == {month}
    change(collected, f"UPDATE video SET {undone}")
    assert anew(collected, folder, "video_statistics") == {month}
    assert anew(collected, folder) == set()


def test_what_is_missing_instead_of_others_is_seen(collected, folder):
    change(collected, f"UPDATE video SET {GONE} WHERE id = 3")
    again(collected, folder)
    change(collected, f"UPDATE video SET {BACK}", f"UPDATE video SET {GONE} WHERE id = 4")

    assert anew(collected, folder) == {"2024-02", "2024-03"}


def test_comments_may_be_gone(collected, folder):
    change(collected, f"UPDATE comment SET {GONE} WHERE id IN (12, 13)")
    assert anew(collected, folder, "comment") == {"2024-02", "undated"}


def test_comments_that_come_once_more_without_news_do_so_later(collected, folder):
    store_list(collected.url, COMMENTS, "1", COMMENTS_OF_1[1], now=NOON + DAY, max_age=HOUR)

    assert anew(collected, folder, "comment") == {"2024-02", "undated"}


@pytest.mark.slow
def test_existence_on_both_databases(source, tmp_path):
    folder = collect(source).export(tmp_path / "out", tables=SOME).folder
    for statement in (
        f"UPDATE video SET {GONE} WHERE id IN (3, 5)",
        f"UPDATE comment SET {GONE} WHERE id = 12",
        f"UPDATE video SET {BACK} WHERE id = 5",
    ):
        change(source, statement)
        assert again(source, folder).kept > 0
    store_list(source.url, COMMENTS, "1", *COMMENTS_OF_1, now=NOON + DAY, max_age=HOUR)
    again(source, folder)


@pytest.mark.slow
@pytest.mark.parametrize("listing", [COMMENTS, REPLIES])
def test_a_page_that_is_stored_late_fills_gaps_of_comments(collected, folder, listing):
    filled = {"id": 12, "video_id": 1, "parent_comment_id": 1, "like_count": 7}
    store_late(collected, listing, "1", filled)

    again(collected, folder)
    assert any('"like_count": 7' in row for row in content(folder)["comment"])


def store_late(source, listing, seed, record):
    """Store a page that was received before all others."""
    wanted = stage(listing, seed, max_age=HOUR)
    with Crawl(source.url, wanted, now=NOON + 9 * DAY) as crawl:
        crawl.ask(crawl.requests[0], record, received_at=NOON - DAY)


@pytest.mark.slow
def test_rows_may_be_removed(collected, folder):
    for statement in (
        "DELETE FROM comment WHERE id = 12",
        "DELETE FROM video_statistics WHERE video_id = 2",
        "DELETE FROM videos_to_crawls WHERE video_id = 3",
        "DELETE FROM videos_to_query_tags WHERE video_id = 1",
    ):
        change(collected, statement)
        again(collected, folder)


def test_a_video_may_be_removed(collected, folder):
    tables = (
        *("videos_to_crawls", "videos_to_query_tags", "videos_to_hashtags", "video_statistics"),
        "video_revision",
    )
    change(collected, *(f"DELETE FROM {each} WHERE video_id = 1" for each in tables))
    change(collected, "DELETE FROM video WHERE id = 1")
    see(collected, NOON + DAY, {"id": 8, "create_time": MARCH_10})

    again(collected, folder)


def test_another_database_has_nothing_that_is_kept(collected, folder):
    change(collected, "UPDATE database_origin SET created_at = '2020-01-01 00:00:00.000000'")

    assert again(collected, folder).kept == 0


def test_a_copy_that_has_gone_its_own_way_has_nothing_that_is_kept(sqlite_source, tmp_path):
    see(sqlite_source, NOON, *VIDEOS)
    copy = type(sqlite_source)(f"sqlite:///{tmp_path / 'copy.db'}")
    shutil.copy(tmp_path / "test.db", tmp_path / "copy.db")
    see(sqlite_source, NOON + DAY, VIDEOS[0] | {"view_count": 100})
    see(copy, NOON + 2 * DAY, VIDEOS[2] | {"view_count": 100})
    sqlite_source.export(tmp_path / "out", tables=SOME)

    assert again(copy, tmp_path / "out").kept == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"unit": UNITS["day"]},
        {"tables": ("video", "comment")},
        {"columns": ("id", "view_count")},
        {"selection": Selection(tags=("all",))},
    ],
)
def test_with_another_option_nothing_is_kept(collected, folder, options):
    assert again(collected, folder, **options).kept == 0
    assert again(collected, folder, **options).kept > 0
    assert again(collected, folder).kept == 0


def test_days_are_kept_like_months(collected, tmp_path):
    options = {"unit": UNITS["day"]}
    collected.export(tmp_path / "out", tables=SOME, **options)
    see(collected, NOON + DAY, VIDEOS[0] | {"view_count": 9})

    assert anew(collected, tmp_path / "out", **options) == {"2024-01-10", "undated"}


def test_what_comes_and_goes_in_a_selection_takes_its_comments_along(collected, tmp_path):
    """As many comments come as go, all in months in which nothing else has changed."""
    other = {"id": 21, "video_id": 2, "text": "d", "create_time": FEBRUARY_10}
    store_list(collected.url, COMMENTS, "2", other, now=NOON + 2 * HOUR)
    change(collected, "DELETE FROM comment WHERE id IN (11, 13)")
    options = {"selection": Selection(comparisons=("view_count = 1",))}
    collected.export(tmp_path / "out", tables=SOME, **options)
    swapped = (VIDEOS[0] | {"view_count": 2}, VIDEOS[1] | {"view_count": 1})
    see(collected, NOON + DAY, *swapped)

    again(collected, tmp_path / "out", **options)


def edit(folder, change):
    path = folder / description.DESCRIPTION
    package = json.loads(path.read_text(encoding="utf-8"))
    change(package[description.OWN])
    path.write_text(json.dumps(package), encoding="utf-8")


@pytest.mark.parametrize(
    "change",
    [
        lambda own: own["basis"].update(version="0"),
        lambda own: own.update(layout=0),
        lambda own: own.update(layout=2, basis={"novel": 1}),
        lambda own: own.update(basis=None),
        lambda own: own.update(basis="x"),
    ],
)
def test_the_export_of_another_version_is_replaced(collected, folder, change):
    edit(folder, change)
    files = {path.stat().st_ino for path in folder.rglob("*.parquet")}

    exported = again(collected, folder)

    assert exported.kept == 0
    assert files.isdisjoint(path.stat().st_ino for path in folder.rglob("*.parquet"))


@pytest.mark.parametrize(
    "change",
    [
        lambda own: own["files"][0].update(sha256="0" * 64),
        lambda own: own["files"][0].update(rows=7),
        lambda own: own["files"][0].update(partition="2020-01"),
        lambda own: own["files"][0].update(table="comment"),
    ],
)
def test_what_an_export_says_amiss_of_a_file_is_not_believed(collected, folder, change):
    edit(folder, change)

    again(collected, folder)


@pytest.mark.parametrize("name", ["../victim", "/etc/victim", "video/../../victim"])
def test_no_file_outside_of_the_folder_is_taken_for_one_of_an_export(collected, folder, name):
    edit(folder, lambda own: own["files"][0].update(name=name))

    with pytest.raises(UsageError, match="and no export"):
        collected.export(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"tiktok_crawler": 1}', "[" * 100_000])
def test_a_folder_whose_description_is_damaged_is_left_as_it_is(collected, folder, text):
    (folder / description.DESCRIPTION).write_text(text)
    before = files(folder)

    with pytest.raises(UsageError, match="and no export"):
        collected.export(folder)
    assert files(folder) == before


def files(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def damaged(path):
    path.write_bytes(path.read_bytes()[::-1])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        damaged,
        lambda path: path.write_bytes(b""),
        lambda path: (path.unlink(), path.symlink_to("/dev/null")),
        lambda path: (path.unlink(), path.mkdir()),
    ],
)
def test_a_file_that_is_no_longer_as_it_was_written_is_written_anew(collected, folder, spoil):
    for table in ("video_hashtag", "video_source", "comment"):
        (spoilt,) = (folder / table).glob("*=2024-0[16]/*")
        spoil(spoilt)

    exported = again(collected, folder)

    assert exported.kept > 0
    assert spoilt.is_file()
    assert not spoilt.is_symlink()


def test_files_of_ones_own_stay(collected, folder):
    (folder / "notes").mkdir()
    (folder / "empty" / "inner").mkdir(parents=True)
    (folder / "notes" / "to do.txt").write_text("count")
    (folder / "video" / "create_month=2024-01" / "plot.png").write_text("plot")
    (folder / "linked").symlink_to(folder.parent)
    (folder / "dangling").symlink_to("nowhere")
    folder.chmod(0o750)

    collected.export(folder)
    collected.export(folder, "csv")

    assert (folder / "notes" / "to do.txt").read_text() == "count"
    assert (folder / "video" / "create_month=2024-01" / "plot.png").read_text() == "plot"
    assert (folder / "linked").is_symlink()
    assert (folder / "dangling").is_symlink()
    assert (folder / "empty" / "inner").is_dir()
    assert folder.stat().st_mode & 0o777 == 0o750
    assert not list(folder.rglob("*.parquet"))


def test_a_file_of_ones_own_is_not_replaced_by_one_of_the_export(collected, folder):
    (folder / "video.csv").write_text("mine")

    with pytest.raises(UsageError, match=r"video\.csv is there already, and not of the export"):
        collected.export(folder, "csv")
    assert (folder / "video.csv").read_text() == "mine"
    assert list(folder.rglob("*.parquet"))
