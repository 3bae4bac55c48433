"""Lines of journals as JSON, and back."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.archive.lines import (
    CORRECTIONS,
    FORMAT,
    Asked,
    Begin,
    Deed,
    FileStart,
    Kind,
    Line,
    RawAnswer,
    WindowName,
    dump_line,
    dump_start,
    read_line,
    read_start,
)
from tiktok_crawler.archive.values import LineError
from tiktok_crawler.date_range import DateRange
from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.planning.task_states import (
    Cut,
    Emptied,
    Halved,
    Lost,
    Parked,
    Refused,
    Unusable,
)
from tiktok_crawler.query_file.collection import Collection
from tiktok_crawler.query_file.each_value import ValueBatch
from tiktok_crawler.query_file.refreshing import KeepFresh
from tiktok_crawler.research_api.endpoints import COMMENTS
from tiktok_crawler.research_api.paging import Place
from tiktok_crawler.research_api.query import Condition, Field, Operation, Query
from tiktok_crawler.research_api.tasks import PageRequest, Seed, Window
from tiktok_crawler.research_api.verdicts import SeedStatus

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)
QUERY = Query(and_=(Condition("keyword", "EQ", ("butter",)),))
JANUARY = DateRange(date(2024, 1, 1), date(2024, 1, 31))
SUBJECTS = {QUERY.fingerprint: QUERY, "comments": COMMENTS}

times = st.datetimes(datetime(1970, 1, 1), datetime(2999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
texts = st.text(st.characters(exclude_categories=()))
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
ids = st.integers(0, 2**63 - 1).map(str)
fields = st.sampled_from(["id", "username", "view_count"])
numbers = st.integers(0, 2**63 - 1)
places = st.builds(Place, numbers, st.none() | texts, numbers)
windows = st.builds(
    Window,
    st.just(QUERY),
    st.just(JANUARY),
    st.tuples(fields, fields),
    st.integers(1, 100),
    keywords_as=st.sampled_from([Operation.IN, Operation.EQ]),
)
seeds = st.builds(Seed, st.just(COMMENTS), ids, st.none() | st.integers(1, 2**63 - 1))
of_windows = st.builds(Asked, st.builds(PageRequest, windows, places, st.booleans()), times)
of_seeds = st.builds(Asked, st.builds(PageRequest, seeds, places))
asked = of_windows | of_seeds
answers = st.builds(RawAnswer, numbers, st.dictionaries(texts, texts), st.binary())
why = (texts, st.none() | texts)
parked = st.builds(Parked, *why, places)
refused = st.builds(Refused, st.sampled_from(SeedStatus), *why)
cut_or_lost = (
    st.builds(Cut, *why)
    | st.builds(Halved, *why)
    | st.builds(Unusable, *why)
    | st.just(Lost(DateRange(date(2024, 1, 2), JANUARY.end)))
)
corrected = st.lists(st.builds(WindowName, st.just(JANUARY), times), max_size=2).map(tuple)
corrections = st.fixed_dictionaries(dict.fromkeys(CORRECTIONS, corrected))
collection = Collection(
    QUERY,
    JANUARY,
    "2024-01-01",
    "a month ago",
    ("dairy",),
    refresh_after=timedelta(days=1000),
    revisit=(timedelta(days=3), timedelta(hours=36)),
    keep_fresh=KeepFresh(timedelta(days=15), counters=True),
)
begins = st.builds(
    Begin,
    st.just(("dairy",)),
    times,
    st.dictionaries(names, numbers),
    st.just(collection),
    st.tuples(fields),
)
deeds = (
    st.builds(Deed, st.just(Kind.BEGIN), st.just(NOON), what=begins)
    | st.builds(Deed, st.just(Kind.CORRECT), times, what=corrections)
    | of_windows.map(lambda each: Deed(Kind.OPEN, each.opened_at, each))
    | st.builds(Deed, st.just(Kind.OPEN), times, of_seeds)
    | st.builds(Deed, st.sampled_from([Kind.ASK, Kind.PAGE]), times, asked)
    | st.builds(Deed, st.just(Kind.ANSWER), times, asked, answers)
    | st.builds(Deed, st.just(Kind.END), times, of_windows, parked | cut_or_lost)
    | st.builds(Deed, st.just(Kind.END), times, of_seeds, parked | refused | st.just(Emptied()))
    | st.builds(Deed, st.just(Kind.VOID), what=st.integers(1, 6))
    | st.just(Deed(Kind.CLOSE))
)


def line(deed, *, number=7):
    is_seed = deed.asked and isinstance(deed.asked.request.task, Seed)
    return Line("j", number, NOON, COMMENTS if is_seed else QUERY, deed)


@given(deeds)
def test_a_line_is_read_as_it_was_written(deed):
    text = dump_line(line(deed))
    found = read_line(text, "j", dict(SUBJECTS))
    assert found == line(deed)
    if deed.asked:
        assert found.deed.asked.request.second_try == deed.asked.request.second_try
    assert text.count(b"\n") == 1


@given(st.binary(max_size=200))
def test_a_line_is_never_longer_than_twice_its_body(body):
    request = PageRequest(Seed(COMMENTS, "7"))
    answered = Deed(Kind.ANSWER, NOON, Asked(request), RawAnswer(200, {}, body))
    assert len(dump_line(line(answered))) < 2 * len(body) + 400


@pytest.mark.parametrize("status", [-1, 0, 10**20])
def test_the_status_of_an_answer_is_whatever_the_server_has_sent(status):
    request = PageRequest(Seed(COMMENTS, "7"))
    answered = line(Deed(Kind.ANSWER, NOON, Asked(request), RawAnswer(status, {}, b"")))
    assert read_line(dump_line(answered), "j", dict(SUBJECTS)) == answered


def test_lines_of_before_there_was_a_choice_had_keywords_as_eq():
    asked_for = Asked(PageRequest(Window(QUERY, JANUARY, ("id",))), NOON)
    content = json.loads(dump_line(line(Deed(Kind.OPEN, NOON, asked_for))))
    assert content["window"].pop("keywords_as") == "IN"
    found = read_line(json.dumps(content).encode(), "j", dict(SUBJECTS))
    assert found.deed.asked.request.window.keywords_as is Operation.EQ

    corrected = Deed(Kind.CORRECT, NOON, what=dict.fromkeys(CORRECTIONS, ()))
    content = json.loads(dump_line(line(corrected)))
    del content["in_vain"]
    assert read_line(json.dumps(content).encode(), "j", dict(SUBJECTS)).deed == corrected


def test_the_form_of_keywords_is_said_only_where_there_is_a_choice():
    several = Query((Condition("keyword", "IN", ("butter", "cheese")),))
    asked_for = Asked(PageRequest(Window(several, JANUARY, ("id",))), NOON)
    text = dump_line(Line("j", 7, NOON, several, Deed(Kind.OPEN, NOON, asked_for)))
    assert "keywords_as" not in json.loads(text)["window"]


def test_a_search_for_values_of_a_list_says_which_condition_has_them():
    query = Query(
        (Condition("region_code", "EQ", ("FR",)), Condition("username", "IN", ("b", "a")))
    )
    batch = ValueBatch.of(query, Field.USERNAME)
    some = Collection(query, JANUARY, "2024-01-01", "2024-01-31", batch=batch)
    deed = Deed(Kind.BEGIN, NOON, what=Begin((), NOON, {}, some, ("id",)))
    text = dump_line(Line("j", 1, NOON, query, deed))
    assert json.loads(text)["collection"]["each"] == "username"
    found = read_line(text, "j", {})
    assert found.deed == deed
    assert found.deed.what.collection.batch == batch


@pytest.mark.parametrize(
    ("field", "words"),
    [("hashtag_name", "each.*the field of its values"), ("nothing", "each"), (7, "each")],
)
def test_a_condition_that_is_not_there_has_no_values_of_a_list(field, words):
    begun = Deed(Kind.BEGIN, NOON, what=Begin((), NOON, {}, collection, ("id",)))
    content = json.loads(dump_line(line(begun)))
    content["collection"]["each"] = field
    with pytest.raises(LineError, match=words):
        read_line(json.dumps(content).encode(), "j", {})


def test_the_first_line_of_a_file_says_what_it_is_about():
    begun = line(
        Deed(Kind.BEGIN, NOON, what=Begin(("dairy",), NOON, {"i": 3}, collection, ("id",)))
    )
    start, subjects = FileStart("j", NOON, "sandbox", (begun,)), {}
    assert read_start(dump_start(start), subjects) == start
    assert subjects == {QUERY.fingerprint: QUERY}


def test_the_body_of_an_answer_stands_there_as_text_where_it_is_text():
    request = PageRequest(Seed(COMMENTS, "7"))

    def response(body):
        deed = Deed(Kind.ANSWER, NOON, Asked(request), RawAnswer(200, {"Date": "D"}, body))
        return json.loads(dump_line(line(deed)))["response"]

    assert response("schön".encode()) == {"status": 200, "headers": {"Date": "D"}, "body": "schön"}
    assert response(b"\xff")["body_base64"] == "/w=="


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "is no line of an archive"),
        (b"[" * 100_000, "is no line of an archive"),
        (b"[]", "is no line of an archive"),
        (b"{}", "lacks kind, which it must have"),
        (b'{"kind":"ask","kind":"ask"}', "has a key twice"),
        (b'{"kind":"ask","line":NaN}', "has NaN, which JSON does not know"),
        (b'{"line":' + b"9" * 4301 + b"}", "is no line of an archive, or too long"),
        (b'{"kind":"ask","line":1,"listing":"nothing"}', "no line before it has begun"),
    ],
)
def test_other_lines_are_refused(text, words):
    with pytest.raises(LineError, match=words):
        read_line(text, "j", dict(SUBJECTS))


def test_a_file_that_begins_otherwise_is_refused():
    with pytest.raises(LineError, match="is no beginning"):
        read_start(dump_line(line(Deed(Kind.CLOSE))), {})


@pytest.mark.parametrize("number", [1, 2])
def test_formats_that_were_never_released_are_refused(number):
    text = json.dumps({"format": number, "kind": "file", "version": "0.1"}).encode()
    with pytest.raises(ConfigurationError, match=f"format {number}, of a version that was never"):
        read_start(text, {})


def test_newer_formats_are_refused():
    text = json.dumps({"kind": "file", "format": FORMAT + 1, "version": "9.9\n"}).encode()
    with pytest.raises(ConfigurationError, match=r"tiktok_crawler 9.9� wrote it.*update"):
        read_start(text, {})
