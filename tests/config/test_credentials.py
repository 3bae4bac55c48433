"""The client key and secret: where they are found, and that nobody sees them."""

from __future__ import annotations

import json
import logging
import traceback
from pathlib import Path

import pytest
from crawling import project_settings as settings

from tiktok_crawler.config import Config
from tiktok_crawler.config.credentials import Credentials
from tiktok_crawler.exceptions import CredentialsError
from tiktok_crawler.planning.quota import QuotaAccount
from tiktok_crawler.research_api.endpoints import Pool
from tiktok_crawler.sandbox import CLIENT_KEY, CLIENT_SECRET

SECRET = "s3cr3t-of-ada"


def message_of(raised):
    """All that could be shown of an exception: its message and its traceback."""
    return "".join(traceback.format_exception(raised.value))


def credentials(chosen, environ):
    return Config.of(chosen, environ).credentials


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

    assert credentials(settings(), environ) == Credentials("ada", SECRET)


def test_credentials_come_from_the_secrets_file(secrets):
    chosen = secrets(f"client_key: ada\nclient_secret: {SECRET}\n")

    assert credentials(chosen, {}) == Credentials("ada", SECRET)


def test_the_environment_goes_before_the_secrets_file(secrets):
    chosen = secrets("client_key: file\nclient_secret: file\n")
    environ = {"TIKTOK_CLIENT_KEY": "env", "TIKTOK_CLIENT_SECRET": "env"}

    assert credentials(chosen, environ) == Credentials("env", "env")


def test_the_secrets_file_lies_in_the_working_directory_by_default(tmp_path, monkeypatch):
    (tmp_path / "secrets.yaml").write_text("client_key: ada\nclient_secret: grace\n")
    (tmp_path / "secrets.yaml").chmod(0o600)
    monkeypatch.chdir(tmp_path)

    assert credentials(settings(), {}) == Credentials("ada", "grace")


def test_the_sandbox_has_its_own_credentials_whatever_else_there_is(secrets):
    chosen = secrets("client_key: file\nclient_secret: file\n")
    chosen.set("TIKTOK_SANDBOX", "True", priority="cmdline")
    environ = {"TIKTOK_CLIENT_KEY": "env", "TIKTOK_CLIENT_SECRET": "env"}

    assert credentials(chosen, environ) == Credentials(CLIENT_KEY, CLIENT_SECRET)


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
        credentials(chosen, environ)

    assert SECRET not in message_of(raised)


@pytest.mark.parametrize(
    "text", ["NO", "on", "0777", "12:30", "null", "1_000", "1e3", "~", "2024-01-01"]
)
def test_credentials_are_the_text_typed(secrets, text):
    chosen = secrets(f"client_key: {text}\nclient_secret: {text}\n")

    assert credentials(chosen, {}) == Credentials(text, text)


@pytest.mark.parametrize(
    "content",
    [
        "client_key: ada\n",
        "client_key: ada\nclient_secret: your-client-secret\n",
        "client_key: [\n",
        b"client_key: \xff\n",
    ],
)
def test_the_example_is_to_be_copied_only_where_there_is_no_file(secrets, content):
    with pytest.raises(CredentialsError, match="Write there what developers") as raised:
        credentials(secrets(content), {})

    assert "Copy secrets.example.yaml" not in str(raised.value)


def test_without_a_file_the_example_is_to_be_copied(tmp_path):
    chosen = settings(TIKTOK_SECRETS_FILE=str(tmp_path / "secrets.yaml"))

    with pytest.raises(CredentialsError, match="Copy secrets"):
        credentials(chosen, {})


COPIED = {
    "blanks": " {} ",
    "line ends": "{}\r\n",
    "a blank that does not break": "\u00a0{}\u00a0",
    "straight quotes": '"{}"',
    "curly quotes": "\u201c{}\u201d",
    "German quotes and a blank": "\u201e{}\u201c ",
    "a mark of byte order": "\ufeff{}",
    "zero width": "{}\u200b",
    "direction": "\u202a{}\u202c",
}


@pytest.mark.parametrize("copied", COPIED.values(), ids=COPIED)
def test_what_comes_along_from_a_web_page_is_taken_off(secrets, copied):
    key, secret = copied.format("ada"), copied.format(SECRET)
    environ = {"TIKTOK_CLIENT_KEY": key, "TIKTOK_CLIENT_SECRET": secret}
    chosen = secrets(json.dumps({"client_key": key, "client_secret": secret}))

    assert credentials(settings(), environ) == Credentials("ada", SECRET)
    assert credentials(chosen, {}) == Credentials("ada", SECRET)


