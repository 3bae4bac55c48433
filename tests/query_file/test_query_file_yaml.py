from __future__ import annotations

import json
import os
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from query_files import DATES, TODAY, compiled, mistake, mistakes, read

from tiktok_crawler.exceptions import QueryFileError
from tiktok_crawler.query_file import yaml_text
from tiktok_crawler.query_file.collection import read_collection
from tiktok_crawler.research_api.query import Field
from tiktok_crawler.spelling import named

EXAMPLE = Path(__file__).parents[2] / "query.yaml"
FILE = f"{DATES}regions: [US]\n"


@pytest.fixture(autouse=True, params=["CSafeLoader", "SafeLoader"])
def _both_parsers(request, monkeypatch):
    """PyYAML may have been installed without its compiled parser."""
    monkeypatch.setattr(yaml_text, "_LOADER", getattr(yaml, request.param))


def refused(path: Path) -> str:
    with pytest.raises(QueryFileError) as caught:
        read_collection(path, today=TODAY)
    assert named(path) in str(caught.value)
    return str(caught.value)


def test_the_example_is_valid():
    collection = read_collection(EXAMPLE, today=TODAY)
    assert (collection.dates.start, collection.dates.end) == (date(2024, 1, 1), date(2024, 3, 31))
    assert collection.tags == ("example",)
    assert collection.warnings == ()


def test_what_the_example_shows_in_comments_is_valid_too(tmp_path):
    friendly, raw = EXAMPLE.read_text().split("# --- For those who know the API")
    shown = re.sub(r"(?m)^( *)# ( *[a-z_]+:(?: \[.*\]| \{.*\}| [0-9]+ days)?)$", r"\1\2", friendly)
    without_revisit = re.sub(r"(?m)^revisit: .*$", "", shown)
    assert read(tmp_path, without_revisit).query.sample
    collection = read(tmp_path, re.sub(r"(?m)^sample: .*$", "", shown))
    assert {condition.field_name for condition in collection.query.and_} == set(Field)
    assert len(collection.query.or_) == 2
    assert len(collection.query.not_) == 3
    assert collection.refresh_after == timedelta(days=30)
    assert str(collection.keep_fresh) == "15 days"
    assert collection.revisit == (timedelta(days=3), timedelta(days=11))
    shown = raw[raw.index("# query:") :].replace("# ", "")
    assert set(compiled(tmp_path, shown)) == {"and", "or", "not"}


@pytest.mark.parametrize(
    "text",
    [
        f"\ufeff{FILE}",
        FILE.replace("\n", "\r\n"),
        f"---\n{FILE}...\n",
        f"%YAML 1.1\n---\n{FILE}",
        f"# a comment\n\n{FILE}# another",
        "{start_date: 2024-01-01, end_date: 2024-03-31, regions: [US]}",
        json.dumps({"start_date": "2024-01-01", "end_date": "2024-03-31", "regions": ["US"]}),
        json.dumps(
            {"start_date": "20240101", "end_date": "20240331", "regions": ["US"]}, indent="\t"
        ),
        '"start_date": 2024-01-01\n"end_date": 2024-03-31\n"regions":\n  - "US"\n',
    ],
)
def test_yaml_and_json_in_many_spellings(tmp_path, text):
    assert read(tmp_path, text).query == read(tmp_path, FILE).query


@pytest.mark.parametrize("ensure_ascii", [True, False])
@pytest.mark.parametrize(
    "keyword", ["🧈 butter", "a/b", 'say "hi"', "back\\slash", "\\ud83e\\uddc8"]
)
def test_json_escapes_are_the_characters_they_stand_for(tmp_path, keyword, ensure_ascii):
    content = {
        "start_date": "20240101",
        "end_date": "20240331",
        "include": {"any_keywords": keyword},
    }
    text = json.dumps(content, ensure_ascii=ensure_ascii).replace("/", "\\/")
    (condition,) = read(tmp_path, text).query.and_
    assert condition.field_values == (keyword,)


