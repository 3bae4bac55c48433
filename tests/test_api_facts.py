"""docs/api_facts.md has every section and row that code, tests and documents refer to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.regions import REGION_CODES

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "api_facts.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
NUMBERED = re.compile(r"^(?:#{2,3} (\d+(?:\.\d+)?)\b|\| (\d+\.\d+[a-z]?) \|)", re.MULTILINE)

NUMBER = r"\d+(?:\.\d+)?[a-z]?\b(?!\.\d)"
GAP = r"[\s#]+"
"""References go on in the next line, of a comment too."""
NUMBERS = rf"{NUMBER}(?:(?:,|{GAP}to|{GAP}and){GAP}{NUMBER})*"
REFERENCE = re.compile(rf"(?<!\]\()\bapi_facts\.md{GAP}({NUMBERS})")
"""Not the target of a link, which names a heading."""
INSIDE = re.compile(rf"\b(?:sections?|rows?) ({NUMBERS})")

FOLDERS = ("tiktok_crawler", "tests", "benchmarks", "alembic", "docs")
SUFFIXES = {".py", ".md", ".sql", ".yaml", ".mako", ".ipynb"}


def files() -> list[Path]:
    inside = (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*")))
    return [path for path in (*sorted(ROOT.glob("*")), *inside) if path.suffix in SUFFIXES]


TEXTS = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in files()
    if path != Path(__file__)
}


def numbers() -> list[str]:
    """The numbers of all sections and rows of the document."""
    return [section or row for section, row in NUMBERED.findall(TEXT)]


def referred_to(text: str, pattern: re.Pattern[str] = REFERENCE) -> list[str]:
    """The numbers in a text's references, one by one."""
    return [number for found in pattern.findall(text) for number in re.findall(NUMBER, found)]


def test_a_reference_is_understood_however_it_is_written():
    text = """(api_facts.md 3.4, 3.5, 4 to 10), (api_facts.md
    13.20a) # api_facts.md 1, 3.1
    # and 99.9: 30 days"""
    assert referred_to(text) == ["3.4", "3.5", "4", "10", "13.20a", "1", "3.1", "99.9"]


def test_a_number_is_given_once():
    assert len(numbers()) == len(set(numbers())) > 70


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if referred_to(text)])
def test_every_section_and_row_that_is_referred_to_exists(name):
    assert set(referred_to(TEXTS[name])) <= set(numbers())


def test_all_references_are_found():
    assert sum(len(referred_to(text)) for text in TEXTS.values()) > 150


def test_code_refers_to_facts_by_number_and_in_one_spelling():
    for name, text in TEXTS.items():
        mentions = re.findall(r"(?i)\bapi(?:_facts)?\.md\b", text)
        assert not name.endswith(".py") or len(mentions) == len(REFERENCE.findall(text)), name


def test_the_document_refers_to_sections_and_rows_of_its_own():
    assert len(referred_to(TEXT, INSIDE)) > 30
    assert set(referred_to(TEXT, INSIDE)) <= set(numbers())


def test_its_contents_lead_to_its_headings():
    headings = re.findall(r"^#{2,3} (.*)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]*)\)", TEXT)) == anchors


def test_its_fields_and_regions_are_those_of_the_package():
    fields, regions, _bodies = re.findall(r"^```\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert fields.replace(",", " ").split() == list(VIDEO_QUERY.fields)
    assert regions.split() == sorted(REGION_CODES)
