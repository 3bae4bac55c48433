from __future__ import annotations

import pytest
from query_files import DATES, compiled, mistake, mistakes


def conditions(folder, text):
    """What a file asks for: group, field, operation and values of each condition."""
    return [
        " ".join([group, each["field_name"], each["operation"], ", ".join(each["field_values"])])
        for group, found in compiled(folder, text).items()
        for each in found
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("include: {any_hashtags: [cheese, butter]}", ["and hashtag_name IN butter, cheese"]),
        ("include: {any_hashtags: [butter]}", ["and hashtag_name EQ butter"]),
        (
            "include: {all_hashtags: [butter, cheese]}",
            ["and hashtag_name EQ butter", "and hashtag_name EQ cheese"],
        ),
        ("include: {any_keywords: [home made, bread]}", ["and keyword IN bread, home made"]),
        ("include: {all_keywords: [b, a]}", ["and keyword EQ a", "and keyword EQ b"]),
        ("include: {any_keywords: ' #RStats, Again '}", ["and keyword EQ #RStats, Again"]),
        (
            "include: {either: {hashtags: [butter], keywords: [butter, bread]}}",
            ["or hashtag_name EQ butter", "or keyword IN bread, butter"],
        ),
        (
            "exclude: {any_hashtags: [ad, win], any_keywords: [prize], usernames: [eve]}",
            ["not hashtag_name IN ad, win", "not keyword EQ prize", "not username EQ eve"],
        ),
        ("regions: [us, FR]", ["and region_code IN FR, US"]),
        ("regions: NO", ["and region_code EQ NO"]),
        ("usernames: ['@Ann.B']", ["and username EQ ann.b"]),
        ("video_ids: [7318480000000000001]", ["and video_id EQ 7318480000000000001"]),
        ("music_ids: [2, 1]", ["and music_id IN 1, 2"]),
        ("effect_ids: [0]", ["and effect_id EQ 0"]),
        ("video_lengths: [short, MID]", ["and video_length IN MID, SHORT"]),
        (
            "view_count: {gte: 1000, lt: 2000}",
            ["and view_count GTE 1000", "and view_count LT 2000"],
        ),
        ("comment_count: {gt: 1, lte: 9}", ["and comment_count GT 1", "and comment_count LTE 9"]),
        ("view_count: {eq: 5}", ["and view_count EQ 5"]),
        ("view_count: {in: [5, 6]}", ["and view_count IN 5, 6"]),
        (
            "create_date: {gte: 2024-01-05, lt: 20240201}",
            ["and create_date GTE 20240105", "and create_date LT 20240201"],
        ),
        (
            (
                "include: {any_hashtags: [a], either: {keywords: [b]}}\n"
                "exclude: {usernames: [c]}\nregions: [US]\n"
            ),
            [
                *("and hashtag_name EQ a", "and region_code EQ US"),
                *("or keyword EQ b", "not username EQ c"),
            ],
        ),
    ],
)
def test_each_key_compiles_to_conditions(tmp_path, text, expected):
    assert sorted(conditions(tmp_path, text)) == sorted(expected)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("'#Butter'", "butter"),
        ("'##butter '", "butter"),
        ("ÉTÉ", "ÉtÉ"),
        ("İSTANBUL", "İstanbul"),
        ("ΣΟΦΙΑ", "ΣΟΦΙΑ"),
        ("NO", "no"),
        ("on", "on"),
        ("0777", "0777"),
        ("12:30", "12:30"),
        ("null", "null"),
        ("~", "~"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        ("2024-01-01", "2024-01-01"),
        ("'yes'", "yes"),
        ('"\\u00e9t\\u00e9"', "été"),
    ],
)
def test_hashtags_are_the_text_typed_with_a_to_z_in_lower_case(tmp_path, typed, sent):
    found = conditions(tmp_path, f"include: {{any_hashtags: [{typed}]}}")
    assert found == [f"and hashtag_name EQ {sent}"]


def test_empty_sections_are_no_condition(tmp_path):
    text = "regions: [US]\ninclude:\nexclude: {}\n"
    assert conditions(tmp_path, text) == ["and region_code EQ US"]


