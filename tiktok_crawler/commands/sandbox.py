"""`scrapy sandbox`: serve the imitation of the Research API on this machine."""

from __future__ import annotations

import errno
import socket
from os import EX_UNAVAILABLE, EX_USAGE
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand

from tiktok_crawler.commands import Project
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.output import fail, show

if TYPE_CHECKING:
    import argparse

DEFAULT_PORT = 8890


class Command(Project, ScrapyCommand):
    """Serves on loopback only, until Ctrl-C."""

    about = "Serve an imitation of the Research API on this machine"
    uses_database = False

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0: any free port")
        parser.add_argument(
            "--profile",
            dest="sandbox_profile",
            metavar="PROFILE",
            default="none",
            help="how it misbehaves: a name or a file",
        )
        # Takes the place of Scrapy's --profile FILE, which would profile this command.
        parser.set_defaults(profile=None)
        parser.add_argument("--videos-per-day", type=int, help="how many videos a day has")
        parser.add_argument("--seed", type=int, help="another seed makes other videos")
        parser.add_argument(
            "--daily-quota", type=int, help="research requests a day (default: 1000); 0: no limit"
        )

    def act(self, args: list[str], opts: argparse.Namespace) -> None:
        from tiktok_crawler.sandbox import Sandbox, load_profile  # noqa: PLC0415 - only needed here
        from tiktok_crawler.sandbox.server import serve  # noqa: PLC0415 - slow to import

        if args:
            raise UsageError(f"there is nothing to do with: {' '.join(args)}")
        options = {
            name: value
            for name in ("videos_per_day", "seed", "daily_quota")
            if (value := getattr(opts, name)) is not None
        }
        if options.get("daily_quota") == 0:
            options["daily_quota"] = None
        sandbox = Sandbox(profile=load_profile(opts.sandbox_profile), **options)
        listening = _listen(opts.port)
        _say_how_to_reach(listening.getsockname()[1])
        serve(sandbox, listening)


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OverflowError:
        fail(EX_USAGE, f"--port {port}: a port is a number from 0 to 65535")
    except OSError as exc:
        hint = "; try another --port" if exc.errno == errno.EADDRINUSE else ""
        fail(EX_UNAVAILABLE, f"cannot listen on 127.0.0.1:{port}: {exc.strerror}{hint}")


def _say_how_to_reach(port: int) -> None:
    show(
        f"The sandbox answers at http://127.0.0.1:{port} until Ctrl-C. To collect from it:\n"
        "scrapy crawl videos -a query=query.yaml -s TIKTOK_SANDBOX=True "
        f"-s TIKTOK_SANDBOX_URL=http://127.0.0.1:{port}",
    )
