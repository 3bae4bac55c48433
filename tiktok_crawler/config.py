"""Settings and environment in, values out: which API, which database, whose credentials."""

from __future__ import annotations

import ipaddress
import logging
import math
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from tiktok_crawler.exceptions import ConfigurationError, CredentialsError, QueryFileError
from tiktok_crawler.planning.coverage import Freshness
from tiktok_crawler.planning.quota import QuotaAccount
from tiktok_crawler.research_api.endpoints import (
    DEFAULT_URL,
    LONGEST_WINDOW_DAYS,
    VIDEO_QUERY,
    Pool,
)
from tiktok_crawler.research_api.listings import LISTINGS
from tiktok_crawler.spelling import did_you_mean, nearest, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.settings import BaseSettings


API_URL = re.compile(r"https?://(\[[0-9a-fA-F:.]+\]|[^@/?#:\[\]]+)(:\d+)?(/[^@?#]*)?")

SCRAPY_NUMBERS = (
    "CONCURRENT_REQUESTS",
    "CONCURRENT_REQUESTS_PER_DOMAIN",
    "DOWNLOAD_DELAY",
    "DOWNLOAD_TIMEOUT",
    "CLOSESPIDER_TIMEOUT",
    "LOGSTATS_INTERVAL",
)
"""Scrapy's settings that users change; Scrapy itself fails on a wrong one with a traceback."""

PARTS = ("videos", *LISTINGS)
"""What requests are for: each can have a share of the day's budget."""

E = TypeVar("E", bound=StrEnum)

logger = logging.getLogger(__name__)

