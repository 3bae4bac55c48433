"""Documents name no command, spider, argument or setting that there is not."""

from __future__ import annotations

import re
from pathlib import Path
from pkgutil import iter_modules

import pytest

from tiktok_crawler import commands, settings
from tiktok_crawler.arguments.spider_help import SPIDER_NAMES, arguments_of
from tiktok_crawler.config.names import CREDENTIALS
from tiktok_crawler.query_file.query_arguments import QUERY_ARGUMENTS

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted(ROOT.glob("docs/*.md"))]

ARGUMENTS = {argument.name for spider in SPIDER_NAMES for argument in arguments_of(spider)}
KNOWN = {
    r"\bscrapy ([a-z]+)": {module.name for module in iter_modules(commands.__path__)},
    r"\bscrapy crawl ([a-z_]+)": set(SPIDER_NAMES),
    r"-a '?([\w.]+)=": {*ARGUMENTS, *QUERY_ARGUMENTS, "NAME"},
    # The last two are examples of a misspelt name, and of another program's.
    r"\b(TIKTOK_[A-Z_]*[A-Z])\b": {*vars(settings), *CREDENTIALS, "TIKTOK_SANDOX", "TIKTOK_COOKIE"},
}
"""What there is, by how documents name it."""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_names_is_there(document):
    text = document.read_text("utf-8")
    assert {name: set(re.findall(name, text)) - known for name, known in KNOWN.items()} == {
        name: set() for name in KNOWN
    }


@pytest.mark.parametrize("name", KNOWN)
def test_names_are_found(name):
    text = "".join(document.read_text("utf-8") for document in DOCUMENTS)
    assert len(set(re.findall(name, text))) > 10
