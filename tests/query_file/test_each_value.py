"""Lists under `each`: what they hold, how dates follow from ids, and what is said of mistakes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from query_files import DATES, TODAY, mistake, mistakes, read

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.query_file.each_value import EACH, Each
from tiktok_crawler.query_file.options import OPTIONS
from tiktok_crawler.research_api.query import Condition, Field, Operation, Query
from tiktok_crawler.research_api.video_ids import days_of, time_of

NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)


def id_at(at: datetime) -> int:
    """An id of a video that was made at this time."""
    return (int(at.timestamp()) << 32) + 7


def of_ids(*times: datetime) -> str:
    return f"each: {{video_ids: [{', '.join(str(id_at(at)) for at in times)}]}}\n"


@pytest.mark.parametrize(
    ("text", "field", "values"),
    [
        ("{usernames: [bob, '@Ada', ada]}", Field.USERNAME, ("ada", "bob")),
        ("{usernames: ada}", Field.USERNAME, ("ada",)),
        ("{hashtags: ['#Butter', bread]}", Field.HASHTAG_NAME, ("bread", "butter")),
        ("{keywords: ['Bread, fresh', ' rye ']}", Field.KEYWORD, ("Bread, fresh", "rye")),
        ("{music_ids: [71, 7]}", Field.MUSIC_ID, ("7", "71")),
        ("{effect_ids: ['0']}", Field.EFFECT_ID, ("0",)),
    ],
)
def test_values_have_the_form_of_the_api_and_no_order(tmp_path, text, field, values):
    collection = read(tmp_path, f"{DATES}each: {text}\n")
    assert collection.each == Each(field, values)
    assert collection.query == Query()


def test_values_come_from_a_file(tmp_path):
    (tmp_path / "accounts.csv").write_text("rank,username\n1,Ada\n2,bob\n3,ada\n")
    collection = read(tmp_path, f"{DATES}each: {{usernames: {{file: accounts.csv}}}}\n")
    assert collection.each == Each(Field.USERNAME, ("ada", "bob"))
    assert collection.lists == (tmp_path / "accounts.csv",)
    assert "left out 1 repeat" in collection.warnings[0]


def test_the_rest_applies_to_some_values_at_a_time(tmp_path):
    text = f"{DATES}tags: [a]\nregions: [US]\neach: {{usernames: [ada, bob, cem]}}\n"
    collection = read(tmp_path, f"{text}also_collect: [users]\n")
    some = collection.for_values(["bob", "ada"])
    assert some.query == Query(
        (
            Condition(Field.REGION_CODE, Operation.EQ, ("US",)),
            Condition(Field.USERNAME, Operation.IN, ("ada", "bob")),
        )
    )
    assert (some.each, some.also_collect) == (None, ())
    assert (some.dates, some.tags) == (collection.dates, ("a",))


def test_a_template_tells_rests_and_fields_apart_but_no_values(tmp_path):
    ada, bob, tag, rest = (
        read(tmp_path, f"{DATES}{text}\n").fingerprint
        for text in (
            "each: {usernames: [ada]}",
            "each: {usernames: [bob]}",
            "each: {hashtags: [ada]}",
            "regions: [US]\neach: {usernames: [ada]}",
        )
    )
    assert ada == bob
    assert len({ada, tag, rest}) == 3
    plain = read(tmp_path, f"{DATES}usernames: [ada]\n")
    assert plain.fingerprint == plain.query.fingerprint != ada


def test_a_long_list_of_accounts_needs_no_warning(tmp_path):
    names = ", ".join(f"user{number}" for number in range(50))
    assert read(tmp_path, f"{DATES}each: {{usernames: [{names}]}}\n").warnings == ()


def test_an_id_tells_its_days():
    late = datetime(2024, 2, 29, 23, 50, tzinfo=UTC)
    assert time_of(id_at(late)) == late
    assert days_of(id_at(late)) == DateRange(date(2024, 2, 29), date(2024, 3, 1))
    assert len(days_of(id_at(late - timedelta(minutes=20)))) == 1


def test_ids_need_no_dates(tmp_path):
    collection = read(tmp_path, of_ids(NEW_YEAR + timedelta(days=60), NEW_YEAR))
    assert collection.dates == DateRange(date(2024, 1, 1), date(2024, 3, 1))
    assert (collection.start_written, collection.end_written) == ("2024-01-01", "2024-03-01")


@pytest.mark.parametrize(
    ("dates", "days"),
    [
        ("start_date: 2024-01-05\n", DateRange(date(2024, 1, 5), date(2024, 3, 1))),
        ("end_date: 2024-02-01\n", DateRange(date(2024, 1, 1), date(2024, 2, 1))),
    ],
)
def test_ids_of_other_days_are_left_out(tmp_path, dates, days):
    collection = read(tmp_path, dates + of_ids(NEW_YEAR, NEW_YEAR + timedelta(days=60)))
    assert collection.dates == days
    assert collection.each
    assert len(collection.each.values) == 1
    (warning,) = collection.warnings
    assert f"each: left out 1 id of videos that were not published on {days}" in warning


def test_ids_that_are_all_of_other_days_are_a_mistake(tmp_path):
    text = "start_date: 2024-02-01\nend_date: 2024-02-03\n" + of_ids(NEW_YEAR)
    assert mistake(tmp_path, text) == (
        "3:1: each: none of the 1 video id can be of a video of 2024-02-01..2024-02-03"
    )


@pytest.mark.parametrize("dates", ["start_date: today\n", "end_date: 2016-01-01\n"])
def test_a_date_on_the_other_side_of_all_ids_leaves_none(tmp_path, dates):
    assert "none of the 1 video id can be" in mistake(tmp_path, dates + of_ids(NEW_YEAR))


@pytest.mark.parametrize("year", [1999, 2030])
def test_ids_of_no_possible_time_are_named_with_their_line(tmp_path, year):
    wrong = id_at(datetime(year, 1, 1, tzinfo=UTC))
    (tmp_path / "ids.txt").write_text(f"{id_at(NEW_YEAR)}\n{wrong}\n")
    with pytest.raises(Exception, match=r"ids\.txt:2: each\.video_ids: ") as caught:
        read(tmp_path, "each: {video_ids: {file: ids.txt}}\n")
    assert str(caught.value).endswith(
        f"'{wrong}' tells {year}-01-01 as its day, and TikTok has videos of 2016-09-01..{TODAY}; "
        "if it is one all the same, search for it under video_ids, with dates"
    )


def test_dates_in_the_wrong_order_are_a_mistake_beside_ids_too(tmp_path):
    text = "start_date: 2024-02-01\nend_date: 2024-01-03\n" + of_ids(NEW_YEAR)
    assert "is before the start_date" in mistake(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("each:", f"each: takes the values of one list, found none; allowed: {', '.join(EACH)}"),
        ("each: {}", "each: takes the values of one list, found none; "),
        ("each: [ada]", "each: must hold keys with values, found a list; allowed: usernames, "),
        ("each: {usernames: []}", "each.usernames: is an empty list"),
        ("each: {regions: [US]}", "each.regions: is not a key here; allowed: usernames, "),
        ("each: {usernames: [ada], hashtags: [b]}", "each: takes the values of one list, found 2"),
        ("each: {usernames: ['a b']}", "each.usernames: 'a b' is not one username"),
        ("each: {video_ids: [x]}", "each.video_ids: 'x' is not an id"),
        ("each: {keywords: [{file: none.csv}]}", "each.keywords.file: "),
        ("usernames: [a]\neach: {usernames: [b]}", "usernames: cannot stand beside each, which"),
        ("sample: {per_day: 5}\neach: {usernames: [b]}", "each: cannot stand beside sample"),
        ("exclude: {usernames: [a]}\neach: {usernames: [b]}", "exclude.usernames: cannot stand"),
    ],
)
def test_each_mistake_is_named(tmp_path, text, words):
    dates = "" if "video_ids" in text else DATES
    assert words in mistake(tmp_path, f"{dates}{text}\n")


def test_a_raw_query_has_no_condition_on_the_same_field(tmp_path):
    text = (
        "query:\n  and:\n  - {field_name: hashtag_name, operation: EQ, field_values: [a]}\n"
        "each: {hashtags: [b]}\n"
    )
    assert "query.and.field_values: cannot stand beside each" in mistake(tmp_path, DATES + text)


def test_a_value_that_no_index_holds_is_a_mistake(tmp_path):
    line = mistake(tmp_path, f"{DATES}each: {{keywords: [{'a' * 501}]}}\n")
    assert line.endswith("has 501 characters, allowed: 500")


def test_all_mistakes_are_told_together(tmp_path):
    text = "start_date: never\nregions: [XX]\neach: {usernames: ['a b', 'c d']}\n"
    assert len(mistakes(tmp_path, text)) == 5


def test_options_are_no_values(tmp_path):
    assert "it stands at the top of the file" in mistake(
        tmp_path, f"{DATES}each: {{{OPTIONS[0]}: today}}\n"
    )
    with pytest.raises(UsageError):
        read(tmp_path, f"{DATES}each: {{usernames: [ada]}}\n", tags=" ")
