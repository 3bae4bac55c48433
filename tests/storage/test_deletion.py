"""What a deletion reaches in the database, and what it leaves."""

from __future__ import annotations

import gzip
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from listed_pages import store_list
from postgres_server import temporary_database
from shared_database import SharedDatabase
from sqlalchemy import event, update
from sqlalchemy.exc import OperationalError
from stored_pages import NOON, Search, content, rows, video

from tiktok_crawler.planning.checks import RecordKind, RemovalReason
from tiktok_crawler.reports.deletion_report import removed_lines
from tiktok_crawler.research_api.endpoints import LISTINGS
from tiktok_crawler.research_api.query import Condition, Query
from tiktok_crawler.storage.deletion import selecting
from tiktok_crawler.storage.deletion.deletion import (
    Cause,
    delete_comments,
    delete_gone,
    delete_users,
    delete_videos,
)
from tiktok_crawler.storage.deletion.mentions import MOST_LOOKED_FOR
from tiktok_crawler.storage.ledger.removals import read_removals
from tiktok_crawler.storage.ledger.runs import RunStart, begin_run
from tiktok_crawler.storage.models.records import Comment, UserInfo, Video

LATER = NOON + timedelta(days=1)
MUCH_LATER = NOON + timedelta(days=30)
ASKED = Cause(RemovalReason.ASKED, archives=(Path("archive"),))
NAME, OTHER = "quokka.person", "wombat_person"
ABOUT_HER = Query(and_=(Condition("username", "IN", (NAME, OTHER)),))
ABOUT_IDS = Query(and_=(Condition("video_id", "IN", ("7000000000000000011", "12")),))
HERS, HIS = 7000000000000000011, 7000000000000000012
COMMENT_ID, REPLY_ID = 7000000000000000021, 7000000000000000022


DOCUMENT = (Path(__file__).parents[2] / "docs" / "deletion.md").read_text(encoding="utf-8")


def quiet(_what, _count):
    pass


def fill(url):
    """Store something of a person in every table that can have it."""
    hers = video(
        HERS,
        username=NAME,
        video_description="her secret words",
        hashtag_names=["hersonly", "tea"],
        effect_ids=["77"],
        like_count=3,
        video_mention_list=[OTHER],
    )
    his = video(
        HIS,
        username=OTHER,
        video_description="his words",
        hashtag_names=["tea"],
        like_count=1,
        video_mention_list=[NAME, "bob"],
        novelty={"author": {"name": NAME}, "more": 1},
    )
    for query in (ABOUT_HER, ABOUT_IDS):
        with Search(url, query=query, tags=("t",)) as run:
            run.ask(run.first(), hers, his)
    with Search(url, query=ABOUT_HER, tags=("t",), now=LATER) as run:
        changed = {"video_description": "her other words", "like_count": 9}
        run.ask(run.first(), hers | changed, his | {"video_mention_list": [], "novelty": {}})
    lists = {name: LISTINGS[name] for name in LISTINGS}
    comment = {"id": COMMENT_ID, "video_id": HERS, "text": "a comment under hers"}
    reply = {"id": REPLY_ID, "video_id": HERS, "text": "a reply", "parent_comment_id": COMMENT_ID}
    store_list(url, lists["comments"], str(HERS), comment)
    store_list(url, lists["replies"], str(COMMENT_ID), reply)
    store_list(url, lists["comments"], str(HIS), {"id": 31, "video_id": HIS, "text": "under his"})
    profile = {"display_name": "Quokka Shown", "bio_description": "her bio"}
    store_list(url, lists["users"], NAME, profile)
    aged = timedelta(hours=1)
    store_list(
        url, lists["users"], NAME, profile | {"bio_description": "new"}, now=LATER, max_age=aged
    )
    store_list(url, lists["users"], OTHER, {"display_name": "Wombat", "partner": f"@{NAME}"})
    store_list(url, lists["followers"], NAME, {"username": OTHER}, {"username": "bob"})
    store_list(url, lists["following"], OTHER, {"username": NAME, "display_name": "Quokka Shown"})
    store_list(url, lists["liked_videos"], NAME, his)
    store_list(url, lists["pinned_videos"], OTHER, hers, his)
    store_list(
        url, lists["playlists"], "51", {"playlist_id": 51, "playlist_video_ids": [HERS, HIS]}
    )


@pytest.fixture(scope="module")
def sqlite_template(tmp_path_factory):
    """Here a file has something of a person already."""
    path = tmp_path_factory.mktemp("filled") / "filled.db"
    fill(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="module")
