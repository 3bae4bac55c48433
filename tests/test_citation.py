"""How to cite the program: the file that tools read says what the package and a report say."""

from __future__ import annotations

import tomllib
from pathlib import Path

import yaml

from tiktok_crawler.reports.provenance_report import AUTHORS

ROOT = Path(__file__).parents[1]


def test_the_citation_is_that_of_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]
    assert citation["authors"] == project["authors"] == [{"name": AUTHORS}]
