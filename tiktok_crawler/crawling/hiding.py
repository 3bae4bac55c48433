"""Keeps secrets out of what is printed: those in addresses, and in settings that Scrapy logs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

SCHEME = re.compile(r"(?!file:)[A-Za-z][\w+.-]+:")

LOGIN = re.compile(r"(?<=:)/*[^\s?]*@")
"""Greedy: a password may hold the characters that end a host. Slashes may be too many, or lack."""

PASSWORD = re.compile(r"[:/][^\s/@]*:\S*@")

PARAMETER = re.compile(
    r"[?&][^\s=&]*(pass|secret|token|sig|key)[^\s=&]*=|authorization|api-?key|cookie\b",
    re.IGNORECASE,
)
"""The name of a secret in an address, or of a header that is one."""

PARAMETERS = re.compile(r"[?#].*", re.DOTALL)

SECRET_NAME = re.compile(
    r"SECRET(?!S)|TOKEN|ACCESS_KEY|_PASS(WORD)?\b|TIKTOK_NOTIFY|DATABASE_URL(?!=sqlite:)"
)


class Hidden(str):
    """A setting that is logged as ***, and otherwise the text that it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def without_login(uri: str) -> str:
    """The address of a feed without the user, the password and the parameters that it may hold."""
    if not SCHEME.match(uri):
        return uri
    return PARAMETERS.sub("", LOGIN.sub("//", uri, count=1))


def holds_secret(argument: str) -> bool:
    """Tell whether an argument of a command names a secret, or an address with a password."""
    return bool(SECRET_NAME.search(argument) or _shows_secret(argument))


def hide_secrets(settings: BaseSettings) -> None:
    """Make the settings that hold secrets show none when Scrapy logs what was set."""
    for name, value in list(settings.items()):
        if isinstance(value, str) and (SECRET_NAME.search(name) or _shows_secret(value)):
            settings.set(name, Hidden(value), priority=settings.getpriority(name) or 0)


def _shows_secret(text: str) -> bool:
    return bool(PASSWORD.search(text) or PARAMETER.search(text))
