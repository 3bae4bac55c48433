"""Whatever order pages, deletions, imports and replays come in: what persons asked for is gone."""

from __future__ import annotations

import gzip
import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import marathon
import pytest
from archived import content
from hypothesis import given, settings
from hypothesis import strategies as st
from new_databases import new_database
from sqlalchemy import update
from stored_pages import NOON, Search

from tiktok_crawler.archive.lines import RawAnswer
from tiktok_crawler.archive.reader import Archives, find_archives
from tiktok_crawler.archive.recorder import Journal, RecordedSession
from tiktok_crawler.archive.replay import Replay, read_kept_out, take_along
from tiktok_crawler.archive.rewriting import pending_archives, rewrite_archive
from tiktok_crawler.archive.stripping import Stripper
from tiktok_crawler.archive.taken_back import write_taken_back
from tiktok_crawler.planning.checks import RemovalReason
from tiktok_crawler.planning.seeds import GivenSeeds, Stage
from tiktok_crawler.research_api.endpoints import LISTINGS
from tiktok_crawler.research_api.pages import read_page
from tiktok_crawler.research_api.verdicts import classify
from tiktok_crawler.storage.deletion import selecting
from tiktok_crawler.storage.deletion.deletion import (
    Cause,
    delete_comments,
    delete_profiles,
    delete_users,
    delete_videos,
)
from tiktok_crawler.storage.deletion.take_back import HeldQueries, to_list_again
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.models.records import Account, Comment, UserInfo
from tiktok_crawler.storage.records.leaving_out import is_stand_in
from tiktok_crawler.storage.stage_session import StageSession

NAMES = ("quokka.one", "wombat_two", "numbat.three")
VIDEOS = tuple(7300000000000000001 + n for n in range(4))
COMMENTS = tuple(7300000000000000101 + n for n in range(4))

names, videos, comments = map(st.sampled_from, (NAMES, VIDEOS, COMMENTS))
shown = st.fixed_dictionaries(
    {"id": videos, "username": names},
    optional={
        "video_mention_list": st.lists(names, max_size=2),
        "video_description": st.sampled_from(["one", "two"]),
        "author": st.fixed_dictionaries({"name": names}),
    },
)
comment = st.fixed_dictionaries(
    {"id": comments, "text": st.just("words")},
    optional={"parent_comment_id": comments, "video_id": videos},
)
some = st.lists
deeds = some(
    st.one_of(
        st.tuples(st.just("search"), some(shown, max_size=3)),
        st.tuples(st.just("comments"), st.tuples(videos, some(comment, max_size=3))),
        st.tuples(st.just("followers"), st.tuples(names, some(names, max_size=2))),
        st.tuples(st.just("pinned_videos"), st.tuples(names, some(shown, max_size=2))),
        st.tuples(st.just("users"), st.tuples(names, st.just([]))),
        st.tuples(st.just("delete user"), names),
        st.tuples(st.just("delete video"), videos),
        st.tuples(st.just("delete comment"), comments),
        st.tuples(st.just("gone"), videos),
        st.tuples(st.just("rewrite"), st.none()),
    ),
    max_size=9,
)


