"""The lines of a journal, as values and as JSON: a session's deeds, and the answers between them.

docs/archive.md describes them for others. All times are UTC.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

from tiktok_crawler.archive.values import (
    API_TEXT,
    FIELD,
    ID,
    NAME,
    ORIGIN,
    TAG,
    WORDS,
    LineError,
    Values,
    parse_object,
)
from tiktok_crawler.date_range import DAY
from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.planning.task_states import (
    Cut,
    Emptied,
    Event,
    Halved,
    Lost,
    Parked,
    Refused,
    Unusable,
)
from tiktok_crawler.query_file.collection import Collection
from tiktok_crawler.query_file.each_value import ValueBatch
from tiktok_crawler.query_file.refreshing import Refreshing
from tiktok_crawler.research_api.conditions import condition_problems
from tiktok_crawler.research_api.endpoints import (
    LISTINGS,
    LONGEST_WINDOW_DAYS,
    VIDEO_QUERY,
    Listing,
)
from tiktok_crawler.research_api.paging import Place
from tiktok_crawler.research_api.query import (
    GROUPS,
    SAMPLE,
    Condition,
    Field,
    Operation,
    Query,
    Sample,
)
from tiktok_crawler.research_api.tasks import PageRequest, Seed, Window
from tiktok_crawler.research_api.verdicts import SeedStatus
from tiktok_crawler.spelling import shortened
from tiktok_crawler.storage.ledger.runs import version

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tiktok_crawler.date_range import DateRange

FORMAT = 6
"""Goes up with each key and event that is new: readers take no line with what they do not know."""

UNRELEASED = (1, 2)

MOST_LINES = 100_000_000
"""More than the requests of a crawl that never ends make in a hundred years."""

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


ABOUT_TASKS = (Kind.OPEN, Kind.ASK, Kind.ANSWER, Kind.PAGE, Kind.END)
UNTIMED = (Kind.CLOSE, Kind.VOID)


class EventName(StrEnum):
    """What became of a task that brings no page now."""

    PARKED = "parked"
    REFUSED = "refused"
    CUT = "cut"
    LOST = "lost"
    HALVED = "halved"
    UNUSABLE = "unusable"
    EMPTIED = "emptied"


EVENTS_OF_SEEDS = (EventName.PARKED, EventName.REFUSED, EventName.EMPTIED)
EVENTS_OF_WINDOWS = tuple(
    name for name in EventName if name not in (EventName.REFUSED, EventName.EMPTIED)
)
WITH_REASON_ALONE: dict[EventName, type[Cut | Halved | Unusable]] = {
    EventName.CUT: Cut,
    EventName.HALVED: Halved,
    EventName.UNUSABLE: Unusable,
}


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
        return WindowName(self.request.window.days, self.opened_at)


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

CORRECTIONS = ("taken_back", "needless", "in_vain", "compared")


@dataclass(frozen=True, slots=True)
class Deed:
    """Something done or said at a time; for answers and pages, when they were received."""

    kind: Kind
    now: datetime | None = None
    asked: Asked | None = None
    what: Begin | Correct | RawAnswer | Event | int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a journal, with the time at which it was written; a run numbers its lines.

    One that is read `stands_at` a place, in words.
    """

    journal: str
    number: int
    at: datetime
    subject: Subject
    deed: Deed
    stands_at: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class FileStart:
    """The first line of a file, with the lines that began the sessions that were open then."""

    journal: str
    at: datetime
    origin: str
    begun: tuple[Line, ...] = ()


def dump_start(start: FileStart) -> bytes:
    """Return the first line of a file as JSON in UTF-8, with its line feed."""
    return dump(_start_json(start))


def dump_line(line: Line) -> bytes:
    """Return any other line likewise."""
    return dump(_line_json(line))