def prepared_postgresql(postgres_url):
    with temporary_database(postgres_url) as url:
        yield SharedDatabase(url, fill)


@pytest.fixture
def filled(engine):
    begin_run(
        engine, RunStart("users", {"usernames": f"{NAME},{OTHER}", "query": f"{NAME}.yaml"}), NOON
    )
    return engine


def texts_of(engine):
    """All that the database says, as text."""
    return {name: repr(found) for name, found in content(engine).items()}


def assert_nothing_of(engine, *texts):
    found = texts_of(engine)
    assert not {(name, text) for name, rows in found.items() for text in texts if text in rows}


def test_nothing_of_a_person_is_left_in_any_table(filled):
    removed = delete_users(filled, [NAME], ASKED, LATER, quiet)

    assert_nothing_of(
        filled,
        NAME,
        str(HERS),
        str(COMMENT_ID),
        str(REPLY_ID),
        "her secret",
        "her other",
        "her bio",
        "Quokka",
        "hersonly",
        "under hers",
        "a reply",
    )
    assert removed.records == 1
    assert removed.rows["video"] == 1
    assert removed.rows["comment"] == 2
    (row,) = rows(filled, "removal")
    assert row["ended_at"]
    assert row["rows"]["video"] == 1


def test_only_persons_of_whom_something_was_there_are_counted(filled):
    removed = delete_users(filled, [NAME, "never.seen"], ASKED, LATER, quiet)
    again = delete_users(filled, [NAME, "never.seen"], ASKED, MUCH_LATER, quiet)

    assert (removed.records, again.records) == (1, 0)
    with filled.connect() as connection:
        assert list(read_removals(connection).totals.values()) == [1]
    selected = selecting.Selected(RemovalReason.ASKED, users=(NAME, "never.seen"))
    told = list(removed_lines([removed], selected))
    assert told[-1] == "Kept out from now on, of whom nothing was there: 1 user"


@pytest.mark.parametrize("deed", ["video", "account", "user_info", "user_video"])
def test_a_person_of_whom_there_is_only_one_row_is_counted(make_engine, database_url, deed):
    engine = make_engine(database_url)
    name, lists = "quokka.alone", LISTINGS
    match deed:
        case "video":
            with Search(database_url, tags=("t",)) as run:
                run.ask(run.first(), video(77, username=name))
        case "account":
            store_list(database_url, lists["followers"], OTHER, {"username": name})
        case "user_info":
            store_list(database_url, lists["users"], name, {"display_name": "Shown"})
        case "user_video":
            store_list(database_url, lists["liked_videos"], name, video(78))

    assert delete_users(engine, [name], ASKED, LATER, quiet).records == 1


def test_others_keep_what_is_theirs(filled):
    delete_users(filled, [NAME], ASKED, LATER, quiet)

    (his,) = rows(filled, "video")
    assert (his["id"], his["video_description"]) == (HIS, "his words")
    assert his["extra_data"] == {"novelty": {}}
    assert {each["username"] for each in rows(filled, "account")} == {OTHER, "bob"}
    assert [each["text"] for each in rows(filled, "comment")] == ["under his"]
    assert [each["video_id"] for each in rows(filled, "playlist_video")] == [HIS]
    assert "wombat_person" in texts_of(filled)["query"]
    values = [each["old_value"] for each in rows(filled, "video_revision")]
    assert ["bob"] in values


def test_of_many_persons_no_value_of_a_query_stays_however_it_was_spelled(
    make_engine, database_url
):
    engine = make_engine(database_url)
    written = Query(and_=(Condition("username", "IN", ("Quokka.Person", OTHER)),))
    with Search(database_url, query=written, tags=("t",)) as run:
        run.ask(run.first(), video(HERS, username="Quokka.Person"), video(HIS, username=OTHER))
    many = [f"person{number}" for number in range(MOST_LOOKED_FOR)]

    delete_users(engine, [NAME, *many], ASKED, LATER, quiet)

    assert "quokka" not in repr(content(engine)).lower()
    assert OTHER in {each["value"] for each in rows(engine, "query_value")}


