"""Scrapy settings of the project: each override with Scrapy's default and the reason.

Override any of them with `-s NAME=VALUE`, those of our own in the environment too.
docs/configuration.md lists these.
"""

from __future__ import annotations

import atexit
import gc
import os

from tiktok_crawler.crawling import notice

# Every command, Python script and Scrapyd reads this first: what they write - database, log, feeds,
# archive - is its owner's alone.
os.umask(0o077)

# Python looks for garbage while modules are loaded (default: at each 700 new objects), and at the
# end, when all memory is given back anyway: that was a quarter of the time of a short run.
gc.set_threshold(max(3_000, gc.get_threshold()[0]))
atexit.register(gc.freeze)

BOT_NAME = "tiktok_crawler"
SPIDER_MODULES = ["tiktok_crawler.spiders"]
NEWSPIDER_MODULE = "tiktok_crawler.spiders"
COMMANDS_MODULE = "tiktok_crawler.commands"

# Default: Scrapy's own, which does not check the settings of a Python script.
SPIDER_LOADER_CLASS = "tiktok_crawler.crawling.spider_loader.CheckedSpiderLoader"

# --- Promises: changing these stops the crawl (config/scrapy_settings.py) ------------------------

# Default 100. With 1, a page is stored before the next one is asked for.
CONCURRENT_ITEMS = 1

# --- Speed ---------------------------------------------------------------------------------------

# Default 16. At most so many windows, or seeds, are worked on side by side; the API is slow, but
# answers 429 to more than a few requests at once.
CONCURRENT_REQUESTS = 4

# Default 180. The API can hang for four minutes before its gateway gives up (api_facts.md 1.19).
DOWNLOAD_TIMEOUT = 120

# Default 1 GiB. A page is about 200 KiB; what is larger than any can be is not even decoded.
DOWNLOAD_MAXSIZE = 8 * 1024 * 1024

# Default: Scrapy's own, which waits for an answer up to DOWNLOAD_TIMEOUT seconds after Ctrl-C.
DOWNLOAD_HANDLERS = {
    "http": "tiktok_crawler.crawling.download_handler.GracefulDownloadHandler",
    "https": "tiktok_crawler.crawling.download_handler.GracefulDownloadHandler",
}

# --- An API is not a website ---------------------------------------------------------------------

# Default True: without delay, while every try costs quota. See middlewares/retry.py.
RETRY_ENABLED = False

# Default False. research_api/verdicts.py judges an answer by its body, not by its status alone.
HTTPERROR_ALLOW_ALL = True

# Default RFPDupeFilter, which silently drops a request that is sent again.
DUPEFILTER_CLASS = "scrapy.dupefilters.BaseDupeFilter"

# Default True. A redirect would turn a POST into a GET, and carry the token to another place.
REDIRECT_ENABLED = False
METAREFRESH_ENABLED = False

# Default True. The API has neither.
COOKIES_ENABLED = False
REFERER_ENABLED = False

# Default: HTML in English.
DEFAULT_REQUEST_HEADERS = {"Accept": "application/json"}
USER_AGENT = "tiktok_crawler (Scrapy)"

# --- Security ------------------------------------------------------------------------------------

# Default False.
DOWNLOAD_VERIFY_CERTIFICATES = True

# Default True: both let others run code in this process.
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False

# --- What the user sees --------------------------------------------------------------------------

# Default DEBUG, which has several lines a page; INFO has what Scrapy says of itself. This level of
# our own has a line at the beginning, the progress, and warnings.
LOG_LEVEL = notice.LEVEL_NAME

# Default prints whole items, which are pages of personal data.
LOG_FORMATTER = "tiktok_crawler.logformatter.PageLogFormatter"

# Default None: JSON feeds would have \uXXXX for every letter outside ASCII.
FEED_EXPORT_ENCODING = "utf-8"

# Default True, with which a run that collects nothing new would empty the feed of an earlier one.
FEED_STORE_EMPTY = False

# Default joins lists with commas, which are part of the values, and writes a header in every run.
FEED_EXPORTERS = {"csv": "tiktok_crawler.exporters.CsvRecordExporter"}

# Default adds to half a line that a killed run has left, and replaces a longer feed without a word;
# fails where `| head` has seen enough.
FEED_STORAGES = {
    "": "tiktok_crawler.feed_storage.LocalFeedStorage",
    "file": "tiktok_crawler.feed_storage.LocalFeedStorage",
    "stdout": "tiktok_crawler.feed_storage.OutputFeedStorage",
}

# --- Components ----------------------------------------------------------------------------------

EXTENSIONS: dict[str, int | None] = {
    # Replaced by extensions/feed_export.py, which writes a line a record instead of a page.
    "scrapy.extensions.feedexport.FeedExporter": None,
    # Replaced by extensions/progress.py.
    "scrapy.extensions.logstats.LogStats": None,
    # Nothing listens; not even to be loaded saves a tenth of a second.
    "scrapy.extensions.remote_control.RemoteControl": None,
    # First: it decides which API the others talk to.
    "tiktok_crawler.extensions.sandbox.SandboxServer": 0,
    "tiktok_crawler.extensions.delay_queue.DelayQueue": 10,
    "tiktok_crawler.extensions.outcome.Outcome": 20,
    "tiktok_crawler.extensions.run_record.RunRecord": 25,
    "tiktok_crawler.extensions.progress.Progress": 30,
    "tiktok_crawler.extensions.feed_export.RecordFeedExporter": 40,
    "tiktok_crawler.extensions.notify.Notify": 50,
}

