"""No name of a person leaves the database where persons are protected, wherever it stands."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import ExitStack
from functools import cache
from itertools import count

import pytest
from hypothesis import example, given, settings
from marathon import times
from odd_names import OF_OURS, names_and_texts, with_names
from persons_database import COMMENT, PLAYLIST, REPLY, VIDEO, fill, strings_in, tables
from postgres_server import temporary_database

from tiktok_crawler.dataset.columns import Kind
from tiktok_crawler.dataset.known_names import KnownNames
from tiktok_crawler.dataset.persons import Holds
from tiktok_crawler.dataset.protection import Protection
from tiktok_crawler.dataset.protector import Protector
from tiktok_crawler.dataset.pseudonyms import Pseudonyms
from tiktok_crawler.dataset.tables import TABLES
from tiktok_crawler.exceptions import UsageError

PSEUDONYMS = Pseudonyms(bytes(range(32)))
NAMES = ["maria.lopez.1", "maria", "lopez.1", "_Ann__B", "1234567", "m\xfcller.\u0130zmir", "bob"]
TEXTS = [
    "butter by Maria.Lopez.1, MARIA and maria.lopez: #maria #lopez.1 x_maria mariam",
    "thanks @bob @nobody.knows. @maria.lopez.1! mail: ann@maria.example, see www.maria.example/a",
    '_ann__b \\ "1234567" 12345678 M\xdcLLER.izmir\n7319000000000000001 https://x.example/@maria',
    "duet with @Maria.lopez.1 maria and maria lopez.1",
]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def read(request, tmp_path_factory):
    """Reads a filled database under a protection; each is read once."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            path = tmp_path_factory.mktemp("filled") / "test.db"
            shutil.copy(request.getfixturevalue("sqlite_template"), path)
            url = f"sqlite:///{path}"
        else:
            server = request.getfixturevalue("postgres_url")
            template = request.getfixturevalue("postgresql_template")
            url = stack.enter_context(temporary_database(server, f"TEMPLATE {template}"))
        fill(url, NAMES, TEXTS)
        yield cache(lambda protection: tables(url, protection))


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request, tmp_path):
    """Makes the database anew, each time that it is called."""
    numbers = count()
    if request.param == "sqlite":
        template = request.getfixturevalue("sqlite_template")

        def new_sqlite():
            path = tmp_path / f"{next(numbers)}.db"
            shutil.copy(template, path)
            return f"sqlite:///{path}"

        yield new_sqlite
        return
    database = request.getfixturevalue("prepared_postgresql")

    def new_postgresql():
        database.restore()
        return database.url

    yield new_postgresql
    database.restore()


def found_in(rows, names):
    """The places in which one of some names stands as a whole word."""
    found = list(texts_of(rows))
    left = set(with_names({text for _, _, text in found}, names))
    return [place for place in found if place[2] in left]


def texts_of(tables_):
    """All texts, those in JSON too, with their table and column."""
    for name, rows in tables_.items():
        for column, value in (pair for row in rows for pair in row.items()):
            described = TABLES[name].column(column)
            if value is None or described.holds is Holds.NOTHING:
                continue
            if described.kind in (Kind.JSON, Kind.NESTED) or column == "canonical_json":
                yield from (
                    (name, column, text) for text in strings_in(value) if text not in OF_OURS
                )
            elif described.kind is Kind.TEXT:
                yield name, column, value


def test_names_stand_in_every_table_that_can_have_some(read):
    found = found_in(read(Protection()), NAMES)

    assert {(table, column) for table, column, _ in found} >= {
        ("video", "username"),
        ("video", "url"),
        ("video", "video_description"),
        ("video", "voice_to_text"),
        ("video", "hashtag_names"),
        ("video", "hashtag_info_list"),
        ("video", "sticker_info_list"),
        ("video", "effect_info_list"),
        ("video", "video_mention_list"),
        ("video", "video_label"),
        ("video", "extra_data"),
        ("video_hashtag", "hashtag_name"),
        ("video_mention", "username"),
        ("video_query_tag", "tag"),
        ("video_revision", "old_value"),
        ("video_revision", "field"),
        ("video_source", "seed"),
        ("comment", "text"),
        ("comment", "display_name"),
        ("comment", "extra_data"),
        ("user_info", "username"),
        ("user_info", "avatar_url"),
        ("user_info", "bio_description"),
        ("user_info", "extra_data"),
        ("user_info_history", "username"),
        ("user_info_history", "old_value"),
        ("account", "username"),
        ("user_relation", "follower_username"),
        ("user_video", "username"),
        ("playlist", "name"),
        ("shop", "shop_name"),
        ("shop", "extra_data"),
        ("product", "product_name"),
        ("product", "shop_name"),
        ("review", "review_text"),
        ("query", "canonical_json"),
        ("seed", "seed"),
        ("seed", "error"),
        ("run", "arguments"),
        ("run", "job"),
        ("run", "feeds"),
    }


