"""A message has what has changed since the last one."""

from __future__ import annotations

from tiktok_crawler.attention.digest import Digest
from tiktok_crawler.attention.needs import Need

LATE, PARKED = Need("late", "no run has come"), Need("parked:7", "3 days are parked")


def test_nothing_is_to_be_said_where_nothing_changed_but_the_words():
    assert not Digest.of((), {})
    assert not Digest.of((PARKED,), {"parked:7": "2 days are parked"})


def test_what_is_new_stands_first_and_what_is_over_as_it_was_told():
    digest = Digest.of((LATE, PARKED), {"parked:7": "2 days are parked", "disk": "it is full"})
    assert digest.title("butter") == "butter: 2 things need a person"
    assert digest.body == (
        "New:\n- no run has come\n\n"
        "Over (as it was told):\n- it is full\n\n"
        "Still so:\n- 3 days are parked\n\n"
        "scrapy status --check says how it is now."
    )


def test_the_end_of_all_is_told_as_such():
    digest = Digest.of((), {"late": "no run had come"})
    assert digest.title("butter") == "butter: all is well again"
    assert Digest.of((LATE,), {}).title("butter") == "butter: 1 thing needs a person"