# Those that act stand behind Scrapy's retries (550). Requests pass from top to bottom, answers from
# bottom to top.
DOWNLOADER_MIDDLEWARES: dict[str, int | None] = {
    # Delays what failed and can succeed later; gives up what cannot.
    "tiktok_crawler.middlewares.retry.RetryMiddleware": 560,
    # Stops sending while the API only fails.
    "tiktok_crawler.middlewares.breaker.BreakerMiddleware": 565,
    # Adds the access token; renews it.
    "tiktok_crawler.middlewares.token.TokenMiddleware": 570,
    # Holds requests while the quota is used up; books each one that is sent.
    "tiktok_crawler.middlewares.quota.QuotaMiddleware": 580,
    # Ends the crawl when requests are sent elsewhere.
    "tiktok_crawler.middlewares.redirect.RedirectMiddleware": 582,
    # Keeps each answer as it came, before the others act on it.
    "tiktok_crawler.middlewares.archive.ArchiveMiddleware": 583,
    # Says what an answer means, for the others.
    "tiktok_crawler.middlewares.verdict.VerdictMiddleware": 585,
    # Tells that this machine's clock is wrong.
    "tiktok_crawler.middlewares.clock.ClockMiddleware": 587,
    # Replaced: it ends the crawl on an answer that is not what its headers say.
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
    # Outermost: nothing logs, stores or acts on an answer that repeats a secret.
    "tiktok_crawler.middlewares.secrets.SecretsMiddleware": 990,
    "tiktok_crawler.middlewares.compression.CompressionMiddleware": 1000,
}

ITEM_PIPELINES = {"tiktok_crawler.pipelines.storage.StoragePipeline": 100}

# --- Settings of our own (config/names.py has their names) ----------------------------------------

# Where the API is.
TIKTOK_API_URL = "https://open.tiktokapis.com"

# True: collect from an imitation of the API on this machine, which needs no credentials.
TIKTOK_SANDBOX = False
# Where `scrapy sandbox` serves it already; None: start one for the time of the crawl.
TIKTOK_SANDBOX_URL: str | None = None
# How it misbehaves: a name or a file (docs/sandbox.md).
TIKTOK_SANDBOX_PROFILE = "none"

# None: sqlite:///tiktok.db, with the sandbox sqlite:///tiktok-sandbox.db.
TIKTOK_DATABASE_URL: str | None = None

# A folder in which every answer is kept as it came; None: nowhere.
TIKTOK_ARCHIVE: str | None = None

# True: in feeds in CSV an apostrophe stands before what a spreadsheet would take for a formula.
TIKTOK_CSV_GUARD = False

# Holds client_key and client_secret, unless TIKTOK_CLIENT_KEY and TIKTOK_CLIENT_SECRET are in the
# environment.
TIKTOK_SECRETS_FILE = "secrets.yaml"

# Addresses for apprise that are told when something needs a person, and when that is over.
TIKTOK_NOTIFY: list[str] = []

# The fields to ask for; empty: all that the API has.
TIKTOK_VIDEO_FIELDS: list[str] = []

# The widest window to search, in days; the API takes at most 31.
TIKTOK_WINDOW_DAYS = 31
# How many values of a list under each are searched for together.
TIKTOK_BATCH = 10
# Days after its end from when on a day is final.
TIKTOK_SETTLE_DAYS = 2.0

# How many seconds before create_time a video's id may be made: how much of a search that was lost
# counts as delivered rests on it.
TIKTOK_ID_SKEW_SECONDS = 900.0

# midnight, interval or stop: what to do when the day's quota is used up.
TIKTOK_QUOTA_POLICY = "midnight"
# Seconds between tries with policy interval.
TIKTOK_QUOTA_INTERVAL = 4 * 3600.0
# Requests that all crawls on the database together may send in a UTC day; None: no limit.
TIKTOK_DAILY_BUDGET: int | None = None
# The share of a day's budget (of the API's quota, if there is none) that may go to second tries of
# windows that were postponed, or that came back suspiciously empty.
TIKTOK_PARKED_SHARE = 0.1
# The share of the requests that is kept for refreshing what is due, as long as there are new days;
# they come first otherwise.
TIKTOK_REFRESH_SHARE = 0.3
# How much of a day's budget may go to what: {"videos": 0.7, "comments": 0.2}, or the same as text,
# videos=0.7,comments=0.2. What is not named has no limit of its own.
TIKTOK_SHARES: dict[str, float] = {}

# Seconds before a failed request is sent again, doubling up to the second; and how often.
TIKTOK_RETRY_DELAY = 5.0
TIKTOK_RETRY_DELAY_MAX = 120.0
TIKTOK_RETRY_TIMES = 5
# Seconds (up to twice as many) before a search_id that was refused is tried again; and how often.
TIKTOK_SEARCH_ID_DELAY = 5.0
TIKTOK_SEARCH_ID_TIMES = 6
# Seconds between single requests while the API only fails; and how many of them may fail.
TIKTOK_PROBE_INTERVAL = 600.0
TIKTOK_PROBE_TIMES = 6
# Seconds until a check of existence is first asked about; each later time takes ten times as long.
TIKTOK_CHECK_DELAY = 60.0
# The share of what was asked about, or of a day's videos, that may be gone at once; if it is more,
# a person has to say so (scrapy gone).
TIKTOK_GONE_LIMIT = 0.05
# mark or delete: what becomes of records that are gone; and how many days they stay until then.
TIKTOK_ON_GONE = "mark"
TIKTOK_GONE_GRACE = 7.0
# Seconds that a rate limit makes all requests wait, doubling up to 60.
TIKTOK_RATE_LIMIT_DELAY = 10.0
