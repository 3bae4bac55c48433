"""Answers: the API's envelope of data and errors, as bytes to send (api_facts.md 1.10, 1.11)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tiktok_crawler.sandbox.protocol.errors import SandboxProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxAnswer:
    """An answer that is sent after `delay_seconds`."""

    status: int = HTTPStatus.OK
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0


NO_ANSWER = SandboxAnswer(status=0)
"""The connection is cut off instead."""


def success(data: dict[str, Any], log_id: str, message: str = "") -> dict[str, Any]:
    """The envelope around data; endpoints differ in the message (api_facts.md 1.10)."""
    return {"data": data, "error": {"code": "ok", "message": message, "log_id": log_id}}


def json_answer(payload: object, status: int = HTTPStatus.OK) -> SandboxAnswer:
    """JSON in UTF-8; half a surrogate pair, which UTF-8 cannot say, becomes an escape sequence."""
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return SandboxAnswer(status=status, body=text.encode("utf-8", "backslashreplace"))


def problem_answer(
    problem: SandboxProblem, log_id: str, headers: Mapping[str, str] | None = None
) -> SandboxAnswer:
    """The envelope around an error."""
    error = {"code": problem.code, "message": problem.message, "log_id": log_id}
    payload = {"data": {}, "error": error} if problem.with_data else {"error": error}
    answer = json_answer(payload, problem.status)
    return SandboxAnswer(status=answer.status, body=answer.body, headers=headers or {})
