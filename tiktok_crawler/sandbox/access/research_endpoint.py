"""The steps that all research endpoints take before they answer a request."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiktok_crawler.sandbox.faults.faulty_answers import stand_in
from tiktok_crawler.sandbox.protocol.answers import SandboxAnswer, problem_answer
from tiktok_crawler.sandbox.protocol.errors import ApiError

if TYPE_CHECKING:
    from tiktok_crawler.research_api.endpoints import Pool
    from tiktok_crawler.sandbox.access.quota import Quota
    from tiktok_crawler.sandbox.access.tokens import Tokens
    from tiktok_crawler.sandbox.faults.schedule import Requests, Schedule, ScheduledFault
    from tiktok_crawler.sandbox.protocol.calls import Call


@dataclass(frozen=True, slots=True)
class Gate:
    """The checks that every request has to pass, whatever it asks for."""

    tokens: Tokens
    quota: Quota
    schedule: Schedule


class ResearchEndpoint(ABC):
    """Checks token and quota; what passes is counted by the schedule and answered."""

    def __init__(self, gate: Gate, pool: Pool) -> None:
        self._gate = gate
        self._pool = pool

    def answer(self, call: Call, log_id: str) -> SandboxAnswer:
        try:
            self._gate.tokens.check(call.authorization)
            self._gate.quota.spend(self._pool)
            return self._respond(call, log_id)
        except ApiError as exc:
            return problem_answer(exc.problem, log_id)

    def _respond(self, call: Call, log_id: str) -> SandboxAnswer:
        fault = self._gate.schedule.next_fault(*self._kinds(call))
        return (fault and stand_in(fault, log_id)) or self._answer_truly(call, log_id, fault)

    @abstractmethod
    def _kinds(self, call: Call) -> tuple[Requests, ...]:
        """Return the kinds that the schedule counts the request as."""

    @abstractmethod
    def _answer_truly(self, call: Call, log_id: str, fault: ScheduledFault | None) -> SandboxAnswer:
        """The true answer, bent by the fault.

        Raises:
            ApiError: the API would refuse the request.
        """
