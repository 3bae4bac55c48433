"""The lines of a journal, as values and as JSON: a session's deeds, and the answers between them.

docs/archive.md describes them for others. All times are UTC.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.planning.task_states import Cut, Event, Lost, Parked, Refused
from tiktok_crawler.query_file.collection import Collection
from tiktok_crawler.research_api.endpoints import LISTINGS, Listing
from tiktok_crawler.research_api.paging import Place
from tiktok_crawler.research_api.query import Operation, Query
from tiktok_crawler.research_api.tasks import PageRequest, Seed, Window
from tiktok_crawler.research_api.verdicts import SeedStatus
from tiktok_crawler.storage.ledger.runs import version

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = 3
"""Goes up when readers of this version would misunderstand a line."""

UNRELEASED = (1, 2)

START, ANSWER = b'{"kind":"file",', b'{"kind":"answer",'
"""The beginnings of the first line of a file, and of the lines that make files long."""

Subject = Query | Listing
"""The query or listing whose session a line is about."""

Subjects = dict[str, Subject]
"""Those of a file by the names that lines have for them."""


class Kind(StrEnum):
    """The kind of a line, by what it says."""

    BEGIN = "begin"
    CORRECT = "correct"
    OPEN = "open"
    """A task's row is made."""
    ASK = "ask"
    """A request is booked."""
    ANSWER = "answer"
    """It was answered; that alone changes nothing in the database."""
    PAGE = "page"
    """The last answer was taken for a page, which is stored."""
    END = "end"
    """A task changes by an event."""
    CLOSE = "close"
    VOID = "void"
    """The deed of the line that is named was not done."""


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer to a research request: its status, some of its headers, and its whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class WindowName:
    """The key that tells a window from others of its query in any database."""

    days: DateRange
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """A page request as any database knows it: `opened_at` is when its window's row was made."""

    request: PageRequest
    opened_at: datetime | None = None

    @property
    def name(self) -> WindowName | str:
        """The name that tells its task from others of its session."""
        task = self.request.task
        if isinstance(task, Seed):
            return task.key
        assert self.opened_at
        return WindowName(task.days, self.opened_at)


@dataclass(frozen=True, slots=True)
class Begin:
    """The data a session was opened with: of a search its collection, and the fields it wants.

    `marks` are the last lines done of other journals, by what the database knew at `marked_at`.
    """

    tags: tuple[str, ...]
    marked_at: datetime
    marks: Mapping[str, int] = field(default_factory=dict)
    collection: Collection | None = None
    fields: tuple[str, ...] = ()


Correct = dict[str, tuple[WindowName, ...]]
"""Windows by what has to be corrected about them: the names of `Corrections`."""

CORRECTIONS = ("taken_back", "needless", "in_vain")


