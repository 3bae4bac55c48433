"""Settings and environment: which API, which database, whose credentials."""

from __future__ import annotations

import logging
import traceback
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum

import pytest
from scrapy.settings import Settings
from scrapy.utils.defer import deferred_f_from_coro_f
from scrapy.utils.test import get_crawler

from tiktok_crawler import config
from tiktok_crawler.config import Credentials
from tiktok_crawler.crawling.components import extension, item_pipeline
from tiktok_crawler.exceptions import ConfigurationError, CredentialsError
from tiktok_crawler.extensions.delay_queue import DelayQueue
from tiktok_crawler.planning.quota import QuotaAccount
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY, Pool
from tiktok_crawler.sandbox import CLIENT_KEY, CLIENT_SECRET

SECRET = "s3cr3t-of-ada"
REAL_DATABASE = "sqlite:///tiktok.db"
SANDBOX_DATABASE = "sqlite:///tiktok-sandbox.db"


def settings(*, priority="cmdline", **overrides):
    """The project's settings, with overrides as `-s` gives them."""
    project = Settings()
    project.setmodule("tiktok_crawler.settings", priority="project")
    project.setdict(overrides, priority=priority)
    return project


def message_of(raised):
    """All that could be shown of an exception: its message and its traceback."""
    return "".join(traceback.format_exception(raised.value))


# --- The API ---


def test_the_api_is_tiktoks_own_unless_somebody_says_otherwise():
    assert config.api_url(settings()) == "https://open.tiktokapis.com"


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
    assert config.api_url(settings(TIKTOK_API_URL=configured)) == used


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
        config.api_url(settings(TIKTOK_API_URL=url))


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
        config.api_url(settings(TIKTOK_API_URL=url))


def test_a_password_in_the_url_of_the_api_is_not_shown():
    with pytest.raises(ConfigurationError) as raised:
        config.api_url(settings(TIKTOK_API_URL=f"https://ada:{SECRET}@tiktok.example"))

    assert SECRET not in message_of(raised)


@pytest.mark.parametrize(
    ("url", "is_loopback"),
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
def test_loopback_is_told_by_the_host_alone(url, is_loopback):
    assert config.is_loopback(url) is is_loopback


@pytest.mark.parametrize(("sandbox", "origin"), [(True, "sandbox"), (False, "https://api.example")])
def test_data_comes_from_the_url_of_the_api_or_from_the_sandbox(sandbox, origin):
    found = config.origin(settings(TIKTOK_SANDBOX=sandbox, TIKTOK_API_URL="https://api.example/"))

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
    assert config.sandbox_url(settings(TIKTOK_SANDBOX_URL=configured)) == used


@pytest.mark.parametrize("url", ["https://open.tiktokapis.com", "127.0.0.1:8890", "http://[::1"])
def test_a_sandbox_elsewhere_is_refused(url):
    with pytest.raises(ConfigurationError, match=r"TIKTOK_SANDBOX_URL=.* not on this machine"):
        config.sandbox_url(settings(TIKTOK_SANDBOX_URL=url))


@pytest.mark.parametrize(
    ("value", "uses"),
    [(True, True), ("True", True), ("true", True), ("1", True), ("False", False), ("0", False)],
)
def test_the_sandbox_is_switched_on_as_scrapy_settings_are(value, uses):
    assert config.uses_sandbox(settings(TIKTOK_SANDBOX=value)) is uses


@pytest.mark.parametrize("value", ["yes", "", "maybe"])
def test_a_sandbox_that_is_neither_on_nor_off_is_a_configuration_error(value):
    with pytest.raises(ConfigurationError, match=f"TIKTOK_SANDBOX={value}.*True.*False"):
        config.uses_sandbox(settings(TIKTOK_SANDBOX=value))


# --- The database ---


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

    assert config.database_url(chosen, environ) == used


def test_the_environment_is_that_of_the_process(monkeypatch):
    monkeypatch.setenv("TIKTOK_DATABASE_URL", "postgresql://example/tiktok")

    assert config.database_url(settings()) == "postgresql://example/tiktok"


# --- Credentials ---


@pytest.fixture
def secrets(tmp_path):
    """Writes a secrets file, its owner's alone, and gives the settings that name it."""

    def write(content, mode=0o600):
        path = tmp_path / "secrets.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        return settings(TIKTOK_SECRETS_FILE=str(path))

    return write


def test_credentials_come_from_the_environment():
    environ = {"TIKTOK_CLIENT_KEY": "ada", "TIKTOK_CLIENT_SECRET": SECRET}

    assert config.credentials(settings(), environ) == Credentials("ada", SECRET)


def test_credentials_come_from_the_secrets_file(secrets):
    chosen = secrets(f"client_key: ada\nclient_secret: {SECRET}\n")

    assert config.credentials(chosen, {}) == Credentials("ada", SECRET)


def test_the_environment_goes_before_the_secrets_file(secrets):
    chosen = secrets("client_key: file\nclient_secret: file\n")
    environ = {"TIKTOK_CLIENT_KEY": "env", "TIKTOK_CLIENT_SECRET": "env"}

    assert config.credentials(chosen, environ) == Credentials("env", "env")


def test_the_secrets_file_lies_in_the_working_directory_by_default(tmp_path, monkeypatch):
    (tmp_path / "secrets.yaml").write_text("client_key: ada\nclient_secret: grace\n")
    (tmp_path / "secrets.yaml").chmod(0o600)
    monkeypatch.chdir(tmp_path)

    assert config.credentials(settings(), {}) == Credentials("ada", "grace")


def test_the_sandbox_has_its_own_credentials_whatever_else_there_is(secrets):
    chosen = secrets("client_key: file\nclient_secret: file\n")
    chosen.set("TIKTOK_SANDBOX", "True", priority="cmdline")
    environ = {"TIKTOK_CLIENT_KEY": "env", "TIKTOK_CLIENT_SECRET": "env"}

    assert config.credentials(chosen, environ) == Credentials(CLIENT_KEY, CLIENT_SECRET)


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({"TIKTOK_CLIENT_KEY": "ada"}, "TIKTOK_CLIENT_SECRET"),
        ({"TIKTOK_CLIENT_SECRET": SECRET}, "TIKTOK_CLIENT_KEY"),
        ({"TIKTOK_CLIENT_KEY": "ada", "TIKTOK_CLIENT_SECRET": ""}, "TIKTOK_CLIENT_SECRET"),
    ],
)
def test_half_of_the_credentials_in_the_environment_is_a_mistake(secrets, environ, missing):
    chosen = secrets("client_key: file\nclient_secret: file\n")

    with pytest.raises(
        CredentialsError, match=f"{missing} is missing in the environment"
    ) as raised:
        config.credentials(chosen, environ)

    assert SECRET not in message_of(raised)


