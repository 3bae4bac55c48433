"""What the sandbox costs beside the crawl that it serves: its days, its searches and its lists."""

from __future__ import annotations

import json
from datetime import date
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from measured import EVERYTHING, machine, print_table

from tiktok_crawler.research_api.endpoints import LISTINGS, TOKEN_PATH, VIDEO_QUERY
from tiktok_crawler.sandbox import CLIENT_KEY, CLIENT_SECRET, Profile, Sandbox
from tiktok_crawler.sandbox.faults.profile import ListBehaviour
from tiktok_crawler.sandbox.protocol.calls import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 7
VIDEOS = 3_000
FOLLOWERS = 5_000
DAY = date(2024, 1, 1)


def main() -> None:
    rounds = [
        (seconds_of_a_day(), seconds_a_page(search()), seconds_a_page(followers()))
        for _ in range(ROUNDS)
    ]
    day, page, list_page = (1_000 * median(column) for column in zip(*rounds, strict=True))
    print(f"{machine()}; {ROUNDS} rounds, medians\n")
    print_table(
        ["what the sandbox does", "time"],
        [f"invent a day of {VIDEOS:,} videos", f"{day:.0f} ms"],
        ["answer a search of that day, a page of 100", f"{page:.1f} ms"],
        [f"answer a list of {FOLLOWERS:,} followers, a page of 100", f"{list_page:.1f} ms"],
    )


def seconds_of_a_day() -> float:
    sandbox = Sandbox(videos_per_day=VIDEOS)
    started = perf_counter()
    sandbox.matches(EVERYTHING, DAY, DAY)
    return perf_counter() - started


def seconds_a_page(pages: Iterator[object]) -> float:
    """The mean of all pages but the first, which invents what is asked for."""
    next(pages)
    started = perf_counter()
    number = sum(1 for _ in pages)
    return (perf_counter() - started) / number


def search() -> Iterator[object]:
    day = f"{DAY:%Y%m%d}"
    body = {"query": EVERYTHING, "start_date": day, "end_date": day, "max_count": 100}
    fields = ",".join(VIDEO_QUERY.fields)
    return _pages(
        Sandbox(videos_per_day=VIDEOS, daily_quota=None),
        VIDEO_QUERY.path,
        fields,
        body,
        "search_id",
    )


def followers() -> Iterator[object]:
    sandbox = Sandbox(profile=Profile(lists=ListBehaviour(followers=FOLLOWERS)), daily_quota=None)
    kind = LISTINGS["followers"]
    body = {str(kind.seed_key): next(sandbox.seeds("followers")), "max_count": 100}
    return _pages(sandbox, kind.endpoint.path, ",".join(kind.endpoint.fields), body)


def _pages(
    sandbox: Sandbox, path: str, fields: str, body: dict[str, Any], *kept: str
) -> Iterator[object]:
    """All pages of an endpoint; `kept` are the keys that go from an answer into the next body."""
    token = _token(sandbox)
    while True:
        answer = sandbox.answer(Call(path, fields, f"Bearer {token}", json.dumps(body).encode()))
        data = json.loads(answer.body)["data"]
        yield data
        if not data["has_more"]:
            return
        body |= {key: data[key] for key in ("cursor", *kept)}


def _token(sandbox: Sandbox) -> str:
    form = {
        "client_key": CLIENT_KEY,
        "client_secret": CLIENT_SECRET,
        "grant_type": "client_credentials",
    }
    answer = sandbox.answer(Call(TOKEN_PATH, None, None, urlencode(form).encode()))
    return str(json.loads(answer.body)["access_token"])


if __name__ == "__main__":
    main()
