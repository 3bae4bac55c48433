"""The video search endpoint: the answers of `/v2/research/video/query/` (api_facts.md 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.sandbox.access.research_endpoint import Gate, ResearchEndpoint
from tiktok_crawler.sandbox.faults.faulty_answers import bend
from tiktok_crawler.sandbox.faults.schedule import FaultName, Requests, ScheduledFault
from tiktok_crawler.sandbox.protocol.answers import SandboxAnswer, success
from tiktok_crawler.sandbox.search.search_request import asks_later_page, parse_search

if TYPE_CHECKING:
    from tiktok_crawler.sandbox.protocol.calls import Call
    from tiktok_crawler.sandbox.search.searches import Searches


class VideoEndpoint(ResearchEndpoint):
    """Searches videos."""

    def __init__(self, gate: Gate, searches: Searches) -> None:
        super().__init__(gate, VIDEO_QUERY.pool)
        self._searches = searches

    def _kinds(self, call: Call) -> tuple[Requests, ...]:
        later = asks_later_page(call.document())
        page = Requests.LATER_PAGES if later else Requests.FIRST_PAGES
        return Requests.RESEARCH, Requests.SEARCHES, page

    def _answer_truly(self, call: Call, log_id: str, fault: ScheduledFault | None) -> SandboxAnswer:
        request = parse_search(call.document(), call.fields)
        if fault and fault.fault is FaultName.SEARCH_LOST and request.search_id:
            self._searches.troubles.lose(request.search_id)
        return bend(fault, success(self._searches.page(request), log_id), request.cursor)