@pytest.mark.slow
@pytest.mark.parametrize("written", ["quokka.person", "QUOKKA.person", "Quokka.Person"])
def test_a_person_is_found_however_the_name_was_spelled(make_engine, database_url, written):
    engine = make_engine(database_url)
    stored, longer = "Quokka.Person", "quokka.person_2"
    mentions = [stored, longer, "quokka.pers"]
    with Search(database_url, tags=("t",)) as run:
        run.ask(run.first(), video(HERS, username=stored))
        run.ask(run.first(), video(HIS, username=longer, video_mention_list=mentions))
    for name in (stored, stored.lower()):
        store_list(database_url, LISTINGS["users"], name, {"display_name": "Shown"})
        store_list(database_url, LISTINGS["pinned_videos"], name, video(33))
    store_list(database_url, LISTINGS["followers"], longer, {"username": stored})
    with engine.connect() as connection:
        selected = selecting.Selected(RemovalReason.ASKED, users=(written, NAME))
        counted = selecting.count(connection, selected)

    removed = delete_users(engine, [written, NAME], ASKED, LATER, quiet)

    assert (counted["video"], counted["user_info"], removed.records) == (2, 2, 1)
    found = {name: text.lower() for name, text in texts_of(engine).items()}
    assert not [name for name, text in found.items() if "quokka.person'" in text]
    (his,) = [each for each in rows(engine, "video") if each["id"] == HIS]
    assert his["video_mention_list"] == [longer, "quokka.pers"]


def test_a_query_that_named_a_person_is_the_one_without_the_name(filled):
    delete_users(filled, [NAME], ASKED, LATER, quiet)

    left = Query(and_=(Condition("username", "EQ", (OTHER,)),))
    assert left.fingerprint in {each["fingerprint"] for each in rows(filled, "query")}


def test_tags_with_a_name_stay_and_are_told(filled):
    url = filled.url.render_as_string(hide_password=False)
    tags = {f"on {NAME}", str(HERS), f"{NAME}2"}
    for tag in sorted(tags):
        with Search(url, query=ABOUT_IDS, tags=(tag,), now=LATER):
            pass

    removed = delete_users(filled, [NAME], ASKED, LATER, quiet)

    assert {f"on {NAME}", str(HERS), f"{NAME}2"} <= {
        tag["name"] for tag in rows(filled, "query_tag")
    }
    assert removed.rows["query_tag.stays"] == 2
    told = list(removed_lines([removed], selecting.Selected(RemovalReason.ASKED)))
    assert told[-1].startswith("2 tags with a name or id of it left")
    assert not [line for line in told if line.startswith("  query_tag")]


def test_a_tag_is_renamed_as_the_document_says(filled):
    url = filled.url.render_as_string(hide_password=False)
    for tags in (("somebody", "other"), ("t",)):
        with Search(url, query=ABOUT_IDS, tags=tags, now=LATER):
            pass
    blocks = DOCUMENT.split("### Tags")[1].split("```sql\n")[1:]
    block = blocks[filled.dialect.name == "postgresql"].split("```")[0]

    with filled.begin() as connection:
        for statement in filter(str.strip, block.split(";")):
            connection.exec_driver_sql(statement)

    found = [sorted(row["tags"]) for row in rows(filled, "collection")]
    assert ["other", "study-1"] in found
    assert ["t"] in found
    assert_nothing_of(filled, "somebody")


def test_a_tag_is_renamed_in_the_archive_as_the_document_says(tmp_path):
    begin = '{"kind":"begin","tags":["a","somebody"],"collection":{"query":["somebody"]}}\n'
    lines = '{"kind":"file","begun":[' + begin.strip() + "," + begin.strip() + "]}\n" + begin
    lines += '{"kind":"ask","seed":"somebody"}\n'
    (tmp_path / "archive").mkdir()
    path = tmp_path / "archive" / "a.jsonl.gz"
    path.write_bytes(gzip.compress(lines.encode()))
    script = DOCUMENT.split("### Tags")[1].split("```sh\n")[1].split("```")[0]

    subprocess.run(["/bin/sh", "-ec", script], cwd=tmp_path, check=True)

    expected = lines.replace('"a","somebody"', '"a","study-1"')
    assert gzip.decompress(path.read_bytes()).decode() == expected
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_video_goes_with_its_comments_and_the_hashtags_that_it_alone_had(filled):
    removed = delete_videos(filled, [HERS, 999], ASKED, LATER, quiet)

    assert_nothing_of(filled, str(HERS), str(COMMENT_ID), "her secret", "hersonly", "under hers")
    assert removed.records == 1
    assert {each["name"] for each in rows(filled, "hashtag")} >= {"tea"}
    assert len(rows(filled, "kept_out")) == 2


def test_a_comment_goes_with_the_replies_to_it(filled):
    removed = delete_comments(filled, [COMMENT_ID], ASKED, LATER, quiet)

    assert_nothing_of(filled, str(COMMENT_ID), str(REPLY_ID), "a reply")
    assert removed.records == 1
    assert removed.rows["comment"] == 2