@pytest.mark.parametrize(
    "text", ["NO", "on", "0777", "12:30", "null", "1_000", "1e3", "~", "2024-01-01"]
)
def test_credentials_are_the_text_typed(secrets, text):
    chosen = secrets(f"client_key: {text}\nclient_secret: {text}\n")

    assert config.credentials(chosen, {}) == Credentials(text, text)


def test_other_keys_of_the_secrets_file_are_left_alone(secrets):
    chosen = secrets('# mine\nclient_secret: " grace "\nclient_key: ada\nnote: [a, b]\n')

    assert config.credentials(chosen, {}) == Credentials("ada", "grace")


def test_without_credentials_the_message_says_where_they_can_be(tmp_path):
    path = tmp_path / "secrets.yaml"

    with pytest.raises(CredentialsError) as raised:
        config.credentials(settings(TIKTOK_SECRETS_FILE=str(path)), {})

    message = str(raised.value)
    assert f"{path} does not exist" in message
    assert "secrets.example.yaml" in message
    assert "TIKTOK_CLIENT_KEY" in message
    assert "TIKTOK_SANDBOX=True" in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param("", "client_key is missing or empty", id="empty"),
        pytest.param(f"client_secret: {SECRET}", "client_key is missing or empty", id="no key"),
        pytest.param("client_key: ada", "client_secret is missing or empty", id="no secret"),
        pytest.param(
            f"client_key:\nclient_secret: {SECRET}", "client_key is missing or empty", id="blank"
        ),
        pytest.param(
            f"client_key: ada\nclient_secret: [{SECRET}]",
            "client_secret is missing or empty",
            id="a list",
        ),
        pytest.param(
            f"client_key: ada\nclient_secret: !!python/object/apply:os.system [{SECRET}]",
            r"secrets\.yaml:2:16: is not YAML",
            id="code",
        ),
        pytest.param(SECRET, "client_key is missing or empty", id="only text"),
        pytest.param(f"- ada\n- {SECRET}", "client_key is missing or empty", id="only a list"),
        pytest.param(
            f"client_key: ada\nclient_secret: [{SECRET}", "is not YAML", id="open bracket"
        ),
        pytest.param(f"client_key: ada\nclient_secret: '{SECRET}", "is not YAML", id="open quote"),
        pytest.param(f"client_key: ada: {SECRET}", "is not YAML", id="two colons"),
        pytest.param(f"client_key: a\n---\nclient_secret: {SECRET}", "is not YAML", id="two files"),
        pytest.param(b"\x00\xff" + SECRET.encode(), "is not YAML", id="binary"),
        pytest.param(f"client_key: ada\nclient_secret: !{SECRET}", "is not YAML", id="tag"),
        pytest.param(f"client_key: ada\nclient_secret: &{SECRET}", "is not YAML", id="anchor"),
        pytest.param(f"client_key: ada\n{SECRET}: 1\n{SECRET}: 1", "is not YAML", id="key twice"),
        pytest.param(f'client_key: ada\nclient_secret: "\\q{SECRET}"', ":2:", id="escape"),
        *(
            pytest.param(
                f"{opening * 200_000}{SECRET}",
                r"secrets\.yaml:1:\d+: more than 8 lists or keys inside one another",
                id=f"deep {opening}",
            )
            for opening in ("[", "{", "[{a: ", "- ", "? ")
        ),
    ],
)
def test_a_malformed_secrets_file_is_named_without_quoting_it(secrets, content, words):
    chosen = secrets(content)

    with pytest.raises(CredentialsError, match=words) as raised:
        config.credentials(chosen, {})

    assert chosen["TIKTOK_SECRETS_FILE"] in str(raised.value)
    assert SECRET not in message_of(raised)