@pytest.mark.parametrize("hide_ids", [False, True], ids=["ids", "hidden"])
def test_no_name_is_left_and_no_row_is_lost(read, hide_ids):
    before = read(Protection())
    after = read(Protection(PSEUDONYMS, hide_ids=hide_ids))

    assert found_in(after, NAMES) == []
    assert {name: len(rows) for name, rows in after.items()} == {
        name: len(rows) for name, rows in before.items()
    }


def test_values_that_are_no_texts_stay_and_what_is_missing_stays_missing(read):
    before, after = read(Protection()), read(Protection(PSEUDONYMS))

    for name, rows in before.items():
        for old, new in zip(rows, after[name], strict=True):
            for column, value in new.items():
                kind = TABLES[name].column(column).kind
                if kind not in (Kind.TEXT, Kind.JSON, Kind.NESTED):
                    assert value == old[column]
                elif TABLES[name].column(column).name != "old_value":
                    assert (value is None) == (old[column] is None)


def test_joins_find_the_same_rows(read):
    joins = (
        ("comment", "video_id", "video", "id"),
        ("comment", "parent_comment_id", "comment", "id"),
        ("comment", "parent_comment_id", "video", "id"),
        ("video", "playlist_id", "playlist", "id"),
        ("video_hashtag", "video_id", "video", "id"),
        ("video_revision", "video_id", "video", "id"),
        ("video_statistics", "video_id", "video", "id"),
        ("video_source", "video_id", "video", "id"),
        ("playlist_video", "video_id", "video", "id"),
        ("user_video", "video_id", "video", "id"),
        ("user_video", "username", "account", "username"),
        ("video", "username", "account", "username"),
        ("video_mention", "username", "account", "username"),
        ("user_relation", "follower_username", "account", "username"),
        ("user_relation", "followed_username", "user_info", "username"),
        ("user_info_history", "username", "user_info", "username"),
        ("seed", "seed", "user_info", "username"),
        ("seed", "seed", "video", "id"),
        ("video_source", "seed", "user_video", "username"),
        ("product", "shop_name", "shop", "shop_name"),
        ("video_hashtag", "hashtag_name", "account", "username"),
    )
    before = read(Protection())
    after = read(Protection(PSEUDONYMS, hide_ids=True))

    for join in joins:
        assert joined(after, *join) == joined(before, *join) > 0, join


def joined(tables_, left, column, right, key):
    """How many pairs of rows have the same value."""
    keys = [str(row[key]) for row in tables_[right]]
    return sum(keys.count(str(row[column])) for row in tables_[left] if row[column] is not None)


def test_ids_are_hidden_in_columns_texts_queries_and_seeds(read):
    ids = [VIDEO, COMMENT, REPLY, PLAYLIST]
    known = re.compile("|".join(map(str, ids)))

    plain = read(Protection(PSEUDONYMS))
    after = read(Protection(PSEUDONYMS, hide_ids=True))

    assert known.search(json.dumps(plain))
    assert not known.search(json.dumps(after))
    hidden = str(PSEUDONYMS.record_id(VIDEO))
    (query,) = after["query"]
    assert f'"field_values":["{hidden}"]' in query["canonical_json"]
    assert hidden in {row["seed"] for row in after["seed"]}
    assert {"8", "10"} <= {row["seed"] for row in after["seed"]}


