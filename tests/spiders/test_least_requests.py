"""Without faults, a crawl sends exactly the least possible requests, and collects all there is."""

from __future__ import annotations

from datetime import date
from math import ceil

import pytest
from crawling import exit_status, stat
from sandboxes import recording_sandbox, searches
from scrapy.utils.defer import deferred_f_from_coro_f

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.coverage import windows

SPARSE = {"and": [{"operation": "EQ", "field_name": "hashtag_name", "field_values": ["cheese"]}]}
DENSE = {"and": [{"operation": "GTE", "field_name": "view_count", "field_values": ["0"]}]}


@pytest.mark.parametrize(
    ("query", "dates"),
    [
        pytest.param(SPARSE, DateRange(date(2023, 9, 1), date(2024, 1, 31)), id="sparse"),
        pytest.param(DENSE, DateRange(date(2024, 1, 1), date(2024, 1, 9)), id="dense"),
    ],
)
@deferred_f_from_coro_f
async def test_requests_are_the_least_possible_and_videos_are_the_truth(folder, query, dates):
    (condition,) = query["and"]
    folder.query_file.write_text(
        f"start_date: {dates.start}\nend_date: {dates.end}\nquery: {{and: [{condition}]}}\n"
    )
    with recording_sandbox(daily_quota=None, videos_per_day=130) as (sandbox, url):
        crawler = await folder.crawl(url, {"TIKTOK_SANDBOX": True, "TIKTOK_SANDBOX_URL": url})
        matches = [sandbox.match_count(query, w.start, w.end) for w in windows(dates)]
        truth = {video["id"] for video in sandbox.matches(query, dates.start, dates.end)}
        sent = len(searches(sandbox))
    assert exit_status(crawler) == 0
    assert sent == sum(max(1, ceil(count / 100)) for count in matches)
    assert sent == stat(crawler, "requests/sent_count")
    assert {video_id for (video_id,) in folder.rows("SELECT id FROM video")} == truth
