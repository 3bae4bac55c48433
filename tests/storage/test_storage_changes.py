"""Any sequence of pages ends in the state that a few lines of Python say, whoever writes them."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from marathon import times
from stored_pages import NOON, effects, first_request, hashtags, page, rows

from tiktok_crawler.storage.page_store import PageStore
from tiktok_crawler.storage.records.comparison import Reading, with_reading
from tiktok_crawler.storage.records.video import VIDEO

HOUR = timedelta(hours=1)
COUNTERS = VIDEO.counters
VIDEOS = 3
LINKS = ("hashtag_names", "effect_ids")
FIELDS = ("like_count", "view_count", "username", "is_stem_verified", "video_tag", "novelty")
NAMES = st.none() | st.lists(st.sampled_from("abc"), max_size=2, unique=True).map(sorted)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "like_count": st.none() | st.integers(0, 2),
        "view_count": st.none() | st.integers(0, 2),
        "username": st.none() | st.sampled_from(["", "ann", "marie"]),
        "is_stem_verified": st.none() | st.booleans(),
        "video_tag": st.none() | st.sampled_from([{}, {"a": 1}, {"a": True}, {"a": 1.5}]),
        "novelty": st.none() | st.sampled_from([1, True, [1], {"a": "\\"}]),
        "hashtag_names": NAMES,
        "effect_ids": NAMES,
    },
)
PAGES = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.booleans(),
        st.dictionaries(st.integers(0, VIDEOS - 1), RECORDS, min_size=1),
    ),
    min_size=1,
    max_size=8,
)
"""When pages are received, which of two writers stores them, and their records."""

MANY = settings(
    max_examples=times(1) // 2,
    # Making a failing example smaller would take minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class Model:
    """What is known of one video after pages that were committed in this order."""

    def __init__(self):
        self.known = {}
        self.first_at = self.updated_at = None
        self.lost_links_at = dict.fromkeys(LINKS, -1)

    def see(self, hours, record):
        said = {key: value for key, value in record.items() if value is not None}
        before = dict(self.known)
        if self.first_at is None:
            self.known, self.first_at = said, hours
        elif hours >= (self.first_at if self.updated_at is None else self.updated_at):
            self.known = before | said
            if differ(before, self.known):
                self.updated_at = hours
            for key in LINKS:
                if before.get(key) and before[key] != self.known[key]:
                    self.lost_links_at[key] = hours
        else:
            said = {k: v for k, v in said.items() if self.lost_links_at.get(k, -1) <= hours}
            newer = {k: v for k, v in before.items() if v != [] or k not in LINKS}
            self.known = said | newer
            if self.updated_at is None and differ(said, self.known):
                self.updated_at = self.first_at
            self.first_at = min(self.first_at, hours)


def differ(one, other):
    """An empty list of names is like a missing one, and True is not 1."""
    nothing = {key: [] for key in LINKS}
    return repr(sorted((nothing | one).items())) != repr(sorted((nothing | other).items()))


def expected(pages):
    """The videos that pages leave behind, by number."""
    models = {}
    for hours, _, records in pages:
        for number, record in records.items():
            models.setdefault(number, Model()).see(hours, record)
    return {number: describe(model) for number, model in models.items()}


def describe(model):
    known = {key: model.known.get(key) for key in FIELDS}
    links = {key: model.known.get(key) or [] for key in LINKS}
    return repr(known | links | {"first_at": model.first_at, "updated_at": model.updated_at})


def found(engine, first_id):
    """The same of what is in the database, from some id on."""
    names = {"hashtag_names": hashtags(engine), "effect_ids": effects(engine)}
    result = {}
    for row in rows(engine, "video"):
        model, row_id = Model(), row["id"]
        if row_id < first_id:
            continue
        model.known = row | (row["extra_data"] or {})
        for key, links in names.items():
            model.known[key] = [name for id_, name in links if id_ == row_id]
        model.first_at = hours_of(row["crawled_at"])
        model.updated_at = row["crawled_updated_at"] and hours_of(row["crawled_updated_at"])
        result[row_id - first_id] = describe(model)
    return result


def hours_of(time):
    return (time - NOON) // HOUR


def history(engine, name, first_id):
    """The rows of a table that belong to videos from some id on, without ids of our own."""
    own = {"id", "crawl_id"}
    return [
        {key: value for key, value in row.items() if key not in own}
        | {"video_id": row["video_id"] - first_id}
        for row in rows(engine, name)
        if row["video_id"] >= first_id
    ]


@pytest.fixture
def write(engine):
    """Stores pages, received some hours after noon, whose videos are numbered from an id on."""
    requests = [first_request(engine)]

    def write(stores, pages, first_id):
        for hours, second, records in pages:
            answer = page(
                requests[-1],
                *({"id": first_id + number, **record} for number, record in records.items()),
                has_more=True,
                received_at=NOON + hours * HOUR,
            )
            requests.append(answer.next_request)
            stores[second].save(answer, tags=())

    return write


@pytest.mark.slow
def test_two_writers_leave_what_one_leaves(engine, make_engine, prepared_url, write):
    first_ids = count(1000, 10)
    stores = PageStore(engine), PageStore(make_engine(prepared_url))

    @MANY
    @given(PAGES)
    def check(pages):
        alone, together = next(first_ids), next(first_ids)
        write((stores[0], stores[0]), pages, alone)
        of_one = [history(engine, name, alone) for name in ("video_statistics", "video_revision")]
        assert found(engine, alone) == expected(pages)
        check_latest(rows(engine, "video"), rows(engine, "video_statistics"))

        write(stores, pages, together)
        assert found(engine, together) == expected(pages)
        for name, expected_rows in zip(("video_statistics", "video_revision"), of_one, strict=True):
            assert history(engine, name, together) == expected_rows

    check()


def check_latest(videos, readings):
    """A video has the counters of its last row."""
    counters = {
        row["id"]: tuple(row[name] for name in COUNTERS)
        for row in videos
        if any(row[name] is not None for name in COUNTERS)
    }
    last = {row["video_id"]: tuple(row[name] for name in COUNTERS) for row in readings}
    assert last == counters


SERIES = st.lists(
    st.tuples(st.integers(0, 9), st.tuples(*[st.integers(0, 2)] * len(COUNTERS))),
    unique_by=(lambda reading: reading[0], lambda reading: reading[1]),
    max_size=6,
)


@given(SERIES)
def test_complete_readings_that_differ_make_the_same_series_in_any_order(readings):
    readings = [Reading(str(time), time, counters) for time, counters in readings]
    series = []
    for reading in readings:
        series = with_reading(series, reading)

    assert series == sorted(readings)


UNKNOWN = (None,) * 4


@pytest.mark.parametrize(
    ("series", "late", "result"),
    [
        ([], (1, None), []),
        ([], (1, 5), [(1, 5)]),
        ([(2, 5)], (1, 5), [(1, 5)]),
        ([(2, 5)], (1, None), [(2, 5)]),
        ([(1, 5), (3, 6)], (2, 5), [(1, 5), (3, 6)]),
        ([(1, 5), (3, 6)], (2, 6), [(1, 5), (2, 6)]),
        ([(1, 5), (3, 6)], (2, 7), [(1, 5), (2, 7), (3, 6)]),
        ([(1, 5), (3, 6)], (3, 7), [(1, 5), (3, 6)]),
    ],
)
def test_a_late_reading_stays_only_if_it_changes_something(series, late, result):
    def reading(time, likes):
        return Reading(str(time), time, (likes, *UNKNOWN))

    found = with_reading([reading(*each) for each in series], reading(*late))

    assert found == [reading(*each) for each in result]


def test_what_a_late_reading_knows_is_known_from_then_on():
    later = [Reading("2", 2, (5, None, *UNKNOWN[1:])), Reading("3", 3, (5, 8, *UNKNOWN[1:]))]
    late = Reading("1", 1, (4, 7, *UNKNOWN[1:]))

    filled = Reading("2", 2, (5, 7, *UNKNOWN[1:]))
    assert with_reading(later, late) == [late, filled, later[1]]
