"""Every setting is documented, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

import tiktok_crawler
from tiktok_crawler import settings
from tiktok_crawler.config.scrapy_settings import COMPONENTS, HONOURED, REFUSED, WITHOUT_EFFECT

PACKAGE = Path(tiktok_crawler.__file__).parent
DOCUMENT = PACKAGE.parent / "docs" / "configuration.md"

NO_SETTINGS = {
    *("TIKTOK_CLIENT_KEY", "TIKTOK_CLIENT_SECRET"),
    # Examples of a misspelt name, and of another program's.
    *("TIKTOK_SANDOX", "TIKTOK_COOKIE"),
}


KINDS = {
    "holds": set(HONOURED),
    "refused": {*REFUSED, *COMPONENTS},
    "no effect": set(WITHOUT_EFFECT),
}


def own_settings():
    return {name for name in vars(settings) if name.startswith("TIKTOK_")}


def documented_settings():
    return set(re.findall(r"\bTIKTOK_[A-Z_]*[A-Z]\b", DOCUMENT.read_text(encoding="utf-8")))


def test_a_table_says_of_each_setting_of_scrapy_whether_it_holds():
    table = DOCUMENT.read_text(encoding="utf-8").split("## All settings of Scrapy\n")[1]
    found = {kind: [] for kind in KINDS}
    for names, kind in re.findall(r"^\| (`.*?`) \| (.*?) \|", table, flags=re.MULTILINE):
        found[kind] += re.findall(r"[A-Z]\w+", names)

    assert {kind: sorted(names) for kind, names in found.items()} == {
        kind: sorted(names) for kind, names in KINDS.items()
    }


def test_every_setting_is_documented():
    assert own_settings() - documented_settings() == set()


def test_every_documented_setting_exists():
    assert documented_settings() - own_settings() - NO_SETTINGS == set()
