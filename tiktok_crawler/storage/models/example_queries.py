"""The queries of docs/queries, as docs/schema.md shows them.

A file begins with comments: its title, what it answers, and what to mind. A query that has to be
written in another way for each database has a file for each, such as `coverage.sqlite.sql`.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from tiktok_crawler.shipped import shipped

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = shipped("docs") / "queries"
DIALECTS = ("sqlite", "postgresql")
NAMES = (
    "videos_per_day",
    "growth_of_a_video",
    "fastest_growing",
    "hashtags_together",
    "top_accounts",
    "tags",
    "vanished",
    "changed_texts",
    "coverage",
    "requests_per_day",
)
"""In the order of the document."""

COMMENT = "--"

PREFACE = """\
## Ten queries

Each is a file in `docs/queries`, and can be run as it is:

```sh
sqlite3 -box tiktok.db < docs/queries/top_accounts.sql
psql -f docs/queries/top_accounts.sql postgresql://me@localhost/tiktok
```

A database can hold many queries, and a video is one of each query that has found it. So most are
about one query, `query_id = 1`: put in the number of yours, as `scrapy status` shows it.

Most are the same for SQLite and PostgreSQL; where days or their arithmetic differ, there is a file
for each. Days are those of UTC, whatever the time zone of the machine or of the session; PostgreSQL
shows times in the session's.
"""


def query_file(name: str, dialect: str) -> Path:
    """The file of a query for a database."""
    own = FOLDER / f"{name}.{dialect}.sql"
    return own if own.exists() else FOLDER / f"{name}.sql"


def explanation(file: Path) -> list[str]:
    """The comments with which a file begins, by line, the title first."""
    comments = takewhile(lambda line: line.startswith(COMMENT), _lines(file))
    return [line.removeprefix(COMMENT).strip() for line in comments]


def queries_section() -> str:
    """All queries in Markdown."""
    return "\n".join([PREFACE, *map(_query, NAMES)])


def _query(name: str) -> str:
    files = dict.fromkeys(query_file(name, dialect) for dialect in DIALECTS)
    title, *text = explanation(next(iter(files)))
    return "\n".join([f"### {title}", *text, "", *map(_statement, files)])


def _statement(file: Path) -> str:
    sql = _lines(file)[len(explanation(file)) :]
    return "\n".join([f"[{file.name}](queries/{file.name}):", "", "```sql", *sql, "```", ""])


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()
