"""The endpoint for client access tokens: answers of `/v2/oauth/token/` (api_facts.md 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.sandbox.access.tokens import TokenError, Tokens
from tiktok_crawler.sandbox.faults.faulty_answers import stand_in
from tiktok_crawler.sandbox.faults.schedule import Requests, Schedule
from tiktok_crawler.sandbox.protocol.answers import SandboxAnswer, json_answer

if TYPE_CHECKING:
    from tiktok_crawler.sandbox.protocol.calls import Call


class TokenEndpoint:
    """Its answers are flat, not the envelope of the others; errors may come with status 200."""

    def __init__(self, tokens: Tokens, schedule: Schedule, *, error_status: int) -> None:
        self._tokens = tokens
        self._schedule = schedule
        self._error_status = error_status

    def answer(self, call: Call, log_id: str) -> SandboxAnswer:
        fault = self._schedule.next_fault(Requests.TOKENS)
        return (fault and stand_in(fault, log_id)) or self._issue(call, log_id)

    def _issue(self, call: Call, log_id: str) -> SandboxAnswer:
        try:
            return json_answer(self._tokens.issue(call.form()))
        except TokenError as exc:
            problem = {"error": exc.error, "error_description": exc.description, "log_id": log_id}
            return json_answer(problem, self._error_status)
