"""What failed is sent again after a delay, searched anew, or its window is given up."""

from __future__ import annotations

import json
from datetime import date
from os import EX_CONFIG, EX_OK, EX_TEMPFAIL

import pytest
from crawling import CrawlFolder, exit_status, stat
from marathon import first
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import Answer, ScriptedApi, error, hang_up, page, serving

FAULT = error(500, "internal_error", "Something went wrong. Please try again later.")
REFUSAL = error(400, "invalid_params", "`username: x` is invalid: cannot find the user")
LOST = error(400, "invalid_params", "Search Id 77 is invalid or expired")
CURSOR = error(400, "invalid_params", "Invalid count or cursor")
FIRST_PAGE = page(2, has_more=True)
LAST_PAGE = page(1, cursor=145)


ONE_DAY = {"start_date": "2024-01-01", "end_date": "2024-01-01"}


def windows(folder: CrawlFolder, columns: str) -> list[tuple]:
    return folder.rows(f"SELECT {columns} FROM crawl_window ORDER BY id")


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    first(
        4,
        [
            FAULT,
            hang_up,
            Answer(503, b"busy", {"Content-Encoding": "gzip"}),
            Answer(200, b'{"data": {"videos": ['),
            *(Answer(503, b"busy", {"Content-Encoding": each}) for each in ("deflate", "br")),
            Answer(503, b"<html>Service Unavailable</html>"),
            Answer(504, b""),
            Answer(200, b"<html>hello</html>"),
            Answer(200, {"error": {"code": "never_heard_of"}}),
        ],
    ),
)
@deferred_f_from_coro_f
async def test_a_fault_is_tried_again(folder, fault):
    async with serving(ScriptedApi(fault, fault, page(1))) as api:
        crawler = await folder.crawl(api.url)
    assert len(api.bodies) == 3
    assert exit_status(crawler) == EX_OK
    assert stat(crawler, "retries/delayed_count") == 2


@pytest.mark.parametrize("refusals", [2, 3])
@deferred_f_from_coro_f
async def test_a_refusal_that_is_not_in_the_words_of_the_api_is_believed_the_third_time(
    folder, refusals
):
    denied = Answer(403, b"<html>Access Denied</html>")
    async with serving(ScriptedApi(*[denied] * refusals, page(1))) as api:
        crawler = await folder.crawl(api.url)
    assert len(api.bodies) == 3
    assert exit_status(crawler) == (EX_OK if refusals < 3 else EX_CONFIG)


@deferred_f_from_coro_f
async def test_a_first_page_that_keeps_failing_parks_the_window(folder, caplog):
    async with serving(ScriptedApi(FAULT)) as api:
        crawler = await folder.crawl(api.url, {"TIKTOK_RETRY_TIMES": 2}, **ONE_DAY)
    assert len(api.bodies) == 3
    assert exit_status(crawler) == EX_TEMPFAIL
    assert windows(folder, "state, requests, error_log_id") == [("parked", 3, "20240102LOG")]
    assert "Something went wrong" in windows(folder, "error")[0][0]
    assert "2024-01-01 is postponed" in caplog.text