def test_a_key_that_stands_twice_in_the_secrets_file_is_an_error(secrets):
    chosen = secrets(f"client_key: ada\nclient_secret: {SECRET}\nclient_secret: {SECRET}2\n")

    with pytest.raises(CredentialsError, match=r"secrets\.yaml.*client_secret.*twice") as raised:
        config.credentials(chosen, {})

    assert SECRET not in message_of(raised)


@pytest.mark.parametrize(
    ("kind", "words"),
    [("directory", "Is a directory"), ("loop", "symbolic links"), ("below", "Not a directory")],
)
def test_a_secrets_file_that_cannot_be_read_is_named_with_the_reason(tmp_path, kind, words):
    (tmp_path / "directory").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").touch()
    path = tmp_path / ("file/below" if kind == "below" else kind)

    with pytest.raises(CredentialsError, match=rf"{path} cannot be read: .*{words}"):
        config.credentials(settings(TIKTOK_SECRETS_FILE=str(path)), {})


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o666, 0o444])
def test_a_secrets_file_that_others_can_read_gets_a_warning(secrets, caplog, mode):
    chosen = secrets(f"client_key: ada\nclient_secret: {SECRET}\n", mode)

    config.credentials(chosen, {})

    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert f"chmod 600 {chosen['TIKTOK_SECRETS_FILE']}" in record.getMessage()
    assert SECRET not in caplog.text


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_secrets_file_of_its_owners_alone_gets_no_warning(secrets, caplog, mode):
    config.credentials(secrets("client_key: ada\nclient_secret: grace\n", mode), {})

    assert not caplog.records


def test_requests_are_booked_on_the_hash_of_the_client_key_without_a_second_warning(
    secrets, caplog
):
    chosen = secrets(f"client_key: ada\nclient_secret: {SECRET}\n", 0o644)

    account = config.quota_account(chosen, Pool.RESEARCH, "videos", {})

    assert account == replace(
        QuotaAccount.of("ada", Pool.RESEARCH, daily_budget=None, parked_share=0.1), part="videos"
    )
    assert not caplog.records


def test_credentials_do_not_show_in_their_repr():
    shown = f"{Credentials('key-of-ada', SECRET)!r} {Credentials('key-of-ada', SECRET)}"

    assert SECRET not in shown
    assert "key-of-ada" not in shown


# --- What the promises rest on ---


def test_the_settings_of_the_project_keep_the_promises():
    config.check_promises(settings())


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
        config.check_promises(settings(**{name: value}))


@pytest.mark.parametrize("setting", [{"CONCURRENT_ITEMS": "many"}, {"HTTPCACHE_ENABLED": "yes"}])
def test_a_promise_that_cannot_be_read_is_a_configuration_error(setting):
    [name] = setting

    with pytest.raises(ConfigurationError, match=f"^{name}"):
        config.check_promises(settings(**setting))


