"""Interprets the API's answers: status and body in, a verdict out.

Whoever gets a verdict acts on it: `middlewares/token.py`, `quota.py` and `retry.py`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from tiktok_crawler.research_api.endpoints import VIDEO_QUERY, Endpoint
from tiktok_crawler.research_api.json_text import read_json_object
from tiktok_crawler.research_api.paging import Paging
from tiktok_crawler.spelling import visible


class AnswerKind(StrEnum):
    """The closed set of things that an answer can mean."""

    PAGE = "page"
    """Records, or an explicit absence of them."""
    MALFORMED = "malformed"
    """The API says `ok`, but not whether there is more: never the end of a search."""
    FAULT = "fault"
    """A fault of the API's own, or no answer of its kind: the same request can succeed later."""
    SEARCH_REFUSED = "search_refused"
    """The search_id or cursor is not accepted: not yet known to the API, or lost."""
    REFUSED = "refused"
    """The request itself is not accepted: repeating it cannot help."""
    NOT_FOUND = "not_found"
    """There is no such user."""
    WITHHELD = "withheld"
    """The requested object exists, but is not shown: it is private, or a minor's."""
    TOKEN = "token"  # noqa: S105 - a kind of answer
    """The access token is missing, expired or revoked."""
    SCOPE = "scope"
    """The project has no approval for what was asked."""
    DAILY_QUOTA = "daily_quota"
    """The quota of the UTC day is used up."""
    RATE = "rate"
    """Too fast: slow down for seconds or a minute."""


USER_PATHS = "/v2/research/user/"

REDIRECTS = range(300, 400)

ERRORS = REDIRECTS.start
"""HTTP statuses from here on do not say that it went well."""

_JSON = re.compile(r'\A\s*[\[{]|[\[{]\s*\\*["\[{]|"\s*:')
"""What JSON begins with, or has somewhere: its beginning may be lost, too."""

