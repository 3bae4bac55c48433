"""Lines that can be read, and that no session can have done there."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest
from archived import archived_crawl, content
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import ScriptedApi, page, serving

from tiktok_crawler.archive.reader import Archives, find_archives
from tiktok_crawler.archive.replay import Replay

REFUSAL = b'{"error": {"code": "internal_error", "message": "tired", "log_id": "L1"}}'


async def recorded(folder):
    """Return the lines of a crawl of one window with two pages."""
    async with serving(ScriptedApi(page(2, has_more=True), page(1, cursor=200))) as api:
        await archived_crawl(folder, api.url)
    return list(Archives(find_archives([folder.path / "archive"])).lines())


def replayed(url, lines):
    """Replay lines; return the counts, the window, and what is said of lines that are left out."""
    left_out = []
    replay = Replay(url, "sandbox")
    with closing(replay):
        replay.run(lines, lambda line, error: left_out.append((line.number, str(error))))
    return replay.counts, content(url)["crawl_window"], left_out


def of(lines, kind):
    return [line for line in lines if line.deed.kind == kind]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request):
    return request.getfixturevalue(f"{request.param}_url")


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_an_answer_that_is_none_completes_nothing(folder, url):
    lines = await recorded(folder)
    answer = of(lines, "answer")[1]
    refusal = replace(answer.deed, what=replace(answer.deed.what, status=500, body=REFUSAL))
    odd = replace(answer, deed=refusal)
    counts, (window,), left_out = replayed(url, [odd if x is answer else x for x in lines])
    last = of(lines, "page")[1]
    assert left_out == [(last.number, "takes for a page what the API has answered otherwise")]
    assert (counts.pages, window["state"], window["cursor"]) == (1, "open", 100)


@deferred_f_from_coro_f
async def test_a_page_that_nothing_has_asked_for_completes_nothing(folder, url):
    lines = await recorded(folder)
    first = of(lines, "ask")[0]
    counts, (window,), left_out = replayed(url, [line for line in lines if line is not first])
    assert left_out == []
    assert (counts.stray_pages, window["state"], window["cursor"]) == (2, "parked", 0)
    assert window["searched_at"] is None


@deferred_f_from_coro_f
async def test_a_page_without_its_answer_is_counted(folder, url):
    lines = await recorded(folder)
    last = of(lines, "answer")[1]
    counts, (window,), left_out = replayed(url, [line for line in lines if line is not last])
    assert left_out == []
    assert (counts.lost_pages, counts.pages, window["state"]) == (1, 1, "open")


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_a_window_that_has_ended_is_not_asked_for(folder, url):
    lines = await recorded(folder)
    again = of(lines, "ask")[0]
    *deeds, close = lines
    _, (window,), left_out = replayed(url, [*deeds, again, close])
    assert left_out == [(again.number, "asks for a window that has ended before")]
    assert (window["state"], window["cursor"], window["requests"]) == ("complete", 200, 2)


@deferred_f_from_coro_f
async def test_lines_before_and_after_their_session_are_left_out(folder, url):
    begin, opening, *_, close = await recorded(folder)
    _, windows, left_out = replayed(url, [opening, begin, close, opening])
    words = "stands where its session has not begun, or has ended"
    assert left_out == [(opening.number, words)] * 2
    assert windows == []


@deferred_f_from_coro_f
async def test_a_window_is_asked_for_after_another_crawl_of_the_query_has_begun(folder, url):
    """Two crawls side by side: what one has just opened, the other one leaves."""
    begin, opening, *deeds = await recorded(folder)
    other = replace(begin, journal="other")
    counts, (window,), left_out = replayed(url, [begin, opening, other, *deeds])
    _, (alone,), _ = replayed(f"sqlite:///{folder.path / 'alone.db'}", [begin, opening, *deeds])
    assert left_out == []
    assert (counts.pages, counts.stray_pages) == (2, 0)
    assert window == alone
