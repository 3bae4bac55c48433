"""What Scrapy's settings can be: a rule refuses the values that Scrapy or a crawl would fail on."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, TypeAlias

from scrapy.settings import BaseSettings, default_settings
from scrapy.utils.misc import load_object

from tiktok_crawler.config.values import number, switch, whole_number
from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.own_files import check_link
from tiktok_crawler.spelling import did_you_mean, nearest, shortened

Rule: TypeAlias = Callable[[BaseSettings, str], object]
"""Raises ConfigurationError for a setting, by its name, whose value cannot be used."""

BEGINNING = 100
"""So many bytes tell a text from a database."""

SHOWN = 3
"""So many of what is wrong are named."""

TLS_METHODS = ("TLS", "TLSv1.0", "TLSv1.1", "TLSv1.2")


@dataclass(frozen=True)
class Must:
    """The one value with which crawls work; None stands for all that say nothing."""

    value: object
    reason: str

    def __call__(self, settings: BaseSettings, name: str) -> None:
        if self._read(settings, name) != self.value:
            must = "must not be set" if self.value is None else f"must be {self.value}"
            raise ConfigurationError(f"{name} {must}: {self.reason}")

    def _read(self, settings: BaseSettings, name: str) -> object:
        if isinstance(self.value, bool):
            return switch(settings, name)
        if isinstance(self.value, int):
            whole()(settings, name)
            return int(settings[name])
        return settings[name] or None


def on(reason: str) -> Must:
    return Must(True, reason)  # noqa: FBT003 - this is the value


def off(reason: str) -> Must:
    return Must(False, reason)  # noqa: FBT003 - likewise


def unset(reason: str) -> Must:
    return Must(None, reason)


@dataclass(frozen=True)
class Derived:
    """One of some classes, by their paths, or one that is derived from them."""

    bases: tuple[str | type, ...]
    reason: str = ""
    optional: bool = False

    def __call__(self, settings: BaseSettings, name: str) -> None:
        value = settings[name]
        if value in self.bases or (self.optional and value is None):
            return
        ancestors = getattr(load(name, value), "__mro__", ())
        # Not issubclass: to Scrapy whatever has the methods of a scheduler is one.
        if not set(map(load_object, self.bases)).intersection(ancestors):
            raise ConfigurationError(
                f"{name} must be {self._first}, or a class that is derived from it"
                f"{self.reason and f': {self.reason}'}"
            )

    @property
    def _first(self) -> str:
        first = self.bases[0]
        return first if isinstance(first, str) else f"{first.__module__}.{first.__name__}"


def like_scrapys(settings: BaseSettings, name: str) -> None:
    scrapys = getattr(default_settings, name, settings[name])
    Derived((scrapys,), "what crawls promise rests on it")(settings, name)


def unchanged(settings: BaseSettings, name: str) -> None:
    if settings[name] != getattr(default_settings, name, None):
        instead = name.removesuffix("_BASE")
        hint = f"use {instead}" if instead != name else "certificates have to be verified"
        raise ConfigurationError(f"{name} must stay as Scrapy has it: {hint}")


def whole(*, least: float | None = 0, optional: bool = False) -> Rule:
    """A whole number; without a least one, also below 0."""
    bound = float("-inf") if least is None else least

    def rule(settings: BaseSettings, name: str) -> None:
        if optional and settings[name] in (None, ""):
            return
        whole_number(settings, name, least=bound, most=float("inf"))
        _tried(settings, name, "a whole number in digits", lambda: int(settings[name]))

    return rule


def zero_or(least: int) -> Rule:
    def rule(settings: BaseSettings, name: str) -> None:
        whole()(settings, name)
        if 0 < int(settings[name]) < least:
            raise _wrong(settings, name, f"0 (no limit), or at least {least}")

    return rule


def fractional(*, least: float = 0, most: float = float("inf")) -> Rule:
    return lambda settings, name: number(settings, name, least=least, most=most)


def one_of(*choices: str | None) -> Rule:
    def rule(settings: BaseSettings, name: str) -> None:
        if settings[name] not in choices:
            raise _wrong(settings, name, f"one of {', '.join(filter(None, choices))}")

    return rule


def tls_version(settings: BaseSettings, name: str) -> None:
    one_of(None, *TLS_METHODS[1:], "TLSv1.3")(settings, name)
    lowest, highest = (settings[f"DOWNLOAD_TLS_{end}_VERSION"] for end in ("MIN", "MAX"))
    if lowest and highest and lowest > highest:
        raise ConfigurationError(f"{name}: the lowest version is above the highest one")


def anything(settings: BaseSettings, name: str) -> None:
    """Leave a value to whoever reads it."""


def text(settings: BaseSettings, name: str) -> None:
    if not isinstance(settings[name], str):
        raise _wrong(settings, name, "text")


def listing(settings: BaseSettings, name: str) -> None:
    """A list, or text with commas; where Scrapy takes one, also a mapping."""
    _tried(settings, name, "a list", lambda: settings.getdictorlist(name))


def codec(settings: BaseSettings, name: str) -> None:
    value = settings[name]
    if value is not None:
        _tried(settings, name, "an encoding such as utf-8", lambda: "a".encode(value))


def ciphers(settings: BaseSettings, name: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    value = settings[name] or "DEFAULT"
    _tried(settings, name, "a list of ciphers for OpenSSL", lambda: context.set_ciphers(value))
    if open_ones := [each["name"] for each in context.get_ciphers() if _is_open(each)]:
        raise ConfigurationError(
            f"{name} must be without {', '.join(open_ones[:SHOWN])}: the client secret would go "
            "out unencrypted, or to whoever answers"
        )


def _is_open(cipher: Mapping[str, Any]) -> bool:
    return not cipher["strength_bits"] or cipher["auth"] == "auth-null"


def acl(*choices: str) -> Rule:
    """An access control list with which nobody reads a feed but those who share its bucket."""

    def rule(settings: BaseSettings, name: str) -> None:
        if settings[name] and settings[name] not in choices:
            raise ConfigurationError(
                f"{name} must be one of {', '.join(choices)}: with others, anybody could read the "
                "personal data of a feed"
            )

    return rule


def bind_address(settings: BaseSettings, name: str) -> None:
    value = settings[name]
    if value is None:
        return

    def bind() -> None:
        host, port = (value, 0) if isinstance(value, str) else value
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((host, port))

    _tried(settings, name, "an address of this machine", bind)


def headers(settings: BaseSettings, name: str) -> None:
    for header, value in dict(settings[name] or {}).items():
        if not isinstance(value, str | bytes | int | list | tuple | None):
            raise ConfigurationError(f"{name}: the value of {shortened(str(header))} is not text")


def slots(settings: BaseSettings, name: str) -> None:
    """A mapping of hosts; each has values that have settings of their own, too."""
    example = '{"open.tiktokapis.com": {"delay": 2, "concurrency": 1}}'
    found = _tried(settings, name, f"like {example}", lambda: settings.getdict(name))
    rules = {"concurrency": whole(least=1), "delay": number, "jitter": fractional(most=1)}
    for host, values in found.items():
        if not isinstance(values, Mapping):
            raise _wrong(settings, name, f"like {example}")
        for key in rules.keys() & values.keys():
            where = f"{name}: {host}: {key}"
            rules[key](BaseSettings({where: values[key]}), where)


LEVELS = ("DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL")
"""Libraries add others."""


def log_level(settings: BaseSettings, name: str) -> None:
    value = settings[name]
    if isinstance(value, int) or str(value) in logging.getLevelNamesMapping():
        return
    hint = did_you_mean(nearest(str(value), LEVELS))
    raise _wrong(settings, name, f"one of {', '.join(LEVELS)}{hint}")


def log_format(settings: BaseSettings, name: str) -> None:
    record = logging.makeLogRecord({"msg": ""})
    _tried(
        settings,
        name,
        "a format such as %(asctime)s %(levelname)s: %(message)s",
        lambda: logging.Formatter(settings[name]).format(record),
    )


def date_format(settings: BaseSettings, name: str) -> None:
    value = settings[name]
    if value is not None:
        _tried(settings, name, "a format such as %Y-%m-%d %H:%M", lambda: time.strftime(value))


def log_file(settings: BaseSettings, name: str) -> None:
    """Try whether a file can be written, and leave none behind; what holds no text is no log."""
    if not settings[name]:
        return
    try:
        problem = _log_problem(Path(settings[name]))
    except (OSError, TypeError, ValueError) as exc:
        problem = getattr(exc, "strerror", None) or str(exc)
    if problem:
        shown = shortened(str(settings[name]))
        raise ConfigurationError(f"{name}={shown} cannot be written: {problem}")


def _log_problem(path: Path) -> str | None:
    if not path.exists():
        check_link(path)
        TemporaryFile(dir=path.parent).close()
    elif not path.is_file():
        path.open("ab").close()
    else:
        with path.open("a+b") as file:
            file.seek(0)
            begin = file.read(BEGINNING)
        if b"\0" in begin:
            return "it is no text; a database, perhaps"
        if begin and path.suffix.lower() in NO_LOGS:
            return "it is no log, by its name; name another file"
    return None


NO_LOGS = (".csv", ".json", ".py", ".tsv", ".xml", ".yaml", ".yml")
"""The endings of query files, lists, secrets and feeds: a log would be added to what they hold."""


def log_stdout(settings: BaseSettings, name: str) -> None:
    if switch(settings, name) and any(
        str(feed).startswith("stdout:") for feed in settings["FEEDS"]
    ):
        raise ConfigurationError(f"{name} must be False: a feed goes to standard output")


def folder(settings: BaseSettings, name: str) -> None:
    value = settings[name]
    if value and not Path(str(value)).is_dir():
        raise _wrong(settings, name, "a folder")


def software(settings: BaseSettings, name: str) -> None:
    from scrapy.utils.versions import get_versions  # noqa: PLC0415 - only if it is changed

    _tried(
        settings, name, "a list of installed packages", lambda: get_versions(settings.getlist(name))
    )


def loadable(settings: BaseSettings, name: str) -> None:
    if settings[name]:
        load(name, settings[name])


def each_loadable(settings: BaseSettings, name: str) -> None:
    for path, place in dict(settings[name] or {}).items():
        if place is not None:
            load(name, path)


def classes(base: type) -> Rule:
    def rule(settings: BaseSettings, name: str) -> None:
        paths = _tried(settings, name, "a list of classes", lambda: settings.getlist(name))
        for path in paths:
            found = load(name, path)
            if not isinstance(found, type) or not issubclass(found, base):
                raise ConfigurationError(f"{name}: {shortened(str(path))} is no {base.__name__}")

    return rule


def modules(settings: BaseSettings, name: str) -> None:
    def find() -> None:
        for module in settings.getlist(name):
            if find_spec(module) is None:
                raise ModuleNotFoundError

    _tried(settings, name, "a list of modules that can be found", find)


def load(name: str, path: Any) -> Any:
    """Return the class or function that a setting names.

    Raises:
        ConfigurationError: there is none.
    """
    try:
        return load_object(path)
    except Exception as exc:  # noqa: BLE001 - a module that is loaded can do anything
        raise ConfigurationError(
            f"{name}: {shortened(str(path))} cannot be loaded: {shortened(str(exc))}"
        ) from None


def _tried(settings: BaseSettings, name: str, expected: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except Exception:  # noqa: BLE001 - whatever Scrapy would fail on
        raise _wrong(settings, name, expected) from None


def _wrong(settings: BaseSettings, name: str, expected: str) -> ConfigurationError:
    return ConfigurationError(f"{name}={shortened(str(settings[name]))} is not {expected}")