@dataclass(frozen=True, slots=True)
class Deed:
    """Something done or said at a time; for answers and pages, when they were received."""

    kind: Kind
    now: datetime | None = None
    asked: Asked | None = None
    what: Begin | Correct | RawAnswer | Event | int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a journal, with the time at which it was written; a run numbers its lines."""

    journal: str
    number: int
    at: datetime
    subject: Subject
    deed: Deed


@dataclass(frozen=True, slots=True)
class FileStart:
    """The first line of a file, with the lines that began the sessions that were open then."""

    journal: str
    at: datetime
    origin: str
    begun: tuple[Line, ...] = ()


class LineError(ValueError):
    """A line that cannot be read; the message says why, after `it`."""


def dump_start(start: FileStart) -> bytes:
    """Return the first line of a file as JSON in UTF-8, with its line feed."""
    return _dump(
        {
            "kind": "file",
            "format": FORMAT,
            "version": version(),
            "journal": start.journal,
            "at": start.at.isoformat(),
            "origin": start.origin,
            "begun": list(map(_line_json, start.begun)),
        }
    )


def dump_line(line: Line) -> bytes:
    """Return any other line likewise."""
    return _dump(_line_json(line))


def read_start(text: bytes, subjects: Subjects) -> FileStart:
    """Read what `dump_start` returned; learn of what the file is about.

    Raises:
        LineError: it is something else.
        ConfigurationError: another version of this package wrote it.
    """
    content = _parse(text)
    _check_format(content)
    try:
        journal = content["journal"]
        begun = tuple(_line(journal, line, subjects) for line in content["begun"])
        return FileStart(journal, _time(content["at"]), content["origin"], begun)
    except _UNREADABLE as exc:
        raise LineError("is no beginning of an archive") from exc


def read_line(text: bytes, journal: str, subjects: Subjects) -> Line:
    """Read what `dump_line` returned; learn what the file is about from lines that begin it.

    Raises:
        LineError: it is something else.
    """
    content = _parse(text)
    try:
        return _line(journal, content, subjects)
    except _UNREADABLE as exc:
        raise LineError("lacks something that it must have") from exc


_UNREADABLE = (LookupError, TypeError, AttributeError, ValueError)


def _parse(text: bytes) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise LineError("is no line of an archive, or too long") from exc
    if not isinstance(content, dict):
        raise LineError("is no line of an archive")
    return content


def _check_format(content: dict[str, Any]) -> None:
    found = content.get("format")
    if found in UNRELEASED:
        raise ConfigurationError(
            f"it has format {found}, of a version that was never released; this version reads "
            f"format {FORMAT} alone"
        )
    if isinstance(found, int) and found > FORMAT:
        raise ConfigurationError(
            f"tiktok_crawler {content.get('version')} wrote it, which is newer than this version: "
            "update tiktok_crawler"
        )


def _dump(content: dict[str, Any]) -> bytes:
    try:
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # a search_id with half a surrogate pair
        text = json.dumps(content, separators=(",", ":")).encode()
    return text + b"\n"


def _line_json(line: Line) -> dict[str, Any]:
    deed, is_query = line.deed, isinstance(line.subject, Query)
    return {
        "kind": deed.kind.value,
        "line": line.number,
        "at": line.at.isoformat(),
        "query" if is_query else "listing": _name(line.subject),
        **({"now": deed.now.isoformat()} if deed.now else {}),
        **(_asked_json(deed.asked) if deed.asked else {}),
        **_what_json(deed.what),
    }


def _line(journal: str, content: dict[str, Any], subjects: Subjects) -> Line:
    kind = Kind(content["kind"])
    if kind is Kind.BEGIN:
        subject = _begun_subject(content)
        subjects[_name(subject)] = subject
    else:
        subject = subjects[content.get("query") or content["listing"]]
    deed = Deed(
        kind,
        _time(content["now"]) if "now" in content else None,
        _asked(content, subject) if "place" in content else None,
        _what(kind, content, subject),
    )
    return Line(journal, int(content["line"]), _time(content["at"]), subject, deed)


@cache
def _fingerprint(query: Query) -> str:
    return query.fingerprint


def _name(subject: Subject) -> str:
    return _fingerprint(subject) if isinstance(subject, Query) else subject.name


def _begun_subject(content: dict[str, Any]) -> Subject:
    if "listing" in content:
        return LISTINGS[content["listing"]]
    return Query.from_json(content["collection"]["query"])


def _asked_json(asked: Asked) -> dict[str, Any]:
    request, task = asked.request, asked.request.task
    if isinstance(task, Seed):
        return {"seed": task.key, "limit": task.limit, "place": asdict(request.place)}
    assert asked.opened_at
    window = _window_json(WindowName(task.days, asked.opened_at))
    window |= {"fields": list(task.fields), "max_count": task.max_count}
    return {
        "window": window | ({"keywords_as": task.keyword_form} if task.keyword_form else {}),
        "second_try": request.second_try,
        "place": asdict(request.place),
    }


def _asked(content: dict[str, Any], subject: Subject) -> Asked:
    place = Place(**content["place"])
    if isinstance(subject, Listing):
        return Asked(PageRequest(Seed(subject, content["seed"], content["limit"]), place))
    window, name = content["window"], _window(content["window"])
    task = Window(
        subject,
        name.days,
        tuple(window["fields"]),
        int(window["max_count"]),
        keywords_as=Operation(window.get("keywords_as", Operation.EQ)),
    )
    return Asked(PageRequest(task, place, content["second_try"]), name.opened_at)


def _what_json(what: Begin | Correct | RawAnswer | Event | int | None) -> dict[str, Any]:
    match what:
        case None:
            return {}
        case Begin():
            return _begin_json(what)
        case dict():
            return {key: list(map(_window_json, names)) for key, names in what.items()}
        case RawAnswer():
            return {"response": _answer_json(what)}
        case int():
            return {"of_line": what}
    return {"event": type(what).__name__.lower()} | _event_json(what)


def _what(
    kind: Kind, content: dict[str, Any], subject: Subject
) -> Begin | Correct | RawAnswer | Event | int | None:
    match kind:
        case Kind.BEGIN:
            return _begin(content, subject)
        case Kind.CORRECT:
            return {key: tuple(map(_window, content.get(key, ()))) for key in CORRECTIONS}
        case Kind.ANSWER:
            return _answer(content["response"])
        case Kind.END:
            return _event(content)
    return int(content["of_line"]) if kind is Kind.VOID else None


def _begin_json(begin: Begin) -> dict[str, Any]:
    found: dict[str, Any] = {
        "tags": list(begin.tags),
        "marked_at": begin.marked_at.isoformat(),
        "marks": dict(begin.marks),
    }
    if begin.collection:
        found["collection"] = {
            "query": begin.collection.query.to_json(),
            **_days_json(begin.collection.dates),
            "start_written": begin.collection.start_written,
            "end_written": begin.collection.end_written,
            "fields": list(begin.fields),
        }
    return found


def _begin(content: dict[str, Any], subject: Subject) -> Begin:
    tags = tuple(content["tags"])
    marked = _time(content["marked_at"]), dict(content["marks"])
    if isinstance(subject, Listing):
        return Begin(tags, *marked)
    wish = content["collection"]
    written = wish["start_written"], wish["end_written"]
    collection = Collection(subject, _days(wish), *written, tags=tags)
    return Begin(tags, *marked, collection, tuple(wish["fields"]))


def _answer_json(answer: RawAnswer) -> dict[str, Any]:
    """Return an answer with its body as text, or in base64 where that is not text, or longer."""
    body = {"body_base64": b64encode(answer.body).decode()}
    try:
        text = answer.body.decode()
        if len(json.dumps(text, ensure_ascii=False)) <= 2 * len(answer.body) + 2:
            body = {"body": text}
    except UnicodeDecodeError:
        pass
    return {"status": answer.status, "headers": dict(answer.headers)} | body


def _answer(content: dict[str, Any]) -> RawAnswer:
    text = content.get("body")
    body = b64decode(content["body_base64"]) if text is None else text.encode()
    return RawAnswer(int(content["status"]), content["headers"], body)


def _event_json(event: Event) -> dict[str, Any]:
    if isinstance(event, Lost):
        return {"passed": _days_json(event.passed)}
    why = {"reason": event.reason, "log_id": event.log_id}
    match event:
        case Parked(at=at):
            return why | {"resume": asdict(at)}
        case Refused(status=status):
            return why | {"status": status.value}
    return why


def _event(content: dict[str, Any]) -> Event:
    name = content["event"]
    if name == "lost":
        return Lost(_days(content["passed"]))
    why = content["reason"], content["log_id"]
    if name == "parked":
        return Parked(*why, Place(**content["resume"]))
    if name == "refused":
        return Refused(SeedStatus(content["status"]), *why)
    return {"cut": Cut}[name](*why)


def _window_json(name: WindowName) -> dict[str, Any]:
    return _days_json(name.days) | {"opened_at": name.opened_at.isoformat()}


def _window(content: dict[str, Any]) -> WindowName:
    return WindowName(_days(content), _time(content["opened_at"]))


def _days_json(days: DateRange) -> dict[str, Any]:
    return {"start_date": days.start.isoformat(), "end_date": days.end.isoformat()}


def _days(content: dict[str, Any]) -> DateRange:
    return DateRange(*(date.fromisoformat(content[key]) for key in ("start_date", "end_date")))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
