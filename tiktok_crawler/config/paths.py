"""Finds the files that settings name: relative to the project, wherever a command is run."""

from __future__ import annotations

from pathlib import Path

from scrapy.utils.conf import closest_scrapy_cfg
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from tiktok_crawler.exceptions import ConfigurationError

POSTGRESQL_FILES = ("passfile", "sslcert", "sslcrl", "sslkey", "sslrootcert")
NOT_FILES = ("", "system")
"""What stands in the place of a file; `system` are PostgreSQL's own root certificates."""
IN_MEMORY = ("", ":memory:")


def project_folder() -> Path:
    """The folder of the scrapy.cfg that holds here; without one, the current folder."""
    found = closest_scrapy_cfg()
    return Path(found).parent if found else Path.cwd()


def in_project(written: str | Path) -> Path:
    """The absolute path of a file or folder of the project; `~` is the home folder.

    Raises:
        ConfigurationError: it begins with the home folder of somebody who has none.
    """
    try:
        return project_folder() / Path(written).expanduser()
    except RuntimeError:
        raise ConfigurationError(
            f"{written}: no home folder is known for {Path(written).parts[0]}"
        ) from None


def profile_in_project(written: str) -> str:
    """The absolute path of a sandbox's profile, or the name of one that needs no file."""
    is_path = "/" in written or Path(written).suffix
    return str(in_project(written)) if is_path else written


def database_in_project(url: str) -> str:
    """The URL of a database with absolute paths: that of its file, or of PostgreSQL's key files.

    What is no URL stays as it is: `storage.engine.database` says what is wrong with it.

    Raises:
        ConfigurationError: it is a database in memory.
    """
    try:
        parsed = make_url(url.strip())
    except (ArgumentError, ValueError):
        return url
    if parsed.get_backend_name() == "sqlite":
        file = parsed.database or ""
        if parsed.host or file.startswith("file:") or "?" in url:
            return url
        if file in IN_MEMORY:
            raise ConfigurationError(
                "TIKTOK_DATABASE_URL names no file, and all data would be lost at the end: "
                "expected a URL such as sqlite:///tiktok.db"
            )
        return parsed.set(database=str(in_project(file))).render_as_string(hide_password=False)
    files = {
        name: str(in_project(file))
        for name, file in parsed.query.items()
        if name in POSTGRESQL_FILES and isinstance(file, str) and file not in NOT_FILES
    }
    if not files or url.count("@") > 1:
        return url
    return parsed.update_query_dict(files).render_as_string(hide_password=False)
