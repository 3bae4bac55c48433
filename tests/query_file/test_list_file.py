"""Files with lists: what is a value in them, what is not, and what is said of mistakes."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from query_files import DATES, compiled, mistakes, read

from tiktok_crawler.exceptions import QueryFileError, UsageError
from tiktok_crawler.query_file.collection import collection_of_arguments
from tiktok_crawler.query_file.list_file import read_cells
from tiktok_crawler.research_api.endpoints import SeedKey
from tiktok_crawler.research_api.query import Field


def values(folder: Path, content: str | bytes, what: str = "username") -> list[tuple[int, str]]:
    """The values of a file, each after its line."""
    path = folder / "list.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [(cell.line, cell.text) for cell in read_cells(path, what)]


def refusal(folder: Path, content: str | bytes, what: str = "username") -> str:
    with pytest.raises(QueryFileError) as caught:
        values(folder, content, what)
    return str(caught.value).removeprefix(str(folder / "list.csv"))


@pytest.mark.parametrize(
    "content",
    [
        "username\nada\nbob\n",
        "\ufeffusername\r\nada\r\nbob\r\n",
        "username\rada\rbob",
        'Username,Followers,Bio\nada,1200,"likes bread, cheese"\nbob,3,\n',
        "id;User Name;Followers\n71;ada;1.200\n72;bob;3\n",
        "rank\taccount\tname\n1\tada\tAda L.\n2\tbob\tBob\n",
        "author.uniqueId,text,id\nada,hello,7318480000000000001\nbob,,7318480000000000002\n",
        "name,handle\nAda,ada # my sister\nBob,bob\n,,\n\n",
        '"username"\n"ada"\n"bob"\n',
        "user,username\nx,ada\ny,bob\n",
        "username,\nada,x\nbob # a cousin, or so,\n",
        "sep=;\nada\nbob\n",
    ],
)
def test_the_column_is_found_by_its_name(tmp_path, content):
    assert values(tmp_path, content) == [(2, "ada"), (3, "bob")]


@pytest.mark.parametrize(
    ("what", "header"),
    [
        *(("video_id", name) for name in ("video_id", "Video ID", "videoId", "id", "ids", "URL")),
        *(("video_id", name) for name in ("webVideoUrl", "video link", "aweme_id")),
        *(("username", name) for name in ("usernames", "handle", "profile_url", "link", "author")),
        *(("hashtag_name", name) for name in ("hashtag", "hashtag_name", "tag", "name")),
        ("keyword", "Keywords"),
        ("region_code", "country"),
        ("music_id", "sound_id"),
        ("shop_name", "name"),
        ("product_id", "Product ID"),
    ],
)
def test_each_kind_of_value_has_names_of_its_own(tmp_path, what, header):
    assert values(tmp_path, f"rank,{header}\n1,x\n2,y\n", what) == [(2, "x"), (3, "y")]


def test_a_cell_can_have_several_lines(tmp_path):
    content = 'bio,username\n"one\n# two\nthree",ada\nshort,bob\n'
    assert values(tmp_path, content) == [(2, "ada"), (5, "bob")]


@pytest.mark.parametrize(
    ("content", "what", "expected"),
    [
        ("# mine\n\n  # more\nada # the first\n#bob\ncy\n", "username", [(4, "ada"), (6, "cy")]),
        ("# it's \"odd\nada\n", "username", [(2, "ada")]),
        ("# mine\n#butter\n#\ncheese\n", "hashtag_name", [(2, "#butter"), (4, "cheese")]),
        ("bread # fresh\n", "keyword", [(1, "bread # fresh")]),
        ("word\nbook\n", "keyword", [(1, "word"), (2, "book")]),
        ('"salt, pepper"\nbread\n', "keyword", [(1, "salt, pepper"), (2, "bread")]),
        ("ada,bob\n", "username", [(1, "ada"), (1, "bob")]),
        ("ada,\nbob,\n", "username", [(1, "ada"), (2, "bob")]),
        ("ada;bob;cy", "username", [(1, "ada"), (1, "bob"), (1, "cy")]),
        ("# nothing\n\n", "username", []),
        ("", "username", []),
    ],
)
def test_without_a_header_each_line_is_a_value(tmp_path, content, what, expected):
    assert values(tmp_path, content, what) == expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("Person,Followers\nada,3\n", ":1: looks like a table, and which of its columns"),
        ("Person,Followers\nada,3\n", "is 'Person', 'Followers'; call the column username, "),
        ("# mine\nada\t3\nbob\t4\n", ":2: looks like a table"),
        ("ada,3\nbob,hello, you\n", ":1: looks like a table"),
        ("username,Username\nada,Ada\n", ":1: 2 columns are called 'username'; rename all but"),
        ('ada\n"bob\ncy\n', ":2: cannot be read as a table: unexpected end of data"),
        (b"{\\rtf1 ann", ": is text with formats; save it as plain text in UTF-8"),
        (b"PK\x03\x04\0\0word/document.xml", ": is a document of Word or the like; save it as"),
        (b"PK\x03\x04\0\0", ": is a workbook of a spreadsheet; save it as CSV in UTF-8"),
        ("name,username\nLovelace, Ada,ada\nBob,bob\n", ":2: has more cells than the first line"),
        ("username\nada\nbob,x\ncy,y\n", ":3: has more cells than the first line has columns, and"),
        ("7318915869301530000\n12\n7318915869301540000\n", ":1: 7318915869301530000 and all other"),
        ("id\n7318915869301539197\n", ":1: looks like a table, and which of its columns"),
        ("video_id\n7318915869301539197\n", ":1: looks like a table, and which of its columns"),
        ("ada\nb\x07b", ":2: holds the unprintable character"),
    ],
)
def test_a_file_whose_values_are_not_clear_is_explained(tmp_path, content, words):
    assert words in refusal(tmp_path, content)


def test_a_row_without_a_value_is_not_passed_over(tmp_path):
    assert values(tmp_path, "username,bio\nada,x\n,y\n") == [(2, "ada"), (3, "")]


@given(
    st.binary() | st.lists(st.sampled_from([*'ab#,;\t\r\n" @', "url", "id", "é"])).map("".join),
    st.sampled_from([*Field, *SeedKey, "tag"]),
)
def test_any_file_is_understood_or_refused(content, what):
    with TemporaryDirectory() as folder:
        try:
            found = values(Path(folder), content, what)
        except QueryFileError:
            return
    lines = [line for line, _ in found]
    assert lines == sorted(lines)


# --- In a query file ---


def write(folder: Path, name: str, content: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(content)


@pytest.mark.parametrize(
    ("text", "content", "found"),
    [
        ("usernames: {file: a.csv}", "username\n@Ann\nhttps://www.tiktok.com/@bob\n", "ann bob"),
        ("usernames: [cy, {file: a.csv}]", "ann\nbob\n", "ann bob cy"),
        ("video_ids: {file: a.csv}", "url\nhttps://www.tiktok.com/@a/video/7?x=1\n8\n", "7 8"),
        ("regions: {file: a.csv}", "us\nfr\n", "FR US"),
        ("include: {any_hashtags: {file: a.csv}}", "#Butter\n#cheese\n# no\n", "butter cheese"),
        ("include: {all_keywords: {file: a.csv}}", "keyword,n\nbread,1\n", "bread"),
        ("exclude: {usernames: {file: a.csv}}", "ann\n", "ann"),
        (
            "query: {and: [{operation: IN, field_name: username, field_values: {file: a.csv}}]}",
            "user,n\nAnn,1\nbob,2\n",
            "Ann bob",
        ),
    ],
)
def test_a_list_of_a_query_file_can_stand_in_a_file_beside_it(
    tmp_path, monkeypatch, text, content, found
):
    monkeypatch.chdir("/")
    write(tmp_path, "a.csv", content)
    (group,) = compiled(tmp_path, text).values()
    assert group[0]["field_values"] == found.split()


def test_tags_can_stand_in_a_file(tmp_path):
    write(tmp_path, "lists/tags.txt", "one\ntwo\none\n")
    text = f"{DATES}regions: [US]\ntags: {{file: lists/tags.txt}}"
    assert read(tmp_path, text).tags == ("one", "two")


def test_repeats_are_left_out_and_counted(tmp_path):
    write(tmp_path, "a.csv", "ann\n@Ann\nbob\nhttps://www.tiktok.com/@ann?lang=en\n")
    collection = read(tmp_path, f"{DATES}usernames: {{file: a.csv}}")
    assert collection.query.usernames == ("ann", "bob")
    (warning,) = collection.warnings
    assert warning.endswith("query.yaml:3:12: usernames: left out 2 repeats among 4 values")


def test_each_bad_line_is_named_with_its_file_and_number(tmp_path):
    write(tmp_path, "a.csv", "username,n\nann,1\nb b,2\n“cy”,3\n,4\n")
    text = f"{DATES}regions: [XX]\nusernames: {{file: a.csv}}\nvideo_ids: [x]"
    with pytest.raises(QueryFileError) as caught:
        read(tmp_path, text)
    lines = [line.removeprefix(f"{tmp_path}/") for line in str(caught.value).splitlines()]
    assert [line[:29] for line in lines] == [
        "query.yaml:3:11: regions: 'XX",
        "a.csv:3: usernames: 'b b' is ",
        "a.csv:4: usernames: '“cy”' ho",
        "a.csv:5: usernames: '' is emp",
        "query.yaml:5:13: video_ids: '",
    ]


@pytest.mark.parametrize(
    ("text", "essential"),
    [
        ("usernames: {file: b.csv}", "3:19: usernames.file: "),
        ("usernames: {file: b.csv}", "b.csv: cannot be read: No such file or directory"),
        ("usernames: {file: .}", "is a directory, not a list"),
        ("usernames: {file: table.csv}", "table.csv:1: looks like a table"),
        ("usernames: {file: empty.csv}", "empty.csv: holds no value"),
        ("usernames: {file: }", "3:19: usernames.file: has no value"),
        ("usernames: {file: a.csv, column: b}", "usernames.column: is not a key here"),
        ("usernames: ['@a.csv']", "3:13: usernames: '@a.csv': a file is written as {file: a.csv}"),
        ("usernames: '@a.csv'", "a file is written as {file: a.csv}"),
    ],
)
def test_a_file_that_cannot_be_used_is_explained_where_it_is_named(tmp_path, text, essential):
    write(tmp_path, "a.csv", "ann\n")
    write(tmp_path, "empty.csv", "\n")
    write(tmp_path, "table.csv", "a,b\nc,d\n")
    assert any(essential in line for line in mistakes(tmp_path, DATES + text))


@pytest.mark.parametrize(("name", "is_hinted"), [("two.csv", False), ("nobody", True)])
def test_where_there_is_no_such_file_a_name_may_be_meant(tmp_path, monkeypatch, name, is_hinted):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two.csv").write_text("username,username\nada,bob\n")
    days = dict.fromkeys(("start_date", "end_date"), "2024-01-01")
    with pytest.raises((UsageError, QueryFileError)) as caught:
        collection_of_arguments({"usernames": f"@{name}", **days}, today=date(2024, 6, 1))
    assert ("names are written without @" in str(caught.value)) is is_hinted
