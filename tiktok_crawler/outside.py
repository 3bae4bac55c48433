"""The project's commands where there is no project: they say where they work.

Inside a project, its own commands take their place.
"""

from __future__ import annotations

from os import EX_USAGE
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand
from scrapy.commands.crawl import Command as ScrapysCrawl
from scrapy.utils.project import inside_project

from tiktok_crawler.output import fail

if TYPE_CHECKING:
    import argparse

CHECKOUT = Path(__file__).parents[1]


class Outside(ScrapyCommand):
    """Ends with the way to a project, whatever its arguments are."""

    requires_crawler_process = False

    def short_desc(self) -> str:
        return "Only in the folder of a tiktok_crawler project"

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:  # noqa: ARG002
        fail(EX_USAGE, f"there is no project here: {_advice()}")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Scrapy wants one; it is never reached."""


Crawl: type[ScrapyCommand] = ScrapysCrawl if inside_project() else Outside
"""Other projects of the same environment have Scrapy's own."""


def _advice() -> str:
    checkout = f" (cd {CHECKOUT})" if (CHECKOUT / "scrapy.cfg").exists() else ""
    return (
        f"run the command in the folder that has scrapy.cfg, or below it{checkout}; "
        "python -m tiktok_crawler init my-study makes a new one"
    )
