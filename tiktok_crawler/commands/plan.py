"""`scrapy plan`: what a crawl will cost, and what it would ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand

from tiktok_crawler.commands import Project
from tiktok_crawler.config import Config

if TYPE_CHECKING:
    import argparse


class Command(Project, ScrapyCommand):
    """Reads query files and the database. Sends and writes nothing, but what `--probe` asks for.

    `scrapy plan query.yaml` is about the videos, `scrapy plan queries/` about those of several
    query files; `scrapy plan users -a from_tag=elections` and the like about what the spider of
    that name would list.
    """

    usage = "[options] <query file, folder or spider>"
    about = "Say what a crawl will cost, and what it would ask for"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "-a",
            dest="spargs",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="an argument of the crawl, such as start_date (may be repeated)",
        )
        parser.add_argument(
            "--probe",
            metavar="N",
            help="ask for N first pages, which tell what the others cost; they are stored",
        )
        parser.add_argument("--json", action="store_true", help="as JSON, for programs")

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        self.requires_crawler_process = opts.probe is not None
        super().process_options(args, opts)
        assert self.settings
        if opts.probe is not None:
            # The plan is what is to be read.
            self.settings.set("LOG_LEVEL", "WARNING", priority="project")

    def act(self, args: list[str], opts: argparse.Namespace) -> None:
        from tiktok_crawler.acts.planning import Planning  # noqa: PLC0415 - slow to load

        assert self.settings
        planning = Planning(Config.of(self.settings), self.crawler_process)
        self.exitcode = planning.run(args, opts)
