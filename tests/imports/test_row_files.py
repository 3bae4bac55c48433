"""Files of other clients come over as these write them; what cannot be told is refused, or said."""

from __future__ import annotations

import gzip
import json
import pickle
import tracemalloc
from datetime import UTC, datetime

import openpyxl
import pandas as pd
import pytest
from imported import COLLECTED, import_into, names_of, table, write_csv, write_json
from libraries import SUMMER, WINTER, id_at

from tiktok_crawler.exceptions import ImportFileError, UsageError
from tiktok_crawler.imports import row_files
from tiktok_crawler.imports.found import Notes
from tiktok_crawler.imports.rows import NO_ZONE, ROUNDED

ONE, TWO, THREE = id_at(WINTER), id_at(SUMMER, 2), id_at(SUMMER, 3)
MUSIC = 7318000000000000123
API_VIDEOS = [
    {
        "id": ONE, "create_time": int(WINTER.timestamp()), "username": "ann", "region_code": "us",
        "video_description": 'Tea, "hot"\nand #a', "like_count": 0, "view_count": 2**62,
        "music_id": MUSIC, "hashtag_names": ["a", "b"], "effect_ids": [], "is_stem_verified": False,
        "video_label": {"type": 1, "content": "x"}, "video_mention_list": ["bob"],
    },
    {
        "id": TWO, "create_time": int(SUMMER.timestamp()), "username": "NA", "region_code": "NA",
        "voice_to_text": "tea", "hashtag_names": [], "effect_ids": ["0"], "music_id": MUSIC + 1,
    },
]  # fmt: skip
ROWS = [
    {
        "id": ONE, "create_time": WINTER, "username": "ann", "region_code": "US",
        "video_description": 'Tea, "hot"\nand #a', "like_count": 0, "view_count": 2**62,
        "music_id": MUSIC, "is_stem_verified": False, "video_label": {"type": 1, "content": "x"},
        "video_mention_list": ["bob"], "crawled_at": COLLECTED,
    },
    {
        "id": TWO, "create_time": SUMMER, "username": "NA", "region_code": "NA",
        "voice_to_text": "tea", "music_id": MUSIC + 1, "crawled_at": COLLECTED,
    },
]  # fmt: skip


@pytest.fixture
def url(prepared_sqlite_url):
    return prepared_sqlite_url


def told(url, name="video"):
    return [
        {key: value for key, value in row.items() if value is not None and key != "crawl_id"}
        for row in table(url, name)
    ]


def frame(path):
    """What ResearchTikPy gives, as its users save it."""
    data = pd.DataFrame(API_VIDEOS)
    for column in ("like_count", "view_count"):
        data[column] = data[column].astype("Int64")
    return path, data


def csv_of_frame(path):
    path, data = frame(path.with_suffix(".csv"))
    data.to_csv(path)
    return path


def semicolons_of_frame(path):
    path, data = frame(path.with_suffix(".csv"))
    data.to_csv(path, sep=";", encoding="utf-8-sig", index=False)
    return path


def json_of_frame(path):
    path, data = frame(path.with_suffix(".json"))
    data.to_json(path)
    return path


def records_of_frame(path):
    path, data = frame(path.with_suffix(".json"))
    data.to_json(path, orient="records")
    return path


def lines_of_frame(path):
    path, data = frame(path.with_suffix(".jsonl"))
    data.to_json(path, orient="records", lines=True)
    return path


def list_of_wrapper(path):
    return write_json(path.with_suffix(".json"), API_VIDEOS)


def answers_of_api(path):
    answers = [
        {"data": {"videos": [video], "has_more": False}, "error": {}} for video in API_VIDEOS
    ]
    path.write_text("\n".join(json.dumps(each, indent=2) for each in answers))
    return path


@pytest.mark.parametrize(
    "write",
    [
        csv_of_frame, semicolons_of_frame, json_of_frame, records_of_frame, lines_of_frame,
        list_of_wrapper, answers_of_api,
    ],
)  # fmt: skip
def test_videos_under_the_apis_names_come_over_value_by_value(tmp_path, url, write):
    import_, notes = import_into(url, write(tmp_path / "videos"))

    assert import_.kind == (
        "records under the API's own names, as ResearchTikPy and TikTokResearchApi give them"
    )
    assert told(url) == ROWS
    assert names_of(url, "videos_to_hashtags", "hashtag", "name") == {ONE: {"a", "b"}}
    assert names_of(url, "videos_to_effect_ids", "effect", "effect_id") == {TWO: {"0"}}
    assert (notes.refused, notes.kept_aside, notes.untold) == (0, {}, {})