@pytest.mark.parametrize("priority", ["project", "spider", "cmdline"])
def test_a_promise_holds_wherever_the_setting_comes_from(priority):
    with pytest.raises(ConfigurationError, match="JOBDIR"):
        config.check_promises(settings(priority=priority, JOBDIR="job"))


class Keeps:
    def process_item(self, item):
        return item


async def crawled(**overrides):
    """A crawl that asked for nothing, with what Scrapy built for it."""
    crawler = get_crawler(settings_dict=overrides)
    await crawler.crawl_async()
    return crawler


@deferred_f_from_coro_f
async def test_components_are_those_that_scrapy_built():
    crawler = await crawled(EXTENSIONS={DelayQueue: 0}, ITEM_PIPELINES={Keeps: 0})

    assert extension(crawler, DelayQueue) is crawler.get_extension(DelayQueue)
    assert item_pipeline(crawler, Keeps) is crawler.get_item_pipeline(Keeps)


@deferred_f_from_coro_f
async def test_a_component_that_is_switched_off_is_named_with_its_setting():
    crawler = await crawled(EXTENSIONS={DelayQueue: None}, ITEM_PIPELINES={Keeps: None})

    with pytest.raises(ConfigurationError, match=r"delay_queue\.DelayQueue .* EXTENSIONS"):
        extension(crawler, DelayQueue)
    with pytest.raises(ConfigurationError, match=r"\.Keeps .* ITEM_PIPELINES"):
        item_pipeline(crawler, Keeps)


# --- Fields, numbers, words ---


@pytest.mark.parametrize("configured", [[], "", None])
def test_all_fields_are_asked_for_by_default(configured):
    assert config.video_fields(settings(TIKTOK_VIDEO_FIELDS=configured)) == VIDEO_QUERY.fields


@pytest.mark.parametrize(
    "configured", ["view_count,id", "view_count, id", ["view_count", "id"], "id,view_count,id"]
)
def test_fields_are_asked_for_in_the_order_of_the_api(configured):
    found = config.video_fields(settings(TIKTOK_VIDEO_FIELDS=configured))

    assert found == ("id", "view_count")


@pytest.mark.parametrize(
    ("configured", "words"),
    [
        ("id,favourites_count", "no field 'favourites_count'; did you mean .*favorites_count"),
        ("id,ID", "no field 'ID'"),
        ("id,author", "no field 'author'.*username"),
        ("id,,username", "no field ''"),
        ("username", "must have id"),
    ],
)
def test_fields_that_the_api_would_refuse_are_refused_here(configured, words):
    with pytest.raises(ConfigurationError, match=f"TIKTOK_VIDEO_FIELDS.*{words}"):
        config.video_fields(settings(TIKTOK_VIDEO_FIELDS=configured))


@pytest.mark.parametrize(("value", "number"), [(7, 7), ("7", 7), ("2.5", 2.5), (" 10 ", 10)])
def test_a_number_may_come_as_text(value, number):
    assert config.number(settings(X=value), "X", least=1, most=10) == number


@pytest.mark.parametrize(
    "value", ["", "many", None, "0.9", "10.1", "-5", "nan", "inf", "-inf", [], "5 s"]
)
def test_what_is_no_number_within_bounds_is_refused_with_the_bounds(value):
    with pytest.raises(ConfigurationError, match=r"^X=.* is not a number from 1 to 10$"):
        config.number(settings(X=value), "X", least=1, most=10)


@pytest.mark.parametrize("value", ["-1", "inf", "nan", "soon"])
def test_a_number_without_an_upper_bound_is_finite_all_the_same(value):
    with pytest.raises(ConfigurationError, match=r"^X=.* is not a number of at least 0$"):
        config.number(settings(X=value), "X")


@pytest.mark.parametrize(("value", "days"), [(31, 31), ("1", 1)])
def test_windows_are_as_wide_as_configured(value, days):
    assert config.window_days(settings(TIKTOK_WINDOW_DAYS=value)) == days


def test_windows_have_31_days_by_default():
    assert config.window_days(settings()) == 31


@pytest.mark.parametrize("value", [0, 32, "week"])
def test_windows_that_the_api_would_refuse_are_refused_here(value):
    with pytest.raises(ConfigurationError, match=r"TIKTOK_WINDOW_DAYS=.* from 1 to 31"):
        config.window_days(settings(TIKTOK_WINDOW_DAYS=value))


def test_days_are_settled_after_two_days_by_default():
    freshness = config.freshness(settings(), None)

    assert freshness.settle == timedelta(days=2)
    assert freshness.refresh_after is None


