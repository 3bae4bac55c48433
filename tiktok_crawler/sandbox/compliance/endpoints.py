"""The three endpoints of a compliance check: begin, ask, download (api_facts.md 10.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tiktok_crawler.research_api.endpoints import CHECK_FILE, CHECK_STATUS, CREATE_CHECK, Pool
from tiktok_crawler.sandbox.access.research_endpoint import Gate, ResearchEndpoint
from tiktok_crawler.sandbox.compliance.lists_of_ids import file_of
from tiktok_crawler.sandbox.compliance.upload import parse_upload
from tiktok_crawler.sandbox.faults.faulty_answers import bend
from tiktok_crawler.sandbox.faults.schedule import OF_NEW_CHECKS, Requests, ScheduledFault
from tiktok_crawler.sandbox.protocol.answers import SandboxAnswer, success
from tiktok_crawler.sandbox.protocol.errors import invalid_params

if TYPE_CHECKING:
    from tiktok_crawler.sandbox.compliance.checks import Checks
    from tiktok_crawler.sandbox.protocol.calls import Call


class _CheckEndpoint(ResearchEndpoint):
    """The common part of the three."""

    step: ClassVar[Requests]

    def __init__(self, gate: Gate, checks: Checks) -> None:
        super().__init__(gate, Pool.RESEARCH)
        self._checks = checks

    def _kinds(self, call: Call) -> tuple[Requests, ...]:  # noqa: ARG002 - as others
        return Requests.RESEARCH, Requests.CHECKS, self.step


class _Create(_CheckEndpoint):
    step = Requests.CHECK_CREATIONS

    def _answer_truly(self, call: Call, log_id: str, fault: ScheduledFault | None) -> SandboxAnswer:
        name = fault.fault if fault else None
        fate = name if name in OF_NEW_CHECKS else None
        task_id = self._checks.begin(parse_upload(call), fate)
        return bend(fault, _envelope({"task_id": task_id}, log_id), 0)


class _Status(_CheckEndpoint):
    step = Requests.CHECK_STATUSES

    def _answer_truly(self, call: Call, log_id: str, fault: ScheduledFault | None) -> SandboxAnswer:
        state = self._checks.ask(_task_id(call))
        return bend(fault, _envelope({"task_status": state}, log_id), 0)


class _Download(_CheckEndpoint):
    """Answers with the file itself."""

    step = Requests.CHECK_DOWNLOADS

    def _answer_truly(self, call: Call, log_id: str, fault: ScheduledFault | None) -> SandboxAnswer:  # noqa: ARG002 - as others
        ids = self._checks.valid_ids(_task_id(call))
        return SandboxAnswer(body=file_of(ids, fault), content_type="text/plain")


def check_endpoints(gate: Gate, checks: Checks) -> dict[str, ResearchEndpoint]:
    """Return the endpoint at each path."""
    return {
        CREATE_CHECK.path: _Create(gate, checks),
        CHECK_STATUS.path: _Status(gate, checks),
        CHECK_FILE.path: _Download(gate, checks),
    }


def _task_id(call: Call) -> int:
    """The check that is asked about; ids may be sent as text (api_facts.md 1.14)."""
    document = call.document()
    value = document.get("task_id") if isinstance(document, dict) else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:  # noqa: PLR2004 - the digits of an id
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid_params("Invalid task_id")
    return value


def _envelope(data: dict[str, Any], log_id: str) -> dict[str, Any]:
    """The envelope of these endpoints, with a status of its own (api_facts.md 1.10)."""
    envelope = success(data, log_id, "ok.")
    return {**envelope, "error": {**envelope["error"], "http_status_code": 200}}
