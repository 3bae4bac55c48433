"""How fresh data is kept, as texts that tables and archives have, and back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.query_file.refreshing import KeepFresh, Refreshing, parse_keep_fresh
from tiktok_crawler.query_file.written_dates import age_as_written, parse_age

DAY = timedelta(days=1)

written = st.builds("{} {}".format, st.integers(1, 9999), st.sampled_from("hdw"))
ages = written.map(parse_age)
fresh = st.builds(KeepFresh, ages.filter(lambda age: age >= DAY), st.booleans())


@given(written)
def test_every_age_can_be_written_into_a_query_file_again(text):
    assert parse_age(age_as_written(parse_age(text))) == parse_age(text)


@given(st.builds(Refreshing, st.none() | ages, st.lists(ages).map(tuple), st.none() | fresh))
def test_what_is_written_is_read_as_the_same(keys):
    assert Refreshing.from_json(keys.to_json()) == keys


@given(fresh)
def test_how_often_data_is_kept_fresh_is_written_as_in_a_query_file(keep_fresh):
    assert parse_keep_fresh(str(keep_fresh)) == keep_fresh


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (DAY, "1 day"),
        (14 * DAY, "14 days"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=9997), "9997 hours"),
        (1000 * DAY, "1000 days"),
        (10500 * DAY, "1500 weeks"),
        (timedelta.max, "never"),
    ],
)
def test_an_age_is_written_in_days_where_a_query_file_takes_them(age, text):
    assert age_as_written(age) == text


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("1,000 days", 1000 * DAY),
        ("1,001 hours", timedelta(hours=1001)),
        ("10,500 days", timedelta(weeks=1500)),
        ("69,993 days", timedelta(weeks=9999)),
    ],
)
def test_ages_that_earlier_runs_wrote_for_people_are_read(text, age):
    words = {"refresh_after": text, "revisit": f"3 days, {text}"}
    if age >= DAY:
        words["keep_fresh"] = f"{text} with counters"
    found = Refreshing.from_json(words)
    assert found == Refreshing(age, (3 * DAY, age), KeepFresh(age, counters=True))


@pytest.mark.parametrize("text", ["", "1,00 days", "10,501 days", "99,999 days", "1,000,000 days"])
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError, match="is not an age"):
        Refreshing.from_json({"refresh_after": text})