def test_settle_days_may_be_a_part_of_a_day():
    freshness = config.freshness(settings(TIKTOK_SETTLE_DAYS="0.5"), timedelta(days=7))

    assert freshness.settle == timedelta(hours=12)
    assert freshness.refresh_after == timedelta(days=7)


def test_settle_days_are_not_negative():
    with pytest.raises(ConfigurationError, match="TIKTOK_SETTLE_DAYS=-1"):
        config.freshness(settings(TIKTOK_SETTLE_DAYS=-1), None)


class Season(StrEnum):
    SPRING = "spring"
    AUTUMN = "autumn"


@pytest.mark.parametrize("value", ["autumn", "AUTUMN", " autumn ", Season.AUTUMN])
def test_a_choice_is_read_in_any_case(value):
    assert config.choice(settings(X=value), "X", Season) is Season.AUTUMN


@pytest.mark.parametrize("value", ["", None, "winter"])
def test_another_word_is_refused_with_the_choices(value):
    with pytest.raises(ConfigurationError, match=r"^X=.* is not one of: spring, autumn$"):
        config.choice(settings(X=value), "X", Season)


@pytest.mark.parametrize(
    ("value", "budget"), [(None, None), ("", None), ("800", 800), (1, 1), ("20000", 20_000)]
)
def test_a_daily_budget_is_a_whole_number_or_none(value, budget):
    assert config.daily_budget(settings(TIKTOK_DAILY_BUDGET=value)) == budget


@pytest.mark.parametrize("value", ["0", -1, "1.5", "many"])
def test_a_daily_budget_is_at_least_one_request(value):
    with pytest.raises(ConfigurationError, match=f"TIKTOK_DAILY_BUDGET={value}"):
        config.daily_budget(settings(TIKTOK_DAILY_BUDGET=value))


# --- Shares of the budget ---


@pytest.mark.parametrize(
    ("written", "shares"),
    [
        (None, {}),
        ("", {}),
        ({}, {}),
        ("videos=0.7", {"videos": 0.7}),
        ("videos=0.7,comments=0.3", {"videos": 0.7, "comments": 0.3}),
        (" videos = 0.7 , comments = .3 ", {"videos": 0.7, "comments": 0.3}),
        ("users=0,replies=1", {"users": 0.0, "replies": 1.0}),
        ({"videos": "0.7", "liked_videos": 1}, {"videos": 0.7, "liked_videos": 1.0}),
    ],
)
def test_shares_are_text_or_a_mapping(written, shares):
    assert config.shares(settings(TIKTOK_SHARES=written)) == shares


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("video=0.7", "nothing is collected by the name 'video'; did you mean 'videos'?"),
        ("hashtags=0.7", "nothing is collected by the name 'hashtags'. Allowed are: videos, "),
        ({"video": 0.7}, "did you mean 'videos'?"),
        ({1: 0.7}, "nothing is collected by the name '1'"),
        ("videos=0.7,", "nothing is collected by the name ''"),
        ("videos", "videos= is no share from 0 to 1"),
        ("videos=", "videos= is no share from 0 to 1"),
        ("videos=70%", "videos=70% is no share from 0 to 1"),
        ("videos=1.01", "videos=1.01 is no share from 0 to 1"),
        ("videos=-0.1", "videos=-0.1 is no share from 0 to 1"),
        ("videos=nan", "videos=nan is no share from 0 to 1"),
        ("videos=inf", "videos=inf is no share from 0 to 1"),
        ({"videos": None}, "videos=None is no share from 0 to 1"),
        ({"videos": True}, "videos=True is no share from 0 to 1"),
        ("videos=0.7,videos=0.3", "videos stands there twice"),
        (["videos=0.7"], "write it as videos=0.7,comments=0.2"),
        (0.7, "write it as videos=0.7,comments=0.2"),
    ],
)
def test_what_is_no_share_is_refused_with_what_is_allowed(written, words):
    with pytest.raises(ConfigurationError) as raised:
        config.shares(settings(TIKTOK_SHARES=written))

    message = str(raised.value)
    assert message.startswith("TIKTOK_SHARES")
    assert words in message


@pytest.mark.parametrize(("part", "share"), [("videos", 0.7), ("replies", 0.0), ("users", None)])
def test_requests_are_booked_on_what_they_are_for(part, share):
    chosen = settings(TIKTOK_SANDBOX=True, TIKTOK_SHARES="videos=0.7,replies=0")

    account = config.quota_account(chosen, Pool.FOLLOW, part, {})

    assert (account.pool, account.part, account.share) == (Pool.FOLLOW, part, share)