def test_a_workbook_of_text_ids_comes_over(tmp_path, url):
    path, data = frame(tmp_path / "videos.xlsx")
    for column in ("id", "music_id", "view_count"):
        data[column] = [None if pd.isna(value) else str(value) for value in data[column]]
    data["create_time"] = [at.replace(tzinfo=None) for at in (WINTER, SUMMER)]
    with pd.ExcelWriter(path) as book:
        data.to_excel(book, sheet_name="videos")
        pd.DataFrame({"note": ["x"]}).to_excel(book, sheet_name="notes")

    _, notes = import_into(url, path)

    assert told(url) == ROWS
    assert notes.left_out == {"sheet 'notes'"}


def test_ids_that_excel_has_rounded_are_refused(tmp_path, url):
    book = openpyxl.Workbook()
    book.active.append(["id", "username", "region_code", "music_id"])
    book.active.append([float(ONE), "ann", "US", 1])
    book.active.append([str(TWO), "bob", "US", float(MUSIC)])
    book.save(tmp_path / "videos.xlsx")

    _, notes = import_into(url, tmp_path / "videos.xlsx")

    assert [row["username"] for row in told(url)] == ["bob"]
    assert notes.examples == [f"Sheet, row 2: its id has lost digits: {float(ONE)}"]
    assert notes.untold == {ROUNDED: 1}


def test_ids_that_all_end_in_zeros_are_refused(tmp_path, url):
    rows = [{"id": f"{n}318000000000{n}0000"[:15] + "0000", "username": "ann", "view_count": 1}
            for n in range(1, 4)]  # fmt: skip
    file = write_csv(tmp_path / "videos.csv", rows)

    _, notes = import_into(url, file)

    assert notes.refused == 3
    assert all("has lost digits" in each for each in notes.examples)


def test_one_id_that_ends_in_zeros_is_chance(tmp_path, url):
    rows = [{"id": str(each), "view_count": 1} for each in (7318000000000010000, ONE)]

    _, notes = import_into(url, write_csv(tmp_path / "videos.csv", rows))

    assert notes.refused == 0


TRAKTOK = [
    {
        "video_id": str(ONE), "author_name": "ann", "view_count": 3, "comment_count": 1,
        "share_count": 0, "like_count": 2, "region_code": "DE",
        "create_time": WINTER.strftime("%Y-%m-%d %H:%M:%S"), "effect_ids": [["0"]],
        "music_id": str(MUSIC), "video_description": "Tea", "hashtag_names": [["a"], ["b"]],
        "voice_to_text": "tea",
    },
    {
        "video_id": str(TWO), "author_name": "bob", "region_code": "NA",
        "create_time": SUMMER.strftime("%Y-%m-%d %H:%M:%S"), "effect_ids": {}, "hashtag_names": {},
    },
]  # fmt: skip


@pytest.mark.parametrize("form", ["json", "csv", "fwrite"])
def test_tibbles_of_traktok_come_over(tmp_path, url, form):
    if form == "json":
        file = write_json(tmp_path / "videos.json", TRAKTOK)
    else:
        lists = {"csv": ("a, b", "0"), "fwrite": ("a|b", "0")}[form]
        rows = [
            TRAKTOK[0] | {"hashtag_names": lists[0], "effect_ids": lists[1]},
            dict.fromkeys(TRAKTOK[0], "NA")
            | TRAKTOK[1]
            | {"hashtag_names": "", "effect_ids": "NA"},
        ]
        file = write_csv(tmp_path / "videos.csv", rows)

    import_, notes = import_into(url, file)

    assert import_.kind == "data of traktok"
    first, second = told(url)
    assert first == {
        "id": ONE, "create_time": WINTER, "username": "ann", "region_code": "DE", "view_count": 3,
        "comment_count": 1, "share_count": 0, "like_count": 2, "music_id": MUSIC,
        "video_description": "Tea", "voice_to_text": "tea", "crawled_at": COLLECTED,
    }  # fmt: skip
    namibia = {"region_code": "NA"} if form == "json" else {}
    known = {"id": TWO, "create_time": SUMMER, "username": "bob", "crawled_at": COLLECTED}
    assert second == known | namibia
    assert names_of(url, "videos_to_hashtags", "hashtag", "name") == {ONE: {"a", "b"}}
    assert names_of(url, "videos_to_effect_ids", "effect", "effect_id") == {ONE: {"0"}}
    assert notes.refused == 0


