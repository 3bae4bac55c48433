from __future__ import annotations

from datetime import date, timedelta

import pytest
from query_files import DATES, TODAY, mistake, mistakes, read, wrong_usage

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.query_file.collection import read_collection
from tiktok_crawler.query_file.refreshing import KeepFresh

CONDITION = "regions: [US]\n"
FILE = DATES + CONDITION
DAY = timedelta(days=1)


def test_dates_are_resolved_and_kept_as_written(tmp_path):
    collection = read(tmp_path, f"start_date: 20240101\nend_date: 3 days ago\n{CONDITION}")
    assert collection.dates == DateRange(date(2024, 1, 1), date(2024, 6, 12))
    assert collection.start_written == "20240101"
    assert collection.end_written == "3 days ago"


@pytest.mark.parametrize("spelling", ["2024-06-12", "20240612", "3 days ago", "3 Days Ago"])
def test_dates_are_not_part_of_the_query(tmp_path, spelling):
    collection = read(tmp_path, f"start_date: {spelling}\nend_date: {spelling}\n{CONDITION}")
    assert collection.query == read(tmp_path, FILE).query
    assert collection.dates == DateRange(date(2024, 6, 12), date(2024, 6, 12))


def test_arguments_beat_the_file(tmp_path):
    text = f"{FILE}tags: [a]\nrefresh_after: 7 days\n"
    collection = read(
        tmp_path,
        text,
        start_date="2024-02-01",
        end_date="2024-02-29",
        tags="b, c,b",
        refresh_after="never",
    )
    assert collection.dates == DateRange(date(2024, 2, 1), date(2024, 2, 29))
    assert (collection.start_written, collection.end_written) == ("2024-02-01", "2024-02-29")
    assert collection.tags == ("b", "c")
    assert collection.refresh_after is None


@pytest.mark.parametrize("dates", ["", "start_date:\nend_date:\n"])
def test_the_file_needs_no_dates_that_arguments_give(tmp_path, dates):
    collection = read(tmp_path, dates + CONDITION, start_date="yesterday", end_date="today")
    assert collection.dates == DateRange(date(2024, 6, 14), TODAY)


def test_other_arguments_are_left_alone(tmp_path):
    assert read(tmp_path, FILE, max_requests="x") == read(tmp_path, FILE)


def test_without_overrides_the_file_alone_counts(tmp_path):
    read(tmp_path, FILE)
    collection = read_collection(tmp_path / "query.yaml", today=TODAY)
    assert collection.dates == DateRange(date(2024, 1, 1), date(2024, 3, 31))


@pytest.mark.parametrize("dates", ["", "start_date:\nend_date: \n"])
def test_dates_must_be_given_somewhere(tmp_path, dates):
    start, end = mistakes(tmp_path, dates + CONDITION)
    assert start.startswith("1:1: start_date: is missing; write start_date: 2024-01-31 or give")
    assert end.endswith("the argument -a end_date=2024-01-31")


@pytest.mark.parametrize(
    ("text", "essential"),
    [
        ("start_date: 01.01.2024\nend_date: today", "1:13: start_date: '01.01.2024' is not a date"),
        (
            "start_date: [2024-01-01]\nend_date: today",
            "1:13: start_date: must be one value, found a list",
        ),
        ("start_date: ''\nend_date: today", "1:13: start_date: '' is not a date"),
        (
            "start_date: 2024-01-01\nend_date: 2023-12-31",
            "2:11: end_date: 2023-12-31 is before the start_date, 2024-01-01",
        ),
        (
            "start_date: 3 days ago\nend_date: 2 weeks ago",
            "('2 weeks ago') is before the start_date, 2024-06-12 ('3 days ago')",
        ),
        (
            "start_date: 2024-01-01\nend_date: 2024-06-16",
            "2:11: end_date: 2024-06-16 is in the future; the last day allowed is today",
        ),
    ],
)
def test_bad_dates_of_the_file_are_mistakes_of_the_file(tmp_path, text, essential):
    assert essential in mistake(tmp_path, f"{text}\n{CONDITION}")


def test_both_dates_can_be_in_the_future(tmp_path):
    text = f"start_date: 2025-01-01\nend_date: 2025-01-31\n{CONDITION}"
    assert [line.split(":")[2].strip() for line in mistakes(tmp_path, text)] == [
        "start_date",
        "end_date",
    ]


