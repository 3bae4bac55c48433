"""What is said of values that brought no video, and of queries that did not."""

from __future__ import annotations

import pytest

from tiktok_crawler.planning.query_values import Unseen, UnseenValue
from tiktok_crawler.reports.unseen_values import describe_unseen, unseen_as_json
from tiktok_crawler.research_api.query import Condition, Field, Query

API = "https://open.tiktokapis.com"
QUERY = Query((Condition("hashtag_name", "IN", ("butter", "electons")),))
NOTHING = "no video at all on the days that are covered. What may be wrong: "

EVERY_ONE = "a video needs every one of the ...: any_... instead takes one of them"


def one_line(*values, origin=API):
    (line,) = describe_unseen(Unseen(QUERY, origin, values=values))
    return line


def causes(query, *values, origin=API):
    line, *_ = describe_unseen(Unseen(query, origin, is_empty=True, values=values))
    assert line.startswith(NOTHING)
    return line.removeprefix(NOTHING).split("; ")


def equal(field, *values):
    return tuple(Condition(field, "EQ", (value,)) for value in values)


def test_nothing_is_said_where_nothing_is_known():
    assert list(describe_unseen(None)) == []
    assert list(describe_unseen(Unseen(QUERY, API))) == []
    assert unseen_as_json(None) == unseen_as_json(Unseen(QUERY, API)) == {"unseen": [], "empty": []}


@pytest.mark.parametrize(
    ("field", "words"),
    [
        (Field.HASHTAG_NAME, "no video so far had the hashtag"),
        (Field.KEYWORD, "no description so far had the keyword"),
        (Field.USERNAME, "no video so far was by the user"),
        (Field.REGION_CODE, "no video so far was from the region"),
        (Field.VIDEO_LENGTH, "no video so far had the length"),
        (Field.VIDEO_ID, "no video so far had the id"),
        (Field.MUSIC_ID, "no video so far had the music"),
        (Field.EFFECT_ID, "no video so far had the effect"),
    ],
)
def test_a_value_is_named_in_words(field, words):
    assert one_line(UnseenValue(field, "x")) == f'{words} "x"'


def test_values_of_a_field_are_one_line():
    names = [UnseenValue(Field.HASHTAG_NAME, name) for name in "ab"]
    regions = [UnseenValue(Field.REGION_CODE, "FR")]

    assert list(describe_unseen(Unseen(QUERY, API, values=(*names, *regions)))) == [
        'no video so far had the hashtag "a" or "b"',
        'no video so far was from the region "FR"',
    ]


def test_many_values_are_counted_in_words_and_listed_in_json():
    values = tuple(UnseenValue(Field.USERNAME, f"u{number:02}") for number in range(22))

    named = ", ".join(f'"u{number:02}"' for number in range(10))
    assert one_line(*values) == f"no video so far was by the user {named} and 12 more"
    assert len(unseen_as_json(Unseen(QUERY, API, values=values))["unseen"]) == 22


def test_a_name_like_it_is_named():
    value = UnseenValue(Field.HASHTAG_NAME, "electons", "elections")

    said = 'no video so far had the hashtag "electons" (did you mean "elections"?)'
    assert one_line(value) == said
    assert unseen_as_json(Unseen(QUERY, API, values=(value,)))["unseen"] == [
        {"field_name": "hashtag_name", "value": "electons", "similar": "elections"}
    ]


def test_the_sandbox_knows_its_hashtags():
    value = UnseenValue(Field.HASHTAG_NAME, "frommage")

    assert one_line(value) == 'no video so far had the hashtag "frommage"'
    assert one_line(value, origin="sandbox").endswith('"frommage" (did you mean "fromage"?)')


def test_what_would_steer_a_terminal_is_replaced():
    assert one_line(UnseenValue(Field.KEYWORD, "a\x1b[31m\u202eb", "c\nd")) == (
        'no description so far had the keyword "a�[31m�b" (did you mean "c�d"?)'
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (QUERY, ["the dates"]),
        (Query(equal("region_code", "FR")), ["the dates"]),
        (
            Query(equal("hashtag_name", "a", "b")),
            [
                EVERY_ONE.replace("...", "hashtags"),
                "the dates",
            ],
        ),
        (
            Query(equal("keyword", "a", "b"), (), equal("username", "ann")),
            [
                EVERY_ONE.replace("...", "keywords"),
                "what is excluded",
                "the dates",
            ],
        ),
        (
            Query((*equal("hashtag_name", "a"), *equal("keyword", "b"))),
            ["all conditions have to hold for the same video", "the dates"],
        ),
        (
            Query(equal("hashtag_name", "a"), equal("keyword", "b")),
            ["all conditions have to hold for the same video", "the dates"],
        ),
    ],
)
def test_an_empty_query_says_what_may_be_wrong(query, expected):
    assert causes(query) == expected


def test_spelling_is_suspected_of_what_can_be_misspelled():
    values = [
        UnseenValue(Field.HASHTAG_NAME, "electons", "elections"),
        UnseenValue(Field.USERNAME, "ann"),
        UnseenValue(Field.REGION_CODE, "FR"),
    ]

    spelling, *_ = causes(QUERY, *values)
    assert spelling == 'the spelling of "electons" (did you mean "elections"?) or "ann"'


def test_on_the_sandbox_hashtags_and_regions_are_told():
    values = (UnseenValue(Field.HASHTAG_NAME, "fyp"), UnseenValue(Field.REGION_CODE, "AQ"))
    empty = Unseen(QUERY, "sandbox", is_empty=True, values=values)

    line, sandbox = describe_unseen(empty)
    assert "spelling" not in line
    assert sandbox.startswith(
        "the sandbox has 143 frequent hashtags, such as fyp, foryou, viral, cheese"
    )
    regions = "US, FR, GB, DE, JP, BR, MX, ES, IT, ID, TR, SA, EG, KR, IN, PL, NO, IL, UA, NG"
    assert sandbox.endswith(f", and the regions {regions}")
    assert unseen_as_json(empty)["empty"] == [line, sandbox]
