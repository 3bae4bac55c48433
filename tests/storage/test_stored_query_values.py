"""Pages keep which values of their query's lists they bring; what is missing is read from that."""

from __future__ import annotations

import pytest
from listed_pages import store_list
from marathon import on_both
from sqlalchemy import event
from stored_pages import JANUARY, rows, video

from tiktok_crawler.date_range import DAY, DateRange
from tiktok_crawler.planning.query_values import LONGEST_VALUE, UnseenValue
from tiktok_crawler.research_api.endpoints import LIKED_VIDEOS, VIDEO_QUERY
from tiktok_crawler.research_api.query import Condition, Field, Query

TAGS = Query((Condition("hashtag_name", "IN", ("butter", "electons", "tea")),))
FIRST = DateRange(JANUARY.start, JANUARY.start)
REST = DateRange(JANUARY.start + DAY, JANUARY.end)


def of(field, *values):
    return Condition(field, "IN", values)


def pages_of(engine):
    """Which page brought which value first."""
    return {
        (row["field_name"], row["value"]): row["crawl_id"] for row in rows(engine, "query_value")
    }


def values_in(engine):
    return {value for _, value in pages_of(engine) if value}


def unseen(run):
    return run.session.result().unseen


def unseen_values(run):
    return [(each.field.value, each.value) for each in unseen(run).values]


def test_a_page_keeps_what_it_is_the_first_to_bring(search, engine):
    run = search(query=TAGS)
    rest = run.ask(run.first(), video(1, hashtag_names=["Butter", "x"]), has_more=True)
    assert pages_of(engine) == {("hashtag_name", ""): 1, ("hashtag_name", "butter"): 1}
    rest = run.ask(rest, video(2, hashtag_names=["butter"]), has_more=True)
    run.ask(rest, video(3, hashtag_names=["butter", "tea"]))

    assert pages_of(engine)["hashtag_name", "butter"] == 1
    assert pages_of(engine)["hashtag_name", "tea"] == 3


def test_another_run_changes_nothing_about_what_is_known(search, engine):
    run = search(query=TAGS)
    run.ask(run.first(FIRST), video(1, hashtag_names=["butter"]))
    known = pages_of(engine)
    run = search(query=TAGS)
    run.ask(run.first(REST), video(2, hashtag_names=["butter"]))

    assert pages_of(engine) == known


def test_what_is_known_costs_no_statement(search):
    run = search(query=TAGS)
    rest = run.ask(run.first(), video(1, hashtag_names=["butter"]), has_more=True)
    texts = []
    event.listen(run.session.engine, "before_cursor_execute", lambda *args: texts.append(args[2]))
    run.ask(rest, video(2, hashtag_names=["butter"]))

    assert texts
    assert not [text for text in texts if "query_value" in text]


def test_what_a_page_brings_is_in_its_transaction(search, engine, interrupted):
    run = search(query=TAGS)
    request = run.booked()
    with interrupted(run.session.engine, "INSERT INTO query_value"):
        run.store(request, video(1, hashtag_names=["butter"]))
    assert rows(engine, "crawl") == []
    assert values_in(engine) == set()

    run.store(request, video(1, hashtag_names=["butter"]))
    assert values_in(engine) == {"butter"}


def test_a_page_whose_commit_was_in_doubt_is_stored_once_more_without_harm(search, engine):
    run = search(query=TAGS)
    request, now = run.booked(), run.later()
    for _ in range(2):
        run.store(request, video(1, hashtag_names=["butter"]), received_at=now)
        run = search(query=TAGS)

    assert pages_of(engine) == {("hashtag_name", ""): 1, ("hashtag_name", "butter"): 1}


@pytest.mark.parametrize(
    ("prepared_url", "condition", "record", "found"),
    on_both(
        [
            (
                of("hashtag_name", "a", "b"),
                {"hashtag_info_list": [{"hashtag_name": "A"}, 7, {}]},
                {"a"},
            ),
            (of("hashtag_name", "a", "b"), {"hashtag_info_list": {"hashtag_name": "a"}}, set()),
            (of("region_code", "FR", "US"), {"region_code": "us"}, {"US"}),
            (of("username", "ann", "bob"), {"username": "Bob"}, {"bob"}),
            (of("music_id", "7", "8"), {"music_id": "7"}, {"7"}),
            (of("effect_id", "7", "8"), {"effect_ids": ["8"]}, {"8"}),
            (of("effect_id", "7", "8"), {"effect_info_list": [{"effect_id": 7}]}, {"7"}),
            (of("video_length", "SHORT", "LONG"), {"video_duration": 100}, {"LONG"}),
            (of("video_id", "1", "2"), {}, {"1"}),
            (
                of("keyword", "green tea", "milk"),
                {"video_description": "Tea! Green."},
                {"green tea"},
            ),
            (
                of("keyword", "tea", "milk"),
                {"video_description": "", "voice_to_text": "Milk"},
                {"milk"},
            ),
            (of("keyword", "tea", "milk"), {"voice_to_text": "milk"}, set()),
        ]
    ),
    indirect=["prepared_url"],
)
def test_each_field_of_a_query_is_found_in_what_shows_it(search, engine, condition, record, found):
    run = search(query=Query((condition,)))
    run.ask(run.first(), video(1, **record))

    assert values_in(engine) == found


