"""Addresses of TikTok's pages, as copied out of a browser: the name or the number in them. Pure."""

from __future__ import annotations

import re
from urllib.parse import unquote

_SITE = re.compile(r"(?:https?://)?(?:(?:www|m)\.)?tiktok\.com(?=[/?#]|$)", re.IGNORECASE)
_SHORT_LINK = re.compile(
    r"(?:https?://)?(?:(?:vm|vt)\.tiktok\.com/|(?:(?:www|m)\.)?tiktok\.com/t/)", re.IGNORECASE
)
_PATHS = {
    "username": r"/@([^/@]+)(?:/.*)?",
    "video_id": r"/(?:@[^/]*/(?:video|photo)|v|embed(?:/v[0-9])?)/([0-9]+)(?:\.html)?/?",
    "hashtag_name": r"/tag/([^/]+)/?",
    "music_id": r"/music/(?:[^/]*-)?([0-9]+)/?",
    "playlist_id": r"/@[^/]*/playlist/(?:[^/]*-)?([0-9]+)/?",
}
"""Where the pages have what a field of the API, or the key of a seed, is about."""


def without_address(what: str, text: str) -> str:
    """Return the name or the id that the address of a page has in it; any other text as it is."""
    written = text.strip()
    if not (site := _SITE.match(written)) or what not in _PATHS:
        return text
    path = unquote(re.split("[?#]", written[site.end() :])[0])
    found = re.fullmatch(_PATHS[what], path)
    return found[1] if found else text


def address_problem(what: str, text: str) -> str | None:
    """Say what is wrong with an address in which there is no such name or id."""
    if _SHORT_LINK.match(text):
        return "is a short link: open it in a browser, and write the address that it leads to"
    if _SITE.match(text):
        return f"is the address of a page that names no {what}"
    return None
