"""The lines of an archive that are about listings, as values and as JSON: a stage, its seeds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tiktok_crawler.archive.answers import Believed, RawAnswer, answer_json, read_answer, read_time
from tiktok_crawler.research_api.listings import LISTINGS, Listing
from tiktok_crawler.research_api.tasks import ListRequest, listing_body
from tiktok_crawler.research_api.verdicts import SeedStatus

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class ListEnded:
    """The answer, which refuses the cursor, says that the list has no more."""


@dataclass(frozen=True, slots=True)
class SeedRefused:
    """The API lists nothing of the seed."""

    status: SeedStatus
    reason: str
    log_id: str | None


@dataclass(frozen=True, slots=True)
class SeedParked:
    """The seed is given up for now; a later try begins at `cursor`, after `position` records."""

    reason: str
    log_id: str | None
    cursor: int
    position: int


SeedEvent = RawAnswer | Believed | ListEnded | SeedRefused | SeedParked

SEED_KINDS: dict[str, type[SeedEvent]] = {
    "answer": RawAnswer,
    "believed": Believed,
    "list_ended": ListEnded,
    "seed_refused": SeedRefused,
    "seed_parked": SeedParked,
}
SEED_NAMES: dict[type[SeedEvent], str] = {kind: name for name, kind in SEED_KINDS.items()}


@dataclass(frozen=True, slots=True)
class ListingSource:
    """What all lines of a stage share."""

    origin: str
    listing: Listing
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StageLine:
    """A stage begins with these seeds. The line stands at the start of each of its files."""

    at: datetime
    source: ListingSource
    began_at: datetime
    seeds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeedAsked:
    """The last request for a seed, and when it was booked."""

    request: ListRequest
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class SeedLine:
    """What happened to a seed at a time: of an answer, when it was received."""

    at: datetime
    source: ListingSource
    asked: SeedAsked
    event: SeedEvent


def stage_json(line: StageLine) -> dict[str, Any]:
    return {"began_at": line.began_at.isoformat(), "seeds": list(line.seeds)}


def seed_json(line: SeedLine) -> dict[str, Any]:
    asked, request = line.asked, line.asked.request
    assert request.begun_at
    event = answer_json(line.event) if isinstance(line.event, RawAnswer) else asdict(line.event)
    return event | {
        "seed": request.seed,
        "begun_at": request.begun_at.isoformat(),
        "requested_at": asked.requested_at.isoformat(),
        "request": {
            "endpoint": request.endpoint.path,
            "fields": list(request.fields),
            "cursor": request.cursor,
            "position": request.position,
            "limit": request.limit,
            "body": listing_body(request),
        },
    }


def read_listing_line(content: dict[str, Any]) -> StageLine | SeedLine:
    """Read the content of a line that names a listing."""
    listing = LISTINGS[content["listing"]]
    source = ListingSource(content["origin"], listing, tuple(content["tags"]))
    at = read_time(content["at"])
    if content["kind"] == "stage":
        return StageLine(at, source, read_time(content["began_at"]), tuple(content["seeds"]))
    return SeedLine(at, source, _asked(content, listing), _event(content))


def _asked(content: dict[str, Any], listing: Listing) -> SeedAsked:
    asked = content["request"]
    request = ListRequest(
        listing=listing,
        seed=content["seed"],
        cursor=asked["cursor"],
        position=asked["position"],
        limit=asked["limit"],
        begun_at=read_time(content["begun_at"]),
    )
    return SeedAsked(request, read_time(content["requested_at"]))


def _event(content: dict[str, Any]) -> SeedEvent:
    kind = SEED_KINDS[content["kind"]]
    if kind is RawAnswer:
        return read_answer(content)
    if kind is SeedRefused:
        return SeedRefused(SeedStatus(content["status"]), content["reason"], content["log_id"])
    return kind(**{name: content[name] for name in kind.__dataclass_fields__})