LONGEST_WORDS = 500
"""More characters than this of the API's words help nobody."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The meaning of an answer, with the API's own words.

    `data` is the answer's `data` object, of a page or a malformed answer. `log_id` is what TikTok's
    support asks for. `replaced_count` is in how many places its text was none. What `is_foreign` is
    not in the API's words: a gateway, or another server in between, may have said it.
    """

    kind: AnswerKind
    status: int
    code: str = ""
    message: str = ""
    log_id: str | None = None
    data: dict[str, Any] | None = None
    replaced_count: int = 0
    is_foreign: bool = False

    @property
    def is_redirect(self) -> bool:
        """True if in place of an answer comes the address of another place."""
        return self.kind is AnswerKind.FAULT and self.status in REDIRECTS

    def __str__(self) -> str:
        words = " ".join(filter(None, (self.code, self.message))) or "no explanation"
        return f"HTTP {self.status}: {words}"


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table; what is left out matches anything."""

    kind: AnswerKind
    statuses: range | None = None
    codes: frozenset[str] = frozenset()
    message: re.Pattern[str] | None = None

    def matches(self, status: int, code: str, message: str) -> bool:
        return (
            (self.statuses is None or status in self.statuses)
            and (not self.codes or code in self.codes)
            and (self.message is None or self.message.search(message) is not None)
        )


def _code(kind: AnswerKind, *codes: str) -> Rule:
    return Rule(kind, codes=frozenset(codes))


def _status(kind: AnswerKind, first: int, last: int) -> Rule:
    return Rule(kind, statuses=range(first, last + 1))


def _message(kind: AnswerKind, pattern: str) -> Rule:
    return Rule(kind, message=re.compile(pattern, re.IGNORECASE))


RULES = (
    _code(AnswerKind.DAILY_QUOTA, "daily_quota_limit_exceeded"),  # api_facts.md 11.1, 12
    _code(AnswerKind.RATE, "rate_limit_exceeded"),  # api_facts.md 11.1
    _code(AnswerKind.SCOPE, "scope_not_authorized", "scope_permission_missed"),  # api_facts.md 11.1
    _code(AnswerKind.TOKEN, "access_token_invalid", "invalid_token"),  # api_facts.md 11.1
    _code(AnswerKind.FAULT, "internal_error", "timeout"),  # api_facts.md 11.1
    _status(AnswerKind.TOKEN, 401, 401),  # api_facts.md 11.1
    _status(AnswerKind.RATE, 429, 429),  # api_facts.md 12: the short-term limit is undocumented
    _status(AnswerKind.FAULT, 408, 408),  # the request did not come in time
    _status(AnswerKind.FAULT, 425, 425),  # it came too early
    _message(
        AnswerKind.SEARCH_REFUSED, r"search id \S+ is invalid or expired"
    ),  # api_facts.md 11.3
    _message(AnswerKind.SEARCH_REFUSED, r"invalid count or cursor"),  # api_facts.md 11.3
    _message(
        AnswerKind.FAULT, r"please try again later|server internal error"
    ),  # api_facts.md 11.2
    _message(AnswerKind.NOT_FOUND, r"cannot find the user"),  # api_facts.md 5
    _message(
        AnswerKind.WITHHELD,
        r"cannot return this user|is private|information cannot be returned",  # api_facts.md 5, 6
    ),
    _status(AnswerKind.REFUSED, 400, 499),  # api_facts.md 11.1
    _status(AnswerKind.FAULT, 500, 599),  # api_facts.md 11.1, 13.14
    _code(  # api_facts.md 11.1: errors can come with HTTP 200
        AnswerKind.REFUSED,
        "invalid_params",
        "invalid_param",
        "invalid_request",
        "invalid_file_upload",
    ),
)
"""The meanings of answers other than pages; the first row that matches counts."""


def classify(status: int, body: bytes, endpoint: Endpoint = VIDEO_QUERY) -> Verdict:
    """Tell what an answer of a research endpoint means.

    A body that says it went well counts more than the status: some endpoints answer 500 with
    valid data (api_facts.md 10.1, 13.15).
    """
    found = read_json_object(body)
    if found is None and endpoint.answers_with_file and status < ERRORS:
        return Verdict(AnswerKind.PAGE, status)
    if found is None:
        # What the API itself says may be nothing (api_facts.md 6), but is no page for a browser.
        kind = _kind(status) if body.strip() else _kind_for(endpoint, status)
        return Verdict(kind, status, message=_words_for(body), is_foreign=True)
    verdict = classify_object(status, found.content, endpoint)
    return replace(verdict, replaced_count=found.replaced_count)


def classify_object(status: int, payload: dict[str, Any], endpoint: Endpoint) -> Verdict:
    """Tell what an answer means whose body is this object."""
    error = payload.get("error")
    code, message, log_id = _error_words(error if isinstance(error, dict) else {})
    if code in {"", "ok"} and not message:
        found = payload.get("data")
        wrong = endpoint.mistyped(found)
        data = found if isinstance(found, dict) and not wrong else None
        if misnamed := endpoint.misnamed(data):
            message = f"records under unknown names: {words_of(', '.join(misnamed))}"
            return Verdict(AnswerKind.FAULT, status, code, message, log_id)
        if _says_ok(status, code, data, endpoint) and endpoint.is_answered_by(data):
            return Verdict(AnswerKind.PAGE, status, code, log_id=log_id, data=data)
        message = wrong or "the answer does not say whether there is more"
        if code == "ok" and status < ERRORS and not wrong:
            return Verdict(AnswerKind.MALFORMED, status, code, message, log_id, data or {})
    return Verdict(_kind_for(endpoint, status, code, message), status, code, message, log_id)


def _says_ok(status: int, code: str, data: dict[str, Any] | None, endpoint: Endpoint) -> bool:
    """Tell whether an answer without a complaint says that it went well."""
    if code == "ok" or endpoint.records_of(data):
        return True
    # Answers of shops have no word about it, and their last page no records (api_facts.md 10.2).
    is_counted = endpoint.paging is Paging.NUMBERED and data is not None
    return status < ERRORS and (bool(data) or is_counted)


def _kind_for(endpoint: Endpoint, status: int, code: str = "", message: str = "") -> AnswerKind:
    """The kind of an answer that is no page; some statuses mean more at some endpoints."""
    kind = _kind(status, code, message)
    if kind is not AnswerKind.REFUSED:
        return kind
    if endpoint.withholds_with_403 and status == HTTPStatus.FORBIDDEN:
        return AnswerKind.WITHHELD
    if endpoint.path.startswith(USER_PATHS) and status == HTTPStatus.NOT_FOUND and code:
        return AnswerKind.NOT_FOUND  # api_facts.md 5
    return kind


def _kind(status: int, code: str = "", message: str = "") -> AnswerKind:
    """Classify an answer that is not a page; an unknown code is a fault, never success."""
    kinds = (rule.kind for rule in RULES if rule.matches(status, code, message))
    return next(kinds, AnswerKind.FAULT)


def _error_words(error: dict[str, Any]) -> tuple[str, str, str | None]:
    """Code, message (older answers spell it `msg`: api_facts.md 11.1) and log_id, as text."""
    raw = error.get("code")
    code = words_of(raw).lower() or ("unreadable" if raw else "")
    message = words_of(error.get("message")) or words_of(error.get("msg"))
    return code, "" if code == "ok" else message, words_of(error.get("log_id")) or None


def words_of(value: object) -> str:
    """Words for a log: one line of a readable length that steers no terminal."""
    if not value or not isinstance(value, (str, int)):
        return ""
    printable = str(value).encode("utf-8", "replace").decode()
    return visible(" ".join(printable.replace("\0", " ").split())[:LONGEST_WORDS])


def _words_for(body: bytes) -> str:
    """Words for a body that is no JSON object: its first ones, without markup.

    Of JSON that is cut off or damaged there are none: they would be those of a record.
    """
    text = body.decode(json.detect_encoding(body), "replace")
    found = _JSON.search(text)
    if found and not text.lstrip().startswith("<"):
        return f"no whole JSON object in {len(body):,} bytes"
    text = text[: min(2000, found.start() if found else 2000)]
    words = visible(" ".join(re.sub(r"<[^>]*>|\s+", " ", text).split())[:100])
    return f"not JSON: {words}" if words else "an empty body"


class SeedStatus(StrEnum):
    """The API's reason for listing nothing of a seed."""

    NOT_FOUND = "not_found"
    """It does not exist, or not under this name any more."""
    WITHHELD = "withheld"
    """It exists, but the API does not show it: a private account, a minor's, a private list."""
    REFUSED = "refused"
    """The API does not accept the seed, for a reason in its own words."""
