"""What is drawn: in the page's colours, for hovering, the same in whatever time zone."""

from __future__ import annotations

import time
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest

from tiktok_crawler.html_report.charts import Bar, Point, bars, lines
from tiktok_crawler.html_report.svg import COLOURS, NAMESPACE

DAY = timedelta(days=1)
FIRST = date(2024, 1, 30)
BARS = [Bar(FIRST + n * DAY, n + 1, f"day {n}") for n in range(20)]


def elements(svg, tag=None):
    """Give the elements of a picture, all or those of a kind."""
    wanted = tag and f"{{{NAMESPACE}}}{tag}"
    return list(ET.fromstring(svg).iter(wanted))


def titles(svg):
    return [each.text for each in elements(svg, "title")]


def texts(svg):
    return [each.text for each in elements(svg, "text")]


@pytest.fixture(scope="module")
def drawn():
    return bars(BARS, by_month=False)


def test_each_bar_says_on_hover_what_it_is(drawn):
    for svg in (drawn.wide, drawn.narrow):
        assert titles(svg) == [bar.label for bar in BARS]


def test_colours_are_those_of_the_page(drawn):
    for svg in (drawn.wide, drawn.narrow):
        assert not any(colour in svg for colour in COLOURS.values())
        assert 'class="fill-series-1"' in svg
        assert "fill-muted" in svg
        paints = {each.get(name) for each in elements(svg) for name in ("fill", "stroke")}
        assert paints <= {None, "none", "transparent"}


def test_text_is_text_in_the_font_of_the_page(drawn):
    assert any(text.startswith("2024-02-") for text in texts(drawn.wide))
    assert "font-family" not in drawn.wide


def test_days_are_the_same_in_every_time_zone(drawn, monkeypatch):
    for zone in ("America/Los_Angeles", "Pacific/Auckland"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        assert bars(BARS, by_month=False) == drawn
    monkeypatch.undo()
    time.tzset()


def test_a_single_bar_is_no_wider_than_others():
    wide = bars(BARS[:1], by_month=False).wide
    widest = max(path_width(each) for each in elements(wide) if len(each))
    assert widest < 100


def path_width(element):
    """The width of what is drawn as `M0,0h44v100h-44Z`."""
    path = element.get("d", "")
    return float(path.split("h")[1].split("v")[0]) if "h" in path else 0


def test_shares_are_percent_and_counts_whole_numbers():
    shares = bars([Bar(FIRST, 0.5, "half")], by_month=True, is_share=True)
    assert any(text.endswith("%") for text in texts(shares.wide))
    counts = bars([Bar(FIRST, 1, "one")], by_month=True)
    assert {"0", "1"} <= set(texts(counts.wide))
    assert not any("." in text for text in texts(counts.wide))


def test_lines_are_told_apart_by_more_than_colour():
    names = ("views", "likes", "comments", "shares")
    points = [Point(name, n, n + k, f"{name} {n}") for k, name in enumerate(names) for n in (1, 2)]
    svg = lines(points).wide

    assert sorted(titles(svg)) == sorted(point.label for point in points)
    assert set(names) <= set(texts(svg))
    dashes = {
        each.get("stroke-dasharray")
        for each in elements(svg)
        if "stroke-series" in each.get("class", "")
    }
    assert len(dashes - {None}) == 4


@pytest.mark.parametrize("by_month", [False, True])
def test_of_one_day_or_month_one_is_drawn_and_named(by_month):
    drawn = bars([Bar(date(2024, 2, 1), 5, "all")], by_month=by_month)

    for svg in (drawn.wide, drawn.narrow):
        named = [text for text in texts(svg) if text.startswith("20")]
        assert named == ["2024-02" if by_month else "2024-02-01"]


def test_few_bars_are_not_made_wider():
    one, many = (bars(BARS[:count], by_month=False).wide for count in (1, 13))

    assert width_of_bars(one) == pytest.approx(width_of_bars(many), abs=4)


def width_of_bars(svg):
    paths = (each.get("d") for each in elements(svg, "path") if each.get("class"))
    (width,) = {round(float(path.split("h")[1].split("v")[0])) for path in paths}
    return width
