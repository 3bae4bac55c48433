from __future__ import annotations

import json
from string import ascii_letters, digits
from tempfile import TemporaryDirectory

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from marathon import first, times
from query_files import DATES, TODAY, mistakes, read, write

from tiktok_crawler.exceptions import CrawlerError
from tiktok_crawler.query_file import yaml_text
from tiktok_crawler.query_file.collection import KEYS, read_collection
from tiktok_crawler.query_file.text_file import MAX_BYTES
from tiktok_crawler.research_api.query import GROUPS, Field, Operation
from tiktok_crawler.research_api.regions import REGION_CODES

scalars = st.text() | st.sampled_from(
    ["", "US", "2024-01-01", "today", "7 days", "NO", "1_000", "#", "@", "~", "null", "&a b", "*a"]
)
fragments = st.sampled_from(
    [
        *(*KEYS, *GROUPS, *Field, *Operation, "any_hashtags", "either", "hashtags", "gte"),
        *("field_name", "operation", "field_values", "2024-01-01", "today", "US", "1"),
        *(": ", ":", "\n", "\n  ", "- ", "[", "]", "{", "}", ", ", "#", "'", '"', "\\", "\t"),
        *("---", "...", "? ", "|", ">", "&a ", "*a", "!!str ", "!x", "%YAML 1.2\n", "<<"),
        *("\\ud83e", "\\uddc8", "\ufeff", "\x85"),
    ]
)
structures = st.recursive(
    scalars | st.integers() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*KEYS, "and", "or", "not"]) | st.text(), inner, max_size=5
        )
        | st.fixed_dictionaries(
            {"field_name": st.sampled_from(Field), "operation": st.sampled_from(Operation)},
            optional={"field_values": inner},
        )
    ),
    max_leaves=20,
)


GOOD_VALUES = {
    **dict.fromkeys(Field, ("1", "22")),
    Field.CREATE_DATE: ("20231231", "20240101", "20240331", "20240401"),
    Field.REGION_CODE: ("US", "FR"),
    Field.VIDEO_LENGTH: ("SHORT", "MID"),
}
valid_conditions = st.sampled_from(Field).flatmap(
    lambda field: st.fixed_dictionaries(
        {
            "field_name": st.just(field),
            "operation": st.sampled_from(field.operations),
            "field_values": st.sampled_from(GOOD_VALUES[field]).map(lambda value: [value]),
        }
    )
)

LOADERS = (yaml.CSafeLoader, yaml.SafeLoader)
"""PyYAML may have been installed without its compiled parser."""


def check(text: str | bytes, **overrides: str) -> None:
    """A file is either understood or refused in words by both parsers."""
    for loader in LOADERS:
        with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
            patch.setattr(yaml_text, "_LOADER", loader)
            path = write(folder, text)
            try:
                read_collection(path, today=TODAY, overrides=overrides)
            except CrawlerError as exc:
                said = str(exc)
            else:
                said = "-a"
        assert all(line.startswith((str(path), "-a")) for line in said.split("\n"))


@given(st.binary())
def test_any_bytes_are_understood_or_refused(data):
    check(data)


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_any_text_is_understood_or_refused(text):
    check(text)


@settings(max_examples=times(5))
@given(st.lists(fragments, max_size=40).map("".join))
def test_anything_like_a_query_file_is_understood_or_refused(text):
    check(text)
    check(DATES + text)


@pytest.mark.slow
@settings(max_examples=times(2))
@given(st.dictionaries(st.sampled_from(KEYS) | st.text(), structures))
def test_any_json_is_understood_or_refused(content):
    check(json.dumps(content))
    check(json.dumps(content, indent="\t", ensure_ascii=True))


@settings(max_examples=times(2))
@given(st.dictionaries(st.sampled_from(GROUPS), st.lists(valid_conditions, max_size=4)))
def test_any_valid_conditions_are_understood_or_refused(query):
    check(DATES + json.dumps({"query": query})[1:-1])


@given(
    st.dictionaries(st.sampled_from(["start_date", "end_date", "tags", "refresh_after"]), scalars)
)
def test_any_arguments_are_understood_or_refused(overrides):
    check(f"{DATES}regions: [US]", **overrides)


@pytest.mark.slow
@pytest.mark.parametrize("loader", first(1, LOADERS))
@pytest.mark.parametrize(
    "unit",
    [
        "regions: [US]\n",
        "- - - -\n",
        "a: ",
        "{",
        "[a,",
        "? a\n",
        "&a ",
        "!",
        "'",
        '"a\n',
        "#",
        "\n",
    ],
)
def test_files_as_large_as_allowed_are_refused(tmp_path, monkeypatch, unit, loader):
    monkeypatch.setattr(yaml_text, "_LOADER", loader)
    assert mistakes(tmp_path, unit * (MAX_BYTES // len(unit)))


names = st.text(ascii_letters + digits + "éß한🧈_.", min_size=1, max_size=6)
name_lists = st.lists(names, min_size=1, max_size=4)
region_lists = st.lists(st.sampled_from(sorted(REGION_CODES)), min_size=1, max_size=4)


def lower(text: str) -> str:
    return "".join(c.lower() if c in ascii_letters else c for c in text)


@given(name_lists, region_lists, name_lists, st.randoms())
def test_the_spelling_of_a_query_does_not_matter(hashtags, regions, keywords, random):
    friendly = {
        "include": {
            "any_hashtags": [random.choice(["#", "##", " ", ""]) + name for name in hashtags],
            "either": {"keywords": keywords, "hashtags": ["x", "#X"]},
        },
        "regions": [random.choice([code, code.lower()]) for code in regions * 2],
    }
    conditions = [
        ("hashtag_name", [lower(name) for name in hashtags]),
        ("region_code", regions * 2),
    ]
    alternatives = [("keyword", keywords), ("hashtag_name", ["x"])]
    random.shuffle(conditions)
    random.shuffle(alternatives)
    raw = {
        "query": {
            group: [
                {
                    "operation": "IN",
                    "field_name": field,
                    "field_values": random.sample(values, len(values)),
                }
                for field, values in parts
            ]
            for group, parts in (("and", conditions), ("or", alternatives))
        }
    }
    with TemporaryDirectory() as folder:
        one = read(folder, json.dumps({**friendly}), start_date="today", end_date="today")
        other = read(folder, DATES + yaml.safe_dump(raw, allow_unicode=True, default_style='"'))
    assert one.query == other.query
    assert one.query.fingerprint == other.query.fingerprint