def test_queries_without_lists_and_listings_keep_nothing(search, engine, prepared_url):
    run = search(query=Query((of("hashtag_name", "butter"),)))
    run.ask(run.first(), video(1, hashtag_names=["butter"]))
    store_list(prepared_url, LIKED_VIDEOS, "ann", video(1, hashtag_names=["butter"]))

    assert rows(engine, "query_value") == []


def test_values_that_are_too_long_for_an_index_are_stored_nowhere(search, engine):
    long = "🧀" * LONGEST_VALUE
    run = search(query=Query((of("keyword", long, f"{long}!"),)))
    run.ask(run.first(), video(1, video_description=f"{long}!"))

    assert values_in(engine) == {long}


def test_values_without_a_video_are_told_as_soon_as_a_window_is_complete(search):
    run = search(query=TAGS)
    rest = run.ask(run.first(), video(1, hashtag_names=["butter"]), has_more=True)
    assert unseen(run) is None
    run.ask(rest)

    assert unseen_values(run) == [("hashtag_name", "electons"), ("hashtag_name", "tea")]
    assert not unseen(run).is_empty
    assert unseen(run).origin == "sandbox"


def test_what_was_found_by_any_run_is_not_told(search):
    run = search(query=TAGS)
    run.ask(run.first(FIRST), video(1, hashtag_names=["butter", "electons"]))
    run = search(query=TAGS)
    run.ask(run.first(REST), video(2, hashtag_names=["tea"]))

    assert unseen_values(run) == []


def test_another_query_has_values_of_its_own(search):
    run = search(query=TAGS)
    run.ask(run.first(), video(1, hashtag_names=["butter"]))
    other = search(query=Query((of("hashtag_name", "butter", "tea"),)))
    other.ask(other.first(), video(2, hashtag_names=["tea"]))

    assert unseen_values(other) == [("hashtag_name", "butter")]


def test_nothing_is_told_of_fields_that_were_not_asked_for(search):
    few = tuple(field for field in VIDEO_QUERY.fields if not field.startswith("hashtag"))
    run = search(query=TAGS)
    run.ask(run.first(FIRST), video(1, hashtag_names=["butter"]))
    assert unseen_values(run)
    run.ask(run.first(REST, fields=few), video(2))

    assert unseen_values(run) == []


def test_nothing_is_told_of_fields_that_the_api_did_not_deliver(search):
    run = search(query=Query((of("region_code", "FR", "US"), *TAGS.and_)))
    run.ask(run.first(), video(1, hashtag_names=[]))

    assert unseen_values(run) == []


def test_all_values_of_a_query_without_a_video_are_told(search):
    run = search(query=Query((of("region_code", "FR"), of("hashtag_name", "a", "b"))))
    run.ask(run.first())

    assert unseen(run).is_empty
    assert unseen_values(run) == [
        ("hashtag_name", "a"),
        ("hashtag_name", "b"),
        ("region_code", "FR"),
    ]


@pytest.mark.parametrize(
    ("stored", "similar"),
    [
        ("elections", "elections"),
        ("election", "election"),
        ("butter", None),
        ("elephant", None),
        ("selections", None),
        ("electonsofthecentury", None),
    ],
)
def test_a_hashtag_like_one_without_a_video_is_looked_up(search, stored, similar):
    run = search(query=TAGS)
    run.ask(run.first(), video(1, hashtag_names=["butter", "tea", stored]))

    (value,) = unseen(run).values
    assert value == UnseenValue(Field.HASHTAG_NAME, "electons", similar)


def test_only_some_hashtags_are_looked_up(search):
    names = [f"electons{number}" for number in range(30)]
    run = search(query=Query((of("hashtag_name", "butter", *names),)))
    run.ask(run.first(), video(1, hashtag_names=["butter", "elections"]))

    similar = [each.similar for each in unseen(run).values]
    assert similar == ["elections"] * 10 + [None] * 20
