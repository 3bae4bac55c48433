"""The client key and secret: from the environment, or the secrets file."""

from __future__ import annotations

import logging
import stat
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tiktok_crawler.config.names import PREFIX
from tiktok_crawler.exceptions import CredentialsError, QueryFileError
from tiktok_crawler.spelling import named, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


logger = logging.getLogger(__name__)

PORTAL = "developers.tiktok.com"

_ELSE = (
    "or set TIKTOK_CLIENT_KEY and TIKTOK_CLIENT_SECRET in the environment; to try things out "
    "without credentials add -s TIKTOK_SANDBOX=True"
)
_HELP_WITHOUT_FILE = f"Copy secrets.example.yaml to secrets.yaml and fill it in, {_ELSE}"
_HELP = f"Write there what {PORTAL} shows, {_ELSE}"
"""A copy of the example would take the place of what is in the file."""

EXAMPLES = ("your-client-key", "your-client-secret")
"""What stands in secrets.example.yaml."""

QUOTES = "\"'`\u00b4\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The key and secret for getting a client access token; neither is in its `repr`."""

    client_key: str = field(repr=False)
    client_secret: str = field(repr=False)


def read_credentials(environ: Mapping[str, str], secrets_file: Path) -> Credentials:
    """The client key and secret, from the environment or the secrets file.

    The user is told if others can read the file.

    Raises:
        CredentialsError: there are none, or the file cannot be used.
    """
    key, secret = (
        usable(environ.get(name, ""), f"{name} in the environment")
        for name in ("TIKTOK_CLIENT_KEY", "TIKTOK_CLIENT_SECRET")
    )
    if key and secret:
        return Credentials(key, secret)
    if key or secret:
        absent = "TIKTOK_CLIENT_SECRET" if key else "TIKTOK_CLIENT_KEY"
        raise CredentialsError(f"{absent} is missing in the environment; the other one is set")
    return _read_secrets(secrets_file)


def _read_secrets(path: Path) -> Credentials:
    try:
        _warn_if_others_can_read(path)
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise CredentialsError(
            f"no credentials: {named(path)} does not exist. {_HELP_WITHOUT_FILE}"
        ) from None
    except OSError as exc:
        raise CredentialsError(f"{named(path)} cannot be read: {exc.strerror}") from None
    except ValueError:
        raise CredentialsError(f"{named(path)} is not YAML in UTF-8. {_HELP}") from None
    values = _secrets_in(path, text)
    for name in values:
        if name.upper().startswith(PREFIX):
            raise CredentialsError(
                f"{named(path)}: {shortened(name)} has no effect here: settings stand behind "
                "-s or in the environment, and this file has client_key and client_secret"
            )
    return Credentials(*(_secret(path, values, name) for name in ("client_key", "client_secret")))


def _secrets_in(path: Path, text: str) -> dict[str, str]:
    # Credentials from the environment need no YAML.
    from tiktok_crawler.query_file.secrets_file import parse_secrets  # noqa: PLC0415

    try:
        return parse_secrets(path, text)
    except QueryFileError as exc:
        raise CredentialsError(f"{exc}. {_HELP}") from None


def _secret(path: Path, values: Mapping[str, str], name: str) -> str:
    value = usable(values.get(name, ""), f"{named(path)}: {name}")
    if not value:
        raise CredentialsError(f"{named(path)}: {name} is missing or empty. {_HELP}")
    return value


def usable(copied: str, where: str) -> str:
    """Take off what comes along from a web page: blanks, line ends, quotes, what is invisible.

    Raises:
        CredentialsError: something is left that cannot be sent; only that is named.
    """
    value = "".join(each for each in copied if unicodedata.category(each) != "Cf")
    while value != (inner := value.strip().strip(QUOTES)):
        value = inner
    if value in EXAMPLES:
        raise CredentialsError(f"{where} is still that of the example. {_HELP}")
    for place, character in enumerate(value, start=1):
        if not "!" <= character <= "~":
            raise CredentialsError(
                f"{where} has a character that none can have, at place {place}: "
                f"{_name(character)}. Copy it anew from {PORTAL}"
            )
    return value


def _name(character: str) -> str:
    name = unicodedata.name(character, "").lower() or "a control character"
    return f"{name} (U+{ord(character):04X})"


def _warn_if_others_can_read(path: Path) -> None:
    if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        logger.warning(
            "%(path)s can be read by other users of this machine; make it yours alone: "
            "chmod 600 %(path)s",
            {"path": named(path)},
        )
