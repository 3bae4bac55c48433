"""Settings and environment in, typed values out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from crawling import project_settings as settings

from tiktok_crawler.config import Config
from tiktok_crawler.config.paths import project_folder
from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.query import MAX_RELIABLE_USERNAMES

REAL_DATABASE = f"sqlite:///{project_folder() / 'tiktok.db'}"
SANDBOX_DATABASE = f"sqlite:///{project_folder() / 'tiktok-sandbox.db'}"
SECRET = "s3cr3t-of-ada"


@pytest.mark.parametrize(
    ("command_line", "environment", "project", "sandbox", "used"),
    [
        pytest.param(None, None, None, False, REAL_DATABASE, id="default"),
        pytest.param(None, None, None, True, SANDBOX_DATABASE, id="default of the sandbox"),
        pytest.param(None, None, "project", False, "project", id="settings"),
        pytest.param(None, None, "project", True, "project", id="settings, sandbox"),
        pytest.param(None, "env", "project", False, "env", id="environment before settings"),
        pytest.param(None, "", "project", False, "project", id="empty environment"),
        pytest.param("-s", "env", "project", False, "-s", id="command line before environment"),
        pytest.param("-s", "env", "project", True, "-s", id="command line, sandbox"),
        pytest.param("", "env", None, False, "env", id="empty on the command line"),
        pytest.param("", None, None, False, REAL_DATABASE, id="empty everywhere"),
        pytest.param(" ", " ", None, True, SANDBOX_DATABASE, id="blanks everywhere"),
    ],
)
def test_the_database_is_named_by_command_line_then_environment_then_settings(
    command_line, environment, project, sandbox, used
):
    chosen = settings(TIKTOK_SANDBOX=sandbox)
    chosen.set("TIKTOK_DATABASE_URL", project, priority="project")
    if command_line is not None:
        chosen.set("TIKTOK_DATABASE_URL", command_line, priority="cmdline")
    environ = {} if environment is None else {"TIKTOK_DATABASE_URL": environment}

    assert Config.of(chosen, environ).database_url == used


def test_the_environment_is_that_of_the_process(monkeypatch):
    monkeypatch.setenv("TIKTOK_DATABASE_URL", "postgresql://example/tiktok")

    assert Config.of(settings()).database_url == "postgresql://example/tiktok"


@pytest.mark.parametrize("configured", [[], "", None])
def test_all_fields_are_asked_for_by_default(configured):
    assert Config.of(settings(TIKTOK_VIDEO_FIELDS=configured)).video_fields == VIDEO_QUERY.fields


@pytest.mark.parametrize(
    "configured", ["view_count,id", "view_count, id", ["view_count", "id"], "id,view_count,id"]
)
def test_fields_are_asked_for_in_the_order_of_the_api(configured):
    found = Config.of(settings(TIKTOK_VIDEO_FIELDS=configured)).video_fields

    assert found == ("id", "view_count")


@pytest.mark.parametrize(
    ("configured", "words"),
    [
        ("id,favourites_count", "no field 'favourites_count'; did you mean .*favorites_count"),
        ("id,ID", "no field 'ID'"),
        ("id,author", "no field 'author'.*username"),
        ("id,,username", "no field ''"),
        ("username", "must have id"),
        (5, "=5 is not a list"),
    ],
)
def test_fields_that_the_api_would_refuse_are_refused_here(configured, words):
    with pytest.raises(ConfigurationError, match=f"TIKTOK_VIDEO_FIELDS.*{words}"):
        Config.of(settings(TIKTOK_VIDEO_FIELDS=configured))


@pytest.mark.parametrize(("value", "days"), [(31, 31), ("1", 1)])
def test_windows_are_as_wide_as_configured(value, days):
    assert Config.of(settings(TIKTOK_WINDOW_DAYS=value)).window_days == days


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [("TIKTOK_SANDBOX", "true ", True), ("TIKTOK_ARCHIVE", " ", None)],
)
def test_blanks_around_a_setting_are_taken_off(name, value, found):
    config = Config.of(settings(**{name: value}))

    assert (config.uses_sandbox if name == "TIKTOK_SANDBOX" else config.archive) is found


def test_windows_have_31_days_by_default():
    assert Config.of(settings()).window_days == 31


@pytest.mark.parametrize("value", [0, 32, "week"])
def test_windows_that_the_api_would_refuse_are_refused_here(value):
    with pytest.raises(ConfigurationError, match=r"TIKTOK_WINDOW_DAYS=.* from 1 to 31"):
        Config.of(settings(TIKTOK_WINDOW_DAYS=value))


@pytest.mark.parametrize("value", [0, 101, "many"])
def test_a_batch_has_a_value_at_least_and_not_too_many(value):
    assert Config.of(settings()).batch == MAX_RELIABLE_USERNAMES
    with pytest.raises(ConfigurationError, match=r"TIKTOK_BATCH=.* from 1 to 100"):
        Config.of(settings(TIKTOK_BATCH=value))


def test_days_are_settled_after_two_days_by_default():
    assert Config.of(settings()).settle == timedelta(days=2)


def test_settle_days_may_be_a_part_of_a_day():
    assert Config.of(settings(TIKTOK_SETTLE_DAYS="0.5")).settle == timedelta(hours=12)


def test_settle_days_are_not_negative():
    with pytest.raises(ConfigurationError, match="TIKTOK_SETTLE_DAYS=-1"):
        Config.of(settings(TIKTOK_SETTLE_DAYS=-1))


@pytest.mark.parametrize(
    ("value", "budget"), [(None, None), ("", None), ("800", 800), (1, 1), ("20000", 20_000)]
)
def test_a_daily_budget_is_a_whole_number_or_none(value, budget):
    assert Config.of(settings(TIKTOK_DAILY_BUDGET=value)).daily_budget == budget


@pytest.mark.parametrize("value", ["0", -1, "1.5", "many"])
def test_a_daily_budget_is_at_least_one_request(value):
    with pytest.raises(ConfigurationError, match=f"TIKTOK_DAILY_BUDGET={value}"):
        Config.of(settings(TIKTOK_DAILY_BUDGET=value))


def test_no_secret_is_in_what_is_shown_of_it():
    chosen = settings(TIKTOK_DATABASE_URL=f"postgresql://ada:{SECRET}@example/tiktok")

    shown = repr(Config.of(chosen, {"TIKTOK_CLIENT_KEY": "ada", "TIKTOK_CLIENT_SECRET": SECRET}))

    assert SECRET not in shown
    assert "window_days=31" in shown


@pytest.mark.parametrize(
    "name",
    [
        *("TIKTOK_RETRY_DELAY", "TIKTOK_RETRY_TIMES", "TIKTOK_PROBE_TIMES", "TIKTOK_QUOTA_POLICY"),
        *("TIKTOK_QUOTA_INTERVAL", "TIKTOK_PARKED_SHARE", "TIKTOK_SHARES", "LOGSTATS_INTERVAL"),
        *("TIKTOK_REFRESH_SHARE",),
    ],
)
def test_all_settings_are_checked_at_once(name):
    with pytest.raises(ConfigurationError, match=f"^{name}"):
        Config.of(settings(**{name: "sometimes"}))
