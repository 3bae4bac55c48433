"""What stands beside the data: dictionary, description for programs, checksums, provenance."""

from __future__ import annotations

import json
import re

import pytest

from tiktok_crawler.dataset.selection import Sample, Selection

TYPES = {"integer", "string", "boolean", "datetime", "date", "any"}


@pytest.fixture(scope="module")
def folders(filled_sqlite, tmp_path_factory):
    folder = tmp_path_factory.mktemp("beside")
    for format_ in ("parquet", "csv", "xlsx"):
        filled_sqlite.export(folder / format_, format_)
    filled_sqlite.export(folder / "excel", "csv", for_excel=True, delimiter=";")
    return folder


def package_of(folder):
    return json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("format_", ["parquet", "csv", "xlsx", "excel"])
def test_the_description_is_a_data_package(folders, format_):
    """By the rules of Data Package 2.0 (datapackage.org/profiles/2.0)."""
    package = package_of(folders / format_)

    assert package["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", package["created"])
    assert len({resource["name"] for resource in package["resources"]}) == 24
    for resource in package["resources"]:
        assert re.fullmatch(r"[-a-z0-9._/]+", resource["name"])
        assert re.fullmatch(r".+/.+", resource["mediatype"])
        paths = resource["path"] if isinstance(resource["path"], list) else [resource["path"]]
        assert paths
        for path in paths:
            assert not path.startswith(("/", ".", "~"))
            assert (folders / format_ / path).is_file()
        fields = resource["schema"]["fields"]
        assert fields
        assert all(field.keys() == {"name", "type", "description"} for field in fields)
        assert {field["type"] for field in fields} <= TYPES


def test_every_format_tells_the_same_number_of_rows(folders):
    rows = [
        {resource["name"]: resource["rows"] for resource in package_of(folders / name)["resources"]}
        for name in ("parquet", "csv", "xlsx")
    ]
    assert rows[0] == rows[1] == rows[2]
    assert all(rows[0].values())


def test_a_file_for_excel_is_described_as_such(folders):
    first = package_of(folders / "excel")["resources"][0]
    assert (first["encoding"], first["dialect"]) == ("utf-8-sig", {"delimiter": ";"})


@pytest.mark.parametrize("format_", ["parquet", "csv"])
def test_the_dictionary_has_every_column_once(folders, format_):
    text = (folders / format_ / "DICTIONARY.md").read_text(encoding="utf-8")
    sections = {part.partition("\n")[0]: part for part in text.split("\n## ")[1:]}

    for resource in package_of(folders / format_)["resources"]:
        rows = re.findall(r"^\| (\w+) \| ", sections[resource["name"]], flags=re.MULTILINE)
        assert rows[1:] == [field["name"] for field in resource["schema"]["fields"]]


def test_the_provenance_says_what_is_exported(filled_sqlite, tmp_path):
    selection = Selection(
        query_ids=(1, 2),
        tags=("a", "zweite,Welle"),
        comparisons=("like_count >= 3", "username != x_y"),
        sample=Sample(4, 9),
    )
    options = {"selection": selection, "tables": ("video", "comment"), "columns": ("id",)}
    folder = filled_sqlite.export(tmp_path / "out", "csv", **options).folder

    videos = (
        "- videos: found by query 1 or 2; collected with the tag a or zweite,Welle; for which it "
        "is true that like\\_count \\>= 3 and username != x\\_y; 4 of these at random (seed 9)"
    )
    _, section = (folder / "PROVENANCE.md").read_text(encoding="utf-8").split("## This export\n")
    assert section.splitlines()[1:6] == [
        "- format: csv",
        videos,
        "- tables: those below, and not all",
        "- columns: those of DICTIONARY.md, and not all",
        "",
    ]
    assert "| video | 4 |" in section


def test_the_provenance_counts_many_queries(filled_sqlite, tmp_path):
    options = {"selection": Selection(query_ids=tuple(range(1, 5013))), "tables": ("video",)}
    folder = filled_sqlite.export(tmp_path / "out", "csv", **options).folder
    text = (folder / "PROVENANCE.md").read_text(encoding="utf-8")
    assert "- videos: found by query 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 or 5,002 more\n" in text


def test_the_provenance_of_all_says_so(folders):
    text = (folders / "parquet" / "PROVENANCE.md").read_text(encoding="utf-8")
    section = text.split("## This export\n")[1]

    assert "- videos: all\n" in section
    assert "not all" not in section
    assert "| user\\_info | 2 |" in section
