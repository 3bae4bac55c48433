"""What a query file also collects comes after its windows, each kind out of its own share."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from os import EX_OK, EX_TEMPFAIL
from typing import TYPE_CHECKING, Any

import pytest
from crawling import exit_status
from list_trials import WatchedSandbox, running_crawl, truthful
from listing_crawls import ListingDatabase
from scrapy.utils.defer import deferred_f_from_coro_f
from trials import QUICK, logged_problems, served

from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.sandbox.faults.profile import (
    DataBehaviour,
    ListBehaviour,
    Profile,
    QuotaBehaviour,
)

if TYPE_CHECKING:
    from tiktok_crawler.sandbox.protocol.answers import SandboxAnswer
    from tiktok_crawler.sandbox.protocol.calls import Call

pytestmark = pytest.mark.slow

LISTS = ListBehaviour(
    comments=3, replies=1, followers=30, unknown_users=0.0, withheld_users=0.0, deleted=0.0
)
QUERY = {"and": [{"operation": "GTE", "field_name": "view_count", "field_values": ["0"]}]}
ORDERLY = {"CONCURRENT_REQUESTS": 1, "TIKTOK_WINDOW_DAYS": 1}


class OrderedSandbox(WatchedSandbox):
    """Remembers the order of all research requests, by kind."""

    def __init__(self, profile: Profile = Profile(lists=LISTS), **options: Any) -> None:  # noqa: B008
        super().__init__(profile, **options)
        self.kinds: list[str] = []

    def answer(self, call: Call) -> SandboxAnswer:
        known = len(self.exchanges)
        answer = super().answer(call)
        if call.path == VIDEO_QUERY.path:
            self.kinds.append("videos")
        self.kinds += [each.listing for each in self.exchanges[known:]]
        return answer

    @property
    def stages(self) -> list[str]:
        """The kinds in their order, each as long as it lasts."""
        return [kind for kind, _ in groupby(self.kinds)]


class Folder:
    """A user's folder: a query file and a database."""

    def __init__(self, path, url: str) -> None:
        self.query_file = path / "query.yaml"
        self.database = ListingDatabase(url, "")

    def write(self, also_collect: str = "", days: int = 3) -> None:
        dates = f"start_date: 2024-01-01\nend_date: 2024-01-0{days}\ntags: [one, two]\n"
        wishes = f"also_collect: {also_collect}\n" if also_collect else ""
        self.query_file.write_text(f"{dates}query: {json.dumps(QUERY)}\n{wishes}")

    async def crawl(self, sandbox: OrderedSandbox, spider: str = "videos", **more: Any):
        settings = QUICK | ORDERLY | more.pop("settings", {})
        if spider == "videos":
            more["query"] = str(self.query_file)
        async with served(sandbox) as url:
            self.database.api_url = url
            with logged_problems() as problems:
                crawler = await self.database.crawl(spider, settings, **more)
        assert problems == []
        return crawler

    def seeds(self, listing: str) -> dict[str, str]:
        rows = "SELECT seed, state FROM seed WHERE listing = :listing"
        return dict(self.database.rows(rows, listing=listing))


@pytest.fixture
def folder(tmp_path, prepared_sqlite_url):
    return Folder(tmp_path, prepared_sqlite_url)


def videos_of(days: int) -> list[dict[str, Any]]:
    sandbox = truthful(DataBehaviour(), LISTS)
    return sandbox.matches(QUERY, date(2024, 1, 1), date(2024, 1, days))


@deferred_f_from_coro_f
async def test_it_comes_after_the_windows_in_the_order_of_the_file(folder):
    folder.write("[users, comments: {replies: yes, min_comment_count: 5}, playlists]")
    sandbox = OrderedSandbox()
    assert exit_status(await folder.crawl(sandbox)) == EX_OK
    assert sandbox.stages == ["videos", "users", "comments", "replies", "playlists"]
    videos = videos_of(3)
    assert set(folder.seeds("users")) == {video["username"] for video in videos}
    discussed = {str(video["id"]) for video in videos if video["comment_count"] >= 5}
    assert set(folder.seeds("comments")) == discussed
    assert len(folder.seeds("replies")) == 3 * len(discussed)
    before = list(sandbox.kinds)
    assert exit_status(await folder.crawl(sandbox)) == EX_OK
    assert sandbox.kinds == before, "a second run sends nothing"


@deferred_f_from_coro_f
async def test_the_share_of_a_kind_ends_it_alone(folder):
    folder.write("[users, comments]", days=1)
    shares = {"TIKTOK_DAILY_BUDGET": 1000, "TIKTOK_SHARES": "users=0.003"}
    sandbox = OrderedSandbox()
    crawler = await folder.crawl(sandbox, settings=shares)
    assert exit_status(crawler) == EX_TEMPFAIL
    counts = Counter(sandbox.kinds)
    assert counts["users"] == 3
    assert set(folder.seeds("comments").values()) == {"complete"}


