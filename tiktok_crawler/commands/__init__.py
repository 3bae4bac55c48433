"""The commands that `scrapy` has inside this project."""

from __future__ import annotations

import os
from os import EX_TEMPFAIL, EX_USAGE
from typing import TYPE_CHECKING

from scrapy.exceptions import UsageError

from tiktok_crawler.arguments.search_arguments import parse_pairs
from tiktok_crawler.config.sources import check_settings
from tiktok_crawler.config.values import check_dictionaries
from tiktok_crawler.exceptions import CrawlerError
from tiktok_crawler.output import fail

if TYPE_CHECKING:
    import argparse

    from scrapy.commands import ScrapyCommand as Base
else:
    Base = object  # Scrapy takes every command class that it finds here for a command.


class Checked(Base):
    """Makes a command refuse wrong settings before it opens anything."""

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        assert self.settings
        try:
            parse_pairs(getattr(opts, "spargs", ()))
            parse_pairs(opts.set, "-s")
            check_dictionaries(opts.set, self.settings)
            super().process_options(args, opts)
            if self.requires_project and not self.requires_crawler_process:
                # It writes no log.
                self.settings.set("LOG_FILE", None, priority="cmdline")
            check_settings(self.settings, os.environ)
        except CrawlerError as exc:
            fail(exc.exit_status, str(exc))
        except UsageError as exc:
            fail(EX_USAGE, str(exc))
        except OSError as exc:
            fail(EX_USAGE, f"--pidfile {exc.filename} cannot be written: {exc.strerror}")


class Project(Checked):
    """Makes a command one of the project: it logs nothing, and says in a line why it ends early.

    `interrupted` is what it says after Ctrl-C.
    """

    requires_project = True
    requires_crawler_process = False
    interrupted = "interrupted"

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        try:
            self.act(args, opts)
        except CrawlerError as exc:
            fail(exc.exit_status, str(exc))
        except KeyboardInterrupt:
            fail(EX_TEMPFAIL, self.interrupted)

    def act(self, args: list[str], opts: argparse.Namespace) -> None:
        """Do what the command is for."""
        raise NotImplementedError
