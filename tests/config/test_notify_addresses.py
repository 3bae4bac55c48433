"""The addresses of TIKTOK_NOTIFY: read from lists and text, and never quoted."""

from __future__ import annotations

import sys

import pytest
from scrapy.settings import Settings

from tiktok_crawler.config.notify import check_addresses, read_addresses, shown
from tiktok_crawler.exceptions import ConfigurationError

MAIL, CHAT = "mailtos://me:pw@example.org/?to=a@x.org,b@x.org", "slack://a/b/c"


@pytest.mark.parametrize(
    ("written", "addresses"),
    [
        (None, ()),
        ("", ()),
        ([], ()),
        (MAIL, (MAIL,)),
        (f"{MAIL},{CHAT}", (MAIL, CHAT)),
        (f" {MAIL}\n {CHAT}, ", (MAIL, CHAT)),
        ([MAIL, CHAT, MAIL], (MAIL, CHAT)),
    ],
)
def test_addresses_are_a_list_or_text(written, addresses):
    assert read_addresses(Settings({"TIKTOK_NOTIFY": written})) == addresses


def test_anything_else_is_refused_and_not_quoted():
    with pytest.raises(ConfigurationError, match="TIKTOK_NOTIFY is not a list") as refused:
        read_addresses(Settings({"TIKTOK_NOTIFY": {"mail": MAIL}}))
    assert "pw" not in str(refused.value)


def test_an_address_is_shown_by_its_place_and_kind():
    assert shown((MAIL, CHAT), CHAT) == "address 2 of TIKTOK_NOTIFY (slack)"


def test_without_the_extra_the_command_is_told_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)
    check_addresses(())
    with pytest.raises(ConfigurationError, match=r"pip install 'tiktok-crawler\[notify\]'"):
        check_addresses((MAIL,))
