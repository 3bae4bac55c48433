"""Collects as the field's tools do today: fixed windows that share the days where they meet.

A window begins on day D and ends on day D+7, both included, and the next one begins on day D+7. A
request that fails is sent again until it works; a search that is lost begins again with its window.
"""

from __future__ import annotations

import json
from contextlib import closing
from datetime import date, timedelta
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from measured import EVERYTHING

WINDOW = timedelta(days=7)
HOPELESS = 100
"""So many failures in a row mean that a request will never work."""

SEARCH_ID_TRIES = 6
"""How often a search id may be refused before the search counts as lost."""

TOKEN_PATH = "/v2/oauth/token/"
VIDEO_PATH = "/v2/research/video/query/?fields=id,create_time"
CREDENTIALS = {
    "client_key": "sandbox-client-key",
    "client_secret": "sandbox-client-secret",
    "grant_type": "client_credentials",
}


class HopelessError(Exception):
    """A request that never works, so that this way of collecting does not come to an end."""


class SearchLostError(Exception):
    """The API does not know the search any more."""


def collect(url: str, start: date, end: date) -> set[int]:
    """Ask a sandbox for all videos of these days; their ids.

    Raises:
        HopelessError: some windows can never be collected.
    """
    found: set[int] = set()
    with closing(HTTPConnection(urlsplit(url).netloc)) as connection:
        client = _Client(connection)
        while start <= end:
            found |= _window(client, start, min(start + WINDOW, end))
            start += WINDOW
    return found


def _window(client: _Client, start: date, end: date) -> set[int]:
    body = {
        "query": EVERYTHING,
        "start_date": f"{start:%Y%m%d}",
        "end_date": f"{end:%Y%m%d}",
        "max_count": 100,
    }
    while True:
        try:
            return _search(client, body)
        except SearchLostError:
            continue


def _search(client: _Client, body: dict[str, Any]) -> set[int]:
    page = client.page(body)
    found = {video["id"] for video in page["videos"]}
    while page["has_more"]:
        page = client.page(body | {key: page[key] for key in ("cursor", "search_id")})
        found |= {video["id"] for video in page["videos"]}
    return found


class _Client:
    """One connection to a sandbox, and its token."""

    def __init__(self, connection: HTTPConnection) -> None:
        self._connection = connection
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        _, answer = self._post(TOKEN_PATH, urlencode(CREDENTIALS), form)
        self._headers = {
            "Authorization": f"Bearer {answer['access_token']}",
            "Content-Type": "application/json",
        }

    def page(self, body: dict[str, Any]) -> dict[str, Any]:
        """The data of the answer, whatever it takes."""
        refused = 0
        for _ in range(HOPELESS):
            status, answer = self._post(VIDEO_PATH, json.dumps(body), self._headers)
            if status == 200:
                data: dict[str, Any] = answer["data"]
                return data
            refused += status == 400
            if refused > SEARCH_ID_TRIES:
                raise SearchLostError
        raise HopelessError

    def _post(self, path: str, body: str, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        self._connection.request("POST", path, body, headers)
        answer = self._connection.getresponse()
        return answer.status, json.load(answer)
