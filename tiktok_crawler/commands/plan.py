"""`scrapy plan query.yaml`: what a crawl would ask for, without asking."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand
from scrapy.utils.conf import arglist_to_dict

from tiktok_crawler import arguments, configuration
from tiktok_crawler.collection.plan import Known, Plan, describe_days, make_plan
from tiktok_crawler.collection.quota import DAILY_QUOTAS
from tiktok_crawler.collection.windows import windows as split
from tiktok_crawler.commands import fail
from tiktok_crawler.delay_queue import utc_now
from tiktok_crawler.exceptions import CrawlerError, UsageError
from tiktok_crawler.items import PageRequest
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY, video_query_body
from tiktok_crawler.storage.session import look_up

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from tiktok_crawler.collection.date_range import DateRange
    from tiktok_crawler.collection.plan import Wanted
    from tiktok_crawler.collection.query_file import Collection

LISTED_WINDOWS = 20


class Command(ScrapyCommand):
    """Reads the query file and the database; writes and sends nothing."""

    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        return "[options] <query file>"

    def short_desc(self) -> str:
        return "Show what a crawl of a query file would ask for, without sending anything"

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
            print("\n".join(self._lines(args, opts)))  # noqa: T201 - this is the output
        except CrawlerError as exc:
            fail(exc.exit_status, str(exc))

    def _lines(self, args: list[str], opts: argparse.Namespace) -> list[str]:
        assert self.settings
        now = utc_now()
        collection = arguments.collection(_arguments(args, opts), today=now.date())
        wanted = arguments.wanted(collection, self.settings)
        url = configuration.database_url(self.settings)
        known = look_up(url, configuration.origin(self.settings), collection, wanted)
        plan = make_plan(wanted, known or Known(), now)
        return [
            *(f"Warning: {warning}" for warning in collection.warnings),
            *_describe_request(collection, plan, wanted),
            *_describe_days(collection, plan, wanted, is_new=known is None),
            *_describe_cost(plan),
        ]


def _arguments(args: list[str], opts: argparse.Namespace) -> dict[str, str]:
    if len(args) != 1:
        raise UsageError("name one query file, such as: scrapy plan query.yaml")
    try:
        given = arglist_to_dict(opts.spargs)
    except ValueError:
        raise UsageError("-a takes NAME=VALUE") from None
    arguments.check(given, arguments.OVERRIDES)
    return {"query": args[0], **given}


def _describe_request(collection: Collection, plan: Plan, wanted: Wanted) -> Iterator[str]:
    windows = (
        *plan.open_windows,
        *_requests(plan.new_windows, wanted),
        *plan.parked_windows,
        *plan.suspicious_windows,
    )
    first = windows[0] if windows else next(_requests(split(plan.days), wanted))
    body = video_query_body(collection.query.to_json(), first)
    yield f"POST {VIDEO_QUERY.url('', first.fields)}"
    yield json.dumps(body, indent=2, ensure_ascii=False)
    yield ""


def _requests(windows: Iterable[DateRange], wanted: Wanted) -> Iterator[PageRequest]:
    for window in windows:
        yield PageRequest(None, window, wanted.fields, VIDEO_QUERY.max_count)


def _describe_days(
    collection: Collection, plan: Plan, wanted: Wanted, *, is_new: bool
) -> Iterator[str]:
    yield (
        f"Days wanted:   {plan.days} ({len(plan.days)} UTC days; written as "
        f"{collection.start_written} to {collection.end_written})"
    )
    if is_new:
        yield "Covered:       none (the database does not exist or has not seen this query yet)"
    else:
        yield f"Covered:       {len(plan.covered_days)} days {_in_brackets(plan.covered_days)}"
    for days in plan.unsettled_days[:1]:
        yield (
            f"Not final yet: {describe_days(plan.unsettled_days)}: searched before all videos had "
            f"appeared; collected once more from {wanted.freshness.final_from(days)} on"
        )
    for label, windows in (
        ("Open windows", [request.window for request in plan.open_windows]),
        ("New windows", list(plan.new_windows)),
        ("Parked windows", [request.window for request in plan.parked_windows]),
        ("Not due yet", [parked.request.window for parked in plan.waiting_windows]),
        ("Suspicious", [request.window for request in plan.suspicious_windows]),
        ("Left alone", [request.window for request in plan.left_windows]),
    ):
        if windows:
            listed = ", ".join(str(window) for window in windows[:LISTED_WINDOWS])
            more = f" and {len(windows) - LISTED_WINDOWS} more" * (len(windows) > LISTED_WINDOWS)
            yield f"{label + ':':15}{len(windows)} ({listed}{more})"


def _in_brackets(days: tuple[object, ...]) -> str:
    return f"({describe_days(days)})" if days else ""  # type: ignore[arg-type]


def _describe_cost(plan: Plan) -> Iterator[str]:
    if plan.next_retry_at:
        yield (
            "Given up:      windows that are not due yet are tried again by runs from "
            f"{plan.next_retry_at:%Y-%m-%d %H:%M} UTC on"
        )
    if plan.is_empty:
        why = "nothing is missing" if plan.is_fulfilled else "nothing is due"
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
