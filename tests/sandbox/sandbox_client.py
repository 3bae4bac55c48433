"""Talks to a sandbox without a network, as clients of the API do."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from tiktok_crawler.research_api.endpoints import TOKEN_PATH, VIDEO_QUERY
from tiktok_crawler.sandbox import CLIENT_KEY, CLIENT_SECRET, Profile, Sandbox
from tiktok_crawler.sandbox.protocol.calls import Call

if TYPE_CHECKING:
    from tiktok_crawler.sandbox.faults.schedule import ScheduledFault
    from tiktok_crawler.sandbox.protocol.answers import SandboxAnswer

EVERYTHING = {"and": [{"operation": "GTE", "field_name": "view_count", "field_values": ["0"]}]}
ALL_FIELDS = ",".join(VIDEO_QUERY.fields)
FORM = {
    "client_key": CLIENT_KEY,
    "client_secret": CLIENT_SECRET,
    "grant_type": "client_credentials",
}


@dataclass
class Clock:
    """A clock that stands still unless it is moved."""

    time: datetime = datetime(2024, 6, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, **amount: float) -> None:
        self.time += timedelta(**amount)


def condition(field_name: str, *values: object, operation: str | None = None) -> dict[str, Any]:
    return {
        "operation": operation or ("EQ" if len(values) == 1 else "IN"),
        "field_name": field_name,
        "field_values": list(values),
    }


def query(field_name: str, *values: object, operation: str | None = None) -> dict[str, Any]:
    return {"and": [condition(field_name, *values, operation=operation)]}


def search_body(**changes: Any) -> dict[str, Any]:
    """A body for all videos of the first week of 2024; a change to `...` removes a key."""
    body = {
        "query": EVERYTHING,
        "start_date": "20240101",
        "end_date": "20240107",
        "max_count": 100,
    }
    return {key: value for key, value in (body | changes).items() if value is not ...}


@dataclass
class Client:
    """Asks a sandbox, with a token of its own."""

    sandbox: Sandbox
    token: str = field(default="", kw_only=True)

    def get_token(self, **changes: str) -> SandboxAnswer:
        form = {key: value for key, value in (FORM | changes).items() if value}
        return self.sandbox.answer(Call(TOKEN_PATH, None, None, urlencode(form).encode()))

    def renew_token(self) -> None:
        self.token = json.loads(self.get_token().body)["access_token"]

    def post(self, body: Any, fields: str | None = ALL_FIELDS) -> SandboxAnswer:
        """One request for videos, as it is sent: text, or an object to be written as JSON."""
        if not self.token:
            self.renew_token()
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.sandbox.answer(Call(VIDEO_QUERY.path, fields, f"Bearer {self.token}", content))

    def search(self, fields: str | None = ALL_FIELDS, **changes: Any) -> tuple[int, dict[str, Any]]:
        """Status and body of a request like `search_body`."""
        answer = self.post(search_body(**changes), fields)
        return answer.status, json.loads(answer.body)

    def page(self, **changes: Any) -> dict[str, Any]:
        """The data of a request that must succeed."""
        status, body = self.search(**changes)
        assert (status, body["error"]["code"]) == (200, "ok"), body
        data: dict[str, Any] = body["data"]
        return data

    def pages(self, **changes: Any) -> list[dict[str, Any]]:
        """All pages of a search on which nothing goes wrong."""
        pages = [self.page(**changes)]
        while pages[-1]["has_more"]:
            last = pages[-1]
            pages.append(self.page(**changes, cursor=last["cursor"], search_id=last["search_id"]))
        return pages

    def problem(self, fields: str | None = ALL_FIELDS, **changes: Any) -> tuple[int, str, str]:
        """Status, code and message of a request that must fail."""
        status, body = self.search(fields, **changes)
        return status, body["error"]["code"], body["error"]["message"]


def client(
    *faults: ScheduledFault,
    videos_per_day: int = 50,
    seed: int = 1,
    now: Clock | None = None,
    **profile: Any,
) -> Client:
    """A client of a sandbox that misbehaves as the parts of a profile say, without a quota."""
    return Client(
        Sandbox(
            videos_per_day=videos_per_day,
            seed=seed,
            profile=Profile(faults=faults, **profile),
            now=now or Clock(),
            daily_quota=None,
        )
    )


def first_week() -> tuple[date, date]:
    return date(2024, 1, 1), date(2024, 1, 7)
