"""One mechanism for all lists: the answers of their endpoints (api_facts.md 4 to 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tiktok_crawler.sandbox.access.research_endpoint import Gate, ResearchEndpoint
from tiktok_crawler.sandbox.faults.faulty_answers import bend
from tiktok_crawler.sandbox.faults.schedule import Requests, ScheduledFault
from tiktok_crawler.sandbox.lists.paging import page_of
from tiktok_crawler.sandbox.lists.request import parse_list_request
from tiktok_crawler.sandbox.protocol.answers import SandboxAnswer, success
from tiktok_crawler.sandbox.protocol.errors import invalid_params

if TYPE_CHECKING:
    from tiktok_crawler.sandbox.lists.request import SandboxRequest
    from tiktok_crawler.sandbox.lists.source import ListSource
    from tiktok_crawler.sandbox.protocol.calls import Call


class ListEndpoint(ResearchEndpoint):
    """Serves the lists of one path; the key of its seed tells which of them is meant."""

    def __init__(self, gate: Gate, sources: tuple[ListSource, ...]) -> None:
        super().__init__(gate, sources[0].listing.endpoint.pool)
        self._sources = sources

    def _kinds(self, call: Call) -> tuple[Requests, ...]:
        meant = self._meant(call.document()) or self._sources
        return Requests.RESEARCH, Requests.LISTS, Requests(meant[0].listing.name)

    def _answer_truly(self, call: Call, log_id: str, fault: ScheduledFault | None) -> SandboxAnswer:
        document = call.document()
        meant = self._meant(document)
        if len(meant) != 1:
            keys = " or ".join(source.listing.seed_key for source in self._sources)
            raise invalid_params(f"Exactly one {keys} is required")
        source = meant[0]
        request = parse_list_request(source, document, call.fields)
        return bend(fault, _envelope(source, request, log_id), request.cursor)

    def _meant(self, document: object) -> tuple[ListSource, ...]:
        """The lists whose seed stands in a body, right or wrong."""
        body = document if isinstance(document, dict) else {}
        return tuple(each for each in self._sources if body.get(each.listing.seed_key) is not None)


def _envelope(source: ListSource, request: SandboxRequest, log_id: str) -> dict[str, Any]:
    listed = source.find(request.seed)
    page = page_of(source, listed, request)
    records = [source.record(item, request.fields) for item in page.items]
    data = source.data(listed, records) | page.more
    return {"data": data} if source.message is None else success(data, log_id, source.message)
