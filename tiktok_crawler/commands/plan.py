"""`scrapy plan`: what a crawl would ask for, without asking."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand

from tiktok_crawler.arguments import listing_arguments, search_arguments
from tiktok_crawler.arguments.tag_argument import queries_with
from tiktok_crawler.clock import utc_now
from tiktok_crawler.commands import Checked, fail, show
from tiktok_crawler.config import Config
from tiktok_crawler.exceptions import CrawlerError, UsageError
from tiktok_crawler.planning.coverage import windows as split
from tiktok_crawler.planning.plan import Known, Plan, make_plan
from tiktok_crawler.planning.quota import DAILY_QUOTAS
from tiktok_crawler.planning.seeds import stages_of
from tiktok_crawler.planning.window_queue import WindowQueue
from tiktok_crawler.reports.days_report import day_lines, ranges
from tiktok_crawler.reports.keywords_report import keyword_lines
from tiktok_crawler.reports.stage_report import seed_lines, stage_lines
from tiktok_crawler.reports.tag_report import shared_tag
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.research_api.tasks import PageRequest
from tiktok_crawler.spelling import did_you_mean, nearest, quoted
from tiktok_crawler.storage.engine.database import database_url, describe
from tiktok_crawler.storage.search_session import look_up
from tiktok_crawler.storage.stage_session import look_up_stage

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from tiktok_crawler.planning.plan import Wanted
    from tiktok_crawler.query_file.collection import Collection
    from tiktok_crawler.research_api.endpoints import Listing

LISTED_WINDOWS = 20


class Command(Checked, ScrapyCommand):
    """Reads the query file and the database; writes and sends nothing.

    `scrapy plan query.yaml` is about the videos; `scrapy plan users -a from_tag=elections` and the
    like about what the spider of that name would list.
    """

    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        return "[options] <query file or spider>"

    def short_desc(self) -> str:
        return "Show what a crawl would ask for, without sending anything"

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

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        try:
            location = describe(database_url(self._config().database_url))
            show("\n".join([location, *self._lines(args, opts)]))
        except CrawlerError as exc:
            fail(exc.exit_status, str(exc))

    def _lines(self, args: list[str], opts: argparse.Namespace) -> Iterator[str]:
        given = search_arguments.parse_pairs(opts.spargs)
        if args == ["videos"] or (given and not args):
            return self._search_lines(given)
        if len(args) != 1:
            raise UsageError(
                "name one query file or spider, such as: scrapy plan query.yaml, or: "
                "scrapy plan users -a usernames=somebody"
            )
        if args[0] in listing_arguments.SPIDERS:
            return self._listing_lines(listing_arguments.SPIDERS[args[0]], given)
        if not Path(args[0]).suffix and not Path(args[0]).exists():
            raise UsageError(_neither(args[0]))
        if "query" in given:
            raise UsageError("name the query file once: scrapy plan query.yaml")
        return self._search_lines({"query": args[0], **given})

    def _search_lines(self, given: dict[str, str]) -> Iterator[str]:
        now = utc_now()
        search_arguments.check(given, search_arguments.SEARCH_ARGUMENTS)
        collection = search_arguments.collection(given, today=now.date())
        config = self._config()
        wanted = search_arguments.wanted(collection, config)
        url, origin = config.database_url, config.origin
        known = look_up(url, origin, collection, wanted)
        plan = make_plan(wanted, known or Known(), now)
        yield from (f"Warning: {warning}" for warning in collection.warnings)
        if collection.as_file:
            yield f"As a query file:\n{collection.as_file}\n"
        yield from _describe_request(plan, wanted)
        yield from _describe_days(collection, plan, wanted, is_new=known is None)
        yield from _describe_cost(plan)
        for stage in stages_of(collection):
            yield from seed_lines(stage, look_up_stage(url, origin, stage, now))

    def _listing_lines(self, listing: Listing, given: dict[str, str]) -> Iterator[str]:
        now = utc_now()
        config = self._config()
        asked = listing_arguments.read(listing, given, today=now.date())
        if shared := shared_tag(asked.from_tag, queries_with(asked.from_tag, config)):
            yield shared
        yield from asked.notes
        for stage in asked.stages:
            known = look_up_stage(config.database_url, config.origin, stage, now)
            yield from stage_lines(stage, known)

    def _config(self) -> Config:
        assert self.settings
        return Config.of(self.settings)


def _neither(name: str) -> str:
    """Explain that a word is neither a file nor a spider."""
    hint = did_you_mean(nearest(name, listing_arguments.SPIDERS))
    return f"{quoted(name)} is neither a query file that is there nor a spider{hint}"


def _describe_request(plan: Plan, wanted: Wanted) -> Iterator[str]:
    """Show the first request, or, if nothing is missing, that for the first days."""
    any_days, form = split(plan.days)[0], plan.keyword_forms.sent_as
    first = WindowQueue(plan, wanted).next() or PageRequest(wanted.window(any_days, form))
    yield f"POST {first.url('')}"
    yield json.dumps(first.body, indent=2, ensure_ascii=False)
    yield ""


def _describe_days(
    collection: Collection, plan: Plan, wanted: Wanted, *, is_new: bool
) -> Iterator[str]:
    standings = plan.standings
    yield (
        f"Days wanted:   {plan.days} ({len(plan.days)} UTC days; written as "
        f"{collection.start_written} to {collection.end_written})"
    )
    if is_new:
        yield "Covered:       none (the database does not exist or has not seen this query yet)"
    else:
        yield from (f"{label.capitalize() + ':':15}{text}" for label, text in day_lines(standings))
    for day in standings.unsettled[:1]:
        yield (
            f"Not final yet: {ranges(standings.unsettled)}: searched before all videos had "
            f"appeared; collected once more from {wanted.freshness.final_from(day)} on"
        )
    for line in keyword_lines(plan):
        yield f"Keywords:      {line}"
    for label, windows in (
        ("Open windows", [request.window.days for request in plan.open_windows]),
        ("New windows", list(plan.new_windows)),
        ("Parked windows", [request.window.days for request in plan.parked_windows]),
        ("Not due yet", [parked.request.window.days for parked in plan.waiting_windows]),
        ("Second tries", [request.window.days for request in plan.suspicious_windows]),
        ("Left alone", [request.window.days for request in plan.left_windows]),
    ):
        if windows:
            listed = ", ".join(str(window) for window in windows[:LISTED_WINDOWS])
            more = f" and {len(windows) - LISTED_WINDOWS} more" * (len(windows) > LISTED_WINDOWS)
            yield f"{label + ':':15}{len(windows)} ({listed}{more})"


def _describe_cost(plan: Plan) -> Iterator[str]:
    if plan.next_retry_at:
        yield (
            "Postponed:     windows that are not due yet are tried again by runs from "
            f"{plan.next_retry_at:%Y-%m-%d %H:%M} UTC on"
        )
    if plan.is_empty:
        why = "nothing is missing" if plan.is_complete else "nothing is due"
        yield f"Requests:      none, {why}"
        return
    daily_quota = DAILY_QUOTAS[VIDEO_QUERY.pool]
    share = plan.least_requests / daily_quota
    yield (
        f"Requests:      at least {plan.least_requests:,}, and one more for each further 100 "
        "matches of a window"
    )
    yield (
        f"Quota:         at least {share:.3g} days of {daily_quota:,} requests; a day's quota "
        "brings at most 100,000 videos"
    )
