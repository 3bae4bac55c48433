"""What is said of a tag that several queries have."""

from __future__ import annotations

import pytest

from tiktok_crawler.reports.tag_report import shared_tag
from tiktok_crawler.research_api.query import Condition, Query
from tiktok_crawler.storage.ledger.queries import UsedQuery


def used(number, *hashtags):
    query = Query(and_=(Condition("hashtag_name", "IN", hashtags),))
    return UsedQuery(number, query, ("bread",), (), ())


@pytest.mark.parametrize("queries", [(), (used(1, "bread"),)])
def test_nothing_is_said_of_a_tag_of_one_query_or_of_listings(queries):
    assert shared_tag("bread", queries) is None


def test_nothing_is_said_without_a_tag():
    assert shared_tag(None, ()) is None


def test_several_queries_are_named_shortly():
    long = tuple(f"hashtag{number}" for number in range(30))
    assert shared_tag("bread", (used(1, "bread", "rolls"), used(7, *long))) == (
        "The tag 'bread' is that of 2 queries, and the videos of all of them count (-a from_query= "
        "takes those of one): query 1 (videos with #bread or #rolls); query 7 (videos with "
        "#hashtag0, #hashtag1, #hashtag10, #hashtag11, #…)"
    )


def test_of_many_queries_the_first_are_named():
    said = shared_tag("bread", [used(number, "bread") for number in range(1, 1208)])
    assert said
    assert said.endswith("; query 5 (videos with #bread); and 1,202 more")
