"""`python -m tiktok_crawler init FOLDER`: a study from nothing. All else is a command of scrapy."""

from __future__ import annotations

import argparse
import shlex
import shutil
import signal
import sys
from os import EX_OK, EX_USAGE
from typing import TYPE_CHECKING, NoReturn

from tiktok_crawler.exceptions import CrawlerError
from tiktok_crawler.output import end_on_sigterm, fail, show
from tiktok_crawler.spelling import did_you_mean, named, nearest, quoted, shortened
from tiktok_crawler.study.asking import ask_credentials
from tiktok_crawler.study.files import CRAWL, files_of
from tiktok_crawler.study.making import make
from tiktok_crawler.study.place import check_free, place_of
from tiktok_crawler.study.rehearsal import rehearse

if TYPE_CHECKING:
    from tiktok_crawler.config.credentials import Credentials
    from tiktok_crawler.study.place import Place

PROGRAM = "python -m tiktok_crawler"
INTERRUPTED = 130
"""The status of a shell's command that Ctrl-C has ended."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        fail(EX_USAGE, f"{message}. {PROGRAM} -h lists the options")


def main(arguments: list[str]) -> int:
    """Do what the command line says; the exit status."""
    parser = _parser()
    options, others = parser.parse_known_args(arguments)
    if options.command is None:
        parser.print_help(sys.stderr)
        return EX_USAGE
    if options.command != "init":
        fail(
            EX_USAGE,
            f"there is no command {quoted(options.command)} here"
            f"{did_you_mean(nearest(options.command, ['init'])) or ', only init.'} All else is a "
            "command of scrapy, in the folder of a study: scrapy -h lists them",
        )
    if others:
        parser.error(f"there is nothing to do with {shortened(' '.join(others))}")
    return _init(options)


def _parser() -> _Parser:
    parser = _Parser(
        prog=PROGRAM,
        usage=f"{PROGRAM} init [--no-secrets] [--no-rehearsal] FOLDER",
        description="Makes the folder of a new study: a query file, the credentials, which it asks "
        "for, and a README.md with the commands; and rehearses a crawl on the sandbox.",
    )
    parser.add_argument("command", nargs="?", metavar="init", help="make a study")
    parser.add_argument("folder", nargs="?", default="", metavar="FOLDER", help="new, or empty")
    parser.add_argument("--no-secrets", action="store_true", help="do not ask for the credentials")
    parser.add_argument("--no-rehearsal", action="store_true", help="do not crawl the sandbox")
    return parser


def _init(options: argparse.Namespace) -> int:
    end_on_sigterm()
    try:
        place = place_of(options.folder)
        check_free(place.folder, files_of(place, None))
        asks = sys.stdin.isatty() and not options.no_secrets
        credentials = ask_credentials() if asks else None
        make(place.folder, files_of(place, credentials))
    except CrawlerError as exc:
        fail(exc.exit_status, str(exc))
    except KeyboardInterrupt:
        fail(INTERRUPTED, "interrupted; nothing was made")
    # The study is there: a signal ends its rehearsal, and what is next is told.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    show(f"Made {named(place.folder)}")
    status = EX_OK if options.no_rehearsal else rehearse(place)
    show(_what_is_next(place, credentials, status))
    return status


def _what_is_next(place: Place, credentials: Credentials | None, status: int) -> str:
    folder, programs = (shlex.quote(str(path)) for path in (place.folder, place.scrapy.parent))
    knows = shutil.which("scrapy") == str(place.scrapy)
    ended = f"The rehearsal ended early (status {status}); the study is whole\n" if status else ""
    steps = [
        f"cd {folder}" + ("" if knows else f' && export PATH={programs}:"$PATH"'),
        "write into query.yaml what you want to collect",
        *([] if credentials else ["write the credentials into secrets.yaml"]),
        "scrapy plan query.yaml",
        f"scrapy {CRAWL}",
    ]
    return "\n".join(
        [
            f"\n{ended}What to do next",
            *(f"  {number}. {step}" for number, step in enumerate(steps, start=1)),
            "README.md there has these commands, a line for cron and a timer for systemd",
        ]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
