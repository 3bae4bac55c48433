"""A release is told alike in the package, in the file for citations and in the changelog."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path

import yaml
from packaging.version import Version

from tiktok_crawler.reports.provenance_report import AUTHORS

ROOT = Path(__file__).parents[1]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
HEADINGS = re.findall(
    r"^##+ .*$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE
)
RELEASES = [
    (Version(version), date.fromisoformat(day))
    for version, day in re.findall(r"^## \[(\d\S*)\] - (\S+)$", "\n".join(HEADINGS), re.MULTILINE)
]
"""The newest first."""


def test_the_citation_is_that_of_the_package():
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["version"] == PROJECT["version"]
    assert CITATION["license"] == PROJECT["license"]
    assert CITATION["authors"] == PROJECT["authors"] == [{"name": AUTHORS}]


def test_the_changelog_has_the_form_of_keep_a_changelog():
    kinds = [
        f"### {kind}" for kind in ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
    ]
    releases = [each for each in HEADINGS if each not in kinds]
    assert releases[0] == "## [Unreleased]"
    assert len(releases) == 1 + len(RELEASES)
    assert sorted(RELEASES, reverse=True) == RELEASES


def test_the_package_is_the_newest_release_or_a_later_one():
    """A version that is not released yet has no day, and one that is has that of the changelog."""
    days = dict(RELEASES)
    version = Version(PROJECT["version"])
    assert version >= max(days, default=version)
    assert CITATION.get("date-released") == days.get(version)
