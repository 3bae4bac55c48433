"""The tags of a run go to what earlier runs of the query stored."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from stored_pages import (
    JANUARY,
    JANUARY_10,
    NOON,
    OTHER_QUERY,
    collection,
    content,
    crawl_tags,
    first_request,
    page,
    query_id_of,
    video_tags,
)

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.task_states import Parked

DAY = 86_400
LATER = NOON + timedelta(hours=1)
TENTH = DateRange(date(2024, 1, 10), date(2024, 1, 10))


def at(number, seconds):
    return {"id": number, "create_time": seconds}


@pytest.fixture
def register(engine):
    """Registers collections of January, unless they say something else."""

    def register(now=LATER, **wish):
        query_id_of(engine, collection(**wish), now)

    return register


@pytest.fixture
def january(engine, store):
    """The request of a window that has a page, which is not its last."""
    answer = page(
        first_request(engine),
        at(1, JANUARY_10 - 1),
        at(2, JANUARY_10),
        at(3, JANUARY_10 + DAY - 1),
        at(4, JANUARY_10 + DAY),
        {"id": 5},
        has_more=True,
    )
    store.save(answer, tags=["first"])
    return answer.next_request


def tagged(engine, tag):
    """The videos with a tag, and how many pages have it."""
    videos = [video_id for video_id, name in video_tags(engine) if name == tag]
    return videos, sum(name == tag for _, name in crawl_tags(engine))


@pytest.mark.usefixtures("january")
def test_tags_go_to_pages_and_videos_of_the_wanted_days(engine, register):
    register(tags=("all", "also"))
    register(dates=TENTH, tags=("tenth",))

    assert tagged(engine, "all") == tagged(engine, "also") == ([1, 2, 3, 4, 5], 1)
    assert tagged(engine, "tenth") == ([2, 3, 5], 1)


@pytest.mark.usefixtures("january")
def test_days_that_no_window_has_are_not_tagged(engine, register):
    register(dates=DateRange(date(2024, 2, 1), date(2024, 2, 3)), tags=("x",))

    assert tagged(engine, "x") == ([], 0)


@pytest.mark.usefixtures("january")
def test_another_query_tags_nothing(engine, register):
    register(query=OTHER_QUERY, tags=("x",))

    assert tagged(engine, "x") == ([], 0)


@pytest.mark.usefixtures("january")
def test_a_run_without_tags_changes_none(engine, register):
    register()

    assert tagged(engine, "first") == ([1, 2, 3, 4, 5], 1)


def test_windows_in_any_state_are_tagged(engine, register, search, store, january):
    run = search()
    store.save(page(january, at(6, JANUARY_10), received_at=LATER), tags=())
    parked = page(run.booked(), at(7, JANUARY_10), has_more=True)
    store.save(parked, tags=())
    following = parked.next_request
    run.session.end(following, Parked("too heavy", None, following.place), LATER)

    register(tags=("x",))

    assert tagged(engine, "x") == ([1, 2, 3, 4, 5, 6, 7], 3)


@pytest.mark.usefixtures("january")
def test_what_a_run_has_tagged_is_not_read_again(register, statements):
    register(tags=("x", "y"))
    statements.clear()

    for dates, tags in ((JANUARY, ("x", "y")), (TENTH, ("y",))):
        register(LATER + timedelta(hours=1), dates=dates, tags=tags)

    assert statements
    assert not [text for text in statements if "videos_to" in text]


def test_pages_that_came_after_a_run_began_are_tagged_by_the_next_one(
    engine, register, store, january
):
    register(NOON + timedelta(minutes=1), tags=("x",))
    answer = page(january, at(6, JANUARY_10), received_at=LATER)
    store.save(answer, tags=())

    register(LATER + timedelta(minutes=1), tags=("x",))

    assert tagged(engine, "x") == ([1, 2, 3, 4, 5, 6], 2)


def test_so_are_those_that_came_after_it_by_a_clock_that_is_behind(
    engine, register, store, january
):
    register(LATER, tags=("x",))
    store.save(page(january, at(6, JANUARY_10), received_at=LATER - timedelta(minutes=10)), tags=())

    register(LATER + timedelta(minutes=1), tags=("x",))

    assert tagged(engine, "x") == ([1, 2, 3, 4, 5, 6], 2)


@pytest.mark.usefixtures("january")
def test_a_run_for_some_days_leaves_the_others_to_a_wider_one(engine, register):
    register(dates=TENTH, tags=("x",))
    register(LATER + timedelta(minutes=1), tags=("x",))

    assert tagged(engine, "x") == ([1, 2, 3, 4, 5], 1)


@pytest.mark.usefixtures("january")
def test_a_run_that_fails_registers_and_tags_nothing(engine, register, interrupted):
    before = content(engine)

    with interrupted(engine, "INSERT INTO collection"):
        register(tags=("x",))

    assert content(engine) == before


def test_a_run_that_goes_on_with_a_wider_window_tags_the_videos_of_its_days_alone(engine, search):
    first = search(tags=("january",))
    following = first.ask(first.first(), at(1, JANUARY_10 + 9 * DAY), has_more=True)
    second = search(dates=TENTH, tags=("tenth",), now=LATER)
    following = second.ask(
        following,
        at(2, JANUARY_10 + DAY),
        at(3, JANUARY_10 + DAY - 1),
        at(4, JANUARY_10),
        {"id": 5},
        has_more=True,
    )
    second.ask(following, at(6, JANUARY_10 - 1))

    assert tagged(engine, "tenth") == ([3, 4, 5], 3)


def test_the_other_videos_have_the_tags_of_the_runs_that_asked_for_their_days(engine, search):
    first = search(tags=("january",))
    following = first.ask(first.first(), at(1, JANUARY_10 + 9 * DAY), has_more=True)
    search(dates=DateRange(date(2024, 1, 8), date(2024, 1, 9)), tags=("before", "both"))
    search(query=OTHER_QUERY, tags=("other",))
    second = search(dates=TENTH, tags=("tenth", "both"), now=LATER)
    second.ask(following, at(2, JANUARY_10), at(3, JANUARY_10 - 1), at(4, JANUARY_10 - 3 * DAY))

    assert tagged(engine, "january") == ([1, 2, 3, 4], 2)
    assert tagged(engine, "before") == ([3], 2)
    assert tagged(engine, "tenth") == ([2], 2)
    assert tagged(engine, "both") == ([2, 3], 2)
    assert tagged(engine, "other") == ([], 0)


def test_the_time_of_a_video_may_be_known_from_before(engine, search):
    first = search()
    following = first.ask(first.first(), at(1, JANUARY_10 + DAY), has_more=True)
    second = search(dates=TENTH, tags=("tenth",), now=LATER)
    second.ask(following, {"id": 1}, {"id": 2})

    assert tagged(engine, "tenth") == ([2], 2)
