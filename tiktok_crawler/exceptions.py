"""Every exception of this package, and the exit status that it ends a crawl with.

CrawlerError
├── UsageError            64  a spider argument is unknown, empty or malformed
├── ImportFileError       65  data of others that are not recognised, or cannot be read
├── CredentialsError      77  no credentials, or credentials that cannot be read or are refused
├── ConfigurationError    78  settings, a query file or a database that cannot be worked with
│   ├── QueryError            every mistake of one step of a search that is built in Python
│   ├── QueryFileError        every mistake of one query file
│   └── DatabaseAwayError     a database that may be usable soon
├── ArchiveError          70  an archive that cannot be written to its end
├── CopyError             70  a copy of a database that cannot be made, or is not the same
├── ExportError           70  an export that cannot be written, or is not as it was written
├── ReportError           70  a report that cannot be written to its end
├── StudyError           70  a study's folder that cannot be written to its end
├── DatabaseLostError     70  a database whose file is not where it was when it was opened
└── TemporaryError        75  nothing is wrong: run again later
    ├── QueryLockedError      another crawl of the same query holds its lock
    ├── TaskTakenError        another crawl of the same query works on the same task
    ├── DailyBudgetSpentError the crawls on the database have spent what a day may cost
    └── ShareSpentError       ... a share of that
        ├── SecondTriesSpentError what second tries may cost in a day
        └── DailyShareSpentError  what one kind of request may cost in a day

The statuses are those of sysexits.h. A CrawlerError is a mistake or a circumstance of the user's:
its message is all that is shown of it. Any other exception is a bug, and loud.
"""

from __future__ import annotations

from os import EX_CONFIG, EX_DATAERR, EX_NOPERM, EX_SOFTWARE, EX_TEMPFAIL, EX_USAGE
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from datetime import datetime


class CrawlerError(Exception):
    """The root; `exit_status` is what the process ends with. Not raised itself."""

    exit_status: ClassVar[int] = EX_SOFTWARE


class UsageError(CrawlerError):
    """Raised by the spiders for arguments that cannot be used."""

    exit_status = EX_USAGE


class ImportFileError(CrawlerError):
    """Raised by `imports` for what cannot be brought in, or read to its end."""

    exit_status = EX_DATAERR


class CredentialsError(CrawlerError):
    """Raised by `config` when there are no usable credentials."""

    exit_status = EX_NOPERM


class ConfigurationError(CrawlerError):
    """Raised before the first request when a setting, a file or the database does not fit."""

    exit_status = EX_CONFIG


class DatabaseAwayError(ConfigurationError):
    """Raised for a database that cannot be used now: the same may succeed later."""


class QueryError(ConfigurationError):
    """Raised by `research_api.building`; the message has one line for each mistake."""


class QueryFileError(ConfigurationError):
    """Raised by `query_file`; the message has one line for each mistake of the file."""


class ArchiveError(CrawlerError):
    """Raised by `archive.writer` when a line cannot be written, such as on a full disk."""


class CopyError(CrawlerError):
    """Raised by `scrapy backup` and `scrapy copy`; what was begun is taken back."""


class ExportError(CrawlerError):
    """Raised by `scrapy export`; an earlier export in the same folder is as it was."""


class ReportError(CrawlerError):
    """Raised by `scrapy report` when its file cannot be written, such as on a full disk."""


class StudyError(CrawlerError):
    """Raised by `python -m tiktok_crawler init` on a full disk; what was begun is taken back."""


class DatabaseLostError(CrawlerError):
    """Raised by `storage.engine` when a file that is in use was removed, renamed or replaced."""


class TemporaryError(CrawlerError):
    """Raised when a later run of the same command can succeed."""

    exit_status = EX_TEMPFAIL


class QueryLockedError(TemporaryError):
    """Raised by `storage.engine.lock` when another crawl of the query runs on the same database."""


class TaskTakenError(TemporaryError):
    """Raised by `storage` when another crawl works on a task or a check, or has done so since."""


class DailyBudgetSpentError(TemporaryError):
    """Raised by `storage.ledger.quota` when another request would exceed TIKTOK_DAILY_BUDGET."""


class ShareSpentError(TemporaryError):
    """The root of those below; not raised itself.

    `why` no request of a `part` is sent any more, and `until` when; None: as long as the share is
    none at all.
    """

    def __init__(self, why: str, *, part: str, until: datetime | None) -> None:
        super().__init__(f"{why} until 00:00 UTC; run again then" if until else why)
        self.why = why
        self.part = part
        self.until = until


class SecondTriesSpentError(ShareSpentError):
    """Raised by `storage.ledger.quota` when another second try would exceed TIKTOK_PARKED_SHARE."""


class DailyShareSpentError(ShareSpentError):
    """Raised by `storage.ledger.quota` when a request would exceed its share of TIKTOK_SHARES."""
