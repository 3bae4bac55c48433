"""The names of all settings of our own; what is only like one of them is refused."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from scrapy.settings import SETTINGS_PRIORITIES, default_settings

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.spelling import nearest, quoted, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scrapy.settings import BaseSettings

PREFIX = "TIKTOK_"

SETTINGS = (
    "TIKTOK_API_URL",
    "TIKTOK_ARCHIVE",
    "TIKTOK_BATCH",
    "TIKTOK_CHECK_DELAY",
    "TIKTOK_CSV_GUARD",
    "TIKTOK_DAILY_BUDGET",
    "TIKTOK_DATABASE_URL",
    "TIKTOK_GONE_GRACE",
    "TIKTOK_GONE_LIMIT",
    "TIKTOK_ID_SKEW_SECONDS",
    "TIKTOK_NOTIFY",
    "TIKTOK_ON_GONE",
    "TIKTOK_PARKED_SHARE",
    "TIKTOK_PROBE_INTERVAL",
    "TIKTOK_PROBE_TIMES",
    "TIKTOK_QUOTA_INTERVAL",
    "TIKTOK_QUOTA_POLICY",
    "TIKTOK_RATE_LIMIT_DELAY",
    "TIKTOK_REFRESH_SHARE",
    "TIKTOK_RETRY_DELAY",
    "TIKTOK_RETRY_DELAY_MAX",
    "TIKTOK_RETRY_TIMES",
    "TIKTOK_SANDBOX",
    "TIKTOK_SANDBOX_PROFILE",
    "TIKTOK_SANDBOX_URL",
    "TIKTOK_SEARCH_ID_DELAY",
    "TIKTOK_SEARCH_ID_TIMES",
    "TIKTOK_SECRETS_FILE",
    "TIKTOK_SETTLE_DAYS",
    "TIKTOK_SHARES",
    "TIKTOK_VIDEO_FIELDS",
    "TIKTOK_WINDOW_DAYS",
)

CREDENTIALS = ("TIKTOK_CLIENT_KEY", "TIKTOK_CLIENT_SECRET")
"""Variables of the environment that are no settings: whoever reads a log may see settings."""

OF_TESTS = "TIKTOK_TEST_"

ALIKE = 0.65
"""How similar the names without prefix are of which one is taken for the other."""

HINT_ALIKE = 0.5
"""The same of a name that is refused anyway."""

SCRAPYS_ALIKE = 0.9
"""The same of names on the command line that are nobody's: other programs have settings, too."""

PREFIX_ALIKE = 0.85
"""The same of names that begin with something else: it is the beginning that is misspelt."""


def check_names(settings: BaseSettings, environ: Mapping[str, str]) -> None:
    """Refuse settings that do not exist, and variables of the environment that resemble one.

    A misspelt setting would be without effect, and the crawl run somewhere else than meant.

    Raises:
        ConfigurationError: naming each, with the name that was probably meant.
    """
    unknown = [_unknown(name) for name in _unknown_settings(settings)]
    if unknown:
        raise ConfigurationError(
            f"there is no such setting: {', '.join(unknown)}. docs/configuration.md has all of them"
        )
    unknown = [_unknown(name) for name in _unknown_variables(environ)]
    if unknown:
        raise ConfigurationError(
            f"in the environment there is no such setting: {', '.join(unknown)}. Correct the name, "
            "or remove the variable (unset NAME)"
        )


def check_project(settings: BaseSettings) -> None:
    """Refuse settings that are not those of the project, as of a script without them.

    Raises:
        ConfigurationError: saying where they come from.
    """
    if any(name not in settings for name in SETTINGS):
        raise ConfigurationError(
            "the settings of tiktok_crawler are missing: begin with those of scrapy.utils.project."
            "get_project_settings(), in the folder of scrapy.cfg, or in any with the variable "
            "SCRAPY_SETTINGS_MODULE=tiktok_crawler.settings"
        )


def _unknown_settings(settings: BaseSettings) -> Iterator[str]:
    for name in settings:
        if name in SETTINGS or name in vars(default_settings):
            continue
        if name in CREDENTIALS:
            raise ConfigurationError(
                f"{name} is no setting: put it into the environment or the secrets file "
                "(TIKTOK_SECRETS_FILE)"
            )
        is_typed = (settings.getpriority(name) or 0) >= SETTINGS_PRIORITIES["cmdline"]
        if name.upper().startswith(PREFIX) or _meant(name) or (is_typed and _scrapys(name)):
            yield name


def _unknown_variables(environ: Iterable[str]) -> Iterator[str]:
    for name in environ:
        if name not in (*SETTINGS, *CREDENTIALS) and not name.startswith(OF_TESTS) and _meant(name):
            yield name


def _unknown(name: str) -> str:
    if name != name.strip():
        return f"{quoted(name)} (write NAME=VALUE, without blanks around =)"
    similar = _meant(name, alike=HINT_ALIKE) or _scrapys(name)
    return f"{shortened(name)} (did you mean {similar}?)" if similar else shortened(name)


def _scrapys(name: str) -> str | None:
    """The setting of Scrapy's that was probably meant."""
    return next(
        iter(nearest(name, filter(str.isupper, vars(default_settings)), similarity=SCRAPYS_ALIKE)),
        None,
    )


@lru_cache(maxsize=1024)
def _meant(name: str, *, alike: float = ALIKE) -> str | None:
    """The name that was probably meant by one that does not exist.

    A crawl asks several times for each variable of the environment, and a look takes a millisecond.
    """
    known = (*SETTINGS, *CREDENTIALS)
    if not name.upper().startswith(PREFIX):
        return next(iter(nearest(name, known, similarity=PREFIX_ALIKE)), None)
    rests = [one.removeprefix(PREFIX) for one in known]
    similar = nearest(name[len(PREFIX) :], rests, similarity=alike)
    return f"{PREFIX}{similar[0]}" if similar else None