SANDBOX_ORIGIN = "sandbox"
DEFAULT_DATABASE = "sqlite:///tiktok.db"
SANDBOX_DATABASE = "sqlite:///tiktok-sandbox.db"
COMMAND_LINE_PRIORITY = 40
CREDENTIALS_HELP = (
    "Copy secrets.example.yaml to secrets.yaml and fill it in, or set TIKTOK_CLIENT_KEY and "
    "TIKTOK_CLIENT_SECRET in the environment; to try things out without credentials add "
    "-s TIKTOK_SANDBOX=True"
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client access token is got with; neither is in its `repr`."""

    client_key: str = field(repr=False)
    client_secret: str = field(repr=False)


def uses_sandbox(settings: BaseSettings) -> bool:
    return switch(settings, "TIKTOK_SANDBOX")


def origin(settings: BaseSettings) -> str:
    """What the database remembers as the place that its data came from."""
    return SANDBOX_ORIGIN if uses_sandbox(settings) else api_url(settings)


def api_url(settings: BaseSettings) -> str:
    """Base URL of the API.

    Raises:
        ConfigurationError: it is not https, and not on this machine either.
    """
    url = str(settings.get("TIKTOK_API_URL") or DEFAULT_URL).rstrip("/")
    if not API_URL.fullmatch(url) or not _host(url) or _port(url) is None:
        # Not quoted: it may hold a password.
        raise ConfigurationError(f"TIKTOK_API_URL is not a URL such as {DEFAULT_URL}")
    if not url.startswith("https:") and not is_loopback(url):
        raise ConfigurationError(
            f"TIKTOK_API_URL={url} would send the access token unencrypted: use https"
        )
    return url


def sandbox_url(settings: BaseSettings) -> str | None:
    """Where a sandbox is served already; None to start one inside the crawl.

    Raises:
        ConfigurationError: the URL does not lead to this machine.
    """
    url = settings.get("TIKTOK_SANDBOX_URL")
    if url and not is_loopback(url):
        raise ConfigurationError(
            f"TIKTOK_SANDBOX_URL={url} is not on this machine, where `scrapy sandbox` serves it: "
            "a URL such as http://127.0.0.1:8890"
        )
    return str(url).rstrip("/") if url else None


def is_loopback(url: str) -> bool:
    host = _host(url)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _host(url: str) -> str:
    """The host that a URL leads to; empty if it is no URL."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _port(url: str) -> int | None:
    """The port that a URL names, 0 without one; None if there is no such port."""
    try:
        return urlsplit(url).port or 0
    except ValueError:
        return None


def database_url(settings: BaseSettings, environ: Mapping[str, str] = os.environ) -> str:
    """Where to store: command line, then environment, then settings, then the default."""
    configured = settings.get("TIKTOK_DATABASE_URL")
    on_command_line = (settings.getpriority("TIKTOK_DATABASE_URL") or 0) >= COMMAND_LINE_PRIORITY
    if configured and on_command_line:
        return str(configured)
    default = SANDBOX_DATABASE if uses_sandbox(settings) else DEFAULT_DATABASE
    return environ.get("TIKTOK_DATABASE_URL") or str(configured or default)


def archive_folder(settings: BaseSettings) -> Path | None:
    """Where every answer is kept as it came; None: nowhere."""
    folder = settings.get("TIKTOK_ARCHIVE")
    return Path(folder).expanduser() if folder else None


def credentials(
    settings: BaseSettings, environ: Mapping[str, str] = os.environ, *, warn: bool = True
) -> Credentials:
    """The client key and secret, from the environment or the secrets file.

    With `warn`, the user is told if others can read the file.

    Raises:
        CredentialsError: there are none, or the file cannot be used.
    """
    if uses_sandbox(settings):
        from tiktok_crawler.sandbox import (  # noqa: PLC0415 - only a rehearsal needs it
            CLIENT_KEY,
            CLIENT_SECRET,
        )

        return Credentials(CLIENT_KEY, CLIENT_SECRET)
    key, secret = environ.get("TIKTOK_CLIENT_KEY"), environ.get("TIKTOK_CLIENT_SECRET")
    if key and secret:
        return Credentials(key, secret)
    if key or secret:
        absent = "TIKTOK_CLIENT_SECRET" if key else "TIKTOK_CLIENT_KEY"
        raise CredentialsError(f"{absent} is missing in the environment; the other one is set")
    return _read_secrets(Path(settings.get("TIKTOK_SECRETS_FILE") or "secrets.yaml"), warn=warn)


def quota_account(
    settings: BaseSettings, pool: Pool, part: str, environ: Mapping[str, str] = os.environ
) -> QuotaAccount:
    """What the requests of a pool are booked on that collect this part: `videos`, or a listing.

    Raises:
        CredentialsError: there are no credentials.
        ConfigurationError: the budget is no whole number of at least 1, or a share none from 0 to
            1.
    """
    # Whoever gets the token warns.
    client_key = credentials(settings, environ, warn=False).client_key
    account = QuotaAccount.of(
        client_key,
        pool,
        daily_budget=daily_budget(settings) if pool is Pool.RESEARCH else None,
        parked_share=number(settings, "TIKTOK_PARKED_SHARE", most=1),
    )
    return replace(account, part=part, share=shares(settings).get(part))


def shares(settings: BaseSettings) -> dict[str, float]:
    """How much of a day's budget may go to which part; what is not named has no limit.

    Raises:
        ConfigurationError: a part is unknown or stands there twice, or its share is none from 0
            to 1.
    """
    found: dict[str, float] = {}
    for part, share in _pairs(settings.get("TIKTOK_SHARES") or {}):
        if part not in PARTS:
            hint = did_you_mean(nearest(part, PARTS)) or "."
            raise ConfigurationError(
                f"TIKTOK_SHARES: nothing is collected by the name {quoted(part)}{hint} "
                f"Allowed are: {', '.join(PARTS)}"
            )
        if part in found:
            raise ConfigurationError(f"TIKTOK_SHARES: {part} stands there twice")
        found[part] = _share(part, share)
    return found


def _pairs(written: object) -> Iterator[tuple[str, object]]:
    """The names and shares of a mapping, or of text such as videos=0.7,comments=0.2."""
    if isinstance(written, Mapping):
        yield from ((str(part), share) for part, share in written.items())
    elif isinstance(written, str):
        for pair in written.split(","):
            part, _, share = pair.partition("=")
            yield part.strip(), share.strip()
    else:
        raise ConfigurationError("TIKTOK_SHARES: write it as videos=0.7,comments=0.2")


def _share(part: str, written: object) -> float:
    try:
        share = math.nan if isinstance(written, bool) else float(str(written))
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise ConfigurationError(f"TIKTOK_SHARES: {part}={written} is no share from 0 to 1")
    return share


def daily_budget(settings: BaseSettings) -> int | None:
    """The research requests that all crawls on the database may send in a day; None: no budget."""
    if settings.get("TIKTOK_DAILY_BUDGET") in (None, ""):
        return None
    return whole_number(settings, "TIKTOK_DAILY_BUDGET", least=1)


def _read_secrets(path: Path, *, warn: bool) -> Credentials:
    try:
        if warn:
            _warn_if_others_can_read(path)
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise CredentialsError(
            f"no credentials: {path} does not exist. {CREDENTIALS_HELP}"
        ) from None
    except OSError as exc:
        raise CredentialsError(f"{path} cannot be read: {exc.strerror}") from None
    except ValueError:
        raise CredentialsError(f"{path} is not YAML in UTF-8. {CREDENTIALS_HELP}") from None
    values = _secrets_in(path, text)
    return Credentials(*(_secret(path, values, name) for name in ("client_key", "client_secret")))


def _secrets_in(path: Path, text: str) -> dict[str, str]:
    # Credentials from the environment need no YAML.
    from tiktok_crawler.query_file.secrets_file import parse_secrets  # noqa: PLC0415

    try:
        return parse_secrets(path, text)
    except QueryFileError as exc:
        raise CredentialsError(f"{exc}. {CREDENTIALS_HELP}") from None


def _secret(path: Path, values: Mapping[str, str], name: str) -> str:
    value = values.get(name, "").strip()
    if not value:
        raise CredentialsError(f"{path}: {name} is missing or empty. {CREDENTIALS_HELP}")
    return value


def _warn_if_others_can_read(path: Path) -> None:
    if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        logger.warning(
            "%(path)s can be read by other users of this machine; make it yours alone: "
            "chmod 600 %(path)s",
            {"path": path},
        )


def check_promises(settings: BaseSettings) -> None:
    """Refuse Scrapy settings under which pages could be lost, or secrets written to disk.

    Raises:
        ConfigurationError: naming the setting and the reason.
    """
    if number(settings, "CONCURRENT_ITEMS") != 1:
        raise ConfigurationError(
            "CONCURRENT_ITEMS must be 1: a page is stored before the next one is asked for"
        )
    for name in SCRAPY_NUMBERS:
        number(settings, name)
    if settings.get("JOBDIR"):
        raise ConfigurationError(
            "JOBDIR must not be set: it writes the access token to disk, and resuming needs no "
            "JOBDIR (run the same command again)"
        )
    if switch(settings, "HTTPCACHE_ENABLED"):
        raise ConfigurationError(
            "HTTPCACHE_ENABLED must be False: it writes the access token to disk and would answer "
            "with old data"
        )


def video_fields(settings: BaseSettings) -> tuple[str, ...]:
    """The fields to ask for, in the API's order.

    Raises:
        ConfigurationError: a field is unknown, or `id` is missing.
    """
    names = [str(name).strip() for name in settings.getlist("TIKTOK_VIDEO_FIELDS")]
    wanted = names[:-1] if names and not names[-1] else names
    for name in wanted:
        if name not in VIDEO_QUERY.fields:
            hint = did_you_mean(nearest(name, VIDEO_QUERY.fields))
            raise ConfigurationError(
                f"TIKTOK_VIDEO_FIELDS: the API has no field {quoted(name)}{hint or '.'} "
                f"Fields: {', '.join(VIDEO_QUERY.fields)}"
            )
    if wanted and "id" not in wanted:
        raise ConfigurationError("TIKTOK_VIDEO_FIELDS must have id: videos are stored by it")
    return tuple(name for name in VIDEO_QUERY.fields if name in wanted) or VIDEO_QUERY.fields


def window_days(settings: BaseSettings) -> int:
    """The widest window to search, in days; the API's limit is 31."""
    return whole_number(settings, "TIKTOK_WINDOW_DAYS", least=1, most=LONGEST_WINDOW_DAYS)


def id_skew(settings: BaseSettings) -> timedelta:
    """How far an id's time and `create_time` may lie apart."""
    return timedelta(seconds=number(settings, "TIKTOK_ID_SKEW_SECONDS", most=30 * 86400))


def freshness(settings: BaseSettings, refresh_after: timedelta | None) -> Freshness:
    """When covered days have to be searched again."""
    settle = timedelta(days=number(settings, "TIKTOK_SETTLE_DAYS", most=30))
    return Freshness(settle, refresh_after)


def number(
    settings: BaseSettings, name: str, *, least: float = 0, most: float = float("inf")
) -> float:
    """A setting that has to be a number.

    Raises:
        ConfigurationError: it is none, or out of bounds.
    """
    value = settings.get(name)
    bounds = f"from {least:g} to {most:g}" if most < float("inf") else f"of at least {least:g}"
    try:
        as_number = float(value)
    except (TypeError, ValueError):
        raise ConfigurationError(f"{name}={value} is not a number {bounds}") from None
    if not (math.isfinite(as_number) and least <= as_number <= most):
        raise ConfigurationError(f"{name}={value} is not a number {bounds}")
    return as_number


def switch(settings: BaseSettings, name: str) -> bool:
    """A setting that has to be True or False.

    Raises:
        ConfigurationError: it is something else.
    """
    try:
        return settings.getbool(name)
    except ValueError:
        raise ConfigurationError(f"{name}={settings.get(name)} is not True or False") from None


def whole_number(settings: BaseSettings, name: str, *, least: int = 0, most: int = 10**6) -> int:
    """A setting that has to be a whole number.

    Raises:
        ConfigurationError: it is none, or out of bounds.
    """
    as_number = number(settings, name, least=least, most=most)
    if not as_number.is_integer():
        raise ConfigurationError(f"{name}={settings.get(name)} is not a whole number")
    return int(as_number)


def choice(settings: BaseSettings, name: str, choices: type[E]) -> E:
    """A setting that has to be one of the words of an enumeration.

    Raises:
        ConfigurationError: it is another word.
    """
    value = str(settings.get(name)).strip().lower()
    try:
        return choices(value)
    except ValueError:
        allowed = ", ".join(choices)
        raise ConfigurationError(f"{name}={value} is not one of: {allowed}") from None
