"""What of a stage is due, by SQL, against the pure rule; and how it is handed out."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listed_pages import Crawl, stage
from marathon import times
from seed_rule import SeedFacts, request_for, standing
from sqlalchemy import insert, select, text, update
from stored_pages import MINUTE, NOON

from tiktok_crawler.planning.page_counts import most_pages
from tiktok_crawler.planning.task_states import Parked, SeedState
from tiktok_crawler.research_api.endpoints import COMMENTS, FOLLOWING, LIKED_VIDEOS, USERS
from tiktok_crawler.storage.ledger.due_seeds import DueSeeds
from tiktok_crawler.storage.ledger.standings import Standing
from tiktok_crawler.storage.models.ledger import SeedRow
from tiktok_crawler.storage.models.records import Video

SEED = SeedRow.__table__

TIMES = st.sampled_from([-2, -1, 0, 1, 2]).map(lambda hours: NOON + timedelta(hours=hours))
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "state": st.sampled_from(SeedState),
            "cursor": st.sampled_from([0, 100]),
            "record_count": st.integers(0, 3),
            "has_more": st.none() | st.booleans(),
            "suspicious": st.booleans(),
            "retry_at": st.none() | TIMES,
            "begun_at": st.none() | TIMES,
            "completed_at": st.none() | TIMES,
        }
    ),
    max_size=12,
)
LIMITS = st.fixed_dictionaries(
    {
        "limit": st.none() | st.integers(1, 3),
        "max_age": st.none() | st.sampled_from([0, 1, 2]).map(lambda hours: timedelta(hours=hours)),
    }
)
OTHERS = {"pages": 0, "requests": 0, "attempts": 0, "created_at": NOON, "updated_at": NOON}
TOTAL = 250
"""So many comments has every other seed."""


def store(engine, listing, found):
    """Let a database have these seeds alone, numbered from 1, and videos for some of them."""
    seeds = [
        OTHERS | row | {"id": number, "listing": listing.name, "seed": str(number)}
        for number, row in enumerate(found, start=1)
    ]
    videos = [
        {"id": seed["id"], "comment_count": TOTAL, "crawled_at": NOON}
        for seed in seeds
        if seed["id"] % 2
    ]
    with engine.begin() as connection:
        for table, values in ((SEED, seeds), (Video.__table__, videos)):
            connection.execute(table.delete())
            if values:
                connection.execute(insert(table), values)
        return list(connection.execute(select(SEED).order_by(SEED.c.id)))


@pytest.fixture
def due_seeds(engine):
    """Makes what is tested, of seeds that are named."""
    made = []

    def due_seeds(*names, listing=COMMENTS, now=NOON, **limits):
        made.append(DueSeeds(engine, stage(listing, *names, **limits), now))
        return made[-1]

    yield due_seeds
    for each in made:
        each.close()


def all_batches(seeds, count=1000):
    return list(iter(lambda: seeds.next_batch(count), ()))


EXAMPLES = settings(
    max_examples=times(2),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
LISTINGS = st.sampled_from([COMMENTS, FOLLOWING, LIKED_VIDEOS, USERS])
CASES = st.tuples(ROWS, LIMITS, TIMES, LISTINGS)


@pytest.mark.slow
@EXAMPLES
@given(CASES)
def test_sql_says_the_same_as_the_rule_on_sqlite(make_engine, prepared_sqlite_url, case):
    says_the_same(make_engine(prepared_sqlite_url), *case)


@pytest.mark.slow
@EXAMPLES
@given(CASES)
def test_sql_says_the_same_as_the_rule_on_postgresql(make_engine, prepared_postgresql_url, case):
    engine = make_engine(prepared_postgresql_url)
    says_the_same(engine, *case)
    engine.dispose()


def says_the_same(engine, found, limits, now, listing):
    """Compare plan, batches and result with what the rule says of each row."""
    rows = [*store(engine, listing, found), SeedFacts(str(len(found) + 1))]
    wanted = stage(listing, *(row.seed for row in rows), **limits)
    by_standing = {each: [] for each in Standing}
    for row in rows:
        by_standing[standing(row, wanted, now)].append(row)
    asked = [request_for(row, wanted, now) for row in by_standing[Standing.DUE]]
    waiting = by_standing[Standing.WAITING]

    with closing(DueSeeds(engine, wanted, now)) as seeds:
        plan, batches = seeds.plan(), all_batches(seeds, 5)
        most, result = seeds.look_ahead(plan).most_requests, seeds.result()

    requests = [request for batch in batches for request in batch]
    assert requests == asked
    assert [request.begun_at for request in requests] == [request.begun_at for request in asked]
    assert most == most_of(asked, listing)
    assert (plan.due, plan.waiting) == (len(asked), len(waiting))
    assert plan.next_retry_at == min((row.retry_at for row in waiting), default=None)
    assert plan.complete == result.complete == len(by_standing[Standing.COMPLETE])
    assert plan.refused == result.refused == len(by_standing[Standing.REFUSED])
    is_parked = Counter(
        row.state is SeedState.PARKED for row in (*by_standing[Standing.DUE], *waiting)
    )
    assert (result.open, result.parked) == (is_parked[False], is_parked[True])
    assert sum(result.tally.ends.values()) == result.complete
    assert sum(result.tally.refusals.values()) == result.refused


def most_of(asked, listing):
    """What the rule says of requests; seeds without a row have no video that could be counted."""
    has_total = [listing is COMMENTS and (r.task.row_id or 0) % 2 for r in asked]
    pages = [most_pages(r, TOTAL if h else None) for r, h in zip(asked, has_total, strict=True)]
    return None if None in pages else sum(pages)


@pytest.mark.slow
def test_many_named_seeds_come_in_their_order_and_in_batches(due_seeds):
    names = [str(number) for number in range(25_000, 0, -1)]
    seeds = due_seeds(*names, "25000")

    batches = all_batches(seeds)

    assert [request.seed.key for batch in batches for request in batch] == names
    assert {len(batch) for batch in batches} == {1000}
    assert seeds.plan().due == 25_000


def test_what_changes_between_batches_moves_no_other_seed(engine, due_seeds):
    store(engine, USERS, [{"state": SeedState.OPEN, "suspicious": False}] * 6)
    seeds = due_seeds(*"123456", listing=USERS)
    first = seeds.next_batch(2)
    with engine.begin() as connection:
        ended = {"state": SeedState.COMPLETE, "completed_at": NOON + MINUTE}
        connection.execute(update(SEED).where(SEED.c.seed.in_(["1", "4"])).values(ended))

    others = all_batches(seeds, 2)

    assert [r.seed.key for batch in (first, *others) for r in batch] == ["1", "2", "3", "5", "6"]
    assert (seeds.result().complete, seeds.result().open) == (2, 4)


def test_no_session_of_postgresql_is_kept_between_batches(make_engine, prepared_postgresql_url):
    engine = make_engine(prepared_postgresql_url)
    with closing(DueSeeds(engine, stage(USERS, *"123456"), NOON)) as seeds:
        first = seeds.next_batch(2)
        with engine.connect() as connection:
            others = text(
                "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            )
            connection.execute(others)
        batches = [first, *all_batches(seeds, 2)]

        assert [request.seed.key for batch in batches for request in batch] == list("123456")
        assert seeds.result().open == 6


def test_what_others_have_done_meanwhile_is_not_handed_out(make_engine, prepared_postgresql_url):
    engine = make_engine(prepared_postgresql_url)
    with closing(DueSeeds(engine, stage(USERS, *"1234"), NOON)) as seeds:
        first = seeds.next_batch(1)
        ended = {"state": SeedState.COMPLETE, "completed_at": NOON + MINUTE, "suspicious": False}
        store(engine, USERS, [{"state": SeedState.OPEN, "suspicious": False}, ended, ended])
        batches = [first, *all_batches(seeds, 2)]

    assert [request.seed.key for batch in batches for request in batch] == ["1", "4"]


def test_a_run_counts_what_its_seeds_have_become(prepared_url):
    with Crawl(prepared_url, stage(USERS, *"1234")) as crawl:
        crawl.ask(crawl.requests[0], {"display_name": "Ann"})
        booked = crawl.book(crawl.requests[1])
        crawl.session.end(booked, Parked("HTTP 500", None, booked.place), crawl.later())

    result = crawl.result
    assert (result.open, result.complete, result.parked, result.tally.stored) == (2, 1, 1, 1)
    assert not result.is_fulfilled


def test_nothing_is_left_in_the_database(engine, due_seeds):
    seeds = due_seeds("1")
    seeds.plan()
    seeds.close()

    with engine.connect() as connection:
        names = set(engine.dialect.get_table_names(connection))
        names |= set(engine.dialect.get_temp_table_names(connection))
    assert not {name for name in names if name.endswith("_seed")}