@pytest.mark.parametrize("half", ["\\ud83e", "\\uddc8"])
def test_half_of_a_character_is_refused(tmp_path, half):
    text = (
        f'{{"start_date": 20240101, "end_date": 20240331, "include": {{"any_keywords": "{half}"}}}}'
    )
    assert "1:" in mistake(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "essential"),
    [
        (
            "regions: [US]\nregions: [FR]",
            "4:1: regions: stands twice, the first time in line 3, column 1",
        ),
        ("regions: [US]\n'regions': [FR]", "4:1: regions: stands twice"),
        (
            "include:\n  any_hashtags: [a]\n  any_hashtags: [b]",
            "5:3: any_hashtags: stands twice, the first time in line 4, column 3",
        ),
        ("view_count: {gte: 1, gte: 2}", "3:22: gte: stands twice"),
        (
            "query: {or: [{operation: EQ, operation: IN, field_name: keyword, field_values: [a]}]}",
            "3:30: operation: stands twice",
        ),
        ("regions: &r [US]", "3:10: anchors (&name) are not allowed"),
        ("regions: &r [US]\nusernames: *r", "4:12: aliases (*name) are not allowed"),
        ("<<: {regions: [US]}\nregions: [US]", "3:1: <<: merge keys are not allowed"),
        ("regions: [!!str US]", "3:11: tags ('tag:yaml.org,2002:str') are not allowed"),
        ("regions: !!python/object:os.system [US]", "3:10: tags ('tag:yaml.org,2002:python/object"),
        ("regions: !!int 5", "tags ('tag:yaml.org,2002:int') are not allowed"),
        ("regions: ! US", "tags ('!') are not allowed"),
        ("? [regions]\n: [US]", "3:3: a list or keys with values cannot be a key"),
        ("regions: [US]\n---\na: b", "4:1: a second document begins; a query file has one"),
        ("regions: [US", "is not valid YAML: "),
        ("regions: [US", "expected ',' or ']'"),
        ("regions: [US", "that begins in line 3"),
        ("usernames: [@somebody]", "; put a value that begins with @ in quotes"),
        ("regions:\n\t- US", "; indent with blanks, not with tabs"),
        ("regions: [#US, FR]\n", "; # starts a comment: write hashtags without it"),
        ("regions: 'US", "is not valid YAML: found unexpected end of stream"),
    ],
)
def test_what_yaml_has_and_a_query_file_has_not(tmp_path, text, essential):
    assert any(essential in line for line in mistakes(tmp_path, DATES + text))


def test_mistakes_before_the_end_of_reading_are_reported_with_it(tmp_path):
    first, second = mistakes(tmp_path, f"{FILE}regions: [FR]\nusernames: [")
    assert first.startswith("4:1: regions: stands twice")
    assert "is not valid YAML" in second


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n...\n"])
def test_a_file_without_content(tmp_path, text):
    assert mistake(tmp_path, text).startswith("1:1: must hold keys with values, found no")


@pytest.mark.parametrize("text", ["butter and cheese", "- regions\n- US", "[1, 2]", "'quoted'"])
def test_a_file_that_holds_no_keys(tmp_path, text):
    line = mistake(tmp_path, text)
    assert line.startswith(
        "1:1: must hold keys with values, found none; allowed: start_date, end_date"
    )


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{" * 100_000,
        "- " * 100_000,
        "? " * 100_000,
        "[{a: " * 100_000,
        "regions: " + "[" * 100_000 + "]" * 100_000,
        "\n".join(f"{' ' * n}a:" for n in range(1_000)),
    ],
)
def test_nesting_without_end_is_refused(tmp_path, text):
    assert "more than 8 lists or keys inside one another" in mistakes(tmp_path, text)[-1]


@pytest.mark.parametrize(
    "text",
    [
        "any_keywords: [" + ", ".join(["'[[[['", '"{{\\"{{"'] * 50) + "]",
        "any_keywords: [a]  # " + "[" * 200,
        "any_keywords: ['it''s [', don't, \"'\", '[" + "[" * 200 + "']",
    ],
)
def test_brackets_that_are_text_are_not_nested(tmp_path, text):
    (condition,) = read(tmp_path, f"{DATES}include: {{\n {text}\n}}\n").query.and_
    assert condition.field_name is Field.KEYWORD


