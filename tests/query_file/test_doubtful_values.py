"""Values that hardly anything can match are told before they cost, with what was meant."""

from __future__ import annotations

import pytest
from query_files import DATES, compiled, mistake, read

from tiktok_crawler.query_file.addresses import without_address
from tiktok_crawler.query_file.seed_text import read_seeds
from tiktok_crawler.research_api.endpoints import SeedKey

VIDEO = "7318480000000000001"

CERTAIN = [
    # quotation marks
    ("include: {any_hashtags: [“butter”]}", "U+201C (LEFT DOUBLE QUOTATION MARK)", "'butter'"),
    ("include: {any_hashtags: [‘#butter’]}", "U+2018", "'butter'"),
    ("include: {all_hashtags: [«butter»]}", "U+00AB", "'butter'"),
    ("include: {any_hashtags: [„butter“]}", "U+201E", "'butter'"),
    ("include: {any_hashtags: ['\"butter\"']}", "U+0022", "'butter'"),
    ("include: {any_hashtags: [don’t]}", "U+2019", "'dont'"),
    ("include: {any_keywords: [“home made”]}", "U+201C", "'home made'"),
    ("include: {any_keywords: [‘home made’]}", "U+2018", "'home made'"),
    ("exclude: {any_keywords: ['\"home made\"']}", "U+0022", "'home made'"),
    ("usernames: [“@ann”]", "U+201C", "'ann'"),
    ("regions: [”US”]", "U+201D", "'US'"),
    ("video_ids: [‘7’]", "U+2018", "'7'"),
    # characters that are not seen
    ("include: {any_hashtags: [but\u200bter]}", "U+200B (ZERO WIDTH SPACE)", "'butter'"),
    ("include: {any_hashtags: [\u202abutter\u202c]}", "U+202A", "'butter'"),
    ("include: {any_hashtags: [butter\u2069]}", "U+2069", "'butter'"),
    ("include: {any_hashtags: [butter\u200d]}", "U+200D", "'butter'"),
    ("include: {any_keywords: [bu\u00adtter]}", "U+00AD (SOFT HYPHEN)", "'butter'"),
    ("include: {any_keywords: ['home\u00a0made']}", "U+00A0 (NO-BREAK SPACE)", "'home made'"),
    ("include: {any_keywords: [e\u0301te\u0301]}", "accents as separate characters", "'été'"),
    ("usernames: [ann\u2060]", "U+2060", "'ann'"),
    ("video_ids: [\u200e7318480000000000001]", "U+200E", "'7318480000000000001'"),
    # letters that look like others
    ("include: {any_hashtags: [сheese]}", "U+0441 (CYRILLIC SMALL LETTER ES)", "'cheese'"),
    ("include: {any_hashtags: [Βutter]}", "U+0392 (GREEK CAPITAL LETTER BETA)", "'Butter'"),
    ("include: {any_hashtags: [рoссия]}", "U+006F (LATIN SMALL LETTER O)", "'россия'"),
    ("include: {any_hashtags: [buтter]}", "U+0442", "'butter'"),
    ("include: {any_hashtags: [good_brеad]}", "U+0435", "'good_bread'"),
    ("include: {any_hashtags: [ｂｕｔｔｅｒ]}", "U+FF42", "'butter'"),
    ("include: {any_hashtags: [𝐛𝐮𝐭𝐭𝐞𝐫]}", "U+1D41B", "'butter'"),
    ("include: {any_keywords: [oﬃce work]}", "U+FB03", "'office work'"),
    ("include: {any_keywords: [fresh breаd]}", "U+0430", "'fresh bread'"),
    ("usernames: [аnn]", "U+0430", "'ann'"),
    # several in one
    ("include: {any_hashtags: [butter;cheese]}", "is not one hashtag", "[butter, cheese]"),
    ("include: {any_hashtags: ['butter; cheese']}", "holds ';'", "[butter, cheese]"),
    ("include: {any_hashtags: [butter|cheese]}", "holds '|'", "[butter, cheese]"),
    ("include: {any_hashtags: [butter、cheese]}", "holds '、'", "[butter, cheese]"),
    ("exclude: {any_hashtags: [butter/cheese]}", "holds '/'", "[butter, cheese]"),
    ("include: {any_hashtags: ['#butter #cheese']}", "holds '#'", "[butter, cheese]"),
    ("include: {any_hashtags: ['butter, cheese']}", "holds ','", "[butter, cheese]"),
    ("include: {any_hashtags: [butter;]}", "holds ';'", "'butter'"),
    ("include: {any_keywords: [butter;cheese]}", "is one keyword", "[butter, cheese]"),
    ("include: {any_keywords: ['#a; #b']}", "is one keyword", "[#a, #b]"),
    ("usernames: [ann;bob]", "is not one username", "[ann, bob]"),
    # a list in a file
    ("usernames: accounts.csv", "looks like a file", "{file: accounts.csv}"),
    ("usernames: [ann, accounts.XLSX]", "looks like a file", "{file: accounts.XLSX}"),
    ("include: {any_hashtags: [tags.txt]}", "looks like a file", "behind -a as @tags.txt"),
    # what other search engines know
    ("include: {any_hashtags: [butter*]}", "the API has no wildcards", "'butter'"),
    ("include: {any_hashtags: ['%butter%']}", "the API has no wildcards", "'butter'"),
    ("include: {any_hashtags: [b?tter]}", "the API has no wildcards", "'btter'"),
    ("include: {any_hashtags: ['[butter]']}", "holds the bracket '['", "'butter'"),
    ("include: {any_hashtags: [butter OR cheese]}", "OR", "any_hashtags: [butter, cheese]"),
    ("include: {any_hashtags: ['#a AND #b']}", "AND", "all_hashtags: [a, b]"),
    ("include: {any_keywords: ['*']}", "the API has no wildcards", "*"),
    ("include: {any_keywords: [bake*]}", "the API has no wildcards", "'bake'"),
    ("include: {any_keywords: [butter AND cheese]}", "AND", "all_keywords: [butter, cheese]"),
    ("include: {any_keywords: [(butter OR cheese)]}", "OR", "any_keywords: [butter, cheese]"),
    ("include: {any_keywords: [butter && cheese]}", "&&", "all_keywords: [butter, cheese]"),
    ("include: {any_keywords: ['\"a b\" OR “c”']}", "OR", "any_keywords: [a b, c]"),
    ("include: {any_keywords: [butter NOT ham]}", "NOT", "exclude: any_keywords: [ham]"),
    ("include: {either: {keywords: [a OR b]}}", "OR", "any_keywords: [a, b]"),
]