@pytest.mark.parametrize(
    ("text", "essential"),
    [
        ("regions: [FR, UX]", "3:15: regions: 'UX' is not a region code"),
        ("regions: US, FR", "3:10: regions: 'US, FR': write several values as a list"),
        ("regions: ['']", "3:11: regions: '' is empty"),
        (
            "regions: {US: 1}",
            "3:10: regions: must be a list such as [a, b], found keys with values",
        ),
        ("regions: [[US]]", "3:11: regions: each value must be text, found a list"),
        ("regions: #US", "3:9: regions: has no value (what follows a blank and # is a comment)"),
        ("regions:\n- US\n- #FR", "5:2: regions: has no value (what follows"),
        ("include: {any_hashtags: ['#']}", "3:26: include.any_hashtags: '#' is empty"),
        ("include: {any_hashtags: [' ']}", "include.any_hashtags: ' ' is empty"),
        ("include: {any_hashtags: ['a b']}", "include.any_hashtags: 'a b' is not one hashtag"),
        ('include: {any_keywords: ["a\\0b"]}', "any_keywords: 'a\\x00b' holds the unprintable"),
        ('include: {any_keywords: ["a\\nb"]}', "any_keywords: 'a\\nb' holds the unprintable"),
        ("usernames: ['@']", "3:13: usernames: '@' is empty"),
        ("video_ids: [x]", "3:13: video_ids: 'x' is not an id: at most 19 digits"),
        ("music_ids: [1.5]", "music_ids: '1.5' is not an id"),
        ("video_ids: [7.31848E+18]", "; a spreadsheet has rounded it: format the column of ids"),
        ("video_ids: ['7,3E18']", "; a spreadsheet has rounded it: format the column of ids"),
        ("effect_ids: [-1]", "effect_ids: '-1' is not an id"),
        ("video_lengths: [LNG]", "allowed: SHORT (under 15 seconds), MID (15 to 60 seconds)"),
        ("video_lengths: [LNG]", "did you mean 'LONG'?"),
        (
            "view_count: 1000",
            "3:13: view_count: must hold keys with values, found '1000'; allowed: eq, in",
        ),
        ("view_count: {gte: many}", "3:19: view_count.gte: 'many' is not a whole number"),
        ("view_count: {gte: 1_000}", "did you mean '1000'?"),
        ("view_count:\n  gte: 1,000", "4:8: view_count.gte: '1,000' is not a whole number"),
        ("view_count: {gte: [1, 2]}", "view_count.gte: GTE takes one value, found 2"),
        ("view_count: {eq: [1, 2]}", "view_count.eq: EQ takes one value, found 2; use IN"),
        ("view_count: {gte: }", "view_count.gte: has no value"),
        ("view_count: {min: 5}", "3:14: view_count.min: is not a key here; allowed: eq, in, gt"),
        ("\xa0\xa0regions: [US]", "blanks of another kind are beside it, such as U+00A0: write"),
        ("view_count: {GTE: 5}", "did you mean 'gte'?"),
        ("create_date: {gte: yesterday}", "create_date.gte: 'yesterday' is not a day"),
        ("create_date: {gte: 2024-02-30}", "create_date.gte: '2024-02-30' is not a day"),
        ("create_date: {gte: 2024-1-5}", "did you mean '20240105'?"),
        (
            "include: {either: [a]}",
            "3:19: include.either: must hold keys with values, found a list; allowed: hashtags",
        ),
    ],
)
def test_bad_values_are_named_with_place_key_and_what_is_allowed(tmp_path, text, essential):
    assert essential in mistake(tmp_path, DATES + text)