def read_start(text: bytes, subjects: Subjects) -> FileStart:
    """Read what `dump_start` returned; learn of what the file is about.

    Raises:
        LineError: it is something else, or a value in it is none that is written there.
        ConfigurationError: another version of this package wrote it.
    """
    content = parse_object(text)
    if content.content.get("kind") != "file":
        raise LineError("is no beginning of an archive")
    _check_format(content)
    journal = content.text("journal", NAME)
    begun = tuple(_line(journal, line, subjects) for line in content.objects("begun"))
    if any(line.deed.kind is not Kind.BEGIN for line in begun):
        raise LineError("has among `begun` what begins nothing")
    start = FileStart(journal, content.time("at"), content.text("origin", ORIGIN), begun)
    content.refuse_other_keys(_start_json(start))
    return start


def read_line(text: bytes, journal: str, subjects: Subjects) -> Line:
    """Read what `dump_line` returned; learn what the file is about from lines that begin it.

    Raises:
        LineError: it is something else, or a value in it is none that is written there.
    """
    content = parse_object(text)
    line = _line(journal, content, subjects)
    content.refuse_other_keys(_line_json(line))
    return line


def _check_format(content: Values) -> None:
    found, writer = content.whole("format", least=1), content.text("version", NAME)
    if found in UNRELEASED:
        raise ConfigurationError(
            f"it has format {found}, of a version that was never released; this version reads "
            f"formats {max(UNRELEASED) + 1} to {FORMAT}"
        )
    if found > FORMAT:
        raise ConfigurationError(
            f"tiktok_crawler {shortened(writer)} wrote it, which is newer than this version: "
            "update tiktok_crawler"
        )


def dump(content: dict[str, Any]) -> bytes:
    try:
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # a search_id with half a surrogate pair
        text = json.dumps(content, separators=(",", ":")).encode()
    return text + b"\n"


def _start_json(start: FileStart) -> dict[str, Any]:
    return {
        "kind": "file",
        "format": FORMAT,
        "version": version(),
        "journal": start.journal,
        "at": start.at.isoformat(),
        "origin": start.origin,
        "begun": list(map(_line_json, start.begun)),
    }


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


def _line(journal: str, content: Values, subjects: Subjects) -> Line:
    kind = content.one_of("kind", Kind)
    number = content.whole("line", least=1, most=MOST_LINES)
    is_begin = kind is Kind.BEGIN
    subject = _begun_subject(content) if is_begin else _known_subject(content, subjects)
    deed = Deed(
        kind,
        None if kind in UNTIMED else content.time("now"),
        _asked(content, subject) if kind in ABOUT_TASKS else None,
        _what(kind, content, subject),
    )
    _check_opening(deed, content)
    line = Line(journal, number, content.time("at"), subject, deed)
    if is_begin:
        subjects[_name(subject)] = subject
    elif kind is Kind.CLOSE:
        del subjects[_name(subject)]
    return line


def _check_opening(deed: Deed, content: Values) -> None:
    """Check that a window is opened when it is known to have been opened: that is its name."""
    opened_at = deed.asked and deed.asked.opened_at
    if deed.kind is Kind.OPEN and opened_at and opened_at != deed.now:
        raise content.object("window").wrong("opened_at", "the time of its line")


@cache
def _fingerprint(query: Query) -> str:
    return query.fingerprint


def _name(subject: Subject) -> str:
    return _fingerprint(subject) if isinstance(subject, Query) else subject.name


def _begun_subject(content: Values) -> Subject:
    if "listing" in content:
        name = content.text("listing", NAME)
        if name not in LISTINGS:
            raise content.wrong("listing", "one of this version")
        return LISTINGS[name]
    query = _query(content.object("collection").object("query"))
    if content.text("query", NAME) != _fingerprint(query):
        raise content.wrong("query", "the fingerprint of its query")
    return query


def _known_subject(content: Values, subjects: Subjects) -> Subject:
    name = content.text("listing" if "listing" in content else "query", NAME)
    if name not in subjects:
        raise LineError("belongs to a query or listing that no line before it has begun")
    return subjects[name]


def _query(content: Values) -> Query:
    groups = {key: tuple(map(_condition, content.objects(key))) for key in GROUPS if key in content}
    return Query.of_groups(groups, _sample(content.object(SAMPLE)) if SAMPLE in content else None)