@deferred_f_from_coro_f
async def test_windows_whose_share_is_spent_leave_the_rest_to_be_collected(folder):
    folder.write("[users]")
    shares = {"TIKTOK_DAILY_BUDGET": 1000, "TIKTOK_SHARES": "videos=0.002"}
    sandbox = OrderedSandbox()
    crawler = await folder.crawl(sandbox, settings=shares)
    assert exit_status(crawler) == EX_TEMPFAIL
    assert sandbox.stages == ["videos", "users"]
    assert Counter(sandbox.kinds)["videos"] == 2
    assert set(folder.seeds("users").values()) == {"complete"}


@deferred_f_from_coro_f
async def test_a_listing_that_another_crawl_works_on_is_left_for_later(folder, caplog):
    folder.write("[users, comments]", days=1)
    sandbox = OrderedSandbox()
    with running_crawl(folder.database, "users"):
        crawler = await folder.crawl(sandbox)
    assert exit_status(crawler) == EX_TEMPFAIL
    assert sandbox.stages == ["videos", "comments"]
    assert "Left for a later run: another crawl of users is running" in caplog.text
    assert exit_status(await folder.crawl(sandbox)) == EX_OK
    assert sandbox.stages == ["videos", "comments", "users"]


USED_UP = Profile(lists=LISTS, quota=QuotaBehaviour(daily_follow=3))


@deferred_f_from_coro_f
async def test_the_used_up_quota_of_the_follow_graph_stops_only_what_needs_it(folder):
    folder.write("[followers, following, users]", days=1)
    sandbox = OrderedSandbox(USED_UP)
    assert exit_status(await folder.crawl(sandbox)) == EX_TEMPFAIL
    assert sandbox.stages == ["videos", "followers", "users", "followers"]
    assert set(folder.seeds("users").values()) == {"complete"}
    assert Counter(folder.seeds("followers").values())["complete"] == 3


@deferred_f_from_coro_f
async def test_what_lacks_quota_is_collected_when_it_is_back(folder):
    folder.write("[followers, users]", days=1)

    def now():
        """The sandbox's next day begins when users are asked for."""
        return datetime(2024, 6, 1, tzinfo=UTC) + timedelta(minutes="users" in sandbox.kinds)

    quota = QuotaBehaviour(daily_follow=12, day_seconds=60)
    sandbox = OrderedSandbox(Profile(lists=LISTS, quota=quota), now=now)
    settings = {"TIKTOK_QUOTA_POLICY": "interval", "TIKTOK_QUOTA_INTERVAL": 0.3}
    assert exit_status(await folder.crawl(sandbox, settings=settings)) == EX_OK
    assert sandbox.stages == ["videos", "followers", "users", "followers"]
    for listing in ("followers", "users"):
        assert set(folder.seeds(listing).values()) == {"complete"}


@pytest.mark.parametrize("source", ["from_query", "from_tag"])
@deferred_f_from_coro_f
async def test_seeds_of_stored_videos_come_the_most_discussed_first(folder, source):
    folder.write()
    sandbox = OrderedSandbox()
    await folder.crawl(sandbox)
    where = {source: str(folder.query_file) if source == "from_query" else "two"}
    for spider in ("comments", "users", "playlists"):
        assert exit_status(await folder.crawl(sandbox, spider, **where)) == EX_OK
    videos = videos_of(3)
    comments = {str(video["id"]): video["comment_count"] for video in videos}
    users = Counter(video["username"] for video in videos)
    playlists = Counter(str(video["playlist_id"]) for video in videos if "playlist_id" in video)
    for listing, sizes in (("comments", comments), ("users", users), ("playlists", playlists)):
        asked = list(dict.fromkeys(e.seed for e in sandbox.exchanges if e.listing == listing))
        wanted = {seed for seed, size in sizes.items() if size}
        assert set(asked) == wanted
        assert [sizes[seed] for seed in asked] == sorted((sizes[s] for s in asked), reverse=True)


@deferred_f_from_coro_f
async def test_records_of_listings_have_the_tags_of_their_query(folder):
    folder.write()
    sandbox = OrderedSandbox()
    await folder.crawl(sandbox)
    query = str(folder.query_file)
    await folder.crawl(sandbox, "users", from_query=query)
    await folder.crawl(sandbox, "comments", from_query=query, tags="three")
    tags = """
        SELECT DISTINCT seed.listing, query_tag.name FROM crawls_to_query_tags
        JOIN crawl ON crawl.id = crawl_id JOIN seed ON seed.id = seed_id
        JOIN query_tag ON query_tag.id = query_tag_id ORDER BY 1, 2"""
    assert folder.database.rows(tags) == [
        ("comments", "three"),
        ("users", "one"),
        ("users", "two"),
    ]
