"""What files of checks prove: the API still has what they list, and perhaps what they do not."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.planning.checks import (
    GoneAtOnce,
    Segment,
    in_order,
    judge_first,
    judge_second,
    tonight,
    too_much,
)
from tiktok_crawler.research_api.checks import ListedIds, read_ids, task_id_of

NOW = datetime(2024, 6, 1, 2, tzinfo=UTC)
DAY = timedelta(days=1)
AGE = 15 * DAY

IDS = st.sets(st.integers(1, 10**18), min_size=1, max_size=40)


def file_of(*ids, others=0):
    return ListedIds(tuple(ids), others)


def test_a_first_file_says_what_exists_and_what_it_misses():
    judged = judge_first([1, 2, 3, 4], file_of(3, 1))

    assert (judged.listed, judged.missed, judged.problem) == ({1, 3}, {2, 4}, None)


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        (file_of(), "its file is empty"),
        (file_of(8, 9), "its file lists none of the ids"),
        (file_of(1, 7, 8, 9), "most lines of its file are other ids"),
        (file_of(1, others=2), "most lines of its file are other ids"),
    ],
)
def test_a_first_file_that_proves_nothing(file, problem):
    judged = judge_first([1, 2], file)

    assert judged.problem == problem
    assert not judged.listed
    assert not judged.missed


def test_a_second_file_proves_what_it_misses_between_its_controls():
    judged = judge_second((9, 2, 3, 1), {9, 1}, file_of(9, 1))

    assert (judged.missed, judged.doubtful, judged.problem) == ({2, 3}, frozenset(), None)


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        (file_of(9), "its file lacks 1 of 2 records that exist"),
        (file_of(), "its file is empty"),
        (file_of(9, 1, 7), "its file has lines that are other ids"),
        (file_of(9, 1, others=1), "its file has lines that are other ids"),
    ],
)
def test_a_second_file_that_is_not_whole_proves_nothing(file, problem):
    judged = judge_second((9, 2, 3, 1), {9, 1}, file)

    assert judged.problem == problem
    assert not judged.missed


def test_without_other_records_nothing_is_proved():
    assert judge_second((2, 3), set(), file_of()).problem


def test_what_a_sorted_file_would_have_behind_its_last_line_is_doubtful():
    asked = (5, 9, 3, 4)
    assert judge_second(asked, {4, 5}, file_of(4, 5)).doubtful == {9}
    assert judge_second(asked, {4, 5}, file_of(5, 4)).doubtful == {3}


def test_a_check_asks_for_a_control_first_and_last():
    order = in_order([1, 2, 3], [7, 8, 9], seed=4)

    assert sorted(order) == [1, 2, 3, 7, 8, 9]
    assert {order[0], order[-1]} < {7, 8, 9}
    assert order == in_order([3, 2, 1], [9, 8, 7], seed=4)
    assert order != in_order([1, 2, 3], [7, 8, 9], seed=5)
    assert in_order([1], [], seed=1) == (1,)
    assert in_order([1], [2], seed=1) == (1, 2)


ORDERS = {
    "as asked": lambda asked: asked,
    "backwards": lambda asked: asked[::-1],
    "ascending": sorted,
    "descending": lambda asked: sorted(asked, reverse=True),
}


def test_a_file_of_one_line_may_be_cut_off_in_any_order():
    judged = judge_second((2, 1), {1}, file_of(1))

    assert (judged.missed, judged.doubtful) == (frozenset(), {2})


@given(
    ids=IDS,
    gone=st.data(),
    seed=st.integers(0, 99),
    order=st.sampled_from(sorted(ORDERS)),
)
def test_a_second_file_that_is_cut_off_never_proves_what_exists(ids, gone, seed, order):
    ids = sorted(ids)
    controls = gone.draw(st.sets(st.sampled_from(ids)))
    removed = gone.draw(st.sets(st.sampled_from(ids)))
    asked = in_order(set(ids) - controls, controls, seed)
    whole = [id_ for id_ in ORDERS[order](asked) if id_ not in removed]
    cut = gone.draw(st.integers(0, len(whole)))

    judged = judge_second(asked, controls, file_of(*whole[: len(whole) - cut]))

    assert judged.missed <= removed
    assert judged.listed <= set(ids) - removed


@given(ids=IDS, removed=st.data(), seed=st.integers(0, 99))
def test_a_whole_file_in_the_order_asked_proves_all_that_is_gone(ids, removed, seed):
    ids = sorted(ids)
    controls = {ids[-1] + 1, ids[-1] + 2}
    gone = removed.draw(st.sets(st.sampled_from(ids)))
    asked = in_order(ids, controls, seed)
    judged = judge_second(asked, controls, file_of(*(id_ for id_ in asked if id_ not in gone)))

    assert judged.missed | judged.doubtful == gone


@pytest.mark.parametrize(
    ("file", "ids", "others"),
    [
        (b"", (), 0),
        (b"1\n2\n", (1, 2), 0),
        (b"1\r\n2\r\n", (1, 2), 0),
        (b"\xef\xbb\xbf1\n2", (1, 2), 0),
        (b"video_id\n1\n2\n", (1, 2), 0),
        (b"id,status\n1,valid\n2,valid\n", (1, 2), 0),
        (b'"1"\n"2"\n\n', (1, 2), 0),
        (b"1\nno\n2\n", (1, 2), 1),
        (b"1\n\xff\n", (1,), 1),
        (b"1\n" + b"7" * 5000 + b"\n2", (1, 2), 1),
        (b"7" * 5000, (), 1),
        (b"1\n\xef\xbc\x92\n", (1,), 1),
        (b"\0\0\n1\0\n2\n2\n", (1, 2, 2), 0),
        (gzip.compress(b"1\n2\n", mtime=0), (), 0),
    ],
)
def test_files_are_read_however_they_look(file, ids, others):
    assert read_ids(file) == ListedIds(ids, others)


@pytest.mark.parametrize("task_id", ["1" * 21, "7" * 5000, "", "x", "\u0663", 1.0, True, None, -1])
def test_what_cannot_be_the_name_of_a_check_is_none(task_id):
    assert task_id_of({"task_id": task_id}) is None


@pytest.mark.parametrize("task_id", ["12345678901234567890", 12345678901234567890])
def test_the_name_of_a_check_has_up_to_20_digits(task_id):
    assert task_id_of({"task_id": task_id}) == "12345678901234567890"


def segment(first, last, ids, age):
    return Segment(first, last, ids, NOW - age)


def test_what_is_too_old_is_checked_and_nothing_else():
    old, young = segment(1, 9, 9, AGE), segment(10, 19, 9, 2 * DAY)

    assert tonight([young, old], NOW.date(), AGE) == [old]
    assert tonight([segment(1, 9, 0, AGE)], NOW.date(), AGE) == []
    assert tonight([], NOW.date(), AGE) == []


def test_what_came_in_one_night_is_spread_over_those_until_it_is_due():
    whole = segment(1, 10**9, 1_500_000, DAY)

    (some,) = tonight([whole], NOW.date(), AGE)

    assert (some.first, some.last) == (whole.first, whole.last)
    assert 0 < some.checks < 15


def test_what_is_left_of_a_segment():
    whole = segment(10, 20, 25_000, DAY)

    assert whole.without(1, 9) == whole
    assert whole.without(21, 30) == whole
    assert whole.without(5, 20) is None
    rest = whole.without(10, 14)
    assert (rest.first, rest.last, rest.ids) == (15, 20, 15_000)
    assert segment(10, 20, 9_000, DAY).without(10, 14) is None, "that was to be all of a night"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (GoneAtOnce(1_000, 50, {}), None),
        (GoneAtOnce(1_000, 51, {}), "51 of 1,000 records that nothing had been known against"),
        (GoneAtOnce(20, 19, {}), None),
        (GoneAtOnce(20, 20, {}), "20 of 20 records"),
        (GoneAtOnce(10**6, 30, {date(2024, 1, 5): (30, 100)}), "of 2024-01-05 30 of 100 stored"),
        (GoneAtOnce(10**6, 30, {date(2024, 1, 5): (30, 1_000)}), None),
        (GoneAtOnce(0, 0, {}), None),
    ],
)
def test_too_much_at_once_needs_a_person(found, words):
    reason = too_much(found, 0.05)

    assert reason is None if words is None else reason.startswith(words)
