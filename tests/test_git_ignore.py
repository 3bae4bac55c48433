"""`git add -A` in a checkout adds neither what was collected there nor a secret."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="there is no git")

TOLD = re.compile(
    r"(?:-[oO] |TIKTOK_ARCHIVE=|>> ?| > )(?:umask 077 *&& *)?([a-z]+(?:\.[a-z.]+)?)\b"
)
"""What a command of the documents makes in the folder in which it is typed."""

NAMED = (
    "secrets.yml",
    "secrets-of-zoe.yaml",
    ".env.local",
    "tiktok.db",
    "tiktok.db-wal",
    "tiktok.db.0123456789abcdef.lock",
    "study.sqlite3",
    "videos.json",
    "videos.xml",
    "videos.jl",
    "crawl.log.1",
    "accounts.txt",
    "tiktok.sql",
    "tiktok.sql.gz",
    "archive/2024-06-01_x.jsonl.gz",
    "exports/videos.json",
    "backups/today",
    "reports/status.html",
    "logs/crawl",
)


@pytest.fixture
def repository(tmp_path):
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    shutil.copy(ROOT / ".gitignore", tmp_path)
    return tmp_path


def ignored(repository, paths) -> set[str]:
    found = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin"],
        cwd=repository,
        input="\n".join(paths),
        capture_output=True,
        text=True,
        check=False,
    )
    return set(found.stdout.splitlines())


def told() -> set[str]:
    documents = [ROOT / "README.md", *ROOT.glob("docs/*.md")]
    lines = [line for path in documents for line in path.read_text(encoding="utf-8").splitlines()]
    commands = [line for line in lines if re.search(r"scrapy |sqlite3 |psql |pg_dump ", line)]
    names = {name for line in commands for name in TOLD.findall(line)}
    return {name if "." in name else f"{name}/file" for name in names if name != "dev"}


def test_what_the_documents_tell_to_make_is_not_added(repository):
    names = told()

    assert {"videos.csv", "videos.jsonl", "crawl.log", "archive/file", "tiktok.dump"} <= names
    assert names - ignored(repository, names) == set()


def test_what_is_made_under_other_usual_names_is_not_added(repository):
    assert set(NAMED) - ignored(repository, NAMED) == set()


def test_what_belongs_to_the_project_is_added(repository):
    parts = ("tiktok_crawler", "tests", "docs", "alembic", "benchmarks")
    files = [path for part in parts for path in (ROOT / part).rglob("*.*") if path.is_file()]
    files += [path for path in ROOT.iterdir() if path.suffix in {".md", ".toml", ".ini", ".cfg"}]
    names = {
        path.relative_to(ROOT).as_posix()
        for path in [*files, ROOT / "query.yaml", ROOT / "secrets.example.yaml"]
        if not {"__pycache__", ".cache"} & set(path.parts)
    }

    assert len(names) > 500
    assert ignored(repository, names) == set()