@pytest.mark.parametrize(
    ("overrides", "essential"),
    [
        (
            {"start_date": "tomorow"},
            "-a start_date=tomorow: 'tomorow' is not a date; allowed: 2024",
        ),
        ({"end_date": ""}, "-a end_date=: '' is not a date; allowed: 2024-01-31, 20240131, today"),
        ({"end_date": "2025-01-01"}, "-a end_date=2025-01-01: 2025-01-01 is in the future"),
        ({"end_date": "2023-01-01"}, "-a end_date=2023-01-01: 2023-01-01 is before the start_date"),
        (
            {"start_date": "2024-06-01"},
            "-a start_date=2024-06-01: 2024-06-01 is after the end_date, 2024-03-31",
        ),
        (
            {"start_date": "today", "end_date": "1 week ago"},
            "-a end_date=1 week ago: 2024-06-08 ('1 week ago') is before the start_date",
        ),
        ({"tags": ""}, "-a tags=: '' is empty"),
        ({"tags": "a,,b"}, "-a tags=a,,b: '' is empty"),
        (
            {"refresh_after": "weekly"},
            "-a refresh_after=weekly: 'weekly' is not an age; allowed: 12",
        ),
        ({"refresh_after": "0 days"}, "'0 days' is not an age"),
    ],
)
def test_bad_arguments_are_wrong_usage(tmp_path, overrides, essential):
    (line,) = wrong_usage(tmp_path, FILE, **overrides)
    assert essential in line


def test_all_bad_arguments_are_named_at_once(tmp_path):
    lines = wrong_usage(tmp_path, FILE, start_date="x", end_date="y", tags="", refresh_after="z")
    assert [line.split("=")[0] for line in lines] == [
        "-a start_date",
        "-a end_date",
        "-a tags",
        "-a refresh_after",
    ]


def test_mistakes_of_the_file_come_before_those_of_the_arguments(tmp_path):
    (line,) = mistakes(tmp_path, f"{FILE}region: [US]\n", end_date="x")
    assert line.startswith("4:1: region: is not a key here")


def test_bad_values_in_the_file_are_reported_even_if_an_argument_beats_them(tmp_path):
    (line,) = mistakes(tmp_path, f"start_date: x\nend_date: today\n{CONDITION}", start_date="today")
    assert line.startswith("1:13: start_date: 'x' is not a date")


@pytest.mark.parametrize("end", ["today", "yesterday", "2024-06-14"])
def test_recent_days_are_collected_with_a_warning(tmp_path, end):
    (warning,) = read(tmp_path, f"start_date: 2024-01-01\nend_date: {end}\n{CONDITION}").warnings
    assert f"{tmp_path / 'query.yaml'}:2:11: end_date: 2024-06-1" in warning
    assert "up to 48 hours to appear" in warning
    assert "up to 10 days to settle" in warning


def test_older_days_are_collected_without_a_warning(tmp_path):
    text = f"start_date: 2016-09-01\nend_date: 2 days ago\n{CONDITION}"
    assert read(tmp_path, text).warnings == ()


def test_an_argument_can_be_the_reason_of_a_warning(tmp_path):
    (warning,) = read(tmp_path, FILE, end_date="yesterday").warnings
    assert warning.startswith("-a end_date=yesterday: 2024-06-14 ('yesterday') is recent")


def test_days_before_tiktok_get_a_warning(tmp_path):
    (warning,) = read(tmp_path, FILE, start_date="2016-08-31").warnings
    assert "2016-08-31 is before TikTok began" in warning


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("", ()),
        ("tags: []", ()),
        ("tags: one", ("one",)),
        ("tags: [b, a, b, ' a ']", ("b", "a")),
        ("tags: [NO, 0777, 12:30, 'x, y']", ("NO", "0777", "12:30", "x, y")),
        (f"tags: [{'x' * 100}]", ("x" * 100,)),
    ],
)
def test_tags_keep_their_order(tmp_path, text, tags):
    assert read(tmp_path, FILE + text).tags == tags


@pytest.mark.parametrize(
    ("text", "essential"),
    [
        ("tags: ['']", "4:8: tags: '' is empty"),
        ("tags:", "4:6: tags: has no value"),
        ("tags: a, b", "4:7: tags: 'a, b': write several values as a list, [a, b]"),
        ('tags: ["a\\tb"]', "tags: 'a\\tb' holds the unprintable character '\\t'"),
        (f"tags: [{'x' * 101}]", "is too long: 101 characters, allowed: 100"),
        ("tags: {a: b}", "4:7: tags: must be a list such as [a, b], found keys with values"),
    ],
)
def test_bad_tags(tmp_path, text, essential):
    assert essential in mistake(tmp_path, FILE + text)


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("", None),
        ("refresh_after: never", None),
        ("refresh_after: 7 days", timedelta(days=7)),
        ("refresh_after: 12h", timedelta(hours=12)),
    ],
)
def test_refreshing_is_off_unless_asked_for(tmp_path, text, age):
    assert read(tmp_path, FILE + text).refresh_after == age