def _sample(content: Values) -> Sample:
    return Sample(content.whole("per_day", least=1), content.whole("draw", least=1))


def _condition(content: Values) -> Condition:
    condition = Condition(
        content.text("field_name", NAME),
        content.text("operation", NAME),
        content.texts("field_values", NAME),
    )
    parts = condition.field_name, condition.operation, condition.field_values
    if problem := next(condition_problems(*parts), None):
        raise content.wrong(problem.part, "what the API takes")
    return condition


def _asked_json(asked: Asked) -> dict[str, Any]:
    request, task = asked.request, asked.request.task
    if isinstance(task, Seed):
        return {"seed": task.key, "limit": task.limit, "place": asdict(request.place)}
    assert asked.opened_at
    searched = request.window
    form = searched.keyword_form
    window = _window_json(WindowName(searched.days, asked.opened_at))
    window |= {"fields": list(searched.fields), "max_count": searched.max_count}
    return {
        "window": window | ({"keywords_as": form} if form else {}),
        "second_try": request.second_try,
        "place": asdict(request.place),
    }


def _asked(content: Values, subject: Subject) -> Asked:
    place = _place(content.object("place"))
    if isinstance(subject, Listing):
        kind = ID if subject.seed_key.is_number else NAME
        limit = content.whole_or_none("limit", least=1)
        return Asked(PageRequest(Seed(subject, content.text("seed", kind), limit), place))
    window = content.object("window")
    name = _window(window)
    task = Window(
        subject,
        name.days,
        window.texts("fields", FIELD),
        window.whole("max_count", least=1, most=VIDEO_QUERY.max_count),
        keywords_as=_keywords_as(window),
    )
    return Asked(PageRequest(task, place, content.flag("second_try")), name.opened_at)


def _place(content: Values) -> Place:
    return Place(
        content.whole("cursor"),
        content.text_or_none("search_id", API_TEXT),
        content.whole("received"),
    )


def _keywords_as(window: Values) -> Operation:
    if "keywords_as" not in window:
        return Operation.EQ
    return window.one_of("keywords_as", (Operation.EQ, Operation.IN))


def _what_json(what: Begin | Correct | RawAnswer | Event | int | None) -> dict[str, Any]:
    match what:
        case None:
            return {}
        case Begin():
            return _begin_json(what)
        case dict():
            return {key: list(map(_window_json, names)) for key, names in what.items()}
        case RawAnswer():
            return {"response": answer_json(what)}
        case int():
            return {"of_line": what}
    return {"event": type(what).__name__.lower()} | _event_json(what)


def _what(
    kind: Kind, content: Values, subject: Subject
) -> Begin | Correct | RawAnswer | Event | int | None:
    match kind:
        case Kind.BEGIN:
            return _begin(content, subject)
        case Kind.CORRECT:
            return _correct(content, subject)
        case Kind.ANSWER:
            return _answer(content.object("response"))
        case Kind.END:
            return _event(content, subject)
        case Kind.VOID:
            return content.whole("of_line", least=1, most=content.whole("line") - 1)
    return None


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
            **({"each": batch.field.value} if (batch := begin.collection.batch) else {}),
            **({"refreshing": keys} if (keys := begin.collection.refreshing.to_json()) else {}),
        }
    return found


def _begin(content: Values, subject: Subject) -> Begin:
    tags = content.texts("tags", TAG)
    marked = content.time("marked_at"), content.wholes_by_name("marks")
    if isinstance(subject, Listing):
        return Begin(tags, *marked)
    wish = content.object("collection")
    days, tomorrow = wish.days(), content.time("now").date() + DAY
    if days.end > tomorrow:
        raise wish.wrong("end_date", f"a day before {tomorrow}")
    written = wish.text("start_written", NAME), wish.text("end_written", NAME)
    keys = _refreshing(wish)
    collection = Collection(
        subject,
        days,
        *written,
        tags=tags,
        batch=_batch(wish, subject),
        refresh_after=keys.refresh_after,
        revisit=keys.revisit,
        keep_fresh=keys.keep_fresh,
    )
    return Begin(tags, *marked, collection, wish.texts("fields", FIELD))