def test_what_identifies_by_itself_is_left_out(read):
    after = read(Protection(PSEUDONYMS))

    assert not {"url", "author_url"} & after["video"][0].keys()
    assert not {"url", "avatar_url", "bio_url"} & after["user_info"][0].keys()
    assert "fingerprint" not in after["query"][0]
    (bio,) = {
        row["old_value"] for row in after["user_info_history"] if row["field"] == "bio_description"
    }
    assert "[link]" in bio or "[mail]" in bio or "user_" in bio


def test_another_key_gives_other_names(read):
    one = read(Protection(PSEUDONYMS))
    other = read(Protection(Pseudonyms(bytes(32))))

    assert one == read(Protection(Pseudonyms(bytes(range(32)))))
    for name, column in (("video", "username"), ("account", "display_name"), ("seed", "seed")):
        assert [row[column] for row in one[name]] != [row[column] for row in other[name]]
    pseudonyms = set(re.findall("(?:user|name)_[a-z2-7]{13}", json.dumps(one)))
    assert pseudonyms.isdisjoint(re.findall("(?:user|name)_[a-z2-7]{13}", json.dumps(other)))
    assert len(pseudonyms) > len(NAMES)


def test_short_names_are_replaced_where_they_are_told_to_be_names(read):
    after = read(Protection(PSEUDONYMS))
    bob = PSEUDONYMS.name("bob")

    (query,) = after["query"]
    (run,) = after["run"]
    assert bob in strings_in(query["canonical_json"])
    assert bob in json.loads(run["arguments"])["usernames"].split(",")
    written = json.dumps(after)
    assert f"thanks @{bob} @" in written
    assert "@bob" not in written
    assert "nobody" not in written


def test_without_texts_old_values_of_other_columns_stay(read):
    before, after = read(Protection()), read(Protection(no_text=True))

    for table, columns in {
        "video": {"video_description", "voice_to_text", "sticker_info_list", "extra_data"},
        "comment": {"text", "extra_data"},
        "user_info": {"bio_description", "extra_data"},
        "playlist": {"name", "extra_data"},
        "product": {"product_name", "product_description", "extra_data"},
        "review": {"review_text", "product_name", "extra_data"},
    }.items():
        assert before[table][0].keys() - after[table][0].keys() == columns, table
    assert after["query"] == before["query"]
    assert after["run"] == before["run"]
    revised = {row["field"]: row["old_value"] for row in after["video_revision"]}
    assert revised["username"] == '"maria.lopez.1"'
    assert revised["video_description"] is None
    assert revised["extra_data.maria"] is None
    told = {row["field"]: row["old_value"] for row in after["user_info_history"]}
    assert told["display_name"] is not None
    assert told["bio_description"] is None


def test_for_those_who_have_access_ids_are_enough(read):
    before, after = read(Protection()), read(Protection(ids_only=True))

    assert {name for name, rows in after.items() if rows} == {
        "video",
        "comment",
        "playlist",
        "product",
    }
    assert after["video"] == [{"id": row["id"]} for row in before["video"]]
    assert after["comment"] == [
        {"id": row["id"], "video_id": row["video_id"]} for row in before["comment"]
    ]