@deferred_f_from_coro_f
async def test_a_window_that_is_too_heavy_is_cut_until_its_parts_succeed(folder):

    def fail_over_four_days(body):
        days = int(body["end_date"]) - int(body["start_date"]) + 1
        return FAULT if days > 4 else page(1)

    async with serving(ScriptedApi(fail_over_four_days)) as api:
        january = {"start_date": "2024-01-01", "end_date": "2024-01-31"}
        crawler = await folder.crawl(api.url, {"TIKTOK_RETRY_TIMES": 1}, **january)
        asked = [(body["start_date"], body["end_date"]) for body in api.bodies]
    assert exit_status(crawler) == EX_OK
    assert asked[:4] == [("20240101", "20240131")] * 2 + [
        ("20240131", "20240131"),
        ("20240101", "20240115"),
    ]
    covered = windows(folder, "start_date, end_date, state")
    days = [
        int(day[-2:])
        for first, last, state in covered
        if state == "complete"
        for day in (f"{n:02d}" for n in range(int(first[-2:]), int(last[-2:]) + 1))
    ]
    assert sorted(days) == list(range(1, 32)), "each day once"
    assert len(api.bodies) <= 30


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_a_later_run_asks_for_no_window_that_is_known_to_be_too_wide(folder):

    def fail_over_seven_days(body):
        first, last = (date.fromisoformat(body[end]) for end in ("start_date", "end_date"))
        return FAULT if (last - first).days >= 7 else page(1)

    async with serving(ScriptedApi(fail_over_seven_days)) as api:
        spring = {"start_date": "2024-01-01", "end_date": "2024-03-31"}
        first = await folder.crawl(api.url, **spring)
        later = await folder.crawl(api.url, start_date="2024-04-01", end_date="2024-06-30")
    assert [exit_status(first), exit_status(later)] == [EX_OK, EX_OK]
    assert stat(first, "answers/fault_count") == 4
    assert stat(later, "requests/sent_count") == 13
    assert stat(later, "answers/fault_count") == 0


@deferred_f_from_coro_f
async def test_after_failures_by_chance_windows_are_as_wide_as_before(folder):
    year = {"start_date": "2024-01-01", "end_date": "2024-12-31"}
    async with serving(ScriptedApi(FAULT, FAULT, page(1))) as api:
        crawler = await folder.crawl(api.url, {"CONCURRENT_REQUESTS": 1}, **year)
        asked = [(body["start_date"][4:], body["end_date"][4:]) for body in api.bodies]
    assert exit_status(crawler) == EX_OK
    assert asked[2:6] == [("0131", "0131"), ("0101", "0115"), ("0116", "0130"), ("0201", "0302")]
    assert len(asked) == 12 + 2 + 2


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_one_bad_day_of_a_year_is_found_and_parked_with_few_failures(folder):

    def fail_on_the_13th_of_march(body):
        return FAULT if body["start_date"] <= "20240313" <= body["end_date"] else page(1)

    async with serving(ScriptedApi(fail_on_the_13th_of_march)) as api:
        year = {"start_date": "2024-01-01", "end_date": "2024-12-31"}
        crawler = await folder.crawl(api.url, {"TIKTOK_PROBE_INTERVAL": 0.05}, **year)
    parked = [row for row in windows(folder, "state, start_date, end_date") if "parked" in row]
    assert parked == [("parked", "2024-03-13", "2024-03-13")]
    assert exit_status(crawler) == EX_TEMPFAIL
    assert stat(crawler, "answers/fault_count") <= 16
    assert len(api.bodies) <= 12 + 16 + 11


@deferred_f_from_coro_f
async def test_a_single_day_that_stays_too_heavy_is_parked_while_the_others_work(folder):

    def fail_on_the_15th(body):
        return FAULT if body["start_date"] <= "20240115" <= body["end_date"] else page(1)

    async with serving(ScriptedApi(fail_on_the_15th)) as api:
        january = {"start_date": "2024-01-01", "end_date": "2024-01-31"}
        settings = {"TIKTOK_RETRY_TIMES": 1, "TIKTOK_PROBE_INTERVAL": 0.05}
        crawler = await folder.crawl(api.url, settings, **january)
        assert exit_status(crawler) == EX_TEMPFAIL
        parked = [row for row in windows(folder, "state, start_date, end_date") if "parked" in row]
        assert parked == [("parked", "2024-01-15", "2024-01-15")]
        api.answers = [page(1)]
        api.bodies.clear()
        assert exit_status(await folder.crawl(api.url, **january)) == EX_OK
    assert len(api.bodies) == 1


@deferred_f_from_coro_f
async def test_a_wide_window_is_tried_twice_and_a_narrow_one_patiently(folder):
    async with serving(ScriptedApi(FAULT)) as api:
        settings = {
            "TIKTOK_RETRY_TIMES": 5,
            "TIKTOK_PROBE_INTERVAL": 0.05,
            "CONCURRENT_REQUESTS": 1,
        }
        await folder.crawl(
            api.url, settings, start_date="2024-01-01", end_date="2024-01-08", max_requests="9"
        )
    widths = [int(body["end_date"]) - int(body["start_date"]) + 1 for body in api.bodies]
    assert widths == [8, 8, 1, 1, 1, 1, 1, 1, 1], "the last one probes whether anything works"


