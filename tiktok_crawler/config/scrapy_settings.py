"""Scrapy's settings: which hold here, which do nothing here, and which no crawl can do with.

docs/configuration.md says the same to users. What a newer Scrapy adds is passed through.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tiktok_crawler.config.components import Handlers, Keeps
from tiktok_crawler.config.rules import (
    TLS_METHODS,
    Derived,
    Must,
    acl,
    anything,
    bind_address,
    ciphers,
    classes,
    codec,
    date_format,
    each_loadable,
    folder,
    fractional,
    headers,
    like_scrapys,
    listing,
    loadable,
    log_file,
    log_format,
    log_level,
    log_stdout,
    modules,
    off,
    on,
    one_of,
    slots,
    software,
    text,
    tls_version,
    unchanged,
    unset,
    whole,
    zero_or,
)
from tiktok_crawler.config.values import number, switch

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

    from tiktok_crawler.config.rules import Rule

COMPONENTS: dict[str, Rule] = {
    "EXTENSIONS": Keeps(
        (
            "tiktok_crawler.extensions.sandbox.SandboxServer",
            "tiktok_crawler.extensions.delay_queue.DelayQueue",
            "tiktok_crawler.extensions.outcome.Outcome",
            "tiktok_crawler.extensions.run_record.RunRecord",
            "tiktok_crawler.extensions.progress.Progress",
            "tiktok_crawler.extensions.feed_export.RecordFeedExporter",
            "tiktok_crawler.extensions.notify.Notify",
        ),
        replaced=(
            "scrapy.extensions.feedexport.FeedExporter",
            "scrapy.extensions.logstats.LogStats",
            "scrapy.extensions.remote_control.RemoteControl",
        ),
    ),
    "DOWNLOADER_MIDDLEWARES": Keeps(
        (
            "tiktok_crawler.middlewares.retry.RetryMiddleware",
            "tiktok_crawler.middlewares.breaker.BreakerMiddleware",
            "tiktok_crawler.middlewares.token.TokenMiddleware",
            "tiktok_crawler.middlewares.quota.QuotaMiddleware",
            "tiktok_crawler.middlewares.redirect.RedirectMiddleware",
            "tiktok_crawler.middlewares.archive.ArchiveMiddleware",
            "tiktok_crawler.middlewares.verdict.VerdictMiddleware",
            "tiktok_crawler.middlewares.clock.ClockMiddleware",
            "tiktok_crawler.middlewares.secrets.SecretsMiddleware",
            "tiktok_crawler.middlewares.compression.CompressionMiddleware",
        ),
        replaced=("scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware",),
    ),
    "ITEM_PIPELINES": Keeps(("tiktok_crawler.pipelines.storage.StoragePipeline",), first=True),
    "DOWNLOAD_HANDLERS": Handlers(
        "tiktok_crawler.crawling.download_handler.GracefulDownloadHandler"
    ),
}
"""What a crawl needs of this project; another command of Scrapy's can do without it."""

