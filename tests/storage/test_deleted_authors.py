"""The videos of a person are found without the name of their author, too."""

from __future__ import annotations

from datetime import timedelta

import pytest
from listed_pages import Crawl, stage, store_list
from stored_pages import NOON, OTHER_QUERY, Search, content, rows, video

from tiktok_crawler.planning.checks import RemovalReason
from tiktok_crawler.reports.deletion_report import selected_lines
from tiktok_crawler.research_api.endpoints import LIKED_VIDEOS, PINNED_VIDEOS, PLAYLISTS
from tiktok_crawler.research_api.query import Condition, Query
from tiktok_crawler.storage.deletion import selecting
from tiktok_crawler.storage.deletion.deletion import Cause, Named, delete_users
from tiktok_crawler.storage.records import leaving_out

LATER = NOON + timedelta(days=1)
NAME, OTHER = "quokka.person", "wombat_person"
HERS, UNKNOWN = 7000000000000000011, 7000000000000000012
FRENCH = Condition("region_code", "EQ", ("FR",))
OF_A_PERSON = [
    Query(and_=(Condition("username", "EQ", (NAME,)),)),
    Query(and_=(Condition("username", "IN", (NAME, "Quokka.Person")), FRENCH)),
    Query(or_=(Condition("username", "EQ", (NAME,)),)),
]
OF_OTHERS = [
    Query(and_=(Condition("username", "IN", (NAME, OTHER)),)),
    Query(or_=(Condition("username", "EQ", (NAME,)), FRENCH)),
    Query(and_=(FRENCH,), not_=(Condition("username", "EQ", (NAME,)),)),
]


def nameless(id_):
    return {"id": id_, "video_description": f"words of {id_}"}


def deleted(engine, *names):
    """Delete persons; return what was said before, and how many videos went."""
    with engine.connect() as connection:
        selected = selecting.named(connection, names, (), ())
        counts = selecting.count(connection, selected)
    removed = delete_users(engine, names, Cause(RemovalReason.ASKED), LATER, lambda *_: None)
    for table in ("video", "playlist", "playlist_video"):
        assert removed.rows[table] == counts[table], table
    return list(selected_lines(selected, counts))


@pytest.mark.parametrize("query", OF_A_PERSON)
def test_what_a_query_for_the_person_alone_has_brought_goes(engine, prepared_url, query):
    with Search(prepared_url, query=query) as run:
        run.ask(run.first(), nameless(HERS))
    with Search(prepared_url, query=OTHER_QUERY) as run:
        run.ask(run.first(), nameless(UNKNOWN))

    said = deleted(engine, NAME)

    assert [each["id"] for each in rows(engine, "video")] == [UNKNOWN]
    assert str(HERS) not in repr(content(engine))
    assert "1 video came without `username`: whether it is by one of these" in said[-1]


@pytest.mark.parametrize("query", OF_OTHERS)
def test_what_may_be_by_somebody_else_stays_and_is_counted(engine, prepared_url, query):
    with Search(prepared_url, query=query) as run:
        run.ask(run.first(), nameless(UNKNOWN), nameless(HERS), video(3, username=OTHER))

    said = deleted(engine, NAME)

    assert len(rows(engine, "video")) == 3
    assert "2 videos came without `username`" in said[-1]


def test_of_persons_who_go_together_a_query_for_both_names_nobody_else(engine, prepared_url):
    with Search(prepared_url, query=OF_OTHERS[0]) as run:
        run.ask(run.first(), nameless(HERS))

    deleted(engine, NAME, OTHER)

    assert not rows(engine, "video")


def test_a_video_that_others_like_stays_and_one_that_the_person_has_pinned_goes(
    engine, prepared_url
):
    store_list(prepared_url, PINNED_VIDEOS, NAME, nameless(HERS))
    store_list(prepared_url, LIKED_VIDEOS, NAME, nameless(UNKNOWN))

    deleted(engine, NAME)

    assert [each["id"] for each in rows(engine, "video")] == [UNKNOWN]


def test_a_video_by_somebody_else_stays_wherever_it_came_from(engine, prepared_url):
    with Search(prepared_url, query=OF_A_PERSON[0]) as run:
        run.ask(run.first(), video(HERS, username=OTHER))
    store_list(prepared_url, PINNED_VIDEOS, NAME, video(HERS, username=OTHER))

    said = deleted(engine, NAME)

    assert rows(engine, "video")
    assert "came without" not in " ".join(said)


def playlist(url, id_, *videos):
    found = {"playlist_id": id_, "playlist_name": f"teas {id_}", "playlist_video_ids": [*videos]}
    store_list(url, PLAYLISTS, str(id_), found)


def test_playlists_of_a_person_go_with_the_ids_of_videos_that_were_not_collected(
    engine, prepared_url
):
    with Search(prepared_url) as run:
        hers = video(HERS, username=NAME, playlist_id=7300000000000000051)
        run.ask(run.first(), hers, video(UNKNOWN, username=OTHER, playlist_id=53))
    playlist(prepared_url, 7300000000000000051, 7300000000000000099)
    playlist(prepared_url, 7300000000000000052, HERS, 7300000000000000098)
    playlist(prepared_url, 53, UNKNOWN)
    playlist(prepared_url, 54, HERS, UNKNOWN)

    deleted(engine, NAME)

    assert [each["id"] for each in rows(engine, "playlist")] == [53, 54]
    assert [each["video_id"] for each in rows(engine, "playlist_video")] == [UNKNOWN, UNKNOWN]
    found = repr(content(engine))
    for gone in ("teas 73", *(f"73000000000000000{number}" for number in (51, 52, 98, 99))):
        assert gone not in found
    with Crawl(prepared_url, stage(PLAYLISTS, "53")) as crawl:
        assert crawl.plan.complete == 1


def test_of_a_playlist_that_goes_the_archive_has_neither_name_nor_ids():
    gone = Named("salt", frozenset({leaving_out.playlist(51)}))
    records = [{"playlist_id": id_, "playlist_video_ids": [HERS]} for id_ in (51, 52)]

    kept = [leaving_out.without(PLAYLISTS, str(r["playlist_id"]), (r,), gone) for r in records]

    stand_in = gone.stand_in(leaving_out.playlist(51))
    assert kept == [(({"removed": stand_in},), 1), ((records[1],), 0)]
    assert leaving_out.deleted_seed(PLAYLISTS, "51", gone) == leaving_out.playlist(51)
    assert leaving_out.deleted_seed(PLAYLISTS, "52", gone) is None
