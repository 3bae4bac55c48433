"""What the site takes from the code: what is added there shows up, and what is gone does not."""

from __future__ import annotations

from pathlib import Path

import commands_from_code
import from_code
import messages_from_code
import settings_from_code
from commands_from_code import commands_in_words
from messages_from_code import with_messages
from schema_from_code import schema
from settings_from_code import with_settings
from spiders_from_code import spiders_in_words
from sqlalchemy import Column, Text

from tiktok_crawler import settings
from tiktok_crawler.arguments import spider_help
from tiktok_crawler.commands import plan
from tiktok_crawler.storage.models import METADATA

DOCS = Path(__file__).parents[1] / "docs"
CONFIGURATION = (DOCS / "configuration.md").read_text("utf-8")
OPERATIONS = (DOCS / "operations.md").read_text("utf-8")


def test_pages_that_the_code_fills_are_as_the_documents_say():
    """Names, defaults and messages of the documents are those of the code."""
    assert with_settings(CONFIGURATION) == CONFIGURATION
    assert with_messages(OPERATIONS) == OPERATIONS


def test_a_setting_that_is_added_shows_up_with_its_default_and_its_comment(monkeypatch):
    source = f"{Path(settings.__file__).read_text('utf-8')}\n# How *loud*.\nTIKTOK_VOLUME = 11.0\n"
    monkeypatch.setattr(settings, "TIKTOK_VOLUME", 11.0, raising=False)
    monkeypatch.setattr(settings_from_code.inspect, "getsource", lambda _: source)

    assert "| `TIKTOK_VOLUME` | 11 | How \\*loud\\*. |\n" in with_settings(CONFIGURATION)


def test_settings_that_stand_together_have_the_comment_above_them():
    written = CONFIGURATION.replace("| `TIKTOK_RETRY_TIMES` |", "| `TIKTOK_RETRY_TIMESS` |")

    said = (
        "Seconds before a failed request is sent again, doubling up to the second; and how often."
    )
    assert f"| `TIKTOK_RETRY_TIMES` | 5 | {said} |\n" in with_settings(written)


def test_a_setting_that_is_changed_or_removed_is_so_on_the_page(monkeypatch):
    monkeypatch.setattr(settings, "TIKTOK_BATCH", 25)
    monkeypatch.delattr(settings, "TIKTOK_SETTLE_DAYS")
    page = with_settings(CONFIGURATION)

    assert "| `TIKTOK_BATCH` | 25 | how many values" in page
    assert "| `TIKTOK_SETTLE_DAYS` |" not in page


def test_an_argument_that_is_added_shows_up(monkeypatch):
    monkeypatch.setattr(spider_help, "CHECK_ARGUMENTS", ("max_age", "max_requests", "mood"))
    monkeypatch.setitem(spider_help._OF_CHECKS, "mood", ("very good", "how it goes"))
    section = spiders_in_words().partition("## compliance\n")[2]

    assert "| `-a mood='very good'` | how it goes |" in section


def test_an_option_that_is_added_shows_up(monkeypatch):
    def with_one_more(self, parser):
        add_options(self, parser)
        parser.add_argument("--colour", choices=("red", "blue"), help="which <one> of 100 %%")

    add_options = plan.Command.add_options
    monkeypatch.setattr(plan.Command, "add_options", with_one_more)
    section = commands_in_words().partition("## scrapy plan\n")[2].partition("\n## ")[0]

    said = "which \\<one\\> of 100 %; one of `red`, `blue`"
    assert f"| `--colour COLOUR` | {said} |" in section


def test_a_command_that_is_added_shows_up(monkeypatch, tmp_path):
    (tmp_path / "greet.py").write_text(
        "from scrapy.commands import ScrapyCommand\n"
        "class Command(ScrapyCommand):\n"
        "    def syntax(self): return '<whom>'\n"
        "    def short_desc(self): return 'Say hello'\n"
        "    def run(self, args, opts): ...\n"
    )
    paths = [*commands_from_code.commands.__path__, str(tmp_path)]
    monkeypatch.setattr(commands_from_code.commands, "__path__", paths)

    said = "## scrapy greet\n\nSay hello.\n\n```text\nscrapy greet <whom>\n```"
    assert said in commands_in_words()


def test_a_column_that_is_added_shows_up(monkeypatch):
    table = METADATA.tables["hashtag"]
    column = Column("mood", Text, comment="How it is used.")
    columns = [*table.columns, column]
    monkeypatch.setattr(table, "columns", columns)
    section = schema().partition("## `hashtag`\n")[2].partition("\n## ")[0]

    assert "| `mood` | text | How it is used. |" in section


def test_a_message_that_is_added_shows_up(monkeypatch):
    found = [*messages_from_code.messages(), ("a.py", "%(what)s is on fire")]
    monkeypatch.setattr(messages_from_code, "messages", lambda: found)
    page = with_messages(OPERATIONS)

    row = "| `... is on fire` | not explained yet |\n\n## Statistics"
    assert row in page
    assert page.count("not explained yet") == 1


def test_every_page_that_the_code_fills_is_there():
    for page in from_code.PAGES:
        path = DOCS.parent / f"{page}.md"
        text = path.read_text("utf-8")
        assert text.startswith("# ")
        assert (from_code.HERE in text) == (path.stem in {"commands", "spiders"})