class Project:
    """A database and its archive, and what persons have asked to delete."""

    def __init__(self, folder):
        self.folder, self.now = folder, NOON
        self.url = new_database(folder / "crawl.db")
        self.asked = set()
        with self.engine() as engine:
            database.prepare(engine, "sandbox")

    def engine(self):
        return database.opened(self.url)

    def cause(self, why):
        return Cause(why, (self.folder / "archive",))

    def later(self):
        self.now += timedelta(minutes=1)
        return self.now

    def do(self, name, what):
        self.later()
        match name:
            case "search":
                self._crawl(Search(self.url).session, {"videos": what})
            case "delete user":
                self._delete(delete_users, [what], what)
            case "delete video":
                self._delete(delete_videos, [what], what)
            case "delete comment":
                self._delete(delete_comments, [what], what)
            case "gone":
                with self.engine() as engine:
                    delete_videos(
                        engine, [what], self.cause(RemovalReason.GONE), self.now, lambda *_: None
                    )
            case "rewrite":
                with self.engine() as engine:
                    rewrite_archive(engine, [self.folder / "archive"])
            case _:
                self._list(LISTINGS[name], *what)

    def _delete(self, delete, keys, text):
        with self.engine() as engine:
            delete(engine, keys, self.cause(RemovalReason.ASKED), self.now, lambda *_: None)
        self.asked.add(str(text))

    def delete_older_than(self, engine, time):
        archive = self.folder / "archive"
        with HeldQueries(engine) as held:
            selected = held.select(lambda connection: selecting.older_than(connection, time))
            now, lists = self.later(), to_list_again(engine, selected)
            write_taken_back(archive, "sandbox", (), now, lists=lists, beside=None)
            held.take_back(selected, now)
            cause, now = self.cause(RemovalReason.AGE), self.later()
            delete_comments(engine, selected.comments, cause, now, lambda *_: None)
            delete_profiles(engine, selected.profiles, cause, now, lambda *_: None)
        rewrite_archive(engine, [archive])

    def _list(self, listing, seed, records):
        stage = Stage(listing, GivenSeeds((str(seed),)), max_age=timedelta(0))
        session = StageSession(self.url, origin="sandbox", stage=stage, tags=(), account=None)
        key = listing.endpoint.records_keys[0] if listing.endpoint.records_keys else None
        if listing.name in ("followers", "following"):
            records = [{"username": name, "display_name": f"shown {name}"} for name in records]
        data = {key: records} if key else {"display_name": f"shown {seed}"}
        self._crawl(session, data)

    def _crawl(self, session, data):
        journal = Journal(self.folder / "archive", "sandbox", clock=self.later)
        recorded = RecordedSession(session, journal)
        recorded.open()
        recorded.begin(self.later())
        if isinstance(session, StageSession):
            session.plan(self.later())
            requests = list(session.due())
        else:
            requests = [Search(self.url).first()]
        for planned in requests:
            request = recorded.book(recorded.open_task(planned, self.later()), self.later())
            answer = {"data": data | {"has_more": False, "cursor": 9}, "error": {"code": "ok"}}
            body = json.dumps(answer).encode()
            recorded.keep_answer(request, RawAnswer(200, {}, body[:-30]), self.later())
            received_at = self.later()
            recorded.keep_answer(request, RawAnswer(200, {}, body), received_at)
            verdict = classify(200, body, request.endpoint)
            recorded.save_page(read_page(request, verdict, received_at=received_at))
        recorded.release()
        journal.close()

    def check(self):
        with self.engine() as engine:
            if (self.folder / "archive").exists():
                rewrite_archive(engine, [self.folder / "archive"])
                assert not pending_archives(engine)
        self._check_nothing(repr(content(self.url)))
        archive = self.folder / "archive"
        for path in archive.glob("*.gz"):
            self._check_nothing(gzip.decompress(path.read_bytes()).decode())
        if list(archive.glob("*.gz")):
            self._check_nothing(repr(content(self.replayed())))

    def replayed(self):
        url = new_database(self.folder / "replayed.db")
        kept_out = read_kept_out(self.url)
        if kept_out:
            take_along(url, "sandbox", kept_out)
        strip = (lambda: Stripper(kept_out, kept_out).line) if kept_out else None
        archives = Archives(find_archives([self.folder / "archive"]), strip)
        with closing(Replay(url, "sandbox")) as replay:
            replay.run(archives.lines(), archives.troubles.leave_out)
        assert archives.troubles.damages == []
        return url

    def _check_nothing(self, text):
        assert not {asked for asked in self.asked if asked in text}


