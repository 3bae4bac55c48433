"""How lists of the sandbox end, as the summary, the status and a replay tell it."""

from __future__ import annotations

import json

import pytest
from archived import assert_same, replay
from crawling import exit_status
from listing_crawls import ListingDatabase
from marathon import on_both
from new_databases import new_database
from sandboxes import recording_sandbox
from scrapy.utils.defer import deferred_f_from_coro_f

from tiktok_crawler.commands import status as status_command
from tiktok_crawler.pipelines.storage import crawl_storage
from tiktok_crawler.reports.listing_report import stage_outcome
from tiktok_crawler.sandbox.faults.profile import ListBehaviour, Profile

pytestmark = pytest.mark.slow

QUERY = "start_date: 2024-01-01\nend_date: 2024-01-01\ntags: [x]\nregions: [FR, US, DE]\n"


def sandbox(**lists):
    profile = Profile(lists=ListBehaviour(unknown_users=0, withheld_users=0, **lists))
    return recording_sandbox(daily_quota=None, videos_per_day=20, profile=profile)


def outcomes(crawler):
    """What the summary says of each listing of a crawl."""
    results = crawl_storage(crawler).stage_results.items()
    return [stage_outcome(stage.listing, result) for stage, result in results]


def status_of(database, listing):
    report = json.loads(status_command._report(database.settings(), as_json=True))
    (found,) = (each for each in report["listings"] if each["listing"] == listing)
    return found


def total_of(database, listing):
    query = (
        "SELECT sum(comment_count) FROM video JOIN seed ON seed.seed = CAST(video.id AS TEXT) "
        "WHERE listing = :listing"
    )
    (total,) = database.column(query, listing=listing)
    return int(total)


@pytest.mark.parametrize(
    ("prepared_url", "refuses"),
    on_both([False, True]),
    indirect=["prepared_url"],
)
@deferred_f_from_coro_f
async def test_comments_are_cut_by_the_run_and_then_by_the_api(prepared_url, tmp_path, refuses):
    archive = {"TIKTOK_ARCHIVE": str(tmp_path / "archive")}
    (tmp_path / "query.yaml").write_text(QUERY)
    with sandbox(comments=1_200, cap_refuses=refuses) as (_, url):
        database = ListingDatabase(prepared_url, url)
        await database.crawl("videos", archive, query=str(tmp_path / "query.yaml"))
        seeds = {"from_tag": "x", "max_seeds": "2"}
        cut = await database.crawl("comments", archive, **seeds, max_per_video="100")
        wanted = status_of(database, "comments")
        capped = await database.crawl("comments", archive, **seeds)

    total = total_of(database, "comments")
    (stored,) = database.column("SELECT sum(position) FROM seed")
    assert outcomes(cut)[0].startswith("comments: of 2 videos 0 complete, 2 cut at max_per_video,")
    assert wanted["ends"] == {"complete": 0, "api_limit": 0, "cut": 2}
    assert outcomes(capped)[0] == (
        "comments: of 2 videos 0 complete, 2 complete up to the API's limit of 1,000, 0 refused, "
        f"0 open, 0 postponed; {stored:,} of about {total:,} comments"
    )
    ended = status_of(database, "comments")
    assert ended["ends"] == {"complete": 0, "api_limit": 2, "cut": 0}
    assert ended["counted"] == {"seeds": 2, "records": stored, "total": total}
    assert (exit_status(cut), exit_status(capped)) == (0, 0)
    replayed = new_database(tmp_path / "replayed.db")
    replay(replayed, tmp_path / "archive")
    made = assert_same(replayed, prepared_url)
    assert [seed["at_api_limit"] for seed in made["seed"]] == [True, True]


@deferred_f_from_coro_f
async def test_followers_end_at_the_limit_of_the_api(prepared_sqlite_url):
    with sandbox(followers=6_000) as (api, url):
        database = ListingDatabase(prepared_sqlite_url, url)
        seeds = {"usernames": next(api.seeds("followers"))}
        await database.crawl("users", **seeds)
        crawler = await database.crawl("followers", **seeds)

    (stored,) = database.column("SELECT position FROM seed WHERE listing = 'followers'")
    assert outcomes(crawler)[0] == (
        "followers: of 1 user 0 complete, 1 complete up to the API's limit of 4,000 to 5,000, "
        f"0 refused, 0 open, 0 postponed; {stored:,} of about 6,000 followers"
    )


@deferred_f_from_coro_f
async def test_what_the_api_lists_to_its_end_is_complete(prepared_url):
    with sandbox(following=230) as (api, url):
        database = ListingDatabase(prepared_url, url)
        seeds = {"usernames": next(api.seeds("following", at_least=1))}
        crawler = await database.crawl("following", **seeds)

    (outcome,) = outcomes(crawler)
    assert outcome.startswith("following: of 1 user 1 complete, 0 refused, 0 open, 0 postponed; ")
    assert outcome.endswith(" accounts")


@deferred_f_from_coro_f
async def test_a_playlist_is_cut_after_so_many_videos_and_goes_on(prepared_url):
    with recording_sandbox(videos_per_day=2_000) as (sandbox, url):
        database = ListingDatabase(prepared_url, url)
        seeds = {"playlist_ids": next(sandbox.seeds("playlists", at_least=101))}
        cut = await database.crawl("playlists", **seeds, max_per_playlist="100")
        enough = await database.crawl("playlists", **seeds, max_per_playlist="99")
        (cursors,) = zip(*database.rows("SELECT cursor FROM crawl ORDER BY id"), strict=True)
        more = await database.crawl("playlists", **seeds)

    assert [exit_status(run) for run in (cut, enough, more)] == [0, 0, 0]
    assert "1 cut at max_per_playlist" in outcomes(cut)[0]
    assert cursors == (0,)
    assert "1 complete" in outcomes(more)[0]
    assert [*database.column("SELECT cursor FROM crawl ORDER BY id")] == [0, 100]