REFUSED: dict[str, Rule] = {
    "LOG_FORMATTER": Derived(
        ("tiktok_crawler.logformatter.PageLogFormatter",),
        "others write whole pages, which are personal data, into the log",
    ),
    **dict.fromkeys(
        (
            "DOWNLOADER",
            "ITEM_PROCESSOR",
            "REQUEST_FINGERPRINTER_CLASS",
            "SCHEDULER",
            "SCHEDULER_DISK_QUEUE",
            "SCHEDULER_MEMORY_QUEUE",
            "SCHEDULER_PRIORITY_QUEUE",
            "SCHEDULER_START_DISK_QUEUE",
            "SCHEDULER_START_MEMORY_QUEUE",
            "STATS_CLASS",
        ),
        like_scrapys,
    ),
    **dict.fromkeys(
        (
            "DOWNLOADER_CLIENTCONTEXTFACTORY",
            "DOWNLOADER_MIDDLEWARES_BASE",
            "DOWNLOAD_HANDLERS_BASE",
            "EXTENSIONS_BASE",
            "FEED_EXPORTERS_BASE",
            "FEED_STORAGES_BASE",
            "ITEM_PIPELINES_BASE",
            "SPIDER_MIDDLEWARES_BASE",
        ),
        unchanged,
    ),
    "CONCURRENT_ITEMS": Must(1, "a page is stored before the next one is asked for"),
    "DEPTH_LIMIT": Must(
        0,
        "each page leads to the next one, and the rest would stay out; to end a run early use "
        "-a max_requests=50",
    ),
    "DNS_RESOLVER": Must("scrapy.resolver.CachingThreadedResolver", "use TWISTED_DNS_RESOLVER"),
    "COMPRESSION_ENABLED": on("an answer that comes compressed all the same could not be read"),
    "CONCURRENT_REQUESTS_PER_IP": Must(0, "use CONCURRENT_REQUESTS_PER_DOMAIN"),
    "DOWNLOADER_CLIENT_TLS_VERBOSE_LOGGING": off(
        "Scrapy fails with it on requests without TLS, such as those to the sandbox"
    ),
    "DOWNLOADER_STATS": on("the table run counts the faults of a run by it"),
    "DOWNLOAD_FAIL_ON_DATALOSS": on("an answer that was cut off would count as one"),
    "DOWNLOAD_VERIFY_CERTIFICATES": on(
        "the client secret and the access token would go to whoever answers; let this machine "
        "trust the certificate instead",
    ),
    "FEED_URI": unset("Scrapy gives it up; use -O FILE, or FEEDS"),
    "FORCE_CRAWLER_PROCESS": off("crawls run on asyncio"),
    "HTTPAUTH_USER": unset("requests to the API carry the access token instead"),
    "HTTPAUTH_PASS": unset("requests to the API carry the access token instead"),
    "HTTPCACHE_ENABLED": off("it writes the access token to disk and would answer with old data"),
    "HTTPERROR_ALLOW_ALL": on("an answer is judged by its body, not by its status alone"),
    "JOBDIR": unset(
        "it writes the access token to disk, and resuming needs no JOBDIR (run the same command "
        "again). Under Scrapyd, leave jobs_dir empty",
    ),
    "METAREFRESH_ENABLED": off("it would carry the access token to another place"),
    "REDIRECT_ENABLED": off("it would carry the access token to another place"),
    "REFERER_ENABLED": off("no request to an API comes from a page"),
    "REMOTE_CONTROL_ENABLED": off("it runs the code of others beside the access token"),
    "RETRY_ENABLED": off(
        "each try costs quota, and it makes them without delay; use TIKTOK_RETRY_TIMES"
    ),
    "ROBOTSTXT_OBEY": off("it is about websites, and could forbid the API itself"),
    "TELNETCONSOLE_ENABLED": off("it runs the code of others beside the access token"),
    "TWISTED_REACTOR": Must(
        "twisted.internet.asyncioreactor.AsyncioSelectorReactor", "crawls run on asyncio"
    ),
    "TWISTED_REACTOR_ENABLED": on("requests are sent by Twisted"),
}
"""No crawl can do with another value: the reason is in its message."""

