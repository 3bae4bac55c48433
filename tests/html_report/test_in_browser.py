"""The report in a real browser: alone, readable, and the same for eyes, ears and paper."""

from __future__ import annotations

import re

import on_pages
import pytest
from browser import CHROMIUM, Browser, Opened
from invented_report import report

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None, reason="there is no Chromium to open reports in: apt-get install chromium"
    ),
]

WIDTHS = {"phone": 400, "screen": 1200}
SHOWN = "[...document.querySelectorAll('figure svg')].filter(e => e.checkVisibility()).length"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report(), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture(
    scope="module", params=[(width, scheme) for width in WIDTHS for scheme in ("light", "dark")]
)
def opened(request, browser, path):
    width, scheme = request.param
    with Opened(browser, path, width=WIDTHS[width], scheme=scheme) as opened:
        yield opened


def test_it_stands_alone_and_says_nothing(opened, path):
    assert opened.said == []
    assert opened.asked_for == [path.as_uri()]
    assert opened.do("title") == "Collection report, 2024-06-01 12:00 UTC"


def test_text_fits(opened):
    assert opened.find("document.documentElement.scrollWidth <= innerWidth")
    assert opened.find(on_pages.CUT_OFF) == []
    assert opened.find(on_pages.SMALL_IN_PICTURES) == []
    assert opened.find(on_pages.OUTSIDE_OF_PICTURES) == []
    assert opened.find(on_pages.OVERLAPPING_IN_PICTURES) == []


def test_text_stands_out_from_what_is_behind_it(opened):
    assert opened.find(on_pages.LOW_CONTRAST) == []


def test_each_picture_is_shown_once(opened):
    assert opened.find(SHOWN) == opened.find("document.querySelectorAll('figure').length") > 0


def test_its_numbers_are_one_key_away(opened):
    assert opened.find("document.querySelectorAll('figure details[open]').length") == 0
    opened.do("focus", "figure summary")
    opened.press("Enter")
    shown = opened.do("inner_text", "figure details[open] caption")
    assert shown == "Videos by day of publication (UTC)"
    assert "2024-03-01" in opened.do("inner_text", "figure details[open] tbody")
    opened.press("Enter")
    assert opened.find("document.querySelectorAll('figure details[open]').length") == 0


def test_all_that_scrolls_or_opens_can_be_reached_by_keyboard(opened):
    assert opened.find(on_pages.WITHOUT_KEYBOARD) == []


def test_a_screen_reader_is_told_everything_but_pictures(opened):
    told = opened.told()

    assert '- heading "Collection report" [level=1]' in told
    assert '- table "Most frequent hashtags"' in told
    assert '- columnheader "hashtag"' in told
    assert "- img" not in told


@pytest.mark.slow
def test_it_prints_black_on_white_on_a4(browser, path):
    with Opened(browser, path, width=688, scheme="dark") as opened:
        opened.do("emulate_media", media="print", color_scheme="dark")
        back = opened.find("getComputedStyle(document.body).backgroundColor")
        assert back == "rgb(255, 255, 255)"
        assert opened.find("document.documentElement.scrollWidth <= innerWidth")
        assert opened.find(on_pages.LOW_CONTRAST) == []
        paper = opened.do("pdf", prefer_css_page_size=True)
    sizes = re.findall(rb"/MediaBox \[0 0 (\d+)[\d.]* (\d+)[\d.]*\]", paper)
    assert sizes
    assert set(sizes) <= {(b"594", b"841"), (b"595", b"841"), (b"594", b"842"), (b"595", b"842")}