def test_profiles_that_go_alone_leave_the_archive(tmp_path):
    project = Project(tmp_path)
    for name in NAMES[:2]:
        project.do("users", (name, []))
    project.do("search", [{"id": VIDEOS[0], "username": NAMES[0]}])
    with project.engine() as engine:
        at = {"missing_since": NOON, "gone_at": NOON}
        gone = update(UserInfo).where(UserInfo.username == NAMES[0]).values(at)
        with engine.begin() as connection:
            connection.execute(gone)
        delete_profiles(
            engine, NAMES[:2], project.cause(RemovalReason.GONE), project.later(), lambda *_: None
        )
    project.do("rewrite", None)

    found, replayed = content(project.url), content(project.replayed())
    assert [row["username"] for row in replayed["user_info"]] == [NAMES[1]]
    for name in ("user_info", "video"):
        assert replayed[name] == found[name], name
    assert sorted(is_stand_in(row["seed"]) for row in replayed["seed"]) == [False, True]
    assert {row["seed"] for row in found["seed"]} == set(NAMES[:2])


def test_profiles_and_accounts_that_are_too_old_leave_the_archive(tmp_path):
    project = Project(tmp_path)
    project.do("users", (NAMES[0], []))
    for listing in ("followers", "following"):
        project.do(listing, (NAMES[0], [NAMES[2]]))
        project.do(listing, (NAMES[1], [NAMES[0], NAMES[2]]))
    with project.engine() as engine:
        delete_profiles(
            engine, NAMES[:1], project.cause(RemovalReason.AGE), project.later(), lambda *_: None
        )
    project.do("rewrite", None)

    found, replayed = content(project.url), content(project.replayed())
    assert not replayed["user_info"]
    assert len(replayed["user_relation"]) == 2
    for row in (*found["account"], *replayed["account"]):
        row.pop("crawl_id")  # Names the seed.
    for name in ("account", "user_relation"):
        assert replayed[name] == found[name], name


def test_lists_of_which_something_was_too_old_are_missing_after_a_replay_too(tmp_path):
    project = Project(tmp_path)
    project.do("search", [{"id": VIDEOS[0], "username": NAMES[0]}])
    project.do("comments", (VIDEOS[0], [{"id": COMMENTS[0], "text": "words"}]))
    project.do("comments", (VIDEOS[1], [{"id": COMMENTS[1], "text": "words"}]))
    project.do("users", (NAMES[0], []))
    project.do("followers", (NAMES[1], [NAMES[2]]))
    old = {"crawled_at": NOON - timedelta(days=900)}
    with project.engine() as engine:
        with engine.begin() as connection:
            connection.execute(update(Comment).where(Comment.id == COMMENTS[0]).values(old))
            connection.execute(update(Account).where(Account.username == NAMES[2]).values(old))
            first_seen = {"first_seen_at": old["crawled_at"]}
            connection.execute(update(UserInfo).values(first_seen))
        project.delete_older_than(engine, NOON)
    project.do("comments", (VIDEOS[1], [{"id": COMMENTS[1], "text": "words"}]))

    found, replayed = content(project.url), content(project.replayed())
    names = {row["seed"] for row in found["seed"]}
    states = {(row["listing"], row["seed"]): row["state"] for row in found["seed"]}
    assert states == {
        ("comments", str(VIDEOS[0])): "open",
        ("comments", str(VIDEOS[1])): "complete",
        ("followers", NAMES[1]): "open",
        ("users", NAMES[0]): "open",
    }
    assert not replayed["user_info"]
    # The seed that was the person's is nobody's, and the person has none.
    users = [row for row in replayed["seed"] if row["listing"] == "users"]
    assert [is_stand_in(row["seed"]) for row in users] == [True]
    for rows in (found["seed"], replayed["seed"]):
        rows[:] = [row for row in rows if row["listing"] != "users"]
    assert replayed["seed"] == found["seed"]
    assert names > {row["seed"] for row in replayed["seed"]}


@pytest.mark.slow
@settings(max_examples=marathon.times(1) // 2)
@given(deeds)
def test_what_persons_asked_for_is_nowhere(deeds):
    with TemporaryDirectory() as name:
        project = Project(Path(name))
        for deed in deeds:
            project.do(*deed)
        project.check()