def test_where_brackets_are_nested_without_end_is_told(tmp_path):
    line = mistake(tmp_path, f"# about [lists]\nregions:\n  {'[' * 200_000}")
    assert line == f"3:{3 + 100}: more than 8 lists or keys inside one another"


def test_a_billion_laughs_are_refused(tmp_path):
    text = "a: &a [lol, lol]\n" + "".join(
        f"{new}: &{new} [*{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    lines = mistakes(tmp_path, text)
    assert lines[0] == "1:4: anchors (&name) are not allowed"
    assert lines[-1] == "2:8: aliases (*name) are not allowed; write the value out"


def test_a_python_object_is_not_made(tmp_path):
    victim = tmp_path / "victim"
    text = f"{DATES}regions: !!python/object/apply:os.system ['touch {victim}']\n"
    assert (
        "tags ('tag:yaml.org,2002:python/object/apply:os.system') are not"
        in mistakes(tmp_path, text)[0]
    )
    assert not victim.exists()


def test_an_escape_beyond_unicode_is_refused(tmp_path):
    assert "is not valid YAML" in mistake(tmp_path, f'{DATES}regions: ["\\UFFFFFFFF"]')


def test_many_values_are_fine(tmp_path):
    ids = "\n".join(f"- {7_000_000_000_000_000_000 + n}" for n in range(10_000))
    (condition,) = read(tmp_path, f"{DATES}video_ids:\n{ids}\n").query.and_
    assert len(condition.field_values) == 10_000


def test_no_such_file(tmp_path):
    assert refused(tmp_path / "no.yaml").endswith("cannot be read: No such file or directory")


def test_a_file_that_is_not_in_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert refused(Path("no.yaml")).endswith(f"No such file or directory in {tmp_path}")
    for name in ("compose.yaml", "query.yaml"):
        (tmp_path / name).touch()
    assert refused(Path("nope.yaml")).endswith(f"No such file or directory in {tmp_path}")
    assert refused(Path("quary.yaml")).endswith(f" in {tmp_path}; did you mean 'query.yaml'?")


def test_a_directory(tmp_path):
    assert refused(tmp_path).endswith("is a directory, not a query file")


def test_a_path_that_no_file_can_have():
    assert "cannot be read" in refused(Path("a\0b"))
    assert "cannot be read" in refused(Path("a" * 5000))


def test_a_pipe_and_a_device_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / "pipe").endswith("is not a regular file")
    assert refused(Path("/dev/zero")).endswith("is not a regular file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_a_file_without_permission(tmp_path):
    path = tmp_path / "query.yaml"
    path.touch(mode=0o000)
    assert refused(path).endswith("cannot be read: Permission denied")


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "query.yaml"
    with path.open("wb") as file:
        file.truncate(10**12)  # More than any memory holds, and next to nothing on the disk.
    text = "is too large for a query file: 1,000,000,000,000 bytes, allowed: 1,048,576"
    assert text in refused(path)


@pytest.mark.parametrize(
    ("data", "essential"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00", ": holds binary data, not text"),
        (b"\x1f\x8b\x08\x00", ": holds binary data, not text"),
        ("regions: [US]".encode("utf-16"), ": is UTF-16 text; save it as UTF-8"),
        ("a: b\ntags: [été]".encode("latin-1"), ":2: is not UTF-8 text; save it as UTF-8"),
        (b"a: b\n\ntags: [\x07]", ":3: holds the unprintable character '\\x07'"),
    ],
)
def test_what_is_not_utf_8_text(tmp_path, data, essential):
    path = tmp_path / "query.yaml"
    path.write_bytes(data)
    assert refused(path).endswith(f"query.yaml{essential}")


def test_any_script_is_text(tmp_path):
    text = "include: {any_hashtags: [été, 한국, चाय, שלום, 🧈]}"
    assert compiled(tmp_path, text)["and"][0]["field_values"] == sorted(
        ["été", "한국", "चाय", "שלום", "🧈"]
    )
