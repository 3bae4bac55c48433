"""Every setting is documented, and nothing else is."""

from __future__ import annotations

import re
from itertools import chain

import pytest
import scrapy
from scrapy.settings import default_settings
from scrapys_settings import DOCUMENT, documented

from tiktok_crawler import settings
from tiktok_crawler.config.scrapy_settings import COMPONENTS, HONOURED, REFUSED

LOWEST = re.search(r'"scrapy>=([\d.]+)"', (DOCUMENT.parents[1] / "pyproject.toml").read_text())[1]
ITS_SETTINGS = {*default_settings.__all__, "DNS_RESOLVER", "CONCURRENT_REQUESTS_PER_IP"}
"""Those that Scrapy documents, and two that it gives up."""

NO_SETTINGS = {
    *("TIKTOK_CLIENT_KEY", "TIKTOK_CLIENT_SECRET"),
    # Examples of a misspelt name, and of another program's.
    *("TIKTOK_SANDOX", "TIKTOK_COOKIE"),
}


def own_settings():
    return {name for name in vars(settings) if name.startswith("TIKTOK_")}


def documented_settings():
    return set(re.findall(r"\bTIKTOK_[A-Z_]*[A-Z]\b", DOCUMENT.read_text(encoding="utf-8")))


def test_a_table_says_of_each_setting_of_scrapy_whether_it_holds():
    found = documented()
    assert found.keys() == {"holds", "refused", "no effect"}
    assert sorted(found["holds"]) == sorted(HONOURED)
    assert sorted(found["refused"]) == sorted([*REFUSED, *COMPONENTS])


@pytest.mark.skipif(
    not scrapy.__version__.startswith(LOWEST), reason="a newer Scrapy may have other settings"
)
def test_every_setting_of_the_lowest_allowed_scrapy_stands_there_once():
    assert sorted(chain.from_iterable(documented().values())) == sorted(ITS_SETTINGS)


def test_every_setting_is_documented():
    assert own_settings() - documented_settings() == set()


def test_every_documented_setting_exists():
    assert documented_settings() - own_settings() - NO_SETTINGS == set()
