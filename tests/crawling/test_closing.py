"""How a crawl ends: close reasons, exceptions, and the exit status of each."""

from __future__ import annotations

import inspect
import re
from itertools import pairwise, permutations

import pytest
from scrapy.extensions import closespider

from tiktok_crawler import exceptions
from tiktok_crawler.crawling.closing import EXIT_STATUSES, CloseReason, exit_status, severest
from tiktok_crawler.exceptions import (
    ConfigurationError,
    CrawlerError,
    CredentialsError,
    DailyBudgetSpentError,
    QueryFileError,
    QueryLockedError,
    TemporaryError,
    UsageError,
)

DONE, USAGE, BROKEN, LATER, REFUSED, CONFIGURATION = 0, 64, 70, 75, 77, 78


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("finished", DONE),
        ("daily_quota_spent", LATER),
        ("daily_budget_spent", LATER),
        ("max_requests_reached", LATER),
        ("token_unavailable", LATER),
        ("lock_lost", LATER),
        ("credentials_refused", REFUSED),
        ("storage_failed", BROKEN),
        ("unexpected_error", BROKEN),
        pytest.param("shutdown", LATER, id="shutdown: a signal"),
        ("closespider_timeout", LATER),
        ("closespider_itemcount", LATER),
        ("closespider_pagecount", LATER),
        ("closespider_timeout_no_item", LATER),
        ("closespider_pagecount_no_item", LATER),
        ("closespider_errorcount", BROKEN),
        pytest.param("start_error", BROKEN, id="start_error: Scrapy's, for Spider.start()"),
        pytest.param("nobody_knows", BROKEN, id="a reason that nobody knows"),
    ],
)
def test_a_close_reason_has_its_exit_status(reason, status):
    assert exit_status(reason) == status


@pytest.mark.parametrize("reason", CloseReason)
def test_every_close_reason_of_our_own_has_a_status_and_is_a_snake_case_word(reason):
    assert reason in EXIT_STATUSES
    assert reason == reason.name.lower()


@pytest.mark.parametrize("reason", [r for r in EXIT_STATUSES if r.startswith("closespider_")])
def test_scrapys_own_close_reasons_are_spelled_as_scrapy_spells_them(reason):
    assert f'"{reason}"' in inspect.getsource(closespider)


IN_ORDER = [BROKEN, REFUSED, CONFIGURATION, USAGE, LATER, DONE]


@pytest.mark.parametrize(("severer", "milder"), list(pairwise(IN_ORDER)))
def test_the_severer_status_goes_first_whatever_came_first(severer, milder):
    assert severest([severer, milder]) == severest([milder, severer]) == severer


def test_the_severest_of_many_statuses_wins_in_any_order():
    assert {severest(statuses) for statuses in permutations([DONE, LATER, CONFIGURATION])} == {
        CONFIGURATION
    }


@pytest.mark.parametrize(
    ("exception", "status"),
    [
        (UsageError, USAGE),
        (CredentialsError, REFUSED),
        (ConfigurationError, CONFIGURATION),
        (QueryFileError, CONFIGURATION),
        (TemporaryError, LATER),
        (QueryLockedError, LATER),
        (DailyBudgetSpentError, LATER),
    ],
)
def test_an_exception_has_its_exit_status(exception, status):
    assert exception.exit_status == status
    assert issubclass(exception, CrawlerError)


def test_the_exception_tree_is_drawn_with_every_class_and_its_status():
    tree = exceptions.__doc__.partition("\n\n")[2].partition("\n\n")[0]
    drawn = dict(re.findall(r"(\w+Error)(?: +(\d+)| )?", tree))
    classes = {name: value for name, value in vars(exceptions).items() if name.endswith("Error")}

    assert drawn.keys() == classes.keys()
    assert all(classes[name].exit_status == int(status) for name, status in drawn.items() if status)