@pytest.mark.slow
def test_whatever_persons_are_called_and_say_no_name_leaves(new_url):
    @example(
        (["tea.and.butter", "butter", "tea.and", "and.butter.1"], ["tea.and.butter.1 @and.", "y"])
    )
    @settings(max_examples=max(4, times(1) // 5))
    @given(names_and_texts())
    def none_leaves(drawn):
        names, texts = drawn
        url = new_url()
        fill(url, names, texts)

        assert found_in(tables(url, Protection(PSEUDONYMS, hide_ids=True)), names) == []

    none_leaves()


def test_without_a_wish_nothing_is_read_or_changed():
    protector, block = Protector(None, Protection()), {"username": ["maria"]}

    assert protector.block(TABLES["video"], block) is block
    assert protector.query('{"and":[]}') == '{"and":[]}'
    assert protector.arguments('{"usernames":"maria"}') == '{"usernames":"maria"}'
    assert Protection().table(TABLES["video"]) is TABLES["video"]
    assert Protection().told() == ()


def test_wishes_that_contradict_each_other_are_refused():
    with pytest.raises(UsageError, match="--hide-ids requires --pseudonyms"):
        Protection(hide_ids=True)
    with pytest.raises(UsageError, match="--hide-ids and --ids-only contradict each other"):
        Protection(PSEUDONYMS, hide_ids=True, ids_only=True)


def test_the_dictionary_says_what_was_done():
    video = Protection(PSEUDONYMS, hide_ids=True).table(TABLES["video"])

    assert video.meaning.endswith("Left out (--pseudonyms): url, author_url.")
    assert video.column("id").meaning.endswith(
        "Replaced by another number, the same in all tables (--hide-ids)."
    )
    assert video.column("username").meaning.endswith("Replaced by a pseudonym (--pseudonyms).")
    assert video.column("username").source == TABLES["video"].column("username").source
    assert video.column("view_count") is TABLES["video"].column("view_count")
    described = video.column("video_description").meaning
    assert "Names in it are replaced by pseudonyms (--pseudonyms), addresses by [link]" in described
    assert "Ids of videos and comments are replaced by other numbers (--hide-ids)." in described


def test_the_dictionary_says_what_is_left_out():
    comment = Protection(no_text=True).table(TABLES["comment"])
    revision = Protection(no_text=True).table(TABLES["video_revision"])
    ids = Protection(ids_only=True)

    assert comment.meaning.endswith("Left out (--no-text): text, extra_data.")
    assert revision.column("old_value").meaning.endswith("Missing where it was a text (--no-text).")
    assert ids.table(TABLES["video"]).meaning.endswith("Its ids alone (--ids-only).")
    assert ids.table(TABLES["user_info"]) is None
    only = TABLES["video"].with_columns((TABLES["video"].column("url"),))
    assert Protection(PSEUDONYMS).table(only) is None
    assert Protection(PSEUDONYMS).table(TABLES["video_statistics"]) == TABLES["video_statistics"]


@pytest.mark.parametrize(
    ("protection", "words"),
    [
        (Protection(PSEUDONYMS), "pseudonymous to readers without access only; --hide-ids"),
        (Protection(PSEUDONYMS, hide_ids=True), "are replaced by other numbers (--hide-ids)"),
        (Protection(PSEUDONYMS), "who searches TikTok for one can find its author"),
        (Protection(no_text=True), "Texts that persons wrote are left out (--no-text)."),
        (Protection(ids_only=True), "It has ids alone (--ids-only)"),
    ],
)
def test_readers_are_told_what_was_done_and_what_was_not(protection, words):
    assert words in " ".join(protection.told())


def test_values_whose_row_does_not_tell_what_they_are_are_replaced_as_names():
    revision, seeds = TABLES["video_revision"], TABLES["video_source"]
    protector = Protector(None, Protection(PSEUDONYMS))
    protector.__dict__["_known_names"] = KnownNames([])
    old = protector.block(revision, {"old_value": ['"bob"', "3", None]})
    seed = protector.block(seeds, {"seed": ["bob", None]})

    protector.close()
    assert old == {"old_value": [f'"{PSEUDONYMS.name("bob")}"', "3", None]}
    assert seed == {"seed": [PSEUDONYMS.name("bob"), None]}


@pytest.fixture
def alone():
    """Protects what one database, in which nobody is known, would hold."""
    protector = Protector(None, Protection(PSEUDONYMS, hide_ids=True))
    protector.__dict__["_known_names"] = KnownNames([])
    with protector:
        yield protector


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"usernames": "@accounts.csv"}, {"usernames": "@accounts.csv"}),
        ({"usernames": "https://x.example/@bob"}, {"usernames": "[link]"}),
        ({"exclude.usernames": " bob"}, {"exclude.usernames": PSEUDONYMS.name("bob")}),
        ({"video_ids": str(VIDEO)}, {"video_ids": str(PSEUDONYMS.record_id(VIDEO))}),
        ({"music_ids": str(VIDEO)}, {"music_ids": str(VIDEO)}),
        ({"max_seeds": 5, "fields": ["@bob"]}, {"fields": ["@BOB"], "max_seeds": 5}),
    ],
)
def test_arguments_are_protected_as_what_they_are(alone, given, expected):
    text = json.dumps(expected).replace("BOB", PSEUDONYMS.name("bob"))

    assert json.loads(alone.arguments(json.dumps(given))) == json.loads(text)
