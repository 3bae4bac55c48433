"""Asks a sandbox for compliance checks, as any client would."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp

from tiktok_crawler.research_api.endpoints import (
    CHECK_FILE,
    CHECK_STATUS,
    CREATE_CHECK,
    TOKEN_PATH,
)
from tiktok_crawler.sandbox import CLIENT_KEY, CLIENT_SECRET

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

Answer = tuple[int, dict[str, Any]]


def file_of(ids: Iterable[object]) -> bytes:
    return "".join(f"{number}\n" for number in ids).encode()


@asynccontextmanager
async def signed_in(url: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a sandbox, with a token."""
    form = {
        "client_key": CLIENT_KEY,
        "client_secret": CLIENT_SECRET,
        "grant_type": "client_credentials",
    }
    async with aiohttp.ClientSession(url) as client:
        async with client.post(TOKEN_PATH, data=form) as response:
            token = (await response.json())["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


async def create(client: aiohttp.ClientSession, content: bytes, category: str = "video") -> Answer:
    form = aiohttp.FormData()
    form.add_field("file_data", content, filename="ids.txt", content_type="text/plain")
    form.add_field("category", category)
    return await post(client, CREATE_CHECK.path, data=form)


async def status(client: aiohttp.ClientSession, task_id: object) -> Answer:
    return await post(client, CHECK_STATUS.path, json={"task_id": task_id})


async def download(client: aiohttp.ClientSession, task_id: object) -> tuple[int, bytes]:
    async with client.post(CHECK_FILE.path, json={"task_id": task_id}) as response:
        return response.status, await response.read()


async def post(client: aiohttp.ClientSession, path: str, **content: Any) -> Answer:
    async with client.post(path, **content) as response:
        return response.status, json.loads(await response.read())


async def begin(client: aiohttp.ClientSession, ids: Iterable[int], category: str = "video") -> int:
    """Begin a check that must succeed, and return its id."""
    code, body = await create(client, file_of(ids), category)
    assert (code, body["error"]["code"]) == (200, "ok"), body
    task_id: int = body["data"]["task_id"]
    return task_id


async def state(client: aiohttp.ClientSession, task_id: int) -> str:
    code, body = await status(client, task_id)
    assert (code, body["error"]["code"]) == (200, "ok"), body
    found: str = body["data"]["task_status"]
    return found


async def listed(client: aiohttp.ClientSession, task_id: int) -> list[int]:
    code, content = await download(client, task_id)
    assert code == 200, content
    return [int(line) for line in content.splitlines()]


async def check(
    client: aiohttp.ClientSession, ids: Iterable[int], category: str = "video"
) -> list[int]:
    """What a check of these ids lists; it must be done at once."""
    task_id = await begin(client, ids, category)
    assert await state(client, task_id) == "Completed"
    return await listed(client, task_id)
