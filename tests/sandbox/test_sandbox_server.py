"""The sandbox over real sockets, asked in the ways of various clients."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from datetime import date
from typing import Any

import aiohttp
import pytest
from sandbox_client import ALL_FIELDS, EVERYTHING, FORM, search_body
from sandbox_sockets import loopback, session, url
from scrapy.utils.defer import deferred_f_from_coro_f

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.research_api.endpoints import TOKEN_PATH, VIDEO_QUERY
from tiktok_crawler.sandbox import Profile, Sandbox
from tiktok_crawler.sandbox.faults.profile import Latency
from tiktok_crawler.sandbox.faults.schedule import FaultName, ScheduledFault
from tiktok_crawler.sandbox.server import STATISTICS_PATH, serve, start

VIDEOS_URL = f"{VIDEO_QUERY.path}?fields={ALL_FIELDS}"


def sandbox(*faults: ScheduledFault, **profile: Any) -> Sandbox:
    return Sandbox(videos_per_day=50, profile=Profile(faults=faults, **profile), record=True)


def fault(name: FaultName, **options: Any) -> ScheduledFault:
    return ScheduledFault(fault=name, request=1, **options)


async def post(client: aiohttp.ClientSession, **options: Any) -> tuple[int, Any]:
    options.setdefault("json", search_body())
    async with client.post(options.pop("url", VIDEOS_URL), **options) as response:
        return response.status, await response.json()


@deferred_f_from_coro_f
async def test_a_whole_search_over_http():
    served = sandbox()
    async with session(served) as client:
        records, onward = [], {}
        while True:
            status, body = await post(client, json=search_body(**onward))
            assert status == 200
            data = body["data"]
            records += data["videos"]
            if not data["has_more"]:
                break
            onward = {"cursor": data["cursor"], "search_id": data["search_id"]}
    assert records == served.matches(EVERYTHING, date(2024, 1, 1), date(2024, 1, 7))


@pytest.mark.parametrize(
    "options",
    [
        {"data": json.dumps(search_body()), "headers": {"Content-Type": "text/plain"}},
        {"data": json.dumps(search_body(max_count="100"))},
        {"data": json.dumps(search_body(search_id=None, cursor=None)).encode()},
        {"json": search_body(search_id="")},
        {"url": VIDEOS_URL.replace(",", ", ")},
        {"url": VIDEOS_URL.replace(",", "%2C")},
        {"url": VIDEOS_URL.replace(",", ",%20")},
        {"url": VIDEOS_URL.replace(",", ",+")},
    ],
)
@deferred_f_from_coro_f
async def test_other_clients_are_understood(options):
    async with session(sandbox()) as client:
        expected = await post(client)
        options = {"json": None, **options} if "data" in options else dict(options)
        status, body = await post(client, **options)
    assert (status, body["data"]) == (200, expected[1]["data"])


@deferred_f_from_coro_f
async def test_headers_are_told_as_the_api_tells_them():
    async with session(sandbox(fault(FaultName.RATE_LIMITED, retry_after=7))) as client:
        async with client.post(VIDEOS_URL, json=search_body()) as response:
            assert (response.status, response.headers["Retry-After"]) == (429, "7")
            assert response.content_type == "application/json"
        del client.headers["Authorization"]
        assert (await post(client))[0] == 401


@deferred_f_from_coro_f
async def test_other_paths_and_methods_are_not_served():
    async with session(sandbox()) as client:
        async with client.get(VIDEOS_URL) as response:
            assert response.status == 405
        async with client.post("/v2/research/video/") as response:
            assert response.status == 404


@deferred_f_from_coro_f
async def test_requests_are_recorded_and_counted():
    served = sandbox()
    async with session(served) as client:
        await post(client)
        await post(client, json=search_body(max_count=0))
        async with client.get(STATISTICS_PATH) as response:
            statistics = await response.json()
    assert statistics == {
        "requests": {TOKEN_PATH: {"200": 1}, VIDEO_QUERY.path: {"200": 1, "400": 1}},
        "quota_spent": {"research": 2},
    }
    token, search, refused = served.requests
    assert (token.path, token.body, token.status) == (TOKEN_PATH, FORM, 200)
    assert (search.body, search.fields, search.status) == (search_body(), ALL_FIELDS, 200)
    assert refused.status == 400


@deferred_f_from_coro_f
async def test_a_connection_can_be_reset(caplog):
    served = sandbox(fault(FaultName.CONNECTION_RESET))
    async with session(served) as client:
        with pytest.raises(aiohttp.ClientConnectionError):
            await post(client)
        assert (await post(client))[0] == 200
    assert [request.status for request in served.requests] == [200, 0, 200]
    assert [record for record in caplog.records if record.name.startswith("aiohttp")] == []


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_answers_take_their_time_side_by_side():
    async with session(sandbox(latency=Latency(seconds=0.5))) as client:
        started = time.perf_counter()
        answers = await asyncio.gather(*(post(client) for _ in range(40)))
        elapsed = time.perf_counter() - started
    assert [status for status, _ in answers] == [200] * 40
    assert 0.5 <= elapsed < 40 * 0.5


@deferred_f_from_coro_f
async def test_an_answer_that_hangs_does_not_keep_the_server_from_stopping():
    served = sandbox(fault(FaultName.HANG, seconds=3_600))
    started = time.perf_counter()
    async with session(served) as client:
        with pytest.raises(TimeoutError):
            await post(client, timeout=aiohttp.ClientTimeout(total=0.1))
        hanging = asyncio.ensure_future(post(client))
        assert (await hanging)[0] == 200
    assert time.perf_counter() - started < 5


@deferred_f_from_coro_f
async def test_stopping_gives_up_answers_that_hang():
    sock = loopback()
    served = sandbox(ScheduledFault(fault=FaultName.HANG, every=1, seconds=3_600))
    runner = await start(served, sock)
    async with aiohttp.ClientSession(url(sock)) as client:
        async with client.post(TOKEN_PATH, data=FORM) as response:
            token = (await response.json())["access_token"]
        headers = {"Authorization": f"bearer {token}"}
        hanging = asyncio.ensure_future(post(client, headers=headers))
        while len(served.requests) < 2:  # noqa: ASYNC110 - nothing tells when a request has come
            await asyncio.sleep(0.01)
        started = time.perf_counter()
        await runner.cleanup()
        assert time.perf_counter() - started < 5
        with pytest.raises(aiohttp.ClientError):
            await hanging


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_a_long_search_does_not_block_the_loop():
    async with session(Sandbox(videos_per_day=2_000)) as client:
        request = asyncio.ensure_future(post(client, json=search_body(end_date="20240131")))
        # Whatever else the machine does, this is the work of the loop's own thread, and of all.
        longest, last, started = 0.0, time.thread_time(), time.process_time()
        while not request.done():
            await asyncio.sleep(0)
            now = time.thread_time()
            longest, last = max(longest, now - last), now
        assert (await request)[0] == 200
        assert longest < (time.process_time() - started) / 3


@deferred_f_from_coro_f
async def test_it_is_served_on_loopback_only():
    with socket.create_server(("0.0.0.0", 0)) as sock:  # noqa: S104 - it is refused
        with pytest.raises(ConfigurationError, match=r"on loopback only, not on 0\.0\.0\.0"):
            await start(Sandbox(), sock)
        with pytest.raises(ConfigurationError, match="on loopback only"):
            serve(Sandbox(), sock)


SERVE = """
import socket
from tiktok_crawler.sandbox import Sandbox
from tiktok_crawler.sandbox.server import serve
sock = socket.create_server(("127.0.0.1", 0))
print(sock.getsockname()[1], flush=True)
serve(Sandbox(videos_per_day=5), sock)
print("stopped", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_in_a_process_of_its_own_until_a_signal(number):
    command = [sys.executable, "-W", "error", "-c", SERVE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        port = int(process.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"GET /sandbox/stats HTTP/1.0\r\n\r\n")
            assert b"200 OK" in connection.makefile("rb").read()
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, b"stopped\n", b"")
