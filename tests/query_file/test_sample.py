"""A sample is drawn day by day, and is a query of its own."""

from __future__ import annotations

import pytest
from query_files import DATES, mistakes, read

from tiktok_crawler.research_api.query import Operation, Query, Sample
from tiktok_crawler.research_api.wording import in_words


@pytest.mark.parametrize(
    ("line", "sample", "words"),
    [
        ("{per_day: 100}", Sample(100), "a random sample of at most 100 a day of videos from US"),
        (
            "{per_day: 7, draw: 2}",
            Sample(7, 2),
            "a random sample of at most 7 a day (draw 2) of videos from US",
        ),
    ],
)
def test_a_sample_is_part_of_its_query(tmp_path, line, sample, words):
    query = read(tmp_path, f"{DATES}regions: [US]\nsample: {line}").query
    assert query.sample == sample
    assert in_words(query) == words
    whole = read(tmp_path, f"{DATES}regions: [US]").query
    assert query.fingerprint != whole.fingerprint
    assert Query.from_json(query.to_json()) == query
    assert "sample" not in query.sent(Operation.IN)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{}", "sample: lacks per_day"),
        ("{draw: 2}", "sample: lacks per_day"),
        ("{per_day: 101}", "sample.per_day: '101' is no whole number from 1 to 100"),
        ("{per_day: 0}", "sample.per_day: '0' is no whole number from 1 to 100"),
        ("{per_day: 5, draw: 0}", "sample.draw: '0' is no whole number from 1 to 1,000"),
        ("{per_day: 5, seed: 7}", "sample.seed: is not a key here; allowed: per_day, draw"),
        ("100", "sample: must hold keys with values, found '100'; allowed: per_day, draw"),
    ],
)
def test_what_is_no_sample_is_a_mistake(tmp_path, line, words):
    mistake, *_ = mistakes(tmp_path, f"{DATES}regions: [US]\nsample: {line}")
    assert words in mistake
