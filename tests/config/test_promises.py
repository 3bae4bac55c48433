"""Settings of Scrapy's that would break a promise."""

from __future__ import annotations

import pytest
from crawling import project_settings as settings

from tiktok_crawler.config.promises import check_promises
from tiktok_crawler.exceptions import ConfigurationError


def test_the_settings_of_the_project_keep_the_promises():
    check_promises(settings())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONCURRENT_ITEMS", 100),
        ("CONCURRENT_ITEMS", "2"),
        ("JOBDIR", "job"),
        ("HTTPCACHE_ENABLED", True),
        ("HTTPCACHE_ENABLED", "1"),
    ],
)
def test_a_setting_that_breaks_a_promise_stops_the_crawl_with_the_reason(name, value):
    with pytest.raises(ConfigurationError, match=rf"^{name} .*: .{{20}}"):
        check_promises(settings(**{name: value}))


@pytest.mark.parametrize("setting", [{"CONCURRENT_ITEMS": "many"}, {"HTTPCACHE_ENABLED": "yes"}])
def test_a_promise_that_cannot_be_read_is_a_configuration_error(setting):
    [name] = setting

    with pytest.raises(ConfigurationError, match=f"^{name}"):
        check_promises(settings(**setting))


@pytest.mark.parametrize("priority", ["project", "spider", "cmdline"])
def test_a_promise_holds_wherever_the_setting_comes_from(priority):
    chosen = settings()
    chosen.set("JOBDIR", "job", priority=priority)

    with pytest.raises(ConfigurationError, match="JOBDIR"):
        check_promises(chosen)
