"""Which tags runs have used, and for which queries."""

from __future__ import annotations

from pathlib import Path

import pytest
from listed_pages import Crawl, stage
from sqlalchemy import inspect
from stored_pages import OTHER_QUERY, QUERY, content, video

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.research_api.endpoints import LISTINGS
from tiktok_crawler.research_api.query import Condition, Query
from tiktok_crawler.storage.ledger.tags import UsedTags, look_up_tags

REPOSTED = LISTINGS["reposted_videos"]
THIRD_QUERY = Query(and_=(Condition("region_code", "EQ", ("JP",)),))


def test_a_tag_is_known_from_the_beginning_of_the_run(prepared_url, search):
    search(tags=("bread", "Brot"))

    found = look_up_tags(prepared_url, "sandbox", "bread")

    assert found.names == {"bread", "Brot"}
    assert [used.query for used in found.queries] == [QUERY]


def test_the_queries_of_a_tag_are_all_whose_runs_have_used_it(prepared_url, search):
    search(tags=("bread",))
    search(query=OTHER_QUERY, tags=("cheese",))
    search(query=THIRD_QUERY, tags=("cheese", "bread"))
    search(tags=("later",))

    found = {tag: look_up_tags(prepared_url, "sandbox", tag).queries for tag in ("bread", "later")}

    assert [used.query_id for used in found["bread"]] == [1, 3]
    assert [used.query_id for used in found["later"]] == [1]


def test_a_tag_of_listings_is_that_of_no_query(prepared_url, search, begin):
    run = search()
    run.ask(run.first(), video(1))
    begin(Crawl(prepared_url, stage(REPOSTED, "ann"), tags=("reposted",)))

    assert look_up_tags(prepared_url, "sandbox", "reposted") == UsedTags(frozenset({"reposted"}))


def test_registering_a_run_again_adds_no_tag_twice(engine, search):
    for _ in range(2):
        search(tags=("bread",))

    assert [row["name"] for row in content(engine)["query_tag"]] == ["bread"]


def test_a_new_database_has_no_tags_and_stays_as_it_is(database_url, make_engine):
    assert look_up_tags(database_url, "sandbox", "bread") == UsedTags()

    if database_url.startswith("sqlite"):
        assert not Path(database_url.removeprefix("sqlite:///")).exists()
    else:
        assert not inspect(make_engine(database_url)).get_table_names()


def test_a_database_of_another_origin_is_refused(prepared_url):
    with pytest.raises(ConfigurationError, match="must not be mixed"):
        look_up_tags(prepared_url, "https://open.tiktokapis.com", "bread")
