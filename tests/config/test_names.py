"""Settings that do not exist are refused, wherever they stand; the environment can have each."""

from __future__ import annotations

import pytest
from crawling import project_settings as settings

from tiktok_crawler import settings as module
from tiktok_crawler.config import Config
from tiktok_crawler.config.names import SETTINGS
from tiktok_crawler.exceptions import ConfigurationError

MISSPELT = [
    ("TIKTOK_SANDOX", "TIKTOK_SANDBOX"),
    ("TIKTOK_DATABSE_URL", "TIKTOK_DATABASE_URL"),
    ("TIKTOK_DATABASE", "TIKTOK_DATABASE_URL"),
    ("TIKTOK_BUDGET", "TIKTOK_DAILY_BUDGET"),
    ("TIKTOK_SEARCH_ID_TIME", "TIKTOK_SEARCH_ID_TIMES"),
    ("TITKOK_SANDBOX", "TIKTOK_SANDBOX"),
    ("TIKTOK-SANDBOX", "TIKTOK_SANDBOX"),
    ("TIKTOKSHARES", "TIKTOK_SHARES"),
    ("tiktok_sandbox", "TIKTOK_SANDBOX"),
    ("TIKTOK_CLIENT_SECRT", "TIKTOK_CLIENT_SECRET"),
]


def test_the_names_are_those_of_the_settings_module():
    assert {name for name in vars(module) if name.startswith("TIKTOK_")} == set(SETTINGS)
    assert sorted(SETTINGS) == list(SETTINGS)


@pytest.mark.parametrize("priority", ["addon", "project", "spider", "cmdline"])
@pytest.mark.parametrize(("name", "meant"), MISSPELT)
def test_a_setting_that_does_not_exist_is_refused_with_the_nearest_name(name, meant, priority):
    chosen = settings()
    chosen.set(name, "1", priority=priority)

    with pytest.raises(ConfigurationError, match=rf"{name} \(did you mean {meant}\?\)"):
        Config.of(chosen, {})


def test_blanks_around_a_name_are_told_as_that():
    with pytest.raises(ConfigurationError, match=r"'TIKTOK_SANDBOX ' \(write NAME=VALUE, without"):
        Config.of(settings(**{"TIKTOK_SANDBOX ": "True"}), {})


def test_a_setting_with_our_prefix_is_refused_also_if_it_resembles_none():
    with pytest.raises(ConfigurationError, match="no such setting: TIKTOK_FOO, TIKTOK_XY"):
        Config.of(settings(TIKTOK_FOO=1, TIKTOK_XY=1), {})


@pytest.mark.parametrize("name", ["MY_SETTING", "DATABASE_URL", "RETRY_TIMES", "TIKTOKEN_CACHE"])
def test_settings_of_others_are_none_of_our_business(name):
    assert Config.of(settings(**{name: 1}), {})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("LOG_LEVL", "LOG_LEVEL"),
        ("DOWNLOAD_DELY", "DOWNLOAD_DELAY"),
        ("CONCURENT_REQUESTS", "CONCURRENT_REQUESTS"),
        ("closespider_timeout", "CLOSESPIDER_TIMEOUT"),
    ],
)
def test_what_is_nearly_a_setting_of_scrapys_is_refused_where_it_was_typed(name, meant):
    with pytest.raises(ConfigurationError, match=rf"{name} \(did you mean {meant}\?\)"):
        Config.of(settings(**{name: 1}), {})

    of_others = settings()
    of_others.set(name, 1, priority="project")
    assert Config.of(of_others, {})


def test_credentials_are_no_settings():
    with pytest.raises(ConfigurationError, match=r"TIKTOK_CLIENT_SECRET .* environment") as refusal:
        Config.of(settings(TIKTOK_CLIENT_SECRET="s3cr3t"), {})

    assert "s3cr3t" not in str(refusal.value)


@pytest.mark.parametrize(("name", "meant"), MISSPELT)
def test_a_variable_that_resembles_a_setting_is_refused(name, meant):
    with pytest.raises(
        ConfigurationError, match=rf"environment.*{name} \(did you mean {meant}\?\)"
    ):
        Config.of(settings(), {name: ""})


@pytest.mark.parametrize(
    "name",
    [
        *("TIKTOK_CLIENT_KEY", "TIKTOK_TEST_SEEDS", "TIKTOK_COOKIE", "TIKTOK_MS_TOKEN"),
        *("TIKTOK_API_KEY", "TIKTOKEN_CACHE_DIR", "DATABASE_URL", "RETRY_DELAY_MAX", "SANDBOX"),
    ],
)
def test_a_variable_that_resembles_no_setting_is_left_alone(name):
    assert Config.of(settings(), {name: "1"})


@pytest.mark.parametrize(
    ("name", "written", "attribute", "value"),
    [
        ("TIKTOK_SANDBOX", "1", "uses_sandbox", True),
        ("TIKTOK_WINDOW_DAYS", " 7 ", "window_days", 7),
        ("TIKTOK_BATCH", "3", "batch", 3),
        ("TIKTOK_VIDEO_FIELDS", "id,username", "video_fields", ("id", "username")),
        ("TIKTOK_SHARES", "videos=0.5", "shares", {"videos": 0.5}),
        ("TIKTOK_CSV_GUARD", "1", "csv_guard", True),
        ("TIKTOK_DAILY_BUDGET", "800", "daily_budget", 800),
        ("TIKTOK_PROBE_TIMES", "3", "probe_times", 3),
        ("TIKTOK_REFRESH_SHARE", "0.5", "refresh_share", 0.5),
    ],
)
def test_each_setting_can_come_from_the_environment(name, written, attribute, value):
    assert getattr(Config.of(settings(), {name: written}), attribute) == value


def test_a_wrong_value_in_the_environment_is_refused_like_any_other():
    with pytest.raises(ConfigurationError, match="TIKTOK_SANDBOX=sometimes is not True or False"):
        Config.of(settings(), {"TIKTOK_SANDBOX": "sometimes"})


@pytest.mark.parametrize(
    ("priority", "days"), [("project", 3), ("spider", 3), ("addon", 3), ("cmdline", 5)]
)
def test_the_environment_goes_before_code_and_after_the_command_line(priority, days):
    chosen = settings()
    chosen.set("TIKTOK_WINDOW_DAYS", 5, priority=priority)

    assert Config.of(chosen, {"TIKTOK_WINDOW_DAYS": "3"}).window_days == days


def test_an_empty_variable_says_nothing():
    assert Config.of(settings(), {"TIKTOK_WINDOW_DAYS": " "}).window_days == 31
