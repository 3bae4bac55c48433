"""Draws series over time with Altair, as SVG that stands in the page.

A picture is drawn in two widths, for screens and for phones, of which the page shows one. No text
of others is in it: days, numbers, and the names of counters.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import altair as alt

from tiktok_crawler.date_range import DAY
from tiktok_crawler.html_report.svg import COLOURS, themed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

WIDE, NARROW = 660, 330
HEIGHT = 180
LABEL_PIXELS = 12
FONT = "Liberation Sans"
"""As wide as Arial and Helvetica, which the page asks for."""

MONTH = 31 * DAY
NOON = 12
FEWEST_BARS = 14
"""Fewer are not made wider, and each has its day or month below it."""

MOST_WITH_GAPS = 100

DASHES = ([1, 0], [7, 3], [2, 2], [8, 3, 2, 3])
SHAPES = ("circle", "square", "triangle-up", "diamond")
SERIES = [COLOURS[f"series-{number}"] for number in (1, 2, 3, 4)]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as SVG in both widths."""

    wide: str
    narrow: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a series over time; `label` is what is shown on hover."""

    day: date
    value: float
    label: str


@dataclass(frozen=True, slots=True)
class Point:
    """A point of one of several lines, so many days after their start."""

    line: str
    days: int
    value: float
    label: str


def bars(found: Sequence[Bar], *, by_month: bool, is_share: bool = False) -> Picture:
    """Draw a bar for each day, or each month (whose first day it has)."""
    rows = [{"day": f"{bar.day}", "value": bar.value, "label": bar.label} for bar in found]
    unit: Any = "utcyearmonth" if by_month else "utcyearmonthdate"
    first, width = found[0].day, MONTH if by_month else DAY
    last = found[-1].day + width
    middles = [_utc(bar.day + (width - DAY) / 2, hour=NOON) for bar in found]
    days = alt.Axis(
        format="%Y-%m" if by_month else "%Y-%m-%d",
        values=middles if len(found) < FEWEST_BARS else alt.Undefined,
    )
    values = alt.Axis(format="%" if is_share else ",d", tickMinStep=0.01 if is_share else 1)
    gap = 1 if len(found) < MOST_WITH_GAPS else 0
    widest = alt.RelativeBandSize(band=min((last - first) / (FEWEST_BARS * width), 1))
    chart = alt.Chart(_data(rows)).mark_bar(color=SERIES[0], binSpacing=gap, width=widest)
    return _drawn(
        chart.encode(
            x=alt.X(
                "day",
                type="temporal",
                timeUnit=unit,
                title=None,
                axis=days,
                scale=alt.Scale(domain=[_utc(first), _utc(last)]),
            ),
            y=alt.Y("value", type="quantitative", title=None, axis=values),
            description=alt.Description("label", type="nominal"),
        )
    )


def lines(found: Sequence[Point]) -> Picture:
    """Draw a line for each series, which differ in colour, dashes and marks."""
    names = list(dict.fromkeys(point.line for point in found))
    rows = [
        {"line": point.line, "days": point.days, "value": point.value, "label": point.label}
        for point in found
    ]
    days = alt.Axis(tickMinStep=1, format="d")
    base = alt.Chart(_data(rows)).encode(
        x=alt.X("days", type="quantitative", title=None, axis=days),
        y=alt.Y("value", type="quantitative", title=None, scale=alt.Scale(zero=False)),
        color=alt.Color("line", type="nominal", title=None, scale=_told_apart(names, SERIES)),
    )
    dash = alt.StrokeDash("line", type="nominal", title=None, scale=_told_apart(names, DASHES))
    shape = alt.Shape("line", type="nominal", title=None, scale=_told_apart(names, SHAPES))
    label = alt.Description("label", type="nominal")
    return _drawn(
        base.mark_line(strokeWidth=2, aria=False).encode(strokeDash=dash)
        + base.mark_point(filled=True, size=40, opacity=1).encode(shape=shape, description=label)
    )


def _data(rows: list[dict[str, Any]]) -> alt.Data:
    return alt.Data(values=rows)  # type: ignore[no-untyped-call]


def _utc(day: date, *, hour: int = 0) -> alt.DateTime:
    return alt.DateTime(year=day.year, month=day.month, date=day.day, hours=hour, utc=True)


def _told_apart(names: list[str], looks: Sequence[Any]) -> alt.Scale:
    return alt.Scale(domain=names, range=list(looks[: len(names)]))


def _drawn(chart: alt.Chart | alt.LayerChart) -> Picture:
    return Picture(_svg(chart, WIDE), _svg(chart, NARROW))


def _svg(chart: alt.Chart | alt.LayerChart, width: int) -> str:
    file = io.StringIO()
    _styled(chart, width).save(file, format="svg")
    return themed(file.getvalue())


def _styled(chart: alt.Chart | alt.LayerChart, width: int) -> Any:
    ink, muted, grid = COLOURS["ink"], COLOURS["muted"], COLOURS["grid"]
    fit = alt.AutoSizeParams(type="fit", contains="padding")
    return (
        chart.properties(width=width, height=HEIGHT, autosize=fit)
        .configure(background="transparent", font=FONT, padding=2)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=muted,
            gridColor=grid,
            domainColor=muted,
            tickColor=muted,
            labelFontSize=LABEL_PIXELS,
        )
        .configure_axisX(grid=False, labelOverlap=True, labelFlush=True)
        .configure_axisY(tickCount=4)
        .configure_legend(
            orient="bottom",
            labelColor=ink,
            labelFontSize=LABEL_PIXELS,
            symbolStrokeWidth=0,
            columns=2 if width == NARROW else 4,
        )
    )
