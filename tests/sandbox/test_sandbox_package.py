from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tiktok_crawler.sandbox as package
from tiktok_crawler.research_api.endpoints import (
    CHECK_FILE,
    CHECK_STATUS,
    CREATE_CHECK,
    LISTINGS,
    TOKEN_PATH,
    VIDEO_QUERY,
)
from tiktok_crawler.sandbox import Sandbox
from tiktok_crawler.sandbox.server import application

FOLDER = Path(package.__file__).parent
ALLOWED = (
    "tiktok_crawler.sandbox",
    "tiktok_crawler.research_api.endpoints",
    "tiktok_crawler.research_api.paging",
    "tiktok_crawler.exceptions",
    "tiktok_crawler.own_files",
    # The one reader of YAML, which knows nothing of the API.
    "tiktok_crawler.query_file.mistakes",
    "tiktok_crawler.query_file.yaml_text",
)


def imports_of(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module))
    return names


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("*.py")), ids=lambda file: file.stem)
def test_the_imitation_shares_only_field_names_and_paths_with_the_client(file):
    own = {name for name in imports_of(file) if name.startswith("tiktok_crawler")}
    assert all(name.startswith(ALLOWED) for name in own)
    assert not any(name.startswith(("scrapy", "twisted")) for name in imports_of(file))


def test_only_the_server_brings_in_aiohttp():
    code = "import sys, tiktok_crawler.sandbox; sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_sandbox_is_an_application_by_itself():
    routes = {route.resource.canonical for route in application(Sandbox()).router.routes()}
    listed = {listing.endpoint.path for listing in LISTINGS.values()}
    checks = {CREATE_CHECK.path, CHECK_STATUS.path, CHECK_FILE.path}
    assert routes == {TOKEN_PATH, VIDEO_QUERY.path, "/sandbox/stats", *listed, *checks}