def test_comments_come_over(tmp_path, url):
    rows = [
        {"id": TWO, "text": "Yes", "video_id": ONE, "parent_comment_id": ONE, "like_count": 1,
         "reply_count": 0, "create_time": int(SUMMER.timestamp())},
        {"id": THREE, "text": "No", "video_id": float(ONE), "parent_comment_id": ONE},
        {"id": "", "text": "Perhaps", "video_id": ONE},
    ]  # fmt: skip

    import_, notes = import_into(url, write_csv(tmp_path / "comments.csv", rows))

    assert import_.counts["comments"]["new"] == 1
    assert told(url, "comment") == [
        {"id": TWO, "text": "Yes", "video_id": ONE, "parent_comment_id": ONE, "like_count": 1,
         "reply_count": 0, "create_time": SUMMER, "crawled_at": COLLECTED,
         "last_returned_at": COLLECTED},
    ]  # fmt: skip
    assert notes.examples == [
        f"line 3: its video_id has lost digits: {float(ONE)}",
        "line 4: has no usable id: {'id': ''}",
    ]


def test_profiles_come_over_and_errors_in_their_place_do_not(tmp_path, url):
    rows = [
        {"username": "ann", "display_name": "Ann", "is_verified": True, "follower_count": 3,
         "bio_description": "Tea", "likes_count": 2**40},
        {"username": "gone", "error": "Failed to retrieve data"},
        {"display_name": "Nobody", "is_verified": False, "follower_count": 1},
    ]  # fmt: skip

    _, notes = import_into(url, write_csv(tmp_path / "users.csv", rows))

    assert told(url, "user_info") == [
        {"username": "ann", "status": "found", "display_name": "Ann", "bio_description": "Tea",
         "is_verified": True, "follower_count": 3, "likes_count": 2**40,
         "first_seen_at": COLLECTED, "last_seen_at": COLLECTED, "last_returned_at": COLLECTED},
    ]  # fmt: skip
    assert notes.examples == [
        "line 3: says nothing of gone: Failed to retrieve data",
        "line 4: does not say whose profile it is: add a column username",
    ]


def test_what_has_no_column_is_kept_aside_and_told(tmp_path, url):
    rows = [{"id": ONE, "username": "ann", "view_count": "many", "novel": "x", "index": 0}]

    _, notes = import_into(url, write_csv(tmp_path / "videos.csv", rows))

    assert told(url)[0]["extra_data"] == {"novel": "x", "view_count": "many"}
    assert notes.kept_aside == {"novel of videos": 1, "view_count of video (text)": 1}


def test_what_a_feed_has_aside_keeps_its_types(tmp_path, url):
    """A cell of a table is text, and one without any is nothing; JSON in it is neither."""
    aside = {"novel": "", "other": "NA", "like_count": "many", "hashtag_names": "a|b"}
    rows = [{"id": ONE, "view_count": 1, "extra_data": json.dumps(aside)}]

    import_into(url, write_csv(tmp_path / "videos.csv", rows))

    assert told(url)[0]["extra_data"] == aside


def test_whose_list_a_video_was_in_is_left_out_and_told(tmp_path, url):
    rows = [{"id": ONE, "view_count": 1, "liked_by_user": "zoe"}]

    _, notes = import_into(url, write_csv(tmp_path / "videos.csv", rows))

    assert notes.left_out == {"liked_by_user"}
    assert "extra_data" not in told(url)[0]


def test_times_without_a_zone_are_told_by_the_id(tmp_path, url):
    local = datetime.fromtimestamp(WINTER.timestamp() + 3600, UTC).strftime("%Y-%m-%d %H:%M:%S")
    rows = [{"id": each, "view_count": 1, "create_time": local} for each in (ONE, 5)]

    _, notes = import_into(url, write_csv(tmp_path / "videos.csv", rows))

    assert [row.get("create_time") for row in told(url)] == [None, WINTER]
    assert notes.untold == {NO_ZONE: 1}


def test_lines_that_are_cut_off_are_refused_and_the_others_come(tmp_path, url):
    file = tmp_path / "videos.jsonl"
    lines = [json.dumps(each) for each in API_VIDEOS]
    file.write_text(f"{lines[0]}\n\n7\n{lines[1]}\n{lines[0][:30]}")

    _, notes = import_into(url, file)

    assert told(url) == ROWS
    assert notes.examples == ["line 3: is no object", "line 5: is not JSON, or was cut off"]