@pytest.mark.parametrize(("text", "wrong", "meant"), CERTAIN)
def test_what_can_match_nothing_is_refused_with_what_was_meant(tmp_path, text, wrong, meant):
    line = mistake(tmp_path, f"{DATES}view_count: {{gte: 1}}\n{text}")
    assert line.startswith("4:")
    assert wrong in line
    assert meant in line
    assert "the raw form, query:, sends values as they are" in line


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("butter, cheese", "is one keyword; several are written as a list: [butter, cheese]"),
        ("butter + cheese", "several are written as a list: [butter, cheese]"),
        ("BREAD AND BUTTER", "holds AND, which is no operator of the API"),
        ("b*tter", "the API has no wildcards"),
        ("b?tter", "the API has no wildcards"),
        ('say "hi"', "holds quotation marks"),
        ("bread -rye", "stands under exclude"),
        ("words.txt", "looks like a file"),
    ],
)
def test_what_could_be_meant_is_searched_with_a_warning(tmp_path, text, doubt):
    collection = read(tmp_path, f"{DATES}include: {{any_keywords: ['{text}']}}")
    assert collection.query.and_[0].field_values == (text,)
    (warning,) = collection.warnings
    assert warning.startswith(f"{tmp_path / 'query.yaml'}:3:26: include.any_keywords: '{text}' ")
    assert doubt in warning


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("any_hashtags", name) for name in ("kpop한국", "tiktokРоссия", "tシャツ", "été", "сон")),
        *(
            ("any_hashtags", name)
            for name in ("می\u200cخواهم", "क्\u200dष", "👩\u200d🍳", "❤\ufe0f")
        ),
        *(("any_hashtags", name) for name in ("สวัสดี\u200bครับ", "مُحَمَّد", "שּׁלום")),
        *(("any_hashtags", name) for name in ("covid-19", "love_рф", "ΣΟΦΙΑ", "1º", "b.c")),
        *(("any_keywords", words) for words in ("don’t", "l’été", "OR", "salt & pepper", "24/7")),
        *(
            ("any_keywords", words)
            for words in ("100%", "why not?", "1,000 cats", "smile ;)", "rock and roll")
        ),
        *(("any_keywords", words) for words in ("the boys’ club", '12" vinyl', "C++", "(live)")),
    ],
)
def test_what_people_write_is_taken_as_it_is(tmp_path, key, value):
    collection = read(tmp_path, f"{DATES}include: {{{key}: ['{value}']}}".replace("’", "\u2019"))
    assert collection.query.and_[0].field_values == (value,)
    assert collection.warnings == ()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hashtag_name", "“butter”"),
        ("hashtag_name", "сheese"),
        ("hashtag_name", "butter;cheese"),
        ("keyword", "butter AND cheese"),
        ("keyword", "but\u200bter*"),
    ],
)
def test_the_raw_form_sends_any_value_without_a_word(tmp_path, field, value):
    condition = f"{{operation: EQ, field_name: {field}, field_values: ['{value}']}}"
    collection = read(tmp_path, f"{DATES}query: {{and: [{condition}]}}")
    assert collection.query.and_[0].field_values == (value,)
    assert collection.warnings == ()


