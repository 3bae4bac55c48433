"""The one configuration: settings and environment, read and checked once, and passed on."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from tiktok_crawler.config.addresses import check_api_url, check_sandbox_url
from tiktok_crawler.config.credentials import Credentials, read_credentials
from tiktok_crawler.config.notify import check_addresses, read_addresses
from tiktok_crawler.config.paths import database_in_project, in_project, profile_in_project
from tiktok_crawler.config.rules import listing
from tiktok_crawler.config.scrapy_settings import check_components, check_scrapy_settings
from tiktok_crawler.config.shares import parse_shares
from tiktok_crawler.config.sources import with_environment
from tiktok_crawler.config.values import choice, number, switch, whole_number
from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.planning.checks import OnGone
from tiktok_crawler.planning.coverage import Freshness
from tiktok_crawler.planning.plan import Wanted
from tiktok_crawler.planning.quota import QuotaAccount, QuotaPolicy
from tiktok_crawler.research_api.endpoints import (
    DEFAULT_URL,
    LONGEST_WINDOW_DAYS,
    VIDEO_QUERY,
    Pool,
)
from tiktok_crawler.spelling import did_you_mean, nearest, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Self

    from scrapy.settings import BaseSettings

    from tiktok_crawler.date_range import DateRange
    from tiktok_crawler.research_api.query import Query

SANDBOX_ORIGIN = "sandbox"
DEFAULT_DATABASE = "sqlite:///tiktok.db"
SANDBOX_DATABASE = "sqlite:///tiktok-sandbox.db"
DAY_SECONDS = 86400.0

LARGEST_BATCH = 100


@dataclass(frozen=True)
class Config:
    """The values of the settings of the same names; delays in seconds, secrets in no `repr`.

    `api_url` is where the API is, or a sandbox that is served already; None: the crawl's own
    sandbox, whose address its extension knows (`extensions/sandbox.py`). Paths are absolute, also
    that in `database_url`. `archive` is the folder in which every answer is kept; None: nowhere.
    `shares` has the parts of a collection that have one. `progress_interval` is LOGSTATS_INTERVAL.
    """

    uses_sandbox: bool
    sandbox_profile: str
    api_url: str | None
    database_url: str = field(repr=False)
    archive: Path | None
    csv_guard: bool
    secrets_file: Path
    environ: Mapping[str, str] = field(repr=False)
    video_fields: tuple[str, ...]
    window_days: int
    batch: int
    settle: timedelta
    id_skew: timedelta
    quota_policy: QuotaPolicy
    quota_interval: timedelta
    daily_budget: int | None
    parked_share: float
    refresh_share: float
    shares: Mapping[str, float]
    rate_limit_delay: float
    retry_delay: float
    retry_delay_max: float
    retry_times: int
    search_id_delay: float
    search_id_times: int
    probe_interval: timedelta
    probe_times: int
    check_delay: float
    gone_limit: float
    on_gone: OnGone
    gone_grace: timedelta
    progress_interval: float
    notify: tuple[str, ...] = field(repr=False)

    @classmethod
    def of(cls, settings: BaseSettings, environ: Mapping[str, str] = os.environ) -> Self:
        """Read and check everything but the credentials, which not all commands need.

        Raises:
            ConfigurationError: naming the setting, and what it can be.
        """
        check_components(settings)
        check_scrapy_settings(settings)
        settings = with_environment(settings, environ)
        return cls(
            uses_sandbox=switch(settings, "TIKTOK_SANDBOX"),
            sandbox_profile=profile_in_project(str(settings["TIKTOK_SANDBOX_PROFILE"])),
            api_url=_api_url(settings),
            database_url=_database_url(settings, environ),
            archive=_archive(settings),
            csv_guard=switch(settings, "TIKTOK_CSV_GUARD"),
            secrets_file=in_project(settings.get("TIKTOK_SECRETS_FILE") or "secrets.yaml"),
            environ=environ,
            video_fields=_video_fields(settings),
            window_days=whole_number(
                settings, "TIKTOK_WINDOW_DAYS", least=1, most=LONGEST_WINDOW_DAYS
            ),
            batch=whole_number(settings, "TIKTOK_BATCH", least=1, most=LARGEST_BATCH),
            settle=timedelta(days=number(settings, "TIKTOK_SETTLE_DAYS", most=30)),
            id_skew=_seconds(settings, "TIKTOK_ID_SKEW_SECONDS", most=30 * DAY_SECONDS),
            quota_policy=choice(settings, "TIKTOK_QUOTA_POLICY", QuotaPolicy),
            quota_interval=_seconds(
                settings, "TIKTOK_QUOTA_INTERVAL", least=0.01, most=7 * DAY_SECONDS
            ),
            daily_budget=_daily_budget(settings),
            parked_share=number(settings, "TIKTOK_PARKED_SHARE", most=1),
            refresh_share=number(settings, "TIKTOK_REFRESH_SHARE", most=1),
            shares=parse_shares(settings.get("TIKTOK_SHARES")),
            rate_limit_delay=number(settings, "TIKTOK_RATE_LIMIT_DELAY"),
            retry_delay=number(settings, "TIKTOK_RETRY_DELAY"),
            retry_delay_max=number(settings, "TIKTOK_RETRY_DELAY_MAX"),
            retry_times=whole_number(settings, "TIKTOK_RETRY_TIMES"),
            search_id_delay=number(settings, "TIKTOK_SEARCH_ID_DELAY"),
            search_id_times=whole_number(settings, "TIKTOK_SEARCH_ID_TIMES"),
            probe_interval=_seconds(
                settings, "TIKTOK_PROBE_INTERVAL", least=0.01, most=DAY_SECONDS
            ),
            probe_times=whole_number(settings, "TIKTOK_PROBE_TIMES", least=1),
            check_delay=number(settings, "TIKTOK_CHECK_DELAY"),
            gone_limit=number(settings, "TIKTOK_GONE_LIMIT", most=1),
            on_gone=choice(settings, "TIKTOK_ON_GONE", OnGone),
            gone_grace=timedelta(days=number(settings, "TIKTOK_GONE_GRACE", most=3650)),
            progress_interval=number(settings, "LOGSTATS_INTERVAL"),
            notify=read_addresses(settings),
        )

    def check_crawl(self) -> None:
        """Read what a crawl needs besides: the credentials, or the profile of its own sandbox.

        Raises:
            CredentialsError: there are none, or the secrets file cannot be used.
            ConfigurationError: there is no such profile, or it has mistakes; nothing can be sent to
                an address of TIKTOK_NOTIFY.
        """
        check_addresses(self.notify)
        _ = self.credentials
        if self.api_url is None:
            from tiktok_crawler.sandbox import load_profile  # noqa: PLC0415 - rehearsals only

            load_profile(self.sandbox_profile)

    @property
    def origin(self) -> str:
        """The origin that the database remembers for its data."""
        return SANDBOX_ORIGIN if self.uses_sandbox else str(self.api_url)

    @cached_property
    def credentials(self) -> Credentials:
        """The client key and secret, read once: all requests of a crawl are those of one client.

        Raises:
            CredentialsError: there are none, or the secrets file cannot be used.
        """
        if self.uses_sandbox:
            from tiktok_crawler.sandbox import (  # noqa: PLC0415 - only a rehearsal needs it
                CLIENT_KEY,
                CLIENT_SECRET,
            )

            return Credentials(CLIENT_KEY, CLIENT_SECRET)
        return read_credentials(self.environ, self.secrets_file)

    @property
    def sandbox_hint(self) -> str:
        """The end of a message where there is no data yet, but the sandbox's database is there."""
        meant, sandbox = (_file_of(url) for url in (DEFAULT_DATABASE, SANDBOX_DATABASE))
        if self.database_url != database_in_project(DEFAULT_DATABASE) or self.uses_sandbox:
            return ""
        if not sandbox.exists() or (meant.exists() and meant.stat().st_size):
            return ""
        return (
            f"; the sandbox's database is beside it, {sandbox}: for that add -s TIKTOK_SANDBOX=True"
        )

    def quota_account(self, pool: Pool, part: str) -> QuotaAccount:
        """Return the account for a pool's requests that collect this part: videos, or a listing.

        Raises:
            CredentialsError: there are no credentials.
        """
        return self.account_of_nobody(pool, part).of_client(self.credentials.client_key)

    def account_of_nobody(self, pool: Pool, part: str) -> QuotaAccount:
        """Return the same without a client, for which there need be no credentials."""
        return QuotaAccount(
            "",
            pool,
            self.daily_budget if pool is Pool.RESEARCH else None,
            self.parked_share,
            self.shares.get(part),
            part,
            self.refresh_share,
        )

    def terms(self, query: Query, days: DateRange, fields: tuple[str, ...]) -> Wanted:
        """Return the terms of a run for a query; without fields, it asks for those of the settings.

        How fresh the days shall be is not said: that stands in query files.
        """
        return Wanted(
            query, days, fields or self.video_fields, Freshness(self.settle), self.window_days
        )


