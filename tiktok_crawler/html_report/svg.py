"""Fits a drawn picture into the page: its palette, its fonts, and titles that are shown on hover.

The page names a picture, and has its numbers in a table: inside nothing is read out.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

NAMESPACE = "http://www.w3.org/2000/svg"

COLOURS = {
    "ink": "#010101",
    "muted": "#020202",
    "grid": "#030303",
    "series-1": "#040401",
    "series-2": "#040402",
    "series-3": "#040403",
    "series-4": "#040404",
}
"""What stands for the colours of the page while a picture is drawn."""

_NAMES = {colour: name for name, colour in COLOURS.items()}
_PAINTS = ("fill", "stroke")
_READ_OUT = ("role", "aria-roledescription", "aria-hidden", "aria-label", "font-family")


def themed(svg: str) -> str:
    """Give a picture classes instead of colours, titles instead of labels, and the page's font."""
    root = ET.fromstring(svg)  # noqa: S314 - our own
    for element in root.iter():
        _theme(element)
    for name in ("width", "height", "class", "version"):
        root.attrib.pop(name, None)
    root.set("aria-hidden", "true")
    root.set("focusable", "false")
    ET.register_namespace("", NAMESPACE)
    return ET.tostring(root, encoding="unicode")


def _theme(element: ET.Element) -> None:
    label = element.get("aria-label")
    painted = [
        f"{paint}-{_NAMES[colour]}"
        for paint in _PAINTS
        if (colour := element.get(paint, "")) in _NAMES
    ]
    for paint in _PAINTS:
        if element.get(paint) in _NAMES:
            del element.attrib[paint]
    for name in _READ_OUT:
        element.attrib.pop(name, None)
    element.attrib.pop("class", None)
    if painted:
        element.set("class", " ".join(painted))
    if label and element.tag != f"{{{NAMESPACE}}}g":
        ET.SubElement(element, f"{{{NAMESPACE}}}title").text = label
