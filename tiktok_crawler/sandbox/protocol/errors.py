"""Errors that the API answers with: statuses, codes, messages word for word (api_facts.md 11)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class SandboxProblem:
    """The contents of an error answer; some have an empty `data` beside it."""

    status: int
    code: str
    message: str
    with_data: bool = False


class ApiError(Exception):
    """Raised wherever a request turns out to get an error for an answer."""

    def __init__(self, problem: SandboxProblem) -> None:
        super().__init__(problem)
        self.problem = problem


TOKEN_INVALID = SandboxProblem(
    HTTPStatus.UNAUTHORIZED,
    "access_token_invalid",
    "The access token is invalid or not found in the request.",
)
SCOPE_NOT_AUTHORIZED = SandboxProblem(
    HTTPStatus.UNAUTHORIZED,
    "scope_not_authorized",
    "The user did not authorize the scope required for completing this request.",
)
FORBIDDEN = SandboxProblem(
    HTTPStatus.FORBIDDEN, "access_denied", "Access to this resource is denied."
)
RATE_LIMITED = SandboxProblem(
    HTTPStatus.TOO_MANY_REQUESTS,
    "rate_limit_exceeded",
    "The API rate limit was exceeded. Please try again later.",
)
DAILY_QUOTA = SandboxProblem(
    HTTPStatus.TOO_MANY_REQUESTS,
    "daily_quota_limit_exceeded",
    "The API daily quota limit exceeded. Please try again later",
)
DAILY_QUOTA_WITH_DATA = replace(DAILY_QUOTA, with_data=True)
UNKNOWN_429 = SandboxProblem(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", "Slow down.")
INTERNAL_ERROR = SandboxProblem(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "internal_error",
    "Something is wrong. Please try again later.",
    with_data=True,
)
ERROR_IN_200 = replace(INTERNAL_ERROR, status=HTTPStatus.OK)


def _params_refused(message: str) -> SandboxProblem:
    return SandboxProblem(HTTPStatus.BAD_REQUEST, "invalid_params", message)


REFUSED = _params_refused("Invalid query parameters")
INVALID_CURSOR = _params_refused("Invalid count or cursor")
USER_WITHHELD = _params_refused("API cannot return this user's information")
USER_PRIVATE = _params_refused("This account is private")
INFORMATION_WITHHELD = _params_refused("This user's information cannot be returned")


def invalid_params(message: str) -> ApiError:
    return ApiError(_params_refused(message))


def file_refused(message: str) -> ApiError:
    return ApiError(SandboxProblem(HTTPStatus.BAD_REQUEST, "invalid_file_upload", message))


def user_unknown(username: str) -> ApiError:
    return invalid_params(f"`username: {username}` is invalid: cannot find the user")


def search_invalid(search_id: str) -> ApiError:
    return invalid_params(f"Search Id {search_id} is invalid or expired")
