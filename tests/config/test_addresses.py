"""Where the API is: over https, or on this machine."""

from __future__ import annotations

import traceback

import pytest
from crawling import project_settings as settings

from tiktok_crawler.config import Config
from tiktok_crawler.config.addresses import is_loopback
from tiktok_crawler.exceptions import ConfigurationError

SECRET = "s3cr3t-of-ada"


def test_the_api_is_tiktoks_own_unless_somebody_says_otherwise():
    assert Config.of(settings()).api_url == "https://open.tiktokapis.com"


@pytest.mark.parametrize(
    ("configured", "used"),
    [
        ("https://open.tiktokapis.com/", "https://open.tiktokapis.com"),
        ("https://proxy.example:8443/tiktok/", "https://proxy.example:8443/tiktok"),
        ("", "https://open.tiktokapis.com"),
        ("http://127.0.0.1:8890", "http://127.0.0.1:8890"),
        ("http://localhost:8890/", "http://localhost:8890"),
        ("http://[::1]:8890", "http://[::1]:8890"),
    ],
)
def test_the_api_is_reached_over_https_or_on_this_machine(configured, used):
    assert Config.of(settings(TIKTOK_API_URL=configured)).api_url == used


@pytest.mark.parametrize(
    "url",
    [
        "http://open.tiktokapis.com",
        "http://192.168.0.7:8890",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "http://0.0.0.0:8890",
    ],
)
def test_the_token_is_never_sent_unencrypted_to_another_machine(url):
    with pytest.raises(ConfigurationError, match=r"TIKTOK_API_URL=.* use https"):
        Config.of(settings(TIKTOK_API_URL=url))


@pytest.mark.parametrize(
    "url",
    [
        "open.tiktokapis.com",
        "ftp://open.tiktokapis.com",
        "https://",
        "https:///v2",
        "https://ada:pass@open.tiktokapis.com",
        "https://[::1",
        "https://open.tiktokapis.com:https",
        "7",
    ],
)
def test_what_is_no_url_of_an_api_is_refused_with_an_example(url):
    with pytest.raises(ConfigurationError, match=r"TIKTOK_API_URL.*https://open\.tiktokapis\.com"):
        Config.of(settings(TIKTOK_API_URL=url))


def test_a_password_in_the_url_of_the_api_is_not_shown():
    with pytest.raises(ConfigurationError) as raised:
        Config.of(settings(TIKTOK_API_URL=f"https://ada:{SECRET}@tiktok.example"))

    assert SECRET not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize(
    ("url", "is_ours"),
    [
        ("http://127.0.0.1:8890", True),
        ("http://127.9.9.9", True),
        ("http://[::1]", True),
        ("http://LocalHost", True),
        ("https://open.tiktokapis.com", False),
        ("http://127.0.0.1@open.tiktokapis.com", False),
        ("http://10.0.0.1", False),
        ("http://[::1", False),
        ("localhost:8890", False),
        ("", False),
    ],
)
def test_loopback_is_told_by_the_host_alone(url, is_ours):
    assert is_loopback(url) is is_ours


@pytest.mark.parametrize(("sandbox", "origin"), [(True, "sandbox"), (False, "https://api.example")])
def test_data_comes_from_the_url_of_the_api_or_from_the_sandbox(sandbox, origin):
    found = Config.of(
        settings(TIKTOK_SANDBOX=sandbox, TIKTOK_API_URL="https://api.example/")
    ).origin

    assert found == origin


@pytest.mark.parametrize(
    ("configured", "used"),
    [
        (None, None),
        ("", None),
        ("http://127.0.0.1:8890/", "http://127.0.0.1:8890"),
        ("http://localhost:8890", "http://localhost:8890"),
    ],
)
def test_a_sandbox_is_served_on_this_machine_or_started_inside_the_crawl(configured, used):
    assert Config.of(settings(TIKTOK_SANDBOX=True, TIKTOK_SANDBOX_URL=configured)).api_url == used


@pytest.mark.parametrize("url", ["https://open.tiktokapis.com", "127.0.0.1:8890", "http://[::1"])
def test_a_sandbox_elsewhere_is_refused(url):
    with pytest.raises(ConfigurationError, match=r"TIKTOK_SANDBOX_URL=.* not on this machine"):
        Config.of(settings(TIKTOK_SANDBOX=True, TIKTOK_SANDBOX_URL=url))


@pytest.mark.parametrize(
    ("value", "uses"),
    [(True, True), ("True", True), ("true", True), ("1", True), ("False", False), ("0", False)],
)
def test_the_sandbox_is_switched_on_as_scrapy_settings_are(value, uses):
    assert Config.of(settings(TIKTOK_SANDBOX=value)).uses_sandbox is uses


@pytest.mark.parametrize("value", ["yes", "", "maybe"])
def test_a_sandbox_that_is_neither_on_nor_off_is_a_configuration_error(value):
    with pytest.raises(ConfigurationError, match=f"TIKTOK_SANDBOX={value}.*True.*False"):
        Config.of(settings(TIKTOK_SANDBOX=value))
