"""Tools of others, installed from PyPI into environments of their own when they are needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CACHE = Path(__file__).with_name(".cache")

NAME = "tiktok-research-api-helper"
VERSION = "0.1.3"

DUCKDB = "1.5.5"
"""The last one for whose extensions PyPI has packages."""


def python() -> str:
    """The Python that can import the field's existing tool."""
    return _python(f"{NAME}-{VERSION}", f"{NAME}=={VERSION}")


def python_with_duckdb() -> str:
    """The Python with DuckDB and what reads SQLite and PostgreSQL for it."""
    scanners = [f"duckdb-extension-{name}-scanner=={DUCKDB}" for name in ("sqlite", "postgres")]
    needed = [f"duckdb=={DUCKDB}", f"duckdb-extensions=={DUCKDB}", *scanners]
    return _python(f"duckdb-{DUCKDB}", *needed)


def _python(name: str, *packages: str) -> str:
    folder = CACHE / name
    executable, installed = folder / "bin" / "python", folder / "installed"
    if not installed.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        install = ["-m", "pip", "install", "-qq", *packages]
        subprocess.run([executable, *install], check=True)
        installed.touch()
    return str(executable)
