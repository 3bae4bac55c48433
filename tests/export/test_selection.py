"""Which videos are exported, and that everything else belongs to them."""

from __future__ import annotations

import json
from datetime import date

import pytest
from database_rows import rows_of_all
from odd_data import LARGEST
from readers import by_jsonl
from stored_pages import NOON, Search

from tiktok_crawler.dataset.selection import Sample, Selection

LINKED = (
    *("video_hashtag", "video_mention", "video_effect", "video_statistics", "video_revision"),
    *("video_query_tag", "video_source", "comment", "user_video", "playlist_video"),
)


@pytest.fixture(scope="module")
def stored(filled):
    return rows_of_all(filled.url)


def selected(source, folder, **selection):
    """The rows of the tables of an export, with ids as numbers."""
    exported = source.export(folder, "jsonl", selection=Selection(**selection))
    return {name: by_jsonl(exported.folder, name) for name in exported.rows}


def ids(rows):
    return {int(row["id"]) for row in rows}


@pytest.mark.parametrize(
    ("selection", "belongs"),
    [
        ({"tags": ("a",)}, lambda _, tags: "a" in tags),
        ({"tags": ("b", "zweite,Welle")}, lambda _, tags: {"b", "zweite,Welle"} & tags),
        ({"since": date(2024, 1, 10)}, lambda v, _: _day(v) >= "2024-01-10"),
        ({"until": date(2024, 1, 9)}, lambda v, _: "" < _day(v) <= "2024-01-09"),
        (
            {"since": date(2024, 1, 10), "until": date(2024, 1, 10)},
            lambda v, _: _day(v) == "2024-01-10",
        ),
        ({"until": date.max}, lambda v, _: v["create_time"]),
    ],
)
def test_days_and_tags(filled, stored, tmp_path, selection, belongs):
    tags = {}
    for row in stored["video_query_tag"]:
        tags.setdefault(row["video_id"], set()).add(row["tag"])
    wanted = {v["id"] for v in stored["video"] if belongs(v, tags.get(v["id"], set()))}

    rows = selected(filled, tmp_path / "out", **selection)

    assert ids(rows["video"]) == wanted != set()
    agrees(rows, stored, wanted)


def _day(video):
    return str(video["create_time"] or "")[:10]


def agrees(rows, stored, wanted):
    """See that all that belongs to the videos is there, and nothing else."""
    for table in LINKED:
        expected = [row for row in stored[table] if row["video_id"] in wanted]
        assert len(rows[table]) == len(expected), table
        assert {int(row["video_id"]) for row in rows[table]} <= wanted, table
    authors = {video["username"] for video in stored["video"] if video["id"] in wanted}
    users = [user for user in stored["user_info"] if user["username"] in authors]
    assert len(rows["user_info"]) == len(users)
    assert {"account", "user_relation", "shop", "product", "review"}.isdisjoint(rows)
    for table in ("coverage", "query", "run", "seed", "import"):
        assert len(rows[table]) == len(stored[table])


@pytest.mark.parametrize(
    ("written", "true"),
    [
        ("view_count >= 7", lambda v: v["view_count"] is not None and v["view_count"] >= 7),
        ("view_count>0", lambda v: (v["view_count"] or 0) > 0),
        ("view_count < 7", lambda v: v["view_count"] is not None and v["view_count"] < 7),
        ("view_count<=7", lambda v: v["view_count"] is not None and v["view_count"] <= 7),
        ("view_count != 7", lambda v: v["view_count"] not in (None, 7)),
        (f"view_count == {LARGEST}", lambda v: v["view_count"] == LARGEST),
        (f"id = {LARGEST}", lambda v: v["id"] == LARGEST),
        ("username = ann", lambda v: v["username"] == "ann"),
        ("username = 'zoë.x'", lambda v: v["username"] == "zoë.x"),
        ("username = ''", lambda v: v["username"] == ""),
        ("username != ann", lambda v: v["username"] not in (None, "ann")),
        ("is_stem_verified = TRUE", lambda v: v["is_stem_verified"] is True),
        ("is_stem_verified != true", lambda v: v["is_stem_verified"] is False),
        ("create_time < 2024-01-10", lambda v: "" < _day(v) < "2024-01-10"),
        ("create_time >= 2024-01-10T01:00+01:00", lambda v: _day(v) >= "2024-01-10"),
        ("crawled_at > 2024-06-02", lambda v: v["crawled_at"].day > 1),
    ],
)
def test_comparisons(filled, stored, tmp_path, written, true):
    source = filled.export(
        tmp_path / "out", "jsonl", tables=("video",), selection=Selection(comparisons=(written,))
    )
    found = ids(by_jsonl(source.folder, "video"))

    assert found == {video["id"] for video in stored["video"] if true(video)} != set()


def sampled(source, folder, size, seed, **selection):
    selection = Selection(sample=Sample(size, seed), **selection)
    exported = source.export(folder, "jsonl", tables=("video",), selection=selection)
    return ids(by_jsonl(exported.folder, "video"))


def test_a_sample_is_the_same_on_both_databases_and_with_all_that_belongs_to_it(
    filled_sqlite, filled_postgresql, tmp_path
):
    here, there = (sampled(s, tmp_path / "a", 7, 1) for s in (filled_sqlite, filled_postgresql))
    assert here == there
    assert len(here) == 7
    assert sampled(filled_sqlite, tmp_path / "b", 7, 2) != here
    assert sampled(filled_sqlite, tmp_path / "c", 5, 1) < here
    assert len(sampled(filled_sqlite, tmp_path / "d", 999, 1)) == 33
    of_tag = sampled(filled_sqlite, tmp_path / "e", 1, 1, tags=("b",))
    assert len(of_tag) == 1

    rows = selected(filled_sqlite, tmp_path / "f", sample=Sample(7, 1))
    agrees(rows, rows_of_all(filled_sqlite.url), here)


def test_a_sample_stays_the_same_when_other_things_change(sqlite_source, tmp_path):
    videos = [{"id": number, "view_count": 1} for number in range(1, 60)]
    with Search(sqlite_source.url, now=NOON) as run:
        request = run.booked()
        going_on = run.store(request, *videos, has_more=True)
        before = sampled(sqlite_source, tmp_path / "out", 9, 4, comparisons=("id < 60",))
        run.ask(going_on, videos[3] | {"view_count": 2}, {"id": 99})

    assert sampled(sqlite_source, tmp_path / "out", 9, 4, comparisons=("id < 60",)) == before


def test_videos_of_a_query_are_those_that_its_pages_brought(filled, stored, tmp_path):
    other = {row["video_id"] for row in stored["video_source"] if row["query_id"] == 2}

    rows = selected(filled, tmp_path / "out", query_ids=(2,))

    assert ids(rows["video"]) == other != set()
    agrees(rows, stored, other)
    package = json.loads((tmp_path / "out" / "datapackage.json").read_text(encoding="utf-8"))
    assert package["resources"][0]["rows"] == len(other)