@pytest.mark.parametrize(
    ("inside", "name"),
    [
        (" ", r"space \(U\+0020\)"),
        ("\n", r"a control character \(U\+000A\)"),
        ("\u2013", r"en dash \(U\+2013\)"),
        ("\u0430", r"cyrillic small letter a \(U\+0430\)"),
        ("\u201d", r"right double quotation mark \(U\+201D\)"),
    ],
)
def test_a_character_that_no_secret_has_is_named_and_nothing_is_sent(secrets, inside, name):
    secret = f"{SECRET}{inside}{SECRET}"
    environ = {"TIKTOK_CLIENT_KEY": "ada", "TIKTOK_CLIENT_SECRET": secret}
    chosen = secrets(json.dumps({"client_key": "ada", "client_secret": secret}))

    words = f".* at place 14: {name}"

    with pytest.raises(CredentialsError, match=f"TIKTOK_CLIENT_SECRET{words}") as raised:
        credentials(settings(), environ)
    assert SECRET not in message_of(raised)
    with pytest.raises(CredentialsError, match=f"client_secret{words}") as raised:
        credentials(chosen, {})
    assert SECRET not in message_of(raised)


def test_only_blanks_and_quotes_are_no_credentials(secrets):
    with pytest.raises(CredentialsError, match="TIKTOK_CLIENT_KEY is missing"):
        credentials(settings(), {"TIKTOK_CLIENT_KEY": ' "" ', "TIKTOK_CLIENT_SECRET": SECRET})
    with pytest.raises(CredentialsError, match="client_key is missing or empty"):
        credentials(secrets("client_key: \u201c\u201d\nclient_secret: grace\n"), {})


def test_the_credentials_of_the_example_are_known_as_such(secrets):
    example = Path(__file__).parents[2] / "secrets.example.yaml"

    with pytest.raises(CredentialsError, match="client_key is still that of the example"):
        credentials(secrets(example.read_text()), {})


@pytest.mark.parametrize("name", ["TIKTOK_SANDBOX", "TIKTOK_CLIENT_KEY", "tiktok_sandox"])
def test_settings_do_not_stand_in_the_secrets_file(secrets, name):
    chosen = secrets(f"client_key: ada\nclient_secret: grace\n{name}: 1\n")

    with pytest.raises(CredentialsError, match=rf"{name} has no effect here: settings stand"):
        credentials(chosen, {})


def test_other_keys_of_the_secrets_file_are_left_alone(secrets):
    chosen = secrets('# mine\nclient_secret: " grace "\nclient_key: ada\nnote: [a, b]\n')

    assert credentials(chosen, {}) == Credentials("ada", "grace")


def test_without_credentials_the_message_says_where_they_can_be(tmp_path):
    path = tmp_path / "secrets.yaml"

    with pytest.raises(CredentialsError) as raised:
        credentials(settings(TIKTOK_SECRETS_FILE=str(path)), {})

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
        credentials(chosen, {})

    assert chosen["TIKTOK_SECRETS_FILE"] in str(raised.value)
    assert SECRET not in message_of(raised)


def test_a_key_that_stands_twice_in_the_secrets_file_is_an_error(secrets):
    chosen = secrets(f"client_key: ada\nclient_secret: {SECRET}\nclient_secret: {SECRET}2\n")

    with pytest.raises(CredentialsError, match=r"secrets\.yaml.*client_secret.*twice") as raised:
        credentials(chosen, {})

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
        credentials(settings(TIKTOK_SECRETS_FILE=str(path)), {})


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o666, 0o444])
def test_a_secrets_file_that_others_can_read_gets_a_warning(secrets, caplog, mode):
    chosen = secrets(f"client_key: ada\nclient_secret: {SECRET}\n", mode)

    credentials(chosen, {})

    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert f"chmod 600 {chosen['TIKTOK_SECRETS_FILE']}" in record.getMessage()
    assert SECRET not in caplog.text


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_secrets_file_of_its_owners_alone_gets_no_warning(secrets, caplog, mode):
    credentials(secrets("client_key: ada\nclient_secret: grace\n", mode), {})

    assert not caplog.records


def test_requests_are_booked_on_the_hash_of_the_client_key_and_the_user_is_warned_once(
    secrets, caplog
):
    config = Config.of(secrets(f"client_key: ada\nclient_secret: {SECRET}\n", 0o644), {})

    account = config.quota_account(Pool.RESEARCH, "videos")

    assert config.credentials == Credentials("ada", SECRET)
    assert account == QuotaAccount("", Pool.RESEARCH, part="videos").of_client("ada")
    assert len(caplog.records) == 1


def test_credentials_do_not_show_in_their_repr():
    shown = f"{Credentials('key-of-ada', SECRET)!r} {Credentials('key-of-ada', SECRET)}"

    assert SECRET not in shown
    assert "key-of-ada" not in shown
