"""Asks a sandbox for lists, page by page, without a network and without the crawler's own code."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from sandbox_client import Client, Clock

from tiktok_crawler.research_api.endpoints import LISTINGS
from tiktok_crawler.sandbox import Profile, Sandbox
from tiktok_crawler.sandbox.faults.profile import ListBehaviour
from tiktok_crawler.sandbox.protocol.calls import Call

if TYPE_CHECKING:
    from tiktok_crawler.sandbox.protocol.answers import SandboxAnswer

PAGES_AT_MOST = 300
NUMBERED = ("products", "reviews")
SINGLE = ("users", "pinned_videos", "shops")


@dataclass
class ListClient:
    """Asks for lists by their names; `...` as a change leaves a key of the body out."""

    sandbox: Sandbox
    tokens: Client = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = Client(self.sandbox)
        self.tokens.renew_token()

    def post(
        self, listing: str, seed: Any, fields: str | None = None, **changes: Any
    ) -> SandboxAnswer:
        """One request; without `fields` for all that the endpoint has."""
        kind = LISTINGS[listing]
        body = {str(kind.seed_key): seed, **changes}
        known = ",".join(kind.endpoint.fields) or None
        return self.sandbox.answer(
            Call(
                kind.endpoint.path,
                known if fields is None else fields,
                f"Bearer {self.tokens.token}",
                json.dumps({k: v for k, v in body.items() if v is not ...}).encode(),
            )
        )

    def ask(self, listing: str, seed: Any, **changes: Any) -> tuple[int, dict[str, Any]]:
        answer = self.post(listing, seed, **changes)
        return answer.status, json.loads(answer.body)

    def data(self, listing: str, seed: Any, **changes: Any) -> dict[str, Any]:
        """The data of a request that must succeed."""
        status, body = self.ask(listing, seed, **changes)
        assert status == 200, body
        assert "error" not in body or body["error"]["code"] == "ok", body
        data: dict[str, Any] = body["data"]
        return data

    def pages(self, listing: str, seed: Any, **changes: Any) -> list[dict[str, Any]]:
        """All pages, as their endpoint is asked for them."""
        if listing in SINGLE:
            return [self.data(listing, seed, **changes)]
        cursor = "page_start" if listing in NUMBERED else "cursor"
        pages = [self.data(listing, seed, **changes)]
        while pages[-1].get("has_more", listing in NUMBERED and bool(listed(pages[-1]))):
            assert len(pages) < PAGES_AT_MOST
            following = len(pages) + 1 if listing in NUMBERED else pages[-1]["cursor"]
            pages.append(self.data(listing, seed, **{cursor: following}, **changes))
        return pages

    def records(self, listing: str, seed: Any, **changes: Any) -> list[Any]:
        """The records of all pages, as they came; of a playlist its ids."""
        return [each for page in self.pages(listing, seed, **changes) for each in listed(page)]

    def problem(self, listing: str, seed: Any, **changes: Any) -> tuple[int, str, str]:
        """Status, code and message of a request that must fail."""
        status, body = self.ask(listing, seed, **changes)
        return status, body["error"]["code"], body["error"]["message"]


def listed(data: dict[str, Any]) -> list[Any]:
    """What an answer lists; a profile is its own list."""
    keys = {key for kind in LISTINGS.values() for key in kind.endpoint.records_keys}
    found = [data[key] for key in (keys | {"playlist_video_ids"}) & data.keys()]
    if not found:
        return [data] if "follower_count" in data else []
    assert len(found) == 1
    records: list[Any] = found[0]
    return records


def sandbox(clock: Clock | None = None, **behaviour: Any) -> Sandbox:
    """A sandbox without faults whose lists behave so; the clock stands still in June 2024."""
    profile = Profile(lists=ListBehaviour(**behaviour))
    return Sandbox(profile=profile, daily_quota=None, now=clock or Clock())


def some_seeds(asked: Sandbox, listing: str, number: int = 3, **wanted: Any) -> list[str]:
    return list(islice(asked.seeds(listing, **wanted), number))