HONOURED: dict[str, Rule] = {
    "ADDONS": each_loadable,
    "ASYNCIO_EVENT_LOOP": Derived((asyncio.AbstractEventLoop,), optional=True),
    "DEFAULT_REQUEST_HEADERS": headers,
    "DOWNLOADER_CLIENT_TLS_CIPHERS": ciphers,
    "DOWNLOADER_CLIENT_TLS_METHOD": one_of(*TLS_METHODS),
    "DOWNLOAD_BIND_ADDRESS": bind_address,
    "DOWNLOAD_DELAY_JITTER": fractional(most=1),
    "DOWNLOAD_SLOTS": slots,
    "DOWNLOAD_TIMEOUT": fractional(least=0.1),
    "DOWNLOAD_TLS_MAX_VERSION": tls_version,
    "DOWNLOAD_TLS_MIN_VERSION": tls_version,
    "DUPEFILTER_CLASS": Derived(("scrapy.dupefilters.BaseDupeFilter",)),
    "FEED_EXPORT_INDENT": whole(optional=True),
    "FEED_TEMPDIR": folder,
    "FEED_URI_PARAMS": loadable,
    "LOG_DATEFORMAT": date_format,
    "LOG_FILE": log_file,
    "LOG_FORMAT": log_format,
    "LOG_LEVEL": log_level,
    "LOG_STDOUT": log_stdout,
    "LOG_VERSIONS": software,
    "MEMUSAGE_LIMIT_MB": zero_or(256),
    "RETRY_EXCEPTIONS": classes(Exception),
    "SPIDER_MIDDLEWARES": Keeps(),
    "SPIDER_LOADER_CLASS": Derived(("scrapy.spiderloader.SpiderLoader",)),
    "SPIDER_MODULES": modules,
    "TWISTED_DNS_RESOLVER": Derived(
        ("scrapy.resolver.CachingThreadedResolver", "scrapy.resolver.CachingHostnameResolver")
    ),
    "URLLENGTH_LIMIT": zero_or(2083),
    **dict.fromkeys(
        (
            "AUTOTHROTTLE_DEBUG",
            "AUTOTHROTTLE_ENABLED",
            "COOKIES_DEBUG",
            "COOKIES_ENABLED",
            "DEPTH_STATS_VERBOSE",
            "DNSCACHE_ENABLED",
            "DUPEFILTER_DEBUG",
            "FEED_STORAGE_FTP_ACTIVE",
            "FEED_STORE_EMPTY",
            "HTTPPROXY_ENABLED",
            "LOG_COLOR",
            "LOG_ENABLED",
            "LOG_FILE_APPEND",
            "LOG_INSTALL_ROOT_HANDLER",
            "LOG_SHORT_NAMES",
            "MAIL_SSL",
            "MAIL_TLS",
            "MEMDEBUG_ENABLED",
            "MEMUSAGE_ENABLED",
            "RANDOMIZE_DOWNLOAD_DELAY",
            "SCHEDULER_DEBUG",
            "SPIDER_LOADER_WARN_ONLY",
            "STATS_DUMP",
            "WARN_ON_GENERATOR_RETURN_VALUE",
        ),
        switch,
    ),
    **dict.fromkeys(
        (
            "AUTOTHROTTLE_MAX_DELAY",
            "AUTOTHROTTLE_START_DELAY",
            "CLOSESPIDER_TIMEOUT",
            "DOWNLOAD_DELAY",
            "LOGSTATS_INTERVAL",
        ),
        number,
    ),
    **dict.fromkeys(
        (
            "AUTOTHROTTLE_TARGET_CONCURRENCY",
            "DNS_TIMEOUT",
            "MEMUSAGE_CHECK_INTERVAL_SECONDS",
        ),
        fractional(least=0.1),
    ),
    **dict.fromkeys(
        ("CONCURRENT_REQUESTS", "CONCURRENT_REQUESTS_PER_DOMAIN", "REACTOR_THREADPOOL_MAXSIZE"),
        whole(least=1),
    ),
    **dict.fromkeys(
        (
            "CLOSESPIDER_ERRORCOUNT",
            "CLOSESPIDER_ITEMCOUNT",
            "CLOSESPIDER_PAGECOUNT",
            "CLOSESPIDER_PAGECOUNT_NO_ITEM",
            "CLOSESPIDER_TIMEOUT_NO_ITEM",
            "DNSCACHE_SIZE",
            "DOWNLOAD_MAXSIZE",
            "DOWNLOAD_WARNSIZE",
            "FEED_EXPORT_BATCH_ITEM_COUNT",
            "MAIL_PORT",
            "MEMUSAGE_WARNING_MB",
            "SCRAPER_SLOT_MAX_ACTIVE_SIZE",
        ),
        whole(),
    ),
    "AWS_MAX_POOL_CONNECTIONS": whole(optional=True),
    "DEPTH_PRIORITY": whole(least=None),
    **dict.fromkeys(("FEED_EXPORT_ENCODING", "HTTPPROXY_AUTH_ENCODING", "LOG_ENCODING"), codec),
    **dict.fromkeys(
        ("FEED_EXPORT_FIELDS", "HTTPERROR_ALLOWED_CODES", "MEMUSAGE_NOTIFY_MAIL"), listing
    ),
    "FEED_STORAGE_GCS_ACL": acl(
        "private", "projectPrivate", "bucketOwnerRead", "bucketOwnerFullControl"
    ),
    "FEED_STORAGE_S3_ACL": acl("private", "bucket-owner-read", "bucket-owner-full-control"),
    **dict.fromkeys(("BOT_NAME", "USER_AGENT"), text),
    **dict.fromkeys(
        (
            "AWS_ACCESS_KEY_ID",
            "AWS_ENDPOINT_URL",
            "AWS_REGION_NAME",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "COMMANDS_MODULE",
            "EDITOR",
            # extensions/feed_checks.py looks at these, if there are feeds.
            "FEEDS",
            "FEED_EXPORTERS",
            "FEED_STORAGES",
            "GCS_PROJECT_ID",
            "MAIL_FROM",
            "MAIL_HOST",
            "MAIL_PASS",
            "MAIL_USER",
        ),
        anything,
    ),
}
"""These do what Scrapy says; a value that Scrapy would fail on is refused.

Of all others, what would read them is switched off, or is not used (docs/configuration.md).
"""


def check_scrapy_settings(settings: BaseSettings) -> None:
    """Refuse values of Scrapy's settings that would break a promise, or Scrapy itself.

    Settings that a newer Scrapy no longer has are passed over.

    Raises:
        ConfigurationError: naming the setting, and the reason.
    """
    _check(settings, {name: rule for name, rule in REFUSED.items() if name in settings})
    _check(settings, {name: rule for name, rule in HONOURED.items() if settings.getpriority(name)})


def check_components(settings: BaseSettings) -> None:
    """Refuse components without which no crawl is possible.

    Raises:
        ConfigurationError: naming the setting, and what it lacks.
    """
    _check(settings, COMPONENTS)


def _check(settings: BaseSettings, rules: dict[str, Rule]) -> None:
    for name, rule in rules.items():
        rule(settings, name)
