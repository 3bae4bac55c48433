"""Client access tokens: who gets one, and which are still good (api_facts.md 2)."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from tiktok_crawler.sandbox.protocol.errors import TOKEN_INVALID, ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from tiktok_crawler.sandbox.faults.profile import TokenBehaviour

CLIENT_KEY = "sandbox-client-key"
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105 - opens nothing but the sandbox


class TokenError(Exception):
    """Raised for a token request that is refused; both texts are the answer's."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error, description)
        self.error = error
        self.description = description


class Tokens:
    """Issues tokens and checks them.

    A token says itself when it expires, so that a sandbox that was started anew accepts it; several
    are good at the same time.
    """

    def __init__(self, behaviour: TokenBehaviour, now: Callable[[], datetime]) -> None:
        self._behaviour = behaviour
        self._now = now
        self._uses: Counter[str] = Counter()

    def issue(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The body of the answer to a token request.

        Raises:
            TokenError: something is missing, or the credentials are not those of the sandbox.
        """
        _check_form(form)
        lives = self._behaviour.lives_seconds
        seconds = self._behaviour.expires_in if lives is None else lives
        return {
            "access_token": _sign(f"{self._now().timestamp() + seconds:.3f}.{token_hex(8)}"),
            "expires_in": self._behaviour.expires_in,
            "token_type": "Bearer",
        }

    def check(self, authorization: str | None) -> None:
        """Let a request with this header pass (api_facts.md 1.3, 1.4).

        Raises:
            ApiError: it holds no token, or one that is not good any more.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not self._is_fresh(token) or self._is_used_up(token):
            raise ApiError(TOKEN_INVALID)

    def _is_fresh(self, token: str) -> bool:
        content = token.removeprefix("clt.").rpartition(".")[0]
        expires_at = content.rpartition(".")[0]
        return token == _sign(content) and self._now().timestamp() < float(expires_at)

    def _is_used_up(self, token: str) -> bool:
        limit = self._behaviour.lives_requests
        if limit is None:
            return False
        self._uses[token] += 1
        return self._uses[token] > limit


def _sign(content: str) -> str:
    signature = sha256(f"{CLIENT_SECRET} {content}".encode()).hexdigest()
    return f"clt.{content}.{signature[:32]}"


def _check_form(form: Mapping[str, str]) -> None:
    for name in ("key", "secret"):
        if not form.get(f"client_{name}"):
            raise TokenError("invalid_request", f"Client {name} is missed in request.")
    if form.get("grant_type") != "client_credentials":
        raise TokenError("unsupported_grant_type", "Grant type is not supported by the server.")
    if (form["client_key"], form["client_secret"]) != (CLIENT_KEY, CLIENT_SECRET):
        raise TokenError("invalid_client", "Client key or secret is incorrect.")