@pytest.mark.parametrize("refusal", [LOST, CURSOR])
@deferred_f_from_coro_f
async def test_a_search_refused_right_after_it_was_issued_is_asked_for_again(folder, refusal):
    async with serving(ScriptedApi(FIRST_PAGE, refusal, refusal, LAST_PAGE)) as api:
        crawler = await folder.crawl(api.url)
    assert [body.get("cursor") for body in api.bodies] == [None, 100, 100, 100]
    assert exit_status(crawler) == EX_OK


@pytest.mark.parametrize("refusal", [LOST, CURSOR])
@deferred_f_from_coro_f
async def test_a_cursor_refused_on_a_first_page_is_a_fault_like_others(folder, refusal):
    async with serving(ScriptedApi(refusal, refusal, FIRST_PAGE, LAST_PAGE)) as api:
        crawler = await folder.crawl(api.url)
    assert [body.get("cursor") for body in api.bodies] == [None, None, None, 100]
    assert exit_status(crawler) == EX_OK
    assert stat(crawler, "answers/fault_count") == 2


@deferred_f_from_coro_f
async def test_first_pages_whose_cursor_stays_refused_are_waited_for_and_then_left(folder):
    async with serving(ScriptedApi(CURSOR)) as api:
        settings = {"TIKTOK_PROBE_INTERVAL": 0.01, "TIKTOK_PROBE_TIMES": 2}
        year = {"start_date": "2024-01-01", "end_date": "2024-12-31"}
        crawler = await folder.crawl(api.url, settings, **year)
    assert exit_status(crawler) == EX_TEMPFAIL
    assert crawler.stats.get_value("finish_reason") == "api_unavailable"
    assert len(api.bodies) <= 12


@deferred_f_from_coro_f
async def test_a_search_that_stays_refused_is_lost_and_starts_anew(folder, caplog):
    script = ScriptedApi(FIRST_PAGE, LOST, LOST, LOST, FIRST_PAGE, LAST_PAGE)
    async with serving(script) as api:
        crawler = await folder.crawl(api.url, {"TIKTOK_SEARCH_ID_TIMES": 2})
    assert [body.get("cursor") for body in api.bodies] == [None, 100, 100, 100, None, 100]
    assert exit_status(crawler) == EX_OK
    assert stat(crawler, "searches/lost_count") == 1
    assert "the search was lost at cursor 100" in caplog.text


@deferred_f_from_coro_f
async def test_a_lost_search_keeps_the_days_that_it_had_passed(folder):
    noon = 1706184000  # of January 25
    videos = [{"id": (noon << 32) - n, "create_time": noon} for n in range(60)]
    script = ScriptedApi(page(has_more=True, videos=videos), LOST, page(1))
    async with serving(script) as api:
        crawler = await folder.crawl(
            api.url, {"TIKTOK_SEARCH_ID_TIMES": 0}, start_date="2024-01-01", end_date="2024-01-31"
        )
        asked = [(body["start_date"], body["end_date"]) for body in api.bodies]
        again = await folder.crawl(api.url, start_date="2024-01-01", end_date="2024-01-31")
    whole, rest = ("20240101", "20240131"), ("20240101", "20240125")
    assert asked == [whole, whole, rest]
    assert windows(folder, "state, start_date, end_date") == [
        ("split", "2024-01-01", "2024-01-31"),
        ("complete", "2024-01-26", "2024-01-31"),
        ("complete", "2024-01-01", "2024-01-25"),
    ]
    assert exit_status(crawler) == exit_status(again) == EX_OK
    assert len(api.bodies) == 3


@deferred_f_from_coro_f
async def test_a_search_that_is_lost_again_and_again_parks_the_window(folder):

    def lose_every_search(body):
        return LOST if "cursor" in body else FIRST_PAGE

    async with serving(ScriptedApi(lose_every_search)) as api:
        crawler = await folder.crawl(api.url, {"TIKTOK_SEARCH_ID_TIMES": 0})
    assert len(api.bodies) == 6
    assert exit_status(crawler) == EX_TEMPFAIL
    assert windows(folder, "state, cursor, attempts") == [("parked", 0, 3)]


