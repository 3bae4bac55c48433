"""The imitation as a whole: a request in, an answer out, without any network."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tiktok_crawler.research_api.endpoints import TOKEN_PATH, VIDEO_QUERY
from tiktok_crawler.sandbox.access.quota import Quota
from tiktok_crawler.sandbox.access.research_endpoint import Gate
from tiktok_crawler.sandbox.access.token_endpoint import TokenEndpoint
from tiktok_crawler.sandbox.access.tokens import Tokens
from tiktok_crawler.sandbox.compliance.checks import Checks
from tiktok_crawler.sandbox.compliance.endpoints import check_endpoints
from tiktok_crawler.sandbox.faults.profile import Category, Profile
from tiktok_crawler.sandbox.faults.schedule import Schedule
from tiktok_crawler.sandbox.lists.listings import Listings
from tiktok_crawler.sandbox.protocol.calls import RecordedRequest
from tiktok_crawler.sandbox.search.conditions import parse_query
from tiktok_crawler.sandbox.search.searches import Searches
from tiktok_crawler.sandbox.search.video_endpoint import VideoEndpoint
from tiktok_crawler.sandbox.world.aging import Aging
from tiktok_crawler.sandbox.world.corpus import Corpus
from tiktok_crawler.sandbox.world.existence import still_there
from tiktok_crawler.sandbox.world.people import People
from tiktok_crawler.sandbox.world.records import SandboxRecords
from tiktok_crawler.sandbox.world.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date
    from pathlib import Path

    from tiktok_crawler.research_api.endpoints import Pool
    from tiktok_crawler.sandbox.access.research_endpoint import ResearchEndpoint
    from tiktok_crawler.sandbox.protocol.answers import SandboxAnswer
    from tiktok_crawler.sandbox.protocol.calls import Call
    from tiktok_crawler.sandbox.protocol.errors import SandboxProblem
    from tiktok_crawler.sandbox.search.searches import Positions

VIDEOS_PER_DAY = 500
DAILY_QUOTA = 1_000
"""Research requests a day (api_facts.md 12)."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    """An imitation of the Research API with data of its own.

    The same `seed`, `videos_per_day` and profile give the same videos and lists at any time; `now`
    says how many of the last days' videos and comments have appeared, how far counters have grown,
    which videos have vanished if any do, and which quota day it is.
    `daily_quota` None is no limit. With `record`, the requests are kept in `requests`. Compliance
    checks are known to all sandboxes with the same `checks_folder`, or to this one alone. Answers
    one request at a time.
    """

    def __init__(  # noqa: PLR0913 - all have names and defaults
        self,
        *,
        videos_per_day: int = VIDEOS_PER_DAY,
        seed: int = 1,
        profile: Profile | None = None,
        daily_quota: int | None = DAILY_QUOTA,
        now: Callable[[], datetime] = utc_now,
        record: bool = False,
        checks_folder: Path | None = None,
    ) -> None:
        self._profile = profile or Profile()
        ahead = timedelta(days=self._profile.days_ahead)
        self._now: Callable[[], datetime] = lambda: now() + ahead
        self._received = 0
        self._records_requests = record
        self.requests: list[RecordedRequest] = []
        """All requests so far, if they are recorded."""
        self._counts: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self._quota = Quota(daily_quota, self._profile.quota, self._now)
        corpus = Corpus(seed=seed, videos_per_day=videos_per_day, behaviour=self._profile.data)
        self._aging = Aging(seed, self._profile.data)
        self._searches = Searches(corpus, self._aging, self._profile, self._now)
        self._world = self._build_world(corpus)
        self._listings = Listings(self._world)
        self._checks = Checks(self._world, self._profile.compliance, checks_folder)
        self._endpoints = self._build_endpoints()

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths that it answers, each by POST."""
        return tuple(self._endpoints)

    def answers_at(self) -> datetime:
        """Return the time for the `Date` header of an answer that is sent now."""
        return utc_now() + timedelta(seconds=self._profile.date_ahead_seconds)

    def answer(self, call: Call) -> SandboxAnswer:
        """Answer a request as the API would, or as the profile has it."""
        now = self._now()
        self._received += 1
        answer = self._endpoints[call.path].answer(call, self._log_id(now))
        self._counts[call.path][answer.status] += 1
        if self._records_requests:
            request = RecordedRequest(now, call.path, call.fields, _decoded(call), answer.status)
            self.requests.append(request)
        latency = self._profile.latency.of_request(self._received, self._profile.seed)
        return replace(answer, delay_seconds=answer.delay_seconds + latency)

    def count_earlier(self, spent: Mapping[Pool, int]) -> None:
        """Count requests of the day, by pool, that other sandboxes have answered, for the quota."""
        self._quota.count_earlier(spent)

    def matches(self, query: Mapping[str, Any], start: date, end: date) -> list[dict[str, Any]]:
        """The records that searches of these days deliver now, newest first; any range of days.

        Those of silent days are among them.
        """
        return self._searches.records(self._searches.videos(self._find(query, start, end)))

    def truth(self, listing: str, seed: str) -> list[dict[str, Any]] | SandboxProblem:
        """All records that a listing delivers now of a seed, each once, or why it is refused.

        Listings have the names that a schedule counts them by, such as `comments`. A profile, and a
        playlist with all of its ids, is a list of one record. With a `comment_cap` that refuses,
        the records are those within the cap.
        """
        return self._listings.truth(listing, seed)

    def seeds(
        self, listing: str, *, at_least: int = 0, refusal: str | None = None
    ) -> Iterator[str]:
        """Return the seeds a listing can be asked about, in an order that never changes.

        These are seeds with at least so many records (of a playlist: ids); with a `refusal`,
        instead, those that the API refuses in words that contain it. Users are the accounts that
        post, those with the most videos first; videos and playlists are those of January 2024 and
        before.
        """
        return self._listings.seeds(listing, at_least=at_least, refusal=refusal)

    def still_there(self, category: str, ids: Iterable[int]) -> list[int]:
        """Those of the ids of videos, or of comments, that a compliance check would list now."""
        return still_there(self._world, Category(category), ids)

    def names_now(self, usernames: Iterable[str]) -> dict[str, str | None]:
        """The name that each of these users has now; None for those who are removed."""
        return self._world.people.names_now(usernames)

    def match_count(self, query: Mapping[str, Any], start: date, end: date) -> int:
        """Count the videos that match now, hidden ones included: where the last cursor ends."""
        return len(self._find(query, start, end))

    def statistics(self) -> dict[str, Any]:
        """Requests by path and status, and what the quota day has cost by pool."""
        requests = {path: dict(statuses) for path, statuses in self._counts.items()}
        return {"requests": requests, "quota_spent": dict(self._quota.spent)}

    def _build_world(self, corpus: Corpus) -> World:
        profile = self._profile
        return World(
            corpus=corpus,
            aging=self._aging,
            people=People(corpus.seed, profile.lists, self._aging, self._now),
            videos=SandboxRecords(seed=corpus.seed, behaviour=profile.data),
            lists=profile.lists,
            data=profile.data,
            now=self._now,
        )

    def _build_endpoints(self) -> dict[str, TokenEndpoint | ResearchEndpoint]:
        profile = self._profile
        schedule = Schedule(profile.faults, profile.seed)
        tokens = Tokens(profile.tokens, self._now)
        gate = Gate(tokens, self._quota, schedule)
        error_status = profile.tokens.error_status
        return {
            TOKEN_PATH: TokenEndpoint(tokens, schedule, error_status=error_status),
            VIDEO_QUERY.path: VideoEndpoint(gate, self._searches, profile.searches),
            **self._listings.endpoints(gate),
            **check_endpoints(gate, self._checks),
        }

    def _find(self, query: Mapping[str, Any], start: date, end: date) -> Positions:
        moment = int(self._now().timestamp())
        return self._searches.find(parse_query(query), start, end, moment, frozenset())

    def _log_id(self, now: datetime) -> str:
        """UTC and 20 hexadecimal digits (api_facts.md 1.11)."""
        digits = sha256(f"{self._profile.seed}:{self._received}".encode()).hexdigest()[:20]
        return f"{now:%Y%m%d%H%M%S}{digits.upper()}"


def _decoded(call: Call) -> Any:
    """The body, in whichever of three forms it came."""
    if call.parts:
        return {part.name: part.content.decode("utf-8", "replace") for part in call.parts}
    return call.form() if call.path == TOKEN_PATH else call.document()