def test_a_bad_refresh_after(tmp_path):
    assert "4:16: refresh_after: '7' is not an age" in mistake(tmp_path, f"{FILE}refresh_after: 7")
    assert "4:15: refresh_after: has no value" in mistake(tmp_path, f"{FILE}refresh_after:")


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("", []),
        ("revisit: [11 days, 3d]", [3, 11]),
        ("revisit: 2 weeks", [14]),
        ("revisit: never", []),
    ],
)
def test_days_are_revisited_at_each_of_the_ages_the_lowest_first(tmp_path, text, days):
    assert read(tmp_path, FILE + text).revisit == tuple(timedelta(days=each) for each in days)


@pytest.mark.parametrize(
    ("text", "essential"),
    [
        ("[3 days, 72h]", "4:19: revisit: '72h' is the same as '3 days'; take one of them out"),
        ("[3 days, never]", "4:19: revisit: 'never' cannot stand beside other ages"),
        ("[3 days, 0 days]", "4:19: revisit: '0 days' is not an age"),
        ("[3 days, soon]", "4:19: revisit: 'soon' is not an age; allowed: 12 hours"),
        ("3 days, 11 days", "write several values as a list, [a, b]"),
        ("", "4:9: revisit: has no value"),
    ],
)
def test_bad_ages_of_a_revisit(tmp_path, text, essential):
    assert essential in mistake(tmp_path, f"{FILE}revisit: {text}")


@pytest.mark.parametrize(
    ("text", "fresh", "words"),
    [
        ("15 days", KeepFresh(timedelta(days=15)), "15 days"),
        ("4 weeks", KeepFresh(timedelta(days=28)), "28 days"),
        ("36 hours", KeepFresh(timedelta(hours=36)), "36 hours"),
        ("15d With  Counters", KeepFresh(15 * DAY, counters=True), "15 days with counters"),
        ("never", None, "None"),
    ],
)
def test_data_is_kept_fresh_as_often_as_is_said(tmp_path, text, fresh, words):
    found = read(tmp_path, f"{FILE}keep_fresh: {text}").keep_fresh
    assert (found, str(found)) == (fresh, words)


@pytest.mark.parametrize(
    ("text", "essential"),
    [
        ("often", "4:13: keep_fresh: 'often' is not how often data is kept fresh; allowed: 15 d"),
        ("15 days and counters", "is not how often data is kept fresh"),
        ("12 hours", "4:13: keep_fresh: '12 hours' is less than a day"),
        ("{every: 15 days}", "4:13: keep_fresh: must be one value, found keys with values"),
    ],
)
def test_a_bad_keep_fresh(tmp_path, text, essential):
    assert essential in mistake(tmp_path, f"{FILE}keep_fresh: {text}")


def test_arguments_beat_how_fresh_the_file_wants_data(tmp_path):
    text = f"{FILE}revisit: [3 days]\nkeep_fresh: 15 days\n"
    fresh = read(tmp_path, text, revisit="4d, 11d", keep_fresh="30d with counters")
    never = read(tmp_path, text, revisit="never", keep_fresh="never")
    assert fresh.revisit == (timedelta(days=4), timedelta(days=11))
    assert fresh.keep_fresh == KeepFresh(timedelta(days=30), counters=True)
    assert (never.revisit, never.keep_fresh) == ((), None)
    (line,) = wrong_usage(tmp_path, FILE, revisit="3d,3 days")
    assert line.startswith("-a revisit=3d,3 days: '3 days' is the same as '3d'")


def test_days_of_a_sample_are_not_searched_again_but_it_can_be_checked_what_is_there(tmp_path):
    sample = f"{FILE}sample: {{per_day: 5}}\n"
    assert read(tmp_path, f"{sample}keep_fresh: 15 days").keep_fresh
    for text in ("keep_fresh: 15 days with counters", "revisit: [15 days]"):
        assert "15 days" in (found := mistake(tmp_path, sample + text))
        assert "days of a sample are drawn once" in found


@pytest.mark.parametrize(
    "condition",
    [
        "usernames: [{}]",
        "query: {{and: [{{operation: IN, field_name: username, field_values: [{}]}}]}}",
    ],
)
def test_more_than_10_usernames_get_a_warning(tmp_path, condition):
    names = [f"user{number}" for number in range(11)]
    (warning,) = read(tmp_path, DATES + condition.format(", ".join(names))).warnings
    assert f"{tmp_path / 'query.yaml'}:3:" in warning
    assert "11 usernames in one query" in warning
    assert "one unusable account can fail them all" in warning
    assert read(tmp_path, DATES + condition.format(", ".join(names[:10]))).warnings == ()


def test_excluded_usernames_need_no_warning(tmp_path):
    names = ", ".join(f"user{number}" for number in range(11))
    assert read(tmp_path, f"{FILE}exclude: {{usernames: [{names}]}}").warnings == ()
