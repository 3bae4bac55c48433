"""The commands that `scrapy` has inside this project."""

from __future__ import annotations

import os
from contextlib import contextmanager
from os import EX_TEMPFAIL, EX_USAGE
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NoReturn

# Scrapy's module looks through the whole stack and all modules when it is imported: the fewer there
# are, the sooner a command begins. The spiders need it anyway.
import scrapy.core.downloader.handlers.http11  # noqa: F401
from scrapy.exceptions import UsageError

from tiktok_crawler.arguments.search_arguments import parse_pairs
from tiktok_crawler.config import Config
from tiktok_crawler.config.sources import check_settings
from tiktok_crawler.config.values import check_dictionaries
from tiktok_crawler.exceptions import CrawlerError
from tiktok_crawler.exceptions import UsageError as CommandLineError
from tiktok_crawler.output import fail, tell
from tiktok_crawler.own_files import exposure
from tiktok_crawler.query_file.argument_lists import named_file
from tiktok_crawler.query_file.text_file import read_text
from tiktok_crawler.spelling import did_you_mean, named, nearest, shortened, visible
from tiktok_crawler.storage.engine import database, postgresql, sqlite

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from scrapy.commands import ScrapyCommand as Base

    from tiktok_crawler.dataset.pseudonyms import Pseudonyms
else:
    Base = object  # Scrapy takes every command class that it finds here for a command.


class Checked(Base):
    """Makes a command refuse wrong settings and options before it opens anything."""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.error = _refuse_usage  # type: ignore[method-assign]

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        assert self.settings
        try:
            _check_options(args, opts)
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
            fail(
                EX_USAGE,
                f"--pidfile {named(exc.filename)} cannot be written: {exc.strerror}",
            )


def _refuse_usage(message: str) -> NoReturn:
    fail(EX_USAGE, f"{message}. scrapy COMMAND -h lists the options of a command")


def _check_options(args: list[str], opts: argparse.Namespace) -> None:
    """Refuse options that there are not: Scrapy leaves them among what stands beside the options.

    Raises:
        UsageError: there is one.
    """
    names = [f"--{name.replace('_', '-')}" for name in vars(opts)]
    for arg in args:
        option = arg.partition("=")[0]
        if option.startswith("-") and option.strip("-"):
            hint = did_you_mean(nearest(option, names)) or "."
            raise CommandLineError(
                f"there is no option {shortened(option)}{hint} Arguments of a spider go behind -a, "
                "as in -a max_requests=50; scrapy COMMAND -h lists the options of a command"
            )


class Project(Checked):
    """Makes a command one of the project: it logs nothing, and says in a line why it ends early.

    `usage` is what stands behind its name, `about` what it is for; `interrupted` is what it says
    after Ctrl-C; `uses_database` is whether there can be one already.
    """

    usage: ClassVar[str] = ""
    about: ClassVar[str]
    requires_project = True
    requires_crawler_process = False
    interrupted = "interrupted"
    uses_database = True

    def syntax(self) -> str:
        return self.usage

    def short_desc(self) -> str:
        return self.about

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        assert self.settings
        try:
            if self.uses_database:
                _warn(Config.of(self.settings).database_url)
            with postgresql.interruptible():
                self.act(args, opts)
        except CrawlerError as exc:
            fail(exc.exit_status, str(exc))
        except KeyboardInterrupt:
            fail(EX_TEMPFAIL, self.interrupted)

    def act(self, args: list[str], opts: argparse.Namespace) -> None:
        """Do what the command is for."""
        raise NotImplementedError


class Mistakes:
    """The mistakes of a command line, which are told together."""

    def __init__(self) -> None:
        self._found: list[str] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Go on behind a mistake, which is noted."""
        try:
            yield
        except CommandLineError as exc:
            self._found.append(str(exc))

    def check(self) -> None:
        """Refuse to go on if there was a mistake.

        Raises:
            UsageError: with a line for each.
        """
        if self._found:
            raise CommandLineError("\n".join(self._found))


def url_or_file(written: str) -> str:
    """Return what is written, or what the file has that is named behind an @.

    Raises:
        QueryFileError: the file cannot be read.
    """
    file = named_file(written)
    return read_text(Path(file).expanduser(), what="file with a URL") if file else written


KEY_FILE = "pseudonyms.key"


def add_pseudonym_options(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add the options by which names get pseudonyms."""
    add = parser.add_argument
    add("--pseudonyms", action="store_true", help="pseudonyms for names, and no addresses")
    add("--key-file", metavar="FILE", help=f"of the pseudonyms; default: {KEY_FILE}")


def check_key_file(opts: argparse.Namespace) -> None:
    """Refuse a key file that is named for nothing."""
    if opts.key_file and not opts.pseudonyms:
        raise CommandLineError("--key-file goes with --pseudonyms")


def pseudonyms_of(opts: argparse.Namespace) -> Pseudonyms | None:
    """Return the pseudonyms of a key file, which is made if it is not there; None: none are wanted.

    Raises:
        UsageError: a key file is named for nothing.
        ConfigurationError: it cannot be used.
    """
    check_key_file(opts)
    if not opts.pseudonyms:
        return None
    from tiktok_crawler.dataset.pseudonyms import Pseudonyms, key_file  # noqa: PLC0415 - not always

    path = Path(opts.key_file or KEY_FILE).expanduser().absolute()
    is_new = not path.exists()
    pseudonyms = Pseudonyms(key_file(path))
    if is_new:
        tell(f"A new key was made: {named(path)}. Keep it: another key makes other pseudonyms")
    return pseudonyms


def _warn(database_url: str) -> None:
    """Tell where others can get at the database."""
    if exposed := exposure([sqlite.file_of(database.database_url(database_url))]):
        tell(f"WARNING: {visible(exposed)}")
