"""Fills what the code itself says into the pages of the site, each time that it is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from commands_from_code import commands_in_words
from messages_from_code import with_messages
from pygments.lexers.shell import BashLexer
from schema_from_code import schema
from settings_from_code import with_settings
from spiders_from_code import spiders_in_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from sphinx.application import Sphinx

HERE = "<!-- here the site has what the code says -->"

PAGES: dict[str, Callable[[str], str]] = {
    "docs/commands": lambda page: page.replace(HERE, commands_in_words()),
    "docs/configuration": with_settings,
    "docs/operations": with_messages,
    "docs/schema": lambda _: schema(),
    "docs/spiders": lambda page: page.replace(HERE, spiders_in_words()),
}


def fill(_: Sphinx, page: str, source: list[str]) -> None:
    """Put into a page what the code says."""
    if page in PAGES:
        source[0] = PAGES[page](source[0])


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_lexer("crontab", BashLexer)
    app.connect("source-read", fill)
    # What the code says may change while the documents stay.
    app.connect("env-get-outdated", lambda *_: list(PAGES))
    return {"parallel_read_safe": True}
