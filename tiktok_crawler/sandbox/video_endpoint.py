"""Where videos are searched: the answers of `/v2/research/video/query/` (API.md 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.sandbox.answers import Answer, problem_answer, success
from tiktok_crawler.sandbox.errors import ApiError
from tiktok_crawler.sandbox.faults import bend, stand_in
from tiktok_crawler.sandbox.schedule import FaultName, Requests, Schedule, ScheduledFault
from tiktok_crawler.sandbox.search_request import asks_later_page, parse_search

if TYPE_CHECKING:
    from tiktok_crawler.sandbox.calls import Call
    from tiktok_crawler.sandbox.quota import Quota
    from tiktok_crawler.sandbox.search import Searches
    from tiktok_crawler.sandbox.tokens import Tokens


class VideoEndpoint:
    """Checks token and quota; what passes is counted by the schedule and searched."""

    def __init__(
        self, tokens: Tokens, quota: Quota, schedule: Schedule, searches: Searches
    ) -> None:
        self._tokens = tokens
        self._quota = quota
        self._schedule = schedule
        self._searches = searches

    def answer(self, call: Call, log_id: str) -> Answer:
        try:
            self._tokens.check(call.authorization)
            self._quota.spend(VIDEO_QUERY.pool)
            return self._search(call, log_id)
        except ApiError as exc:
            return problem_answer(exc.problem, log_id)

    def _search(self, call: Call, log_id: str) -> Answer:
        document = call.document()
        fault = self._next_fault(document)
        answer = fault and stand_in(fault, log_id)
        if answer:
            return answer
        request = parse_search(document, call.fields)
        if fault and fault.fault is FaultName.SEARCH_LOST and request.search_id:
            self._searches.troubles.lose(request.search_id)
        return bend(fault, success(self._searches.page(request), log_id), request.cursor)

    def _next_fault(self, document: object) -> ScheduledFault | None:
        later = asks_later_page(document)
        kind = Requests.LATER_PAGES if later else Requests.FIRST_PAGES
        return self._schedule.next_fault(Requests.SEARCHES, kind)