@deferred_f_from_coro_f
async def test_a_search_resumed_after_ten_minutes_is_lost_with_one_refusal(folder):
    async with serving(ScriptedApi(FIRST_PAGE, FAULT)) as api:
        await folder.crawl(api.url, {"TIKTOK_RETRY_TIMES": 0})
        folder.rows("UPDATE crawl_window SET last_page_at = '2024-01-05 00:00:00.000000'")
        api.bodies.clear()
        api.answers = [LOST, page(1)]
        crawler = await folder.crawl(api.url)
    assert [body.get("cursor") for body in api.bodies] == [100, None]
    assert exit_status(crawler) == EX_OK


@deferred_f_from_coro_f
async def test_a_refusal_is_not_tried_again(folder):
    async with serving(ScriptedApi(REFUSAL)) as api:
        await folder.prove_query(api)
        crawler = await folder.crawl(api.url)
    assert len(api.bodies) == 1
    assert exit_status(crawler) == EX_TEMPFAIL
    assert "cannot find the user" in windows(folder, "error")[-1][0]


@deferred_f_from_coro_f
async def test_a_query_that_never_succeeded_is_refused_with_one_request_and_parks_nothing(
    folder, caplog
):
    folder.query_file.write_text(
        "start_date: 2023-01-01\nend_date: 2023-12-31\nusernames: [ann, bob]\n"
    )
    async with serving(ScriptedApi(REFUSAL)) as api:
        crawler = await folder.crawl(api.url)
    assert len(api.bodies) == 1
    assert exit_status(crawler) == EX_CONFIG
    assert crawler.stats.get_value("finish_reason") == "query_refused"
    assert "cannot find the user (log_id 20240102LOG)" in caplog.text
    assert "one unusable account can fail them all" in caplog.text
    assert windows(folder, "state") == [("open",)]


@deferred_f_from_coro_f
async def test_a_query_whose_first_window_was_parked_goes_on_but_is_not_proven(folder):
    async with serving(ScriptedApi(FAULT, REFUSAL)) as api:
        settings = {"TIKTOK_RETRY_TIMES": 0, "CONCURRENT_REQUESTS": 1}
        crawler = await folder.crawl(api.url, settings, start_date="2023-01-01")
    assert len(api.bodies) == 2
    assert exit_status(crawler) == EX_CONFIG


@pytest.mark.parametrize(
    "data", [None, {}, {"videos": []}, {"videos": [], "has_more": None}, {"has_more": "false"}]
)
@deferred_f_from_coro_f
async def test_a_first_page_without_an_end_is_asked_for_once_more_and_then_suspicious(
    folder, data, caplog
):
    malformed = Answer(200, {"data": data, "error": {"code": "ok", "message": ""}})
    async with serving(ScriptedApi(malformed)) as api:
        crawler = await folder.crawl(api.url)
    assert len(api.bodies) == 2
    assert exit_status(crawler) == EX_OK
    assert windows(folder, "state, suspicious") == [("complete", 1)]
    assert stat(crawler, "windows/suspicious_count") == 1
    assert "suspicious" in caplog.text


@deferred_f_from_coro_f
async def test_a_later_page_without_an_end_never_completes_the_window(folder):
    malformed = Answer(200, {"data": {"videos": []}, "error": {"code": "ok"}})
    script = ScriptedApi(FIRST_PAGE, malformed, malformed, FIRST_PAGE, LAST_PAGE)
    async with serving(script) as api:
        crawler = await folder.crawl(api.url, {"TIKTOK_RETRY_TIMES": 1})
    assert [body.get("cursor") for body in api.bodies] == [None, 100, 100, None, 100]
    assert exit_status(crawler) == EX_OK
    assert windows(folder, "state, suspicious") == [("complete", 0)]


def malformed(*ids: int) -> Answer:
    """An answer that says `ok`, but not whether there is more."""
    answer = page(*ids)
    del answer.body["data"]["has_more"]
    return answer