@pytest.mark.parametrize(
    "text",
    [
        "include: {any_hashtags: []}",
        "include: {either: {keywords: []}}",
        "exclude: {usernames: []}",
        "usernames: []",
        "view_count: {gte: []}",
        "create_date: {in: []}",
    ],
)
def test_an_empty_list_does_not_become_a_search_without_limit(tmp_path, text):
    line = mistake(tmp_path, f"{DATES}regions: [US]\n{text}")
    assert line.endswith("is an empty list; write values into it, or take the key out")


@pytest.mark.parametrize(
    "text", ["include:", "exclude: {}", "view_count: {}", "include: {either: }"]
)
def test_a_key_that_holds_nothing_is_warned_of(tmp_path, text):
    (warning,) = read(tmp_path, f"{DATES}regions: [US]\n{text}").warnings
    assert warning.endswith(": holds nothing, and so limits nothing")


# --- Addresses ---

ADDRESSES = [
    ("username", "https://www.tiktok.com/@ann.b", "ann.b"),
    ("username", "https://www.tiktok.com/@ann.b?lang=en&is_from_webapp=1", "ann.b"),
    ("username", "http://tiktok.com/@ann.b/", "ann.b"),
    ("username", "m.tiktok.com/@ann.b#top", "ann.b"),
    ("username", f"https://www.tiktok.com/@ann.b/video/{VIDEO}", "ann.b"),
    ("username", "HTTPS://WWW.TikTok.com/@ann.b/live", "ann.b"),
    ("video_id", f"https://www.tiktok.com/@ann.b/video/{VIDEO}?q=x", VIDEO),
    ("video_id", f"https://www.tiktok.com/@ann.b/photo/{VIDEO}", VIDEO),
    ("video_id", f"https://m.tiktok.com/v/{VIDEO}.html", VIDEO),
    ("video_id", f"https://www.tiktok.com/embed/v2/{VIDEO}", VIDEO),
]  # fmt: skip


@pytest.mark.parametrize(("what", "address", "meant"), ADDRESSES)
def test_addresses_are_turned_into_names_and_ids(tmp_path, what, address, meant):
    conditions = compiled(tmp_path, f"{what}s: ['{address}', ' {address} ']")
    assert conditions["and"][0]["field_values"] == [meant]
    assert read_seeds([address], SeedKey(what)) == (meant,)


@pytest.mark.parametrize(
    ("what", "address", "meant"),
    [
        ("hashtag_name", "https://www.tiktok.com/tag/%C3%A9t%C3%A9?lang=en", "été"),
        ("music_id", "https://www.tiktok.com/music/original-sound-7012345", "7012345"),
        ("playlist_id", "https://www.tiktok.com/@ann/playlist/Best-of-7318480", "7318480"),
    ],
)
def test_addresses_of_other_pages_have_an_id_too(what, address, meant):
    assert without_address(what, address) == meant


@pytest.mark.parametrize(
    ("text", "essential"),
    [
        ("usernames: [https://vm.tiktok.com/ZMabc/]", "is a short link: open it in a browser"),
        ("video_ids: [https://www.tiktok.com/t/ZTabc/]", "is a short link: open it in a browser"),
        ("video_ids: [https://www.tiktok.com/@ann]", "a page that names no video_id"),
        ("usernames: [https://www.tiktok.com/tag/a]", "a page that names no username"),
        ("usernames: [https://example.org/ann]", "is not one username"),
    ],
)  # fmt: skip
def test_an_address_without_what_is_asked_for_is_explained(tmp_path, text, essential):
    assert essential in mistake(tmp_path, DATES + text)


@pytest.mark.parametrize(
    ("seed", "meant"),
    [
        ("“ann”", "'ann'"),
        ("аnn", "'ann'"),
        ("ann\u200b", "'ann'"),
        ("ann;bob", "[ann, bob]"),
        ("a/b", "[a, b]"),
        ("accounts.csv", "behind -a as @accounts.csv"),
    ],
)
def test_seeds_that_nobody_is_called_are_refused_with_what_was_meant(seed, meant):
    with pytest.raises(ValueError, match=r"did you mean|written as") as caught:
        read_seeds([seed], SeedKey.USERNAME)
    assert meant in str(caught.value)


def test_an_account_that_is_called_like_a_file_is_named_by_its_address():
    address = "https://www.tiktok.com/@accounts.csv"
    assert read_seeds([address], SeedKey.USERNAME) == ("accounts.csv",)