def _refreshing(wish: Values) -> Refreshing:
    if "refreshing" not in wish:
        return Refreshing()
    try:
        return Refreshing.from_json(wish.texts_by_name("refreshing"))
    except LineError:
        raise
    except ValueError:
        raise wish.wrong("refreshing", "how fresh its data is kept") from None


def _batch(wish: Values, query: Query) -> ValueBatch | None:
    if "each" not in wish:
        return None
    try:
        return ValueBatch.of(query, wish.one_of("each", Field))
    except LineError:
        raise
    except ValueError:
        raise wish.wrong("each", "the field of its values") from None


def _correct(content: Values, subject: Subject) -> Correct:
    if isinstance(subject, Listing):
        raise LineError("corrects windows of a listing, which has none")
    names = {key: content.objects(key) if key in content else () for key in CORRECTIONS}
    return {key: tuple(map(_window, windows)) for key, windows in names.items()}


def answer_json(answer: RawAnswer) -> dict[str, Any]:
    """Return an answer with its body as text, or in base64 where that is not text, or longer."""
    body = {"body_base64": b64encode(answer.body).decode()}
    try:
        text = answer.body.decode()
        if len(json.dumps(text, ensure_ascii=False)) <= 2 * len(answer.body) + 2:
            body = {"body": text}
    except UnicodeDecodeError:
        pass
    return {"status": answer.status, "headers": dict(answer.headers)} | body


def _answer(content: Values) -> RawAnswer:
    return RawAnswer(content.integer("status"), content.texts_by_name("headers"), _body(content))


def _body(content: Values) -> bytes:
    key = "body" if "body" in content else "body_base64"
    text = content.text(key, API_TEXT)
    try:
        return text.encode() if key == "body" else b64decode(text, validate=True)
    except ValueError:
        raise content.wrong(key, "the body of an answer") from None


def _event_json(event: Event) -> dict[str, Any]:
    if isinstance(event, Emptied):
        return {}
    if isinstance(event, Lost):
        return {"passed": _days_json(event.passed)}
    why = {"reason": event.reason, "log_id": event.log_id}
    match event:
        case Parked(at=at):
            return why | {"resume": asdict(at)}
        case Refused(status=status):
            return why | {"status": status.value}
    return why


def _event(content: Values, subject: Subject) -> Event:
    is_seed = isinstance(subject, Listing)
    name = content.one_of("event", EVENTS_OF_SEEDS if is_seed else EVENTS_OF_WINDOWS)
    match name:
        case EventName.EMPTIED:
            return Emptied()
        case EventName.LOST:
            return Lost(_passed(content))
    why = content.text("reason", WORDS), content.text_or_none("log_id", WORDS)
    match name:
        case EventName.PARKED:
            return Parked(*why, _place(content.object("resume")))
        case EventName.REFUSED:
            return Refused(content.one_of("status", SeedStatus), *why)
        case EventName.CUT if len(content.object("window").days()) == 1:
            raise LineError("cuts a window of one day")
    return WITH_REASON_ALONE[name](*why)


def _passed(content: Values) -> DateRange:
    """Return the newest days of a window, which are not all."""
    days, passed = (content.object(key).days() for key in ("window", "passed"))
    if passed.end != days.end or passed.start <= days.start:
        raise content.wrong("passed", "the newest days of its window")
    return passed


def _window_json(name: WindowName) -> dict[str, Any]:
    return _days_json(name.days) | {"opened_at": name.opened_at.isoformat()}


def _window(content: Values) -> WindowName:
    days = content.days()
    if len(days) > LONGEST_WINDOW_DAYS:
        raise content.wrong("end_date", f"a day at most {LONGEST_WINDOW_DAYS} days later")
    return WindowName(days, content.time("opened_at"))


def _days_json(days: DateRange) -> dict[str, Any]:
    return {"start_date": days.start.isoformat(), "end_date": days.end.isoformat()}
