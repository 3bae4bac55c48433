"""Answers of the API as archives keep them: what lines about windows and about seeds share."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer to a research request: its status, some of its headers, and its whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Believed:
    """The last answer, which is malformed, counts as a page."""


def answer_json(answer: RawAnswer) -> dict[str, Any]:
    """A body that is not UTF-8 is kept in base64, under another key."""
    try:
        body = {"body": answer.body.decode()}
    except UnicodeDecodeError:
        body = {"body_base64": b64encode(answer.body).decode()}
    return {"response": {"status": answer.status, "headers": dict(answer.headers)} | body}


def read_answer(content: dict[str, Any]) -> RawAnswer:
    response = content["response"]
    body = response.get("body")
    as_bytes = b64decode(response["body_base64"]) if body is None else body.encode()
    return RawAnswer(int(response["status"]), response["headers"], as_bytes)


def read_time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
