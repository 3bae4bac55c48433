"""The lines of an archive, as values and as JSON: what a crawl was told, and what it made of it.

docs/archive.md describes them for others. All times are UTC.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

from tiktok_crawler.archive.answers import Believed, RawAnswer, answer_json, read_answer, read_time
from tiktok_crawler.archive.listing_lines import (
    SEED_NAMES,
    SeedLine,
    StageLine,
    read_listing_line,
    seed_json,
    stage_json,
)
from tiktok_crawler.date_range import DateRange
from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.query_file.collection import Collection
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.query import Query
from tiktok_crawler.research_api.tasks import PageRequest, video_query_body

if TYPE_CHECKING:
    from datetime import datetime

    from tiktok_crawler.archive.listing_lines import ListingSource

FORMAT = 2
"""Goes up when readers of this version would misunderstand a line."""

QUERY_FORMAT, LISTING_FORMAT = 1, 2
"""A line has the format of the first version that understands it."""


@dataclass(frozen=True, slots=True)
class Run:
    """A crawl begins. The line stands at the start of each of its files."""

    began_at: datetime
    collection: Collection


@dataclass(frozen=True, slots=True)
class WindowShrunk:
    """The search was lost; the days that it had passed are covered, the others left to windows."""

    passed: DateRange


@dataclass(frozen=True, slots=True)
class WindowSplit:
    """The window is too heavy: its days are left to other windows."""

    reason: str
    log_id: str | None


@dataclass(frozen=True, slots=True)
class WindowParked:
    """The window is given up for now; a later try begins at `cursor` of the search `search_id`."""

    reason: str
    log_id: str | None
    cursor: int
    search_id: str | None


Event = RawAnswer | Believed | WindowShrunk | WindowSplit | WindowParked

KINDS: dict[str, type[Event]] = {
    "answer": RawAnswer,
    "believed": Believed,
    "window_shrunk": WindowShrunk,
    "window_split": WindowSplit,
    "window_parked": WindowParked,
}
NAMES: dict[type[Event], str] = {kind: name for name, kind in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Asked:
    """The last request of a window, and when it was booked.

    Days and `begun_at`, when the first request of all was booked, tell windows apart.
    """

    request: PageRequest
    begun_at: datetime
    requested_at: datetime

    @property
    def begins_second_search(self) -> bool:
        """Whether the window is there because its days were suspiciously empty."""
        return self.request.second_try and self.requested_at == self.begun_at


@dataclass(frozen=True, slots=True)
class Source:
    """What all lines of a search share."""

    origin: str
    query: Query
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunLine:
    at: datetime
    source: Source
    run: Run


@dataclass(frozen=True, slots=True)
class WindowLine:
    """What happened to a window at a time: of an answer, when it was received."""

    at: datetime
    source: Source
    asked: Asked
    event: Event


@dataclass(frozen=True, slots=True)
class SuspectLine:
    """Days that came back empty are suspicious, and so is the search that covers them."""

    at: datetime
    source: Source
    days: DateRange
    searched_at: datetime


Line = RunLine | WindowLine | SuspectLine | StageLine | SeedLine


class LineError(ValueError):
    """A line that cannot be read; the message says why, after `it`."""


def dump_line(line: Line) -> bytes:
    """The line as JSON in UTF-8, with its line feed."""
    if isinstance(line, StageLine):
        return _dump(_common(line, "stage") | stage_json(line))
    if isinstance(line, SeedLine):
        return _dump(_common(line, SEED_NAMES[type(line.event)]) | seed_json(line))
    if isinstance(line, RunLine):
        return _dump(_common(line, "run") | _run_json(line.run))
    if isinstance(line, SuspectLine):
        return _dump(_common(line, "suspected") | _suspect_json(line))
    kind = NAMES[type(line.event)]
    event = answer_json(line.event) if isinstance(line.event, RawAnswer) else _plain(line.event)
    asked = _asked_json(line.asked, line.source.query)
    return _dump(_common(line, kind) | asked | event)


def read_line(text: bytes) -> Line:
    """Read what `dump_line` returned.

    Raises:
        LineError: it is something else.
        ConfigurationError: a newer version of this package wrote it.
    """
    try:
        content = json.loads(text)
        if content["format"] > FORMAT:
            raise ConfigurationError(
                f"an archive was written by tiktok_crawler {content.get('version')}, which is "
                "newer than this version: update tiktok_crawler"
            )
        return _line(content)
    except (ValueError, RecursionError) as exc:
        raise LineError("is no line of an archive") from exc
    except (KeyError, TypeError, AttributeError) as exc:
        raise LineError("lacks something that it must have") from exc


@cache
def _version() -> str:
    return metadata.version("tiktok-crawler")


def _common(line: Line, kind: str) -> dict[str, Any]:
    return {
        "format": QUERY_FORMAT if isinstance(line.source, Source) else LISTING_FORMAT,
        "kind": kind,
        "at": line.at.isoformat(),
        "origin": line.source.origin,
        "version": _version(),
        **_subject(line.source),
        "tags": list(line.source.tags),
    }


def _subject(source: Source | ListingSource) -> dict[str, Any]:
    if isinstance(source, Source):
        return {"fingerprint": source.query.fingerprint}
    return {"listing": source.listing.name}


def _run_json(run: Run) -> dict[str, Any]:
    collection = run.collection
    return {
        "began_at": run.began_at.isoformat(),
        "query": collection.query.to_json(),
        **_days_json(collection.dates),
        "start_written": collection.start_written,
        "end_written": collection.end_written,
    }


def _suspect_json(line: SuspectLine) -> dict[str, Any]:
    return {
        "query": line.source.query.to_json(),
        "window": _days_json(line.days),
        "searched_at": line.searched_at.isoformat(),
    }


def _days_json(days: DateRange) -> dict[str, Any]:
    return {"start_date": days.start.isoformat(), "end_date": days.end.isoformat()}


def _days(content: dict[str, Any]) -> DateRange:
    """Days as `2024-01-31`, or as the API has them: `20240131`."""
    return DateRange(*(date.fromisoformat(content[key]) for key in ("start_date", "end_date")))


def _asked_json(asked: Asked, query: Query) -> dict[str, Any]:
    request = asked.request
    return {
        "window": _days_json(request.window) | {"begun_at": asked.begun_at.isoformat()},
        "requested_at": asked.requested_at.isoformat(),
        "request": {
            "endpoint": VIDEO_QUERY.path,
            "fields": list(request.fields),
            "second_try": request.second_try,
            "body": video_query_body(query.to_json(), request),
        },
    }


def _plain(event: Event) -> dict[str, Any]:
    if isinstance(event, WindowShrunk):
        return {"passed": _days_json(event.passed)}
    return asdict(event)


def _dump(content: dict[str, Any]) -> bytes:
    try:
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # a search_id with half a surrogate pair
        text = json.dumps(content, separators=(",", ":")).encode()
    return text + b"\n"


def _line(content: dict[str, Any]) -> Line:
    if "listing" in content:
        return read_listing_line(content)
    at, kind = read_time(content["at"]), content["kind"]
    asked_for = content["request"]["body"] if kind in KINDS else content
    query = Query.from_json(asked_for["query"])
    source = Source(content["origin"], query, tuple(content["tags"]))
    if kind == "run":
        return RunLine(at, source, _run(content, source))
    if kind == "suspected":
        return SuspectLine(at, source, _days(content["window"]), read_time(content["searched_at"]))
    return WindowLine(at, source, _asked(content), _event(content))


def _run(content: dict[str, Any], source: Source) -> Run:
    written = content["start_written"], content["end_written"]
    collection = Collection(source.query, _days(content), *written, tags=source.tags)
    return Run(read_time(content["began_at"]), collection)


def _asked(content: dict[str, Any]) -> Asked:
    body = content["request"]["body"]
    request = PageRequest(
        window_id=None,
        window=_days(body),
        fields=tuple(content["request"]["fields"]),
        max_count=int(body["max_count"]),
        cursor=int(body.get("cursor", 0)),
        search_id=body.get("search_id"),
        second_try=content["request"]["second_try"],
    )
    begun_at = read_time(content["window"]["begun_at"])
    return Asked(request, begun_at, read_time(content["requested_at"]))


def _event(content: dict[str, Any]) -> Event:
    kind = KINDS[content["kind"]]
    if kind is RawAnswer:
        return read_answer(content)
    if kind is WindowShrunk:
        return WindowShrunk(_days(content["passed"]))
    return kind(**{name: content[name] for name in kind.__dataclass_fields__})
