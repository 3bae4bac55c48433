"""A query in words says what joins its conditions."""

from __future__ import annotations

import pytest

from tiktok_crawler.research_api.query import Condition, Query
from tiktok_crawler.research_api.wording import in_words, joins_two_kinds

BUTTER = Condition("hashtag_name", "IN", ("butter", "cheese"))
BREAD = Condition("keyword", "EQ", ("bread",))
REGIONS = Condition("region_code", "IN", ("DE", "AT"))
ANN = Condition("username", "EQ", ("ann",))
GONE = Condition("username", "EQ", ("deleted:",))
BEFORE, ON = (Condition("create_date", op, ("20240105",)) for op in ("LT", "EQ"))
VIEWS = Condition("view_count", "GTE", ("1000",))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (
            Query((BUTTER, BREAD, REGIONS)),
            "videos from AT or DE with #butter or #cheese, AND the keyword bread",
        ),
        (
            Query((), (BUTTER, BREAD)),
            "videos with at least one of: #butter or #cheese OR the keyword bread",
        ),
        (Query((), (BREAD,)), "videos with the keyword bread"),
        (Query((GONE, BREAD)), "videos by persons who were deleted with the keyword bread"),
        (
            Query((REGIONS,), (BUTTER, BREAD)),
            "videos from AT or DE with at least one of: #butter or #cheese OR the keyword bread",
        ),
        (Query((REGIONS, ANN)), "videos from AT or DE, AND by @ann"),
        (
            Query((VIEWS,), (), (ANN, BUTTER)),
            "videos with at least 1,000 views, NOT #butter or #cheese, NOT by @ann",
        ),
        (Query((), (), (ANN,)), "videos, NOT by @ann"),
        (
            Query(
                (Condition("create_date", "LT", ("20240105",)), Condition("video_id", "EQ", ("7",)))
            ),
            "videos with a date before 2024-01-05, AND the id 7",
        ),
        (
            Query((Condition("create_date", "EQ", ("20240105",)),)),
            "videos with the date 2024-01-05",
        ),
        (
            Query((Condition("username", "IN", tuple(f"a{n:02}" for n in range(13))),)),
            "videos by @a00, @a01, @a02, @a03, @a04, @a05, @a06, @a07, @a08, @a09 or 3 more",
        ),
        (
            Query((Condition("keyword", "EQ", ("bread\x1b[2J",)),)),
            "videos with the keyword bread�[2J",
        ),
    ],
)
def test_a_query_is_put_in_words(query, words):
    assert in_words(query) == words


def test_a_hashtag_as_well_as_a_keyword_may_not_be_what_is_meant():
    assert joins_two_kinds(Query((BUTTER, BREAD)))
    assert not joins_two_kinds(Query((BUTTER, REGIONS)))
    assert not joins_two_kinds(Query((), (BUTTER, BREAD)))
