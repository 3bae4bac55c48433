"""The answers of scheduled faults: some stand in for the true answer, others bend it."""

from __future__ import annotations

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
    from collections.abc import Callable

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


def stand_in(fault: ScheduledFault, log_id: str) -> SandboxAnswer | None:
    """The answer given instead of the true one, if the fault is of that kind."""
    name = fault.fault
    if name in _PROBLEMS:
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        return problem_answer(_PROBLEMS[name], log_id, headers)
    if name in _PAGES:
        return _page(_PAGES[name], fault.seconds if name is FaultName.HANG else 0)
    if name is FaultName.CONNECTION_RESET:
        return NO_ANSWER
    return SandboxAnswer() if name is FaultName.EMPTY_BODY else None


def bend(fault: ScheduledFault | None, envelope: Envelope, cursor: int) -> SandboxAnswer:
    """The answer made wrong, if the fault is of that kind; `cursor` is that of the request."""
    if fault is None or fault.fault not in _BENDS:
        return json_answer(envelope)
    return _BENDS[fault.fault](envelope, cursor)


def _page(status: HTTPStatus, delay_seconds: float) -> SandboxAnswer:
    """Build the page of a gateway, for people to read (api_facts.md 13.14)."""
    title = f"{status} {status.phrase}"
    html = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body><h1>{title}</h1></body>\r\n</html>"
    )
    return SandboxAnswer(
        status=status, body=html.encode(), content_type="text/html", delay_seconds=delay_seconds
    )


def _truncated_json(envelope: Envelope, _: int) -> SandboxAnswer:
    whole = json_answer(envelope).body
    return SandboxAnswer(body=whole[: len(whole) // 2])


def _data_with_500(envelope: Envelope, _: int) -> SandboxAnswer:
    """As user endpoints and playlists did (api_facts.md 11.1)."""
    return json_answer({"data": envelope["data"], "error": {}}, HTTPStatus.INTERNAL_SERVER_ERROR)


def _repeated_cursor(envelope: Envelope, cursor: int) -> SandboxAnswer:
    return _with_data(envelope, cursor=cursor, has_more=True)


def _no_cursor(envelope: Envelope, _: int) -> SandboxAnswer:
    """With more to come (api_facts.md 13.7)."""
    return _with_data(envelope, cursor=..., has_more=True)


def _no_data(envelope: Envelope, _: int) -> SandboxAnswer:
    return json_answer({key: value for key, value in envelope.items() if key != "data"})


def _no_has_more(envelope: Envelope, _: int) -> SandboxAnswer:
    return _with_data(envelope, has_more=...)


def _null_data(envelope: Envelope, _: int) -> SandboxAnswer:
    return json_answer(envelope | {"data": None})


def _null_has_more(envelope: Envelope, _: int) -> SandboxAnswer:
    return _with_data(envelope, has_more=None)


def _with_data(envelope: Envelope, **changes: Any) -> SandboxAnswer:
    """The data with changed keys; a change to `...` removes the key."""
    data = envelope["data"] | changes
    kept = {key: value for key, value in data.items() if value is not ...}
    return json_answer(envelope | {"data": kept})


_BENDS: dict[FaultName, Callable[[Envelope, int], SandboxAnswer]] = {
    FaultName.TRUNCATED_JSON: _truncated_json,
    FaultName.DATA_WITH_500: _data_with_500,
    FaultName.REPEATED_CURSOR: _repeated_cursor,
    FaultName.NO_CURSOR: _no_cursor,
    FaultName.NO_DATA: _no_data,
    FaultName.NO_HAS_MORE: _no_has_more,
    FaultName.NULL_DATA: _null_data,
    FaultName.NULL_HAS_MORE: _null_has_more,
}