@deferred_f_from_coro_f
async def test_a_fault_before_does_not_make_a_malformed_answer_believable(folder):
    async with serving(ScriptedApi(FAULT, malformed(), page(1))) as api:
        crawler = await folder.crawl(api.url)
    assert len(api.bodies) == 3
    assert exit_status(crawler) == EX_OK
    assert windows(folder, "state, suspicious, videos") == [("complete", 0, 1)]


@deferred_f_from_coro_f
async def test_records_without_an_end_are_stored_and_the_window_is_not_complete(folder):
    async with serving(ScriptedApi(malformed(1, 2, 3))) as api:
        crawler = await folder.crawl(api.url)
    assert len(api.bodies) == 2
    assert exit_status(crawler) == EX_TEMPFAIL
    assert windows(folder, "state, videos") == [("parked", 3)]


@deferred_f_from_coro_f
async def test_a_search_that_had_found_something_is_not_believed_to_be_empty(folder):
    script = ScriptedApi(FIRST_PAGE, LOST, malformed())
    async with serving(script) as api:
        crawler = await folder.crawl(api.url, {"TIKTOK_SEARCH_ID_TIMES": 0}, **ONE_DAY)
    assert exit_status(crawler) == EX_TEMPFAIL
    assert windows(folder, "state") == [("parked",)]


@pytest.mark.slow
@pytest.mark.parametrize("videos", [{}, {"0": {"id": 1}}, "none", "", 0, 7, False, True])
@pytest.mark.parametrize("more", first(1, [{"has_more": False}, {}]))
@deferred_f_from_coro_f
async def test_a_list_of_the_wrong_type_never_completes_a_window(folder, videos, more):
    data = {"videos": videos, "cursor": 0} | more
    wrong = Answer(200, {"data": data, "error": {"code": "ok", "message": ""}})
    async with serving(ScriptedApi(wrong)) as api:
        crawler = await folder.crawl(api.url, {"TIKTOK_RETRY_TIMES": 2}, **ONE_DAY)
        assert exit_status(crawler) == EX_TEMPFAIL
        assert windows(folder, "state, suspicious, requests") == [("parked", 0, 3)]
        assert "videos is " in windows(folder, "error")[0][0]
        api.answers = [page(1)]
        assert exit_status(await folder.crawl(api.url, **ONE_DAY)) == EX_OK
    assert windows(folder, "state, videos") == [("complete", 1)]


@deferred_f_from_coro_f
async def test_a_later_page_with_a_list_of_the_wrong_type_is_asked_for_again(folder):
    wrong = page(cursor=145, videos={"0": {"id": 1}})
    async with serving(ScriptedApi(FIRST_PAGE, wrong, LAST_PAGE)) as api:
        crawler = await folder.crawl(api.url)
    assert [body.get("cursor") for body in api.bodies] == [None, 100, 100]
    assert exit_status(crawler) == EX_OK
    assert windows(folder, "state, videos") == [("complete", 2)]


@pytest.mark.parametrize("wrong", [b"caf\xe9", b"\xff\xfe", b"a\nb"])
@deferred_f_from_coro_f
async def test_a_byte_that_is_not_utf_8_keeps_nothing_from_being_stored(folder, caplog, wrong):
    first, last = page(3, 2, has_more=True), page(1, cursor=145)
    for answer in (first, last):
        answer.body = json.dumps(answer.body).encode().replace(b"ann", wrong, 1)
    async with serving(ScriptedApi(first, last)) as api:
        crawler = await folder.crawl(api.url)
    assert len(api.bodies) == 2
    assert exit_status(crawler) == EX_OK
    text = wrong.decode(errors="replace")
    names = folder.rows("SELECT id, username FROM video ORDER BY id")
    assert names == [(1, text), (2, "ann"), (3, text)]
    places = text.count("\ufffd")
    assert stat(crawler, "text/replaced_count") == 2 * places
    told = [record for record in caplog.records if "not UTF-8" in record.getMessage()]
    assert [record.levelname for record in told] == ["WARNING"] * bool(places), "once"
