"""An answer that repeats its request puts no secret into log, database or archive."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import re
from base64 import b64encode
from contextlib import asynccontextmanager
from os import EX_OK, EX_SOFTWARE
from urllib.parse import quote

import pytest
from crawling import exit_status, project_settings
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import TOKEN, Answer, ScriptedApi, page, serving

ACCESS_TOKEN = TOKEN["access_token"]
ESCAPED = "".join(f"\\u{ord(each):04x}" for each in ACCESS_TOKEN)
BASIC = b64encode(b"key-of-ann:secret-of-ann").decode()
SECRETS = (ACCESS_TOKEN, quote("secret-of-ann"), "key-of-ann", ESCAPED, BASIC, "cripted-tok")


def repeating(**error: str) -> Answer:
    body = {"data": {}, "error": {"code": "internal_error", "message": "", "log_id": "L"} | error}
    return Answer(500, body)


ANSWERS = {
    "log_id": repeating(log_id=f"2024 {ACCESS_TOKEN}"),
    "code": repeating(code=f"bad_{ACCESS_TOKEN}"),
    "cut message": repeating(message="x" * 490 + f" Bearer {ACCESS_TOKEN}"),
    "cut body": Answer(502, b"<p>" + b"x" * 180 + f" {ACCESS_TOKEN}".encode() + b"</p>"),
    "escaped": Answer(500, json.dumps({"error": {"code": "x", "log_id": "!"}})
        .replace("!", ESCAPED).encode()),
    "UTF-16": Answer(500, json.dumps({"error": {"code": ACCESS_TOKEN}}).encode("utf-16-le")),
    "secret": repeating(message="client_secret=secret-of-ann&client_key=key-of-ann"),
    "Basic": repeating(message=f"Basic {BASIC}"),
    "headers": Answer(302, b"", {"Location": f"https://{ACCESS_TOKEN}.example/",
        "X-Tt-Logid": ACCESS_TOKEN, "Set-Cookie": f"session={ACCESS_TOKEN}"}),
    "zipped": Answer(500, gzip.compress(f"no, {ACCESS_TOKEN}".encode()),
        {"Content-Encoding": "gzip"}),
    "malformed page": page(1, cursor=ACCESS_TOKEN, search_id=ACCESS_TOKEN),
    "page": page(1, search_id=ACCESS_TOKEN),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", ANSWERS)
@deferred_f_from_coro_f
async def test_no_secret_is_kept_or_told(folder, caplog, kind):
    caplog.set_level("DEBUG")
    settings = {
        "TIKTOK_ARCHIVE": str(folder.path / "archive"),
        "TIKTOK_RETRY_TIMES": 1,
        "TIKTOK_QUOTA_POLICY": "stop",
        "COOKIES_ENABLED": True,
        "COOKIES_DEBUG": True,
    }
    async with serving(ScriptedApi(ANSWERS[kind])) as api:
        await folder.crawl(api.url, settings)
    folder.secrets_file.unlink()
    kept = b"".join(_content(path) for path in folder.path.rglob("*") if path.is_file())
    assert b"***" in kept or "***" in caplog.text or b"*\x00*" in kept
    for secret in SECRETS:
        assert secret not in caplog.text
        assert secret.encode() not in kept
        assert secret.encode("utf-16-le") not in kept


def _content(path):
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


@pytest.mark.parametrize("place", ["error", "error_description", "log_id"])
@deferred_f_from_coro_f
async def test_an_answer_to_a_token_request_repeats_no_secret(folder, caplog, place):
    body = {"error": "invalid_client", "error_description": "", "log_id": "L"}
    form = "client_key=key-of-ann&client_secret=secret-of-ann"
    api = ScriptedApi(page(1))
    api.token_answers = [Answer(400, body | {place: f"{body[place]} {form}"})]
    async with serving(api):
        await folder.crawl(api.url, {"TIKTOK_RETRY_TIMES": 0, "TIKTOK_QUOTA_POLICY": "stop"})
    assert "client_key=***&client_secret=***" in caplog.text
    assert "-of-ann" not in caplog.text


@deferred_f_from_coro_f
async def test_a_token_that_holds_the_key_is_taken_as_it_is(folder):
    api = ScriptedApi(page(1))
    api.token_answers = [Answer(body=TOKEN | {"access_token": "clt.key-of-ann.x"})]
    async with serving(api):
        crawler = await folder.crawl(api.url)
    assert api.headers[0]["Authorization"] == "Bearer clt.key-of-ann.x"
    assert exit_status(crawler) == EX_OK


HEAD = b"HTTP/1.1 500 X\r\nContent-Length: 2\r\n"
RAW = {
    "status line": b"%b no\r\n\r\n",
    "status": b"HTTP/1.1 %b\r\n\r\n",
    "reason": b"HTTP/1.1 500 %b\r\nContent-Length: 2\r\n\r\n{}",
    "name of a header": HEAD + b"%b: x\r\n\r\n{}",
    "no header": HEAD + b"%b\r\n\r\n{}",
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: %b\r\n\r\n{}",
    "kind of transfer": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: %b\r\n\r\n{}",
    "size of a part": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%b\r\n{}\r\n",
    "compression": HEAD + b"Content-Encoding: %b\r\n\r\n{}",
    "letters": HEAD + b"Content-Type: text/html; charset=%b\r\n\r\n{}",
    "time": HEAD + b"Date: %b\r\nRetry-After: %b\r\n\r\n{}",
}
"""Answers that stand in the way of whatever reads HTTP."""


@asynccontextmanager
async def answering(raw: bytes):
    """An API that gives a token, and then answers with these bytes; yields its address."""
    token = Answer(body=TOKEN).response()
    given = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(token.body), token.body)

    async def answer(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(re.findall(rb"(?i)content-length: (\d+)", head)[0]))
        writer.write(given if b"/oauth/" in head else raw)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield "http://{}:{}".format(*server.sockets[0].getsockname())


@pytest.mark.parametrize("kind", RAW)
@deferred_f_from_coro_f
async def test_what_others_log_of_an_answer_has_no_secret(folder, log, kind):
    logging.root.setLevel("DEBUG")
    settings = {"TIKTOK_RETRY_TIMES": 0, "TIKTOK_ARCHIVE": str(folder.path / "archive")}
    answer = RAW[kind].replace(b"%b", ACCESS_TOKEN.encode())
    async with answering(answer) as url:
        settings |= {"LOG_FILE": str(log), "LOG_LEVEL": "DEBUG"}
        await folder.crawl(url, settings, max_requests="1")
    folder.secrets_file.unlink()
    kept = b"".join(_content(path) for path in folder.path.rglob("*") if path.is_file())
    assert b"Spider closed" in log.read_bytes()
    for secret in SECRETS:
        assert secret.encode() not in kept


@deferred_f_from_coro_f
async def test_lines_of_a_head_that_are_no_headers_fill_no_log(folder, log):
    logging.root.setLevel("DEBUG")
    settings = {"TIKTOK_RETRY_TIMES": 0, "LOG_FILE": str(log), "LOG_LEVEL": "DEBUG"}
    async with answering(HEAD + b"no header\r\n" * 5000 + b"\r\n{}") as url:
        await folder.crawl(url, settings, max_requests="1")
    assert b"Spider closed" in log.read_bytes()
    assert b"no header" not in log.read_bytes()


class Misdirecting:
    """Somebody's middleware, which sends requests elsewhere."""

    elsewhere = ""
    meta: dict[str, str] = {}  # noqa: RUF012

    def process_request(self, request):
        if self.elsewhere and not request.url.startswith(self.elsewhere):
            path = request.url.partition("/v2/")[2]
            return request.replace(url=f"{self.elsewhere}/v2/{path}")
        request.meta.update(self.meta)
        return None


def redirected(other):
    Misdirecting.elsewhere, Misdirecting.meta = other, {}


def proxied(other):
    Misdirecting.elsewhere, Misdirecting.meta = "", {"proxy": other}


@pytest.mark.parametrize("change", [redirected, proxied])
@deferred_f_from_coro_f
async def test_a_request_with_a_secret_goes_to_the_api_or_nowhere(folder, caplog, change):
    components = project_settings()["DOWNLOADER_MIDDLEWARES"].copy_to_dict() | {Misdirecting: 1100}
    async with serving(ScriptedApi(page(1))) as api, serving(ScriptedApi(page(1))) as other:
        change(other.url)
        crawler = await folder.crawl(api.url, {"DOWNLOADER_MIDDLEWARES": components})
    assert other.token_forms == other.bodies == api.token_forms == []
    assert exit_status(crawler) == EX_SOFTWARE
    assert "A request with a secret would have gone to 127.0.0.1" in caplog.text
