"""The video search endpoint: the answers of `/v2/research/video/query/` (api_facts.md 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.sandbox.access.research_endpoint import Gate, ResearchEndpoint
from tiktok_crawler.sandbox.faults.faulty_answers import bend
from tiktok_crawler.sandbox.faults.schedule import FaultName, Requests, ScheduledFault
from tiktok_crawler.sandbox.protocol.answers import SandboxAnswer, success
from tiktok_crawler.sandbox.protocol.errors import invalid_params, user_unknown
from tiktok_crawler.sandbox.search.search_request import asks_later_page, parse_search

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tiktok_crawler.sandbox.faults.profile import SearchBehaviour
    from tiktok_crawler.sandbox.protocol.calls import Call
    from tiktok_crawler.sandbox.protocol.errors import ApiError
    from tiktok_crawler.sandbox.search.conditions import SandboxQuery
    from tiktok_crawler.sandbox.search.searches import Searches


NO_DATA = ScheduledFault(fault=FaultName.NO_DATA, every=1)


class VideoEndpoint(ResearchEndpoint):
    """Searches videos."""

    def __init__(self, gate: Gate, searches: Searches, behaviour: SearchBehaviour) -> None:
        super().__init__(gate, VIDEO_QUERY.pool)
        self._searches = searches
        self._behaviour = behaviour

    def _kinds(self, call: Call) -> tuple[Requests, ...]:
        later = asks_later_page(call.document())
        page = Requests.LATER_PAGES if later else Requests.FIRST_PAGES
        return Requests.RESEARCH, Requests.SEARCHES, page

    def _answer_truly(self, call: Call, log_id: str, fault: ScheduledFault | None) -> SandboxAnswer:
        request = parse_search(call.document(), call.fields)
        for condition in named(request.query, self._behaviour.refused_values):
            raise value_refused(condition)
        if any(named(request.query, self._behaviour.dataless_values)):
            fault = NO_DATA
        if fault and fault.fault is FaultName.SEARCH_LOST and request.search_id:
            self._searches.troubles.lose(request.search_id)
        return bend(fault, success(self._searches.page(request), log_id), request.cursor)


def named(query: SandboxQuery, values: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the fields of a query that have one of these values, each with the value."""
    for condition in (*query.all_of, *query.any_of):
        for value in condition.field_values:
            if value in values:
                yield condition.field_name, value


def value_refused(named_value: tuple[str, str]) -> ApiError:
    """The error for a value that fails a search; that for other fields than names is invented."""
    field_name, value = named_value
    if field_name == "username":
        return user_unknown(value)
    return invalid_params(f"`{field_name}: {value}` is invalid")
