"""What is said of a tag that no run has used, whichever spider is to take its videos."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from crawling import project_settings

from tiktok_crawler.arguments.tag_argument import queries_with
from tiktok_crawler.clock import utc_now
from tiktok_crawler.config import Config
from tiktok_crawler.date_range import DateRange
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.planning.coverage import Freshness
from tiktok_crawler.planning.plan import Wanted
from tiktok_crawler.query_file.collection import Collection
from tiktok_crawler.research_api.query import Condition, Query
from tiktok_crawler.storage.search_session import SearchSession

DAYS = DateRange(date(2024, 1, 1), date(2024, 1, 31))


def config(url):
    return Config.of(project_settings(TIKTOK_SANDBOX=True, TIKTOK_DATABASE_URL=url))


def search(url, *tags, region="FR"):
    """A run that brings nothing."""
    query = Query(and_=(Condition("region_code", "EQ", (region,)),))
    collection = Collection(query, DAYS, "2024-01-01", "2024-01-31", tags)
    wanted = Wanted(query, DAYS, ("id",), Freshness(timedelta(days=2)))
    session = SearchSession(
        url, origin="sandbox", collection=collection, wanted=wanted, account=None
    )
    session.open()
    session.begin(utc_now())
    session.release()


def refusal(url, tag):
    with pytest.raises(UsageError) as caught:
        queries_with(tag, config(url))
    return str(caught.value)


def test_without_a_tag_no_database_is_looked_at():
    assert queries_with(None, config("sqlite:////nowhere/x.db")) == ()


def test_a_tag_of_a_run_that_has_brought_nothing_is_known(prepared_url):
    search(prepared_url, "bread")
    assert [used.query_id for used in queries_with("bread", config(prepared_url))] == [1]


@pytest.mark.parametrize("mistyped", ["elektions-2024", "Elections-2024", "elections"])
def test_a_mistyped_tag_is_told_with_the_nearest(prepared_url, mistyped):
    search(prepared_url, "elections-2024", "bread")
    said = refusal(prepared_url, mistyped)
    assert said.startswith("-a from_tag: no run on the ")
    assert said.endswith(f" has used the tag '{mistyped}'; did you mean 'elections-2024'?")


def test_a_tag_like_no_other_is_told_with_all(prepared_url):
    search(prepared_url, "elections-2024", "bread")
    search(prepared_url, "cheese", region="US")
    said = refusal(prepared_url, "zoo")
    assert said.endswith("has used the tag 'zoo'; it has 'bread', 'cheese', 'elections-2024'")


def test_of_many_tags_the_first_are_shown(prepared_url):
    search(prepared_url, *(f"tag{number}" for number in range(100, 150)))
    assert refusal(prepared_url, "zoo").endswith("'tag108', 'tag109' and 40 more")


def test_on_a_new_database_it_is_said_what_to_do_first(database_url):
    said = refusal(database_url, "bread")
    assert " database " in said
    assert "'bread', or any other; collect videos first" in said
    assert "TIKTOK_DATABASE_URL" in said


def test_neither_password_nor_user_is_shown(postgresql_url):
    said = refusal(postgresql_url, "bread")
    assert "PostgreSQL database " in said
    assert "postgres@" not in said
