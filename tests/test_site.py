"""The site of the documents: built without a warning, whole, alone, and readable on a phone."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import on_pages
import pytest
from browser import CHROMIUM, Browser, Opened

from tiktok_crawler.planning.task_states import SeedState, WindowState
from tiktok_crawler.storage.models import METADATA

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
PAGES = sorted(
    ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "benchmarks/README.md"]
    + [path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/*.md")]
)

LOADED = {
    ("script", "src"),
    ("img", "src"),
    ("iframe", "src"),
    ("source", "src"),
    ("object", "data"),
}
LOADED_LINKS = {"stylesheet", "icon", "preload", "modulepreload", "shortcut icon", "manifest"}

WIDE_TABLES_MOVED = """
() => [...document.querySelectorAll(".table-wrapper")]
  .filter(each => each.scrollWidth > each.clientWidth)
  .map(each => { each.scrollLeft = 50; return each.scrollLeft > 0; })
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site, as the command of CONTRIBUTING.md builds it, in another place."""
    (command,) = re.findall(
        r"^\.venv/bin/(sphinx-build .*) build/site$", CONTRIBUTING, re.MULTILINE
    )
    site = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [Path(sys.executable).parent / "sphinx-build", *shlex.split(command)[1:], site],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    assert built.stderr == ""
    return site


class Page(HTMLParser):
    """What a page links to, has anchors for, and loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.loaded: list[str] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "link" and given.get("rel") in LOADED_LINKS:
            self.loaded.append(given["href"])
        self.loaded += [value for name, value in given.items() if (tag, name) in LOADED]
        self.loaded += re.findall(r"url\(([^)]*)\)", given.get("style", ""))
        if tag == "a" and "href" in given:
            self.links.append(given["href"])


@cache
def parsed(path: Path) -> Page:
    return Page(path)


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def test_every_document_is_a_page(site):
    assert len(PAGES) > 25
    assert [page for page in PAGES if not (site / page).with_suffix(".html").exists()] == []


def test_the_index_names_every_page():
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    links = re.findall(r"\]\(([^)#]+)", re.sub(r"```.*?```", "", index, flags=re.DOTALL))
    named = {(ROOT / "docs" / link).resolve().relative_to(ROOT).as_posix() for link in links}
    assert set(PAGES) - named == {"docs/index.md"}


def test_every_link_leads_somewhere(site):
    lost = []
    for page in pages(site):
        for link in parsed(page).links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not target.is_file() or (
                parts.fragment
                and target.suffix == ".html"
                and unquote(parts.fragment) not in parsed(target).anchors
            ):
                lost.append((page.name, link))
    assert lost == []


def test_nothing_is_loaded_from_elsewhere(site):
    loaded = {link for page in pages(site) for link in parsed(page).loaded}
    styles = [*site.rglob("*.css"), *site.rglob("*.svg")]
    written = "\n".join(path.read_text("utf-8") for path in styles)
    loaded |= set(re.findall(r"url\(['\"]?([^'\")]+)|@import ['\"]([^'\"]+)", written))

    assert len(loaded) > 5
    assert {link for link in map(str, loaded) if re.search(r"^\W*(https?:)?//", link)} == set()


def test_the_reference_has_what_the_code_has(site):
    schema = (site / "docs" / "schema.html").read_text("utf-8")
    assert "mermaid" not in schema
    for table in METADATA.tables.values():
        assert f'id="{table.name.replace("_", "-")}"' in schema
        for column in table.columns:
            assert f'<span class="pre">{column.name}</span>' in schema
    commands = (site / "docs" / "commands.html").read_text("utf-8")
    assert '<span class="pre">--probe</span>' in commands
    spiders = (site / "docs" / "spiders.html").read_text("utf-8")
    assert '<span class="pre">max_per_comment=50</span>' in spiders
    configuration = (site / "docs" / "configuration.html").read_text("utf-8")
    assert '<span class="pre">TIKTOK_SETTLE_DAYS</span>' in configuration


def test_the_glossary_has_every_state(site):
    glossary = parsed(site / "docs" / "glossary.html")
    assert {*map(str, WindowState), *map(str, SeedState)} <= glossary.anchors


in_a_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium to open the site in: apt-get install chromium"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@in_a_browser
@pytest.mark.parametrize("name", [page.removesuffix(".md") for page in PAGES])
def test_a_page_fits_and_asks_nobody(site, browser, name):
    with Opened(browser, site / f"{name}.html", width=400) as opened:
        for width in (400, 1400):
            opened.do("set_viewport_size", {"width": width, "height": 900})
            assert opened.find("document.documentElement.scrollWidth <= innerWidth"), width
            assert opened.find(on_pages.CUT_OFF) == [], width
        assert opened.said == []
        assert [url for url in opened.asked_for if not url.startswith(site.as_uri())] == []


@in_a_browser
def test_a_wide_table_moves_inside_of_itself(site, browser):
    with Opened(browser, site / "docs" / "configuration.html", width=400) as opened:
        moved = opened.find(WIDE_TABLES_MOVED)
        assert moved
        assert all(moved)


@in_a_browser
def test_the_search_finds(site, browser):
    with Opened(browser, site / "search.html") as opened:
        opened.do("goto", f"{(site / 'search.html').as_uri()}?q=withheld")
        opened.do("wait_for_selector", "#search-results a[href*='docs/gaps.html']")
        assert opened.said == []


@in_a_browser
def test_the_first_page_leads_to_the_index(site, browser):
    with Opened(browser, site / "index.html") as opened:
        opened.do("wait_for_url", "**/docs/index.html")
        assert opened.do("inner_text", "h1").startswith("The documents of tiktok_crawler")