def test_what_is_gone_long_enough_is_deleted(filled):
    with filled.begin() as connection:
        long_gone = {"missing_since": NOON, "gone_at": NOON}
        connection.execute(update(Video).where(Video.id == HERS).values(long_gone))
        connection.execute(update(Comment).where(Comment.id == 31).values(long_gone))
        just_gone = long_gone | {"gone_at": MUCH_LATER}
        connection.execute(update(Video).where(Video.id == HIS).values(just_gone))
        connection.execute(update(UserInfo).values(long_gone))

    removed = delete_gone(filled, LATER, MUCH_LATER)

    assert [(each.kind, each.records) for each in removed] == [
        (RecordKind.VIDEO, 1),
        (RecordKind.COMMENT, 1),
        (RecordKind.USER, 2),
    ]
    assert [each["id"] for each in rows(filled, "video")] == [HIS]
    assert not rows(filled, "user_info")
    assert not rows(filled, "kept_out")
    assert delete_gone(filled, LATER, MUCH_LATER + timedelta(days=1)) == []


def test_what_no_check_has_found_is_one_deletion_whenever_it_was_gone(filled):
    with filled.begin() as connection:
        for name, at in ((NAME, NOON), (OTHER, LATER)):
            is_gone = {"missing_since": NOON, "gone_at": at}
            profile = update(UserInfo).where(UserInfo.username == name)
            assert connection.execute(profile.values(is_gone)).rowcount == 1

    (removed,) = delete_gone(filled, None, MUCH_LATER)

    assert (removed.kind, removed.records) == (RecordKind.USER, 2)
    assert [each["check_id"] for each in rows(filled, "removal")] == [None]


@pytest.mark.parametrize("again_at", [MUCH_LATER, MUCH_LATER + timedelta(days=1)])
@pytest.mark.parametrize("statement", ["DELETE FROM user_info", "UPDATE hashtag", "ended_at"])
def test_a_deletion_of_what_is_gone_that_breaks_off_ends_when_it_is_begun_anew(
    filled, statement, again_at
):
    with filled.begin() as connection:
        for record in (Video, UserInfo):
            long_gone = {"missing_since": NOON, "gone_at": NOON}
            connection.execute(update(record).values(long_gone))

    def goes_away(_connection, _cursor, sql, *_more):
        if statement in sql and ("ended_at" not in statement or sql.startswith("UPDATE removal")):
            raise OperationalError(sql, {}, Exception("the database is away"))

    event.listen(filled, "before_cursor_execute", goes_away)
    with pytest.raises(OperationalError):
        delete_gone(filled, LATER, MUCH_LATER)
    event.remove(filled, "before_cursor_execute", goes_away)
    again = delete_gone(filled, LATER, again_at)

    removals = rows(filled, "removal")
    assert all(each["ended_at"] for each in removals)
    assert sum(each["records"] for each in removals) == 4
    if again_at == MUCH_LATER:
        assert sum(each.records for each in again) == 4
    assert_nothing_of(filled, "hersonly", "tea")


def test_what_an_interrupted_deletion_left_goes_with_the_next_one(filled):
    def killed(_what, _count):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        delete_videos(filled, [HERS], ASKED, LATER, killed)
    assert "hersonly" in texts_of(filled)["hashtag"]
    delete_videos(filled, [HERS], ASKED, LATER, quiet)

    assert "hersonly" not in texts_of(filled)["hashtag"]
    assert "tea" in texts_of(filled)["hashtag"]


def test_a_deletion_in_small_parts_is_the_same(filled, monkeypatch):
    monkeypatch.setattr("tiktok_crawler.storage.deletion.deletion.BATCH", 1)
    monkeypatch.setattr("tiktok_crawler.storage.deletion.rows.EDGES", 1)
    delete_users(filled, [NAME, OTHER], ASKED, LATER, quiet)

    assert_nothing_of(filled, NAME, OTHER, str(HERS), str(HIS))
    assert not rows(filled, "video")
    assert not rows(filled, "user_relation")


@pytest.mark.parametrize("part", [1, 10_000])
def test_a_comment_that_goes_for_two_reasons_is_counted_once(filled, monkeypatch, part):
    monkeypatch.setattr(selecting, "READ_AT_ONCE", part)
    with filled.connect() as connection:
        selected = selecting.older_than(connection, MUCH_LATER)
        assert {*selected.comments} >= {COMMENT_ID, REPLY_ID}
        counted = selecting.count(connection, selected)

    assert counted["comment"] == len(rows(filled, "comment"))
