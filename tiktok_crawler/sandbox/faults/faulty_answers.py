"""The answers of scheduled faults: some stand in for the true answer, others bend it."""

from __future__ import annotations

import gzip
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tiktok_crawler.sandbox.faults.schedule import FaultName, ScheduledFault
from tiktok_crawler.sandbox.protocol import errors
from tiktok_crawler.sandbox.protocol.answers import (
    NO_ANSWER,
    SandboxAnswer,
    json_answer,
    problem_answer,
)

if TYPE_CHECKING:
    Envelope = dict[str, Any]

_PROBLEMS = {
    FaultName.INTERNAL_ERROR: errors.INTERNAL_ERROR,
    FaultName.ERROR_IN_200: errors.ERROR_IN_200,
    FaultName.TOKEN_INVALID: errors.TOKEN_INVALID,
    FaultName.SCOPE_NOT_AUTHORIZED: errors.SCOPE_NOT_AUTHORIZED,
    FaultName.FORBIDDEN: errors.FORBIDDEN,
    FaultName.REFUSED: errors.REFUSED,
    FaultName.INVALID_CURSOR: errors.INVALID_CURSOR,
    FaultName.RATE_LIMITED: errors.RATE_LIMITED,
    FaultName.DAILY_QUOTA: errors.DAILY_QUOTA,
    FaultName.UNKNOWN_429: errors.UNKNOWN_429,
}

_PAGES = {
    FaultName.SERVICE_UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    FaultName.GATEWAY_TIMEOUT: HTTPStatus.GATEWAY_TIMEOUT,
    FaultName.HANG: HTTPStatus.GATEWAY_TIMEOUT,
    FaultName.HTML_PAGE: HTTPStatus.OK,
}

_BOMB_MEBIBYTES = 65

_ODDITIES = {
    FaultName.CONNECTION_RESET: NO_ANSWER,
    FaultName.EMPTY_BODY: SandboxAnswer(),
    FaultName.REDIRECT: SandboxAnswer(
        status=HTTPStatus.FOUND, headers={"Location": "https://login.example.org/portal?from=api"}
    ),
}


def stand_in(fault: ScheduledFault, log_id: str) -> SandboxAnswer | None:
    """The answer given instead of the true one, if the fault is of that kind."""
    name = fault.fault
    if name in _PROBLEMS:
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        return problem_answer(_PROBLEMS[name], log_id, headers)
    if name in _PAGES:
        return _page(_PAGES[name], fault.seconds if name is FaultName.HANG else 0)
    return _gzip_bomb() if name is FaultName.GZIP_BOMB else _ODDITIES.get(name)


@cache
def _gzip_bomb() -> SandboxAnswer:
    """An answer that is far larger than it looks: many times the same, packed once."""
    body = gzip.compress(bytes(2**20)) * _BOMB_MEBIBYTES
    return SandboxAnswer(body=body, headers={"Content-Encoding": "gzip"})


def bend(fault: ScheduledFault | None, envelope: Envelope, cursor: int) -> SandboxAnswer:
    """The answer made wrong, if the fault is of that kind; `cursor` is that of the request."""
    match fault and fault.fault:
        case FaultName.TRUNCATED_JSON:
            whole = json_answer(envelope).body
            return SandboxAnswer(body=whole[: len(whole) // 2])
        case FaultName.NOT_UTF8:
            return SandboxAnswer(body=b'{"note":"caf\xe9",' + json_answer(envelope).body[1:])
        case FaultName.DATA_WITH_500:
            # As user endpoints and playlists did (api_facts.md 11.1).
            answer = {"data": envelope["data"], "error": {}}
            return json_answer(answer, HTTPStatus.INTERNAL_SERVER_ERROR)
    return json_answer(_bent(fault, envelope, cursor))


def _bent(fault: ScheduledFault | None, envelope: Envelope, cursor: int) -> Envelope:
    """The envelope with something in it that is wrong, if the fault is of that kind."""
    match fault and fault.fault:
        case FaultName.NO_DATA:
            envelope = _changed(envelope, {"data": ...})
        case FaultName.NULL_DATA:
            envelope = _changed(envelope, {"data": None})
        case FaultName.REPEATED_CURSOR:
            envelope = _with_data(envelope, cursor=cursor, has_more=True)
        case FaultName.NO_CURSOR:
            # With more to come (api_facts.md 13.7).
            envelope = _with_data(envelope, cursor=..., has_more=True)
        case FaultName.NO_HAS_MORE:
            envelope = _with_data(envelope, has_more=...)
        case FaultName.NULL_HAS_MORE:
            envelope = _with_data(envelope, has_more=None)
        case FaultName.LISTS_AS_OBJECTS:
            envelope = _changed(envelope, {"data": _without_lists(envelope["data"])})
    return envelope


def _page(status: HTTPStatus, delay_seconds: float) -> SandboxAnswer:
    """Build the page of a gateway, for people to read (api_facts.md 13.14)."""
    title = f"{status} {status.phrase}"
    html = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body><h1>{title}</h1></body>\r\n</html>"
    )
    return SandboxAnswer(
        status=status, body=html.encode(), content_type="text/html", delay_seconds=delay_seconds
    )


def _with_data(envelope: Envelope, **changes: Any) -> Envelope:
    return _changed(envelope, {"data": _changed(envelope["data"], changes)})


def _without_lists(data: Envelope) -> Envelope | list[Envelope]:
    """Data with an object in place of each list; without any it is put into a list itself."""
    objects: Envelope = {key: {} for key, value in data.items() if isinstance(value, list)}
    return data | objects if objects else [data]


def _changed(values: Envelope, changes: Envelope) -> Envelope:
    """An object with changed keys; a change to `...` removes the key."""
    return {key: value for key, value in (values | changes).items() if value is not ...}