@pytest.mark.parametrize(
    ("text", "essential"),
    [
        ("regoins: [US]", "4:1: regoins: is not a key here; allowed: start_date, end_date, tags"),
        ("regoins: [US]", "; did you mean 'regions'?"),
        ("any_hashtags: [a]", "; it stands under include or exclude"),
        ("all_keywords: [a]", "; it stands under include"),
        ("hashtags: [a]", "; write any_hashtags or all_hashtags, under include"),
        ("include: {all_hashtag: [a]}", "4:11: include.all_hashtag: is not a key here"),
        ("include: {all_hashtag: [a]}", "; did you mean 'all_hashtags'?"),
        ("include: {regions: [US]}", "; it stands at the top of the file"),
        ("include: {start_date: 2024-01-01}", "; it stands at the top of the file"),
        ("exclude: {regions: [US]}", "; a raw query can exclude by it, this form cannot"),
        ("and: []", "; it stands under query"),
        ("'': x", "4:1: is not a key here"),
    ],
)
def test_unknown_keys_are_named_with_the_nearest_or_where_they_belong(tmp_path, text, essential):
    assert essential in mistake(tmp_path, f"{DATES}usernames: [a]\n{text}")


@pytest.mark.parametrize("key", ["all_hashtags", "all_keywords"])
def test_excluding_what_has_all_of_several_things_is_explained(tmp_path, key):
    line = mistake(tmp_path, f"{DATES}regions: [US]\nexclude: {{{key}: [a, b]}}")
    assert f"4:11: exclude.{key}: is not a key here" in line
    assert "the API cannot exclude the videos that have all of several things" in line
    assert "excludes every video that has any one of them" in line


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_file(tmp_path):
    text = (
        "start_date: 2024-13-01\n"
        "end_date: 2030-01-01\n"
        "tags: ['']\n"
        "refresh_after: soon\n"
        "include: {any_hashtags: ['#', 'x y']}\n"
        "regions: [UX, US, UY, UQ]\n"
        "region: [US]\n"
        "view_count: {gte: x, foo: 1}\n"
    )
    places = [line.split(": ")[0] for line in mistakes(tmp_path, text)]
    assert places == [
        "1:13",
        "2:11",
        "3:8",
        "4:16",
        "5:26",
        "5:31",
        "6:11",
        "6:23",
        "7:1",
        "8:19",
        "8:22",
    ]


@pytest.mark.slow
def test_a_hundred_mistakes_are_enough(tmp_path):
    lines = mistakes(tmp_path, f"{DATES}regions: [{'XX, ' * 50_000}]")
    assert len(lines) == 101
    assert lines[-1] == "and perhaps more"


@pytest.mark.parametrize("text", ["", "include: {either: {}}\nexclude:", "tags: [a]"])
def test_a_file_without_any_condition_is_refused(tmp_path, text):
    line = mistake(tmp_path, DATES + text)
    assert line.startswith("1:1: names no condition; at least one is needed of: include, exclude")


@pytest.mark.parametrize(
    ("text", "essential"),
    [
        ("view_count: {gte: 10, lte: 5}", "3:19: view_count.gte: nothing can be found"),
        (
            "regions: [US]\ninclude: {any_hashtags: [a]}\nexclude: {any_hashtags: [a]}",
            "4:25: include.any_hashtags: nothing",
        ),
        (
            "include: {either: {keywords: [a]}}\nexclude: {any_keywords: [a]}",
            "include.either.keywords: nothing",
        ),
        ("usernames: [a]\nexclude: {usernames: ['@A']}", "usernames: nothing can be found"),
        (
            "create_date: {gt: 2024-03-31}",
            "create_date.gt: nothing can be found: no video of 2024-01-01..2024-03-31",
        ),
        ("create_date: {lt: 2024-01-01}", "no video of 2024-01-01..2024-03-31 satisfies"),
        ("create_date: {in: [2023-12-31, 2024-04-01]}", "satisfies all conditions on create_date"),
    ],
)
def test_conditions_that_find_nothing_are_refused(tmp_path, text, essential):
    assert essential in mistake(tmp_path, DATES + text)


@pytest.mark.parametrize(
    "text",
    [
        "create_date: {gte: 2024-03-31}",
        "create_date: {lte: 2024-01-01}",
        "view_count: {gte: 5, lte: 5}",
    ],
)
def test_conditions_that_can_be_met_are_accepted(tmp_path, text):
    assert compiled(tmp_path, text)["and"]
