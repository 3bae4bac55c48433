"""A server that answers research requests from a script, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable

TOKEN = {"access_token": "clt.scripted-token", "expires_in": 7200, "token_type": "Bearer"}


@dataclass
class Answer:
    """What to answer: a status, a body (JSON unless bytes) and headers."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def response(self) -> web.Response:
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        return web.Response(status=self.status, body=body, headers=self.headers)


def page(*ids: int, cursor: int = 100, has_more: bool = False, **data: Any) -> Answer:
    """A page with videos of these ids."""
    videos = [{"id": video_id, "username": "ann", "hashtag_names": ["butter"]} for video_id in ids]
    content = {"videos": videos, "cursor": cursor, "has_more": has_more, "search_id": "77"}
    error = {"code": "ok", "message": "", "log_id": "2024010200000000000000000000000000"}
    return Answer(body={"data": content | data, "error": error})


def error(status: int, code: str, message: str = "", **headers: str) -> Answer:
    body = {"data": {}, "error": {"code": code, "message": message, "log_id": "20240102LOG"}}
    return Answer(status, body, headers)


def hang_up(_body: dict[str, Any]) -> None:
    """Break the connection."""
    raise ConnectionResetError


class ScriptedApi:
    """Answers in order; the last answer is repeated. `answers` may hold functions of the body."""

    def __init__(self, *answers: Answer | Callable[[dict[str, Any]], Any]):
        self.answers = list(answers)
        self.token_answers = [Answer(body=TOKEN)]
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.token_forms: list[dict[str, str]] = []
        self.url = ""

    async def token(self, request: web.Request) -> web.Response:
        self.token_forms.append(dict(await request.post()))
        return _next(self.token_answers).response()

    async def query(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        answer = _next(self.answers)
        if callable(answer):
            answer = answer(body)
        if isawaitable(answer):
            answer = await answer
        return answer.response()


def together(*answers: Answer) -> list[Callable[[dict[str, Any]], Any]]:
    """Answers that are given as soon as all of them are asked for."""
    missing = len(answers)
    all_are_asked_for = asyncio.Event()

    def giving(answer: Answer) -> Callable[[dict[str, Any]], Any]:
        async def give(_body: dict[str, Any]) -> Answer:
            nonlocal missing
            missing -= 1
            if not missing:
                all_are_asked_for.set()
            await all_are_asked_for.wait()
            return answer

        return give

    return list(map(giving, answers))


def _next(answers: list[Any]) -> Any:
    return answers.pop(0) if len(answers) > 1 else answers[0]


@asynccontextmanager
async def serving(
    api: ScriptedApi, tls: ssl.SSLContext | None = None
) -> AsyncIterator[ScriptedApi]:
    """Serve the script on a free port of this machine; its address is in `api.url`."""
    application = web.Application()
    application.router.add_post("/v2/oauth/token/", api.token)
    application.router.add_post("/v2/research/{endpoint:.*}", api.query)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    host, port = runner.addresses[0][:2]
    api.url = f"https://localhost:{port}" if tls else f"http://{host}:{port}"
    try:
        yield api
    finally:
        await runner.cleanup()
