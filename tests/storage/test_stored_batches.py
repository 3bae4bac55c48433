"""Which values are searched together, as a database knows it, and what is read of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import update
from stored_pages import JANUARY, MINUTE, NOON, Run, rows, video

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.batch_searches import Searched
from tiktok_crawler.planning.coverage import Freshness
from tiktok_crawler.planning.days import DayState
from tiktok_crawler.planning.plan import Wanted
from tiktok_crawler.planning.seeds import SeedsOfQuery
from tiktok_crawler.planning.task_states import Cut, Halved, Parked, Unusable
from tiktok_crawler.planning.value_batches import KnownBatch
from tiktok_crawler.planning.window_days import DayCount
from tiktok_crawler.query_file.collection import Collection
from tiktok_crawler.query_file.each_value import Each
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY, SeedKey
from tiktok_crawler.research_api.paging import START
from tiktok_crawler.research_api.query import Condition, Field, Operation, Query
from tiktok_crawler.research_api.tasks import PageRequest, Window
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.transactions import reading
from tiktok_crawler.storage.ledger.list_status import list_statuses
from tiktok_crawler.storage.ledger.seeds import SeedSources
from tiktok_crawler.storage.ledger.status import query_days
from tiktok_crawler.storage.ledger.value_batches import known_batches, queries_of
from tiktok_crawler.storage.models.ledger import ValueBatchRow
from tiktok_crawler.storage.search_session import SearchSession

REST = Query((Condition("region_code", "EQ", ("FR",)),))
FIELDS = VIDEO_QUERY.fields
TWO_DAYS = Freshness(timedelta(days=2))


def listed(*values, field=Field.USERNAME, rest=REST):
    each = Each(field, tuple(sorted(values)))
    return Collection(rest, JANUARY, "2024-01-01", "2024-01-31", ("t",), each=each)


LIST = listed("ada", "bob", "cem")


def days(first, last=None):
    return DateRange(date(2024, 1, first), date(2024, 1, last or first))


class BatchSearch(Run):
    """A run on some values of a list."""

    def __init__(self, url, collection, values, now=NOON):
        batch = collection.for_values(values)
        wanted = Wanted(batch.query, batch.dates, FIELDS, TWO_DAYS)
        session = SearchSession(
            url, origin="sandbox", collection=batch, wanted=wanted, account=None
        )
        super().__init__(session, now)

    def first(self, window=JANUARY, **how):
        query = self.session.collection.query
        return PageRequest(Window(query, window, FIELDS, keywords_as=Operation.IN), **how)

    def end(self, request, event):
        self.session.end(self.book(request), event, self.later())


@pytest.fixture
def batch(begin, prepared_url):
    """Begins runs on some values of a list."""
    return lambda *values, of=LIST, **how: begin(BatchSearch(prepared_url, of, values, **how))


def known(engine, collection=LIST, fields=FIELDS):
    with reading(engine) as connection:
        return list(known_batches(connection, collection, fields).values())


def refuse(engine, value):
    with engine.begin() as connection:
        is_value = ValueBatchRow.value == value
        connection.execute(
            update(ValueBatchRow).where(is_value).values(refused_at=NOON, error="no")
        )


def test_a_run_writes_down_once_which_values_its_query_has(engine, batch):
    batch("bob", "ada")
    batch("ada", "bob", now=NOON + MINUTE)
    (query,) = rows(engine, "query")
    same = {"query_id": query["id"], "field_name": "username", "template": LIST.fingerprint}
    nothing = dict.fromkeys(
        ("refused_at", "error", "error_log_id", "last_returned_at", "first_missed_at")
    )
    assert rows(engine, "value_batch") == [
        same | nothing | {"value": "ada"},
        same | nothing | {"value": "bob"},
    ]


def test_other_queries_have_no_values(engine, search):
    search()
    assert rows(engine, "value_batch") == []


def covered(engine):
    """How the days stand of each query, by its values."""

    def terms(query, dates, fields):
        return Wanted(query, dates, fields or FIELDS, TWO_DAYS)

    with reading(engine) as connection:
        return {
            ",".join(found.used.query.and_[-1].field_values): {
                state: found.days.in_state(state)
                for state in DayState
                if found.days.in_state(state)
            }
            for found in query_days(connection, terms, NOON + MINUTE)
        }


def test_days_of_values_that_are_refused_together_are_those_of_others(engine, batch):
    every = batch("ada", "bob", "cem")
    every.ask(every.first(days(1, 4)), video(1))
    every.end(every.first(days(5, 31)), Halved("HTTP 400", "L"))
    batch("ada", "bob")
    gaps = tuple(days(5, 31))
    assert covered(engine) == {
        "ada,bob,cem": {DayState.COVERED: tuple(days(1, 4)), DayState.GAP: gaps},
        "ada,bob": {DayState.GAP: tuple(JANUARY)},
    }
    batch("cem")
    assert covered(engine) == {
        "ada,bob,cem": {DayState.COVERED: tuple(days(1, 4))},
        "ada,bob": {DayState.GAP: tuple(JANUARY)},
        "cem": {DayState.GAP: tuple(JANUARY)},
    }


def test_batches_are_known_with_what_became_of_their_windows(engine, batch):
    both = batch("ada", "bob")
    both.ask(both.first(days(1, 4)), video(1))
    both.ask(both.first(days(5, 6)), video(2), has_more=True)
    both.end(both.first(days(7, 9)), Cut("too wide", "L"))
    both.end(both.first(days(10)), Parked("later", "L", START))
    both.book(both.first(days(11)))
    both.session.open_task(both.first(days(12)), both.later())
    last = batch("cem")
    last.ask(last.first(days(1, 2)), suspicious=True)
    assert known(engine) == [
        KnownBatch(
            ("ada", "bob"),
            searches=(Searched(days(1, 4), NOON + MINUTE),),
            begun=(days(5, 6),),
            postponed=(days(10),),
            retry_at=both.now - 2 * MINUTE,
            cut_windows=(days(7, 9),),
            widest=4,
        ),
        KnownBatch(("cem",), (Searched(days(1, 2), NOON + MINUTE),), widest=2, is_doubtful=True),
    ]


def test_searches_with_fewer_fields_than_wanted_bring_nothing(engine, batch):
    run = batch("ada")
    run.ask(replace(run.first(), task=replace(run.first().task, fields=("id",))), video(1))
    assert known(engine, fields=("id",))[0].searches
    assert known(engine, fields=("id", "username"))[0].searches == ()


def test_batches_of_other_lists_are_not_known(engine, batch):
    batch("ada")
    others = [listed("ada", rest=Query()), listed("ada", field=Field.HASHTAG_NAME)]
    assert [known(engine, other) for other in others] == [[], []]
    assert known(engine, listed("zoe"))[0].values == ("ada",)


def test_searches_in_a_form_of_keywords_that_finds_nothing_bring_nothing(engine, batch):
    words = listed("bread", field=Field.KEYWORD, rest=Query())
    run = batch("bread", of=words)
    run.ask(run.first(days(1, 2)))
    assert known(engine, words)[0].searches
    run.ask(run.first(days(3)).with_keywords_as(Operation.EQ), video(1))
    assert [search.days for search in known(engine, words)[0].searches] == [days(3)]


def test_a_page_says_that_the_api_takes_a_query_again(engine, batch):
    run = batch("ada")
    refuse(engine, "ada")
    assert known(engine)[0].refused_at == NOON
    run.ask(run.first(days(1)), suspicious=True)
    assert known(engine)[0].refused_at == NOON
    run.ask(run.first(days(2)))
    assert known(engine)[0].refused_at is None
    assert rows(engine, "value_batch")[0]["error"] is None


def test_a_refused_search_for_several_is_left_to_others_and_its_query_is_marked(engine, batch):
    run = batch("ada", "bob")
    rest = run.ask(run.first(days(1, 9)), video(1), has_more=True)
    run.end(rest, Halved("no", "L"))
    run.ask(run.first(days(10)), suspicious=True)
    run.session.end(replace(run.first(days(10))).opened(2), Halved("no data", None), run.later())
    (found,) = known(engine)
    assert found == KnownBatch(("ada", "bob"), refused_at=run.now)
    assert {row["state"] for row in rows(engine, "crawl_window")} == {"split"}
    assert [(row["error"], row["error_log_id"]) for row in rows(engine, "value_batch")] == [
        ("no data", None),
        ("no data", None),
    ]


def test_a_search_for_one_value_is_postponed_longer_each_time(engine, batch):
    run = batch("ada")
    request = run.book(run.first(days(1, 9)))
    run.session.end(request, Unusable("no", "L"), run.later())
    assert known(engine)[0].postponed == (days(1, 9),)
    run.ask(replace(request, second_try=True), suspicious=True)
    assert known(engine)[0].searches
    run.session.end(request, Unusable("no data", "M"), run.later())
    (window,) = rows(engine, "crawl_window")
    assert (window["state"], window["completed_at"], window["suspicious"]) == (
        "parked",
        None,
        False,
    )
    assert (window["parked_count"], window["retry_at"]) == (2, run.now + timedelta(hours=1))
    again_at = run.now + timedelta(hours=1)
    assert known(engine) == [
        KnownBatch(("ada",), postponed=(days(1, 9),), refused_at=run.now, retry_at=again_at)
    ]
    run.ask(replace(request, second_try=True), video(1))
    assert known(engine)[0].refused_at is None


def test_for_ids_it_is_kept_when_they_were_returned_and_missed(engine, batch):
    ids = listed("1", "2", "3", field=Field.VIDEO_ID)
    run = batch("1", "2", "3", of=ids)
    begun = run.now + MINUTE
    rest = run.ask(run.first(), video(1), has_more=True)
    assert {row["first_missed_at"] for row in rows(engine, "value_batch")} == {None}
    run.ask(rest, video(3))
    again = batch("1", "2", "3", of=ids, now=NOON + timedelta(days=30))
    later = again.now + MINUTE
    again.ask(again.first(), video(2), video(3))
    found = [
        (row["value"], row["last_returned_at"], row["first_missed_at"])
        for row in rows(engine, "value_batch")
    ]
    assert found == [("1", begun, later), ("2", later, begun), ("3", later, None)]


def test_the_queries_of_a_list_are_those_with_any_of_its_values(engine, batch, search):
    for values in (("ada", "bob"), ("cem",), ("zoe",)):
        batch(*values, of=listed("ada", "bob", "cem", "zoe"))
    search()
    statements = statements_for(engine.dialect)
    with reading(engine) as connection:
        ids = [row["id"] for row in rows(engine, "query")]
        assert queries_of(connection, statements, LIST) == ids[:2]
        assert queries_of(connection, statements, listed("bob", "x")) == ids[:1]
        assert queries_of(connection, statements, listed("x")) == []
        assert queries_of(connection, statements, Collection(REST, JANUARY, "", "")) == ids[3:]


def test_seeds_of_a_list_are_those_of_all_its_batches(engine, batch):
    for number, values in enumerate((("ada", "bob"), ("cem",), ("zoe",)), start=1):
        run = batch(*values, of=listed("ada", "bob", "cem", "zoe"))
        run.ask(run.first(), video(number, username=values[0]))
    seeds = SeedSources(statements_for(engine.dialect))
    with reading(engine) as connection:
        found = seeds.find(SeedsOfQuery.of(LIST, 0), SeedKey.USERNAME)
        assert set(connection.scalars(found)) == {"ada", "cem"}


def test_a_day_of_a_list_was_searched_when_the_value_was_that_waits_longest(engine, batch):
    times = [NOON + timedelta(days=2 * n) for n in range(3)]
    searches = ((("ada",), days(1, 10)), (("bob",), days(1, 10)), (("ada", "bob"), days(1, 3)))
    for now, (values, window) in zip(times, searches, strict=True):
        run = batch(*values, now=now)
        run.ask(run.first(window))

    with reading(engine) as connection:
        (found,) = list_statuses(connection, TWO_DAYS, times[-1] + timedelta(days=1))

    first, _, last = (at.date() for at in times)
    assert [at.date() for at in found.searched] == [*[first] * 7, *[last] * 3]


def test_the_days_of_a_list_are_counted_by_the_last_search_of_each_of_its_queries(engine, batch):
    searches = (
        (("ada", "bob"), (1,), {"cursor": 3}),
        (("ada", "bob"), (1, 2), {"cursor": 3}),
        (("cem",), (3,), {"cursor": 1}),
        (("dan",), (4,), {"cursor": 9, "has_more": True}),
    )
    for n, (values, ids, answer) in enumerate(searches):
        run = batch(*values, now=NOON + timedelta(days=n))
        run.ask(run.first(days(10)), *map(video, ids), **answer)

    with reading(engine) as connection:
        (found,) = list_statuses(connection, TWO_DAYS, NOON + timedelta(days=9))

    assert found.counted == DayCount(videos=3, withheld=1)