def test_a_list_that_is_cut_off_says_where_and_keeps_what_came(tmp_path, url):
    file = tmp_path / "videos.json"
    many = [{"id": n, "view_count": n} for n in range(1, 2_600)]
    file.write_text(json.dumps(many)[:-20])

    with pytest.raises(ImportFileError, match=r"videos\.json: .*cut off"):
        import_into(url, file)

    assert [row["id"] for row in told(url)] == list(range(1, 2_001))


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["json", "jsonl", "csv"])
def test_a_large_file_is_read_piece_by_piece(tmp_path, ending):
    file, rows = tmp_path / f"videos.{ending}", 12_000
    record = {"id": ONE, "video_description": "tea " * 250}
    if ending == "csv":
        write_csv(file, [record] * rows)
    else:
        begin, between, end = {"json": ("[", ", ", "]"), "jsonl": ("", "\n", "")}[ending]
        file.write_text(begin + between.join([json.dumps(record)] * rows) + end)
    assert file.stat().st_size > 12_000_000
    source, notes = row_files.opened(file), Notes()

    tracemalloc.start()
    found = sum(each is not None for each in source.records(COLLECTED, notes))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (found, notes.refused) == (rows, 0)
    assert most < 6_000_000


def test_rows_with_too_many_cells_are_refused(tmp_path, url):
    file = tmp_path / "videos.csv"
    file.write_text(f"id,view_count\n{ONE},1\n{TWO},2,3\n\n{THREE}\n")

    _, notes = import_into(url, file)

    assert [row["id"] for row in told(url)] == [ONE, THREE]
    assert notes.examples == ["line 3: has more cells than the first line has columns"]


def test_a_file_has_to_say_when_it_was_collected(tmp_path, url):
    file = write_json(tmp_path / "videos.json", API_VIDEOS)

    with pytest.raises(UsageError, match="does not say when its videos were collected"):
        import_into(url, file, collected_at=None)


REFUSED = {
    "empty.csv": (b"", "has no rows"),
    "empty.json": (b"[]", "has no rows"),
    "header.csv": (b"id,view_count\n", "has no rows"),
    "notes.csv": (b"a,b\n1,2\n", "what it has is called 'a' and 'b'"),
    "followers.csv": (b"username,display_name,target_account\na,b,c\n", "lists of followers"),
    "twice.csv": (b"id,id\n1,2\n", "several columns are called 'id'"),
    "latin.csv": ("id,view_count,x\n1,2,ü".encode("latin-1"), "is not UTF-8"),
    "latin.json": ('[{"id":1,"view_count":1,"x":"ü"}]'.encode("latin-1"), "is not UTF-8"),
    "utf16.csv": ("id,view_count\n1,2".encode("utf-16"), "is UTF-16 text"),
    "data.json.gz": (gzip.compress(b"[]"), "is compressed: unpack it first"),
    "data.rds": (b"RDX3\n", "is R's own format"),
    "data.pkl": (pickle.dumps([{"id": 1}]), "is a pickle of Python"),
    "data.xls": (b"\xd0\xcf\x11\xe0\xa1\xb1", "is a workbook of before 2007"),
    "broken.xlsx": (b"PK\x03\x04 no more", "cannot be read as a workbook"),
    "broken.parquet": (b"PAR1 no more", "cannot be read as Parquet"),
    "text.json": (b"{this is no JSON", "is no JSON, or was cut off"),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_is_not_recognised_is_refused_in_one_message(tmp_path, url, name):
    content, words = REFUSED[name]
    (tmp_path / name).write_bytes(content)

    with pytest.raises(ImportFileError, match=words) as refused:
        import_into(url, tmp_path / name)

    assert name in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not told(url)


def test_files_that_are_not_there_and_folders_are_refused(tmp_path, url):
    with pytest.raises(ImportFileError, match=r"gone\.csv cannot be read: No such file"):
        import_into(url, tmp_path / "gone.csv")
    with pytest.raises(ImportFileError, match="is a folder, and no export"):
        import_into(url, tmp_path)


def test_the_database_is_not_imported_into_itself(tmp_path, url):
    with pytest.raises(ImportFileError, match="into itself"):
        import_into(url, tmp_path / "test.db")
    with pytest.raises(ImportFileError, match="into itself"):
        import_into(url, url)


@pytest.mark.parametrize(("begin", "text"), [("\ufeff", "@bob, hi"), ("", "'@bob, hi")])
def test_the_apostrophes_that_guard_a_file_for_excel_go(url, tmp_path, begin, text):
    path = tmp_path / "videos.csv"
    path.write_text(f"{begin}id,video_description,username\n{ONE},\"'@bob, hi\",'ann\n", "utf-8")

    import_into(url, path)

    (video,) = table(url, "video")
    assert (video["video_description"], video["username"]) == (text, "'ann")