def _file_of(url: str) -> Path:
    return in_project(url.removeprefix("sqlite:///"))


def _api_url(settings: BaseSettings) -> str | None:
    if not switch(settings, "TIKTOK_SANDBOX"):
        return check_api_url(str(settings.get("TIKTOK_API_URL") or DEFAULT_URL))
    written = settings.get("TIKTOK_SANDBOX_URL")
    return check_sandbox_url(str(written)) if written else None


def database_url(settings: BaseSettings, environ: Mapping[str, str] = os.environ) -> str:
    """Return the database URL alone, where there may be no other settings.

    Raises:
        ConfigurationError: a setting does not exist, or TIKTOK_SANDBOX is malformed.
    """
    return _database_url(with_environment(settings, environ), environ)


def _database_url(settings: BaseSettings, environ: Mapping[str, str]) -> str:
    """An empty URL on the command line leaves the choice to the environment."""
    default = SANDBOX_DATABASE if switch(settings, "TIKTOK_SANDBOX") else DEFAULT_DATABASE
    written = settings.get("TIKTOK_DATABASE_URL") or environ.get("TIKTOK_DATABASE_URL", "").strip()
    return database_in_project(str(written or default))


def _archive(settings: BaseSettings) -> Path | None:
    folder = settings.get("TIKTOK_ARCHIVE")
    return in_project(folder) if folder else None


def _video_fields(settings: BaseSettings) -> tuple[str, ...]:
    """The fields to ask for, in the API's order; a field is known, and `id` among them."""
    listing(settings, "TIKTOK_VIDEO_FIELDS")
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


def _daily_budget(settings: BaseSettings) -> int | None:
    """The research requests that all crawls on the database may send in a day; None: no budget."""
    if settings.get("TIKTOK_DAILY_BUDGET") in (None, ""):
        return None
    return whole_number(settings, "TIKTOK_DAILY_BUDGET", least=1)


def _seconds(settings: BaseSettings, name: str, *, least: float = 0, most: float) -> timedelta:
    return timedelta(seconds=number(settings, name, least=least, most=most))
