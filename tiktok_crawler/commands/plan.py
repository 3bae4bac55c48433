"""`scrapy plan`: what a crawl will cost, and what it would ask for."""

from __future__ import annotations

from dataclasses import asdict, replace
from glob import has_magic
from itertools import chain
from os import EX_SOFTWARE, EX_TEMPFAIL
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy.commands import ScrapyCommand

from tiktok_crawler.arguments import listing_arguments, search_arguments
from tiktok_crawler.arguments.tag_argument import queries_with
from tiktok_crawler.clock import utc_now
from tiktok_crawler.commands import Project
from tiktok_crawler.config import Config
from tiktok_crawler.crawling.components import extension
from tiktok_crawler.crawling.refusal import crawl_refused
from tiktok_crawler.exceptions import CrawlerError, UsageError
from tiktok_crawler.extensions.outcome import Outcome
from tiktok_crawler.output import show
from tiktok_crawler.planning.nights_ahead import look_ahead, of_list, of_search
from tiktok_crawler.planning.plan import Known, make_plan
from tiktok_crawler.planning.probing import probes
from tiktok_crawler.planning.seeds import stages_of
from tiktok_crawler.planning.stage_forecast import (
    NONE_COMING,
    Coming,
    forecast_stage,
    seeds_of_records,
    seeds_of_videos,
)
from tiktok_crawler.planning.window_queue import WindowQueue
from tiktok_crawler.query_file.whole_numbers import parse_whole_number
from tiktok_crawler.reports.endings import DAY_IS_SPENT, ending
from tiktok_crawler.reports.forecast_report import allowance_of
from tiktok_crawler.reports.list_plan import ListPlan
from tiktok_crawler.reports.plan_report import SearchPlan
from tiktok_crawler.reports.refreshing_report import RefreshingCost
from tiktok_crawler.reports.several_plans import Parts
from tiktok_crawler.reports.stage_report import PlannedStage, stage_as_json, stage_lines
from tiktok_crawler.reports.tag_report import shared_tag
from tiktok_crawler.research_api.endpoints import VIDEO_QUERY
from tiktok_crawler.spelling import did_you_mean, json_text, nearest, number_of, quoted
from tiktok_crawler.storage.asked_for import without_deleted
from tiktok_crawler.storage.engine.database import database_url, describe
from tiktok_crawler.storage.ledger.quota import VIDEOS, read_spent
from tiktok_crawler.storage.search_session import look_up
from tiktok_crawler.storage.stage_session import look_up_stage
from tiktok_crawler.storage.value_lists import look_up_list, look_up_stored

if TYPE_CHECKING:
    import argparse
    import asyncio
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from tiktok_crawler.planning.forecast import Forecast
    from tiktok_crawler.planning.nights_ahead import ListSubject, Subject
    from tiktok_crawler.planning.quota import Allowance
    from tiktok_crawler.planning.seeds import Stage
    from tiktok_crawler.query_file.collection import Collection
    from tiktok_crawler.research_api.endpoints import Listing

    Planned = tuple[list[str], dict[str, Any], list[Forecast], RefreshingCost]


class Command(Project, ScrapyCommand):
    """Reads query files and the database. Sends and writes nothing, but what `--probe` asks for.

    `scrapy plan query.yaml` is about the videos, `scrapy plan queries/` about those of several
    query files; `scrapy plan users -a from_tag=elections` and the like about what the spider of
    that name would list.
    """

    _heading: str
    _refusal: CrawlerError | None = None

    def syntax(self) -> str:
        return "[options] <query file, folder or spider>"

    def short_desc(self) -> str:
        return "Say what a crawl will cost, and what it would ask for"

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
        config = self._config()
        location = describe(database_url(config.database_url))
        given = search_arguments.parse_pairs(opts.spargs)
        listing = _listing(args, given)
        if listing and opts.probe is not None:
            raise UsageError("--probe is about videos: name a query file")
        self._heading = "" if opts.json else f"{location}{config.sandbox_hint}"
        if listing:
            lines, found = self._listings(listing, given)
        else:
            lines, found = self._search(_with_file(args, given), opts.probe)
        self._name_database()
        show(json_text({"database": location, **found}) if opts.json else "\n".join(lines))

    def _name_database(self) -> None:
        """Say once which database it is about: before --probe writes into it."""
        if self._heading:
            show(self._heading)
            self._heading = ""

    def _search(self, given: dict[str, str], probe: str | None) -> tuple[list[str], dict[str, Any]]:
        search_arguments.check(given, search_arguments.SEARCH_ARGUMENTS)
        collections = search_arguments.collections(given, today=utc_now().date())
        if probe is not None:
            search_arguments.check_probes("--probe", probe, collections)
        config = self._config()
        collections = without_deleted(config.database_url, config.origin, collections)
        if len(collections) == 1:
            lines, found, *_ = self._one(collections[0], given, probe)
            return lines, found
        return self._several(collections)

    def _several(self, collections: Iterable[Collection]) -> tuple[list[str], dict[str, Any]]:
        """Plan each, and say what all cost together."""
        lines, queries, all_parts = [], [], Parts()
        for collection in collections:
            own, found, parts, fresh = self._one(collection, {}, None)
            lines += [f"{collection.name}:", *(f"  {line}".rstrip() for line in own), ""]
            queries.append({"file": collection.name, **found})
            all_parts.add(collection, parts, fresh)
        allowance = self._allowance()
        lines += all_parts.lines(allowance, utc_now().date())
        kept_fresh = all_parts.kept_fresh(allowance)
        return lines, {
            "queries": queries,
            "forecast": asdict(all_parts.total),
            "refreshing": kept_fresh.as_json() if kept_fresh else None,
        }

    def _one(self, collection: Collection, given: dict[str, str], probe: str | None) -> Planned:
        lines = [f"Warning: {warning}" for warning in collection.warnings]
        if collection.as_file:
            lines.append(f"As a query file:\n{collection.as_file}\n")
        if collection.each:
            return self._list(collection, lines)
        plan = self._plan(collection)
        if probe is not None:
            lines += self._probe(plan, given, probe)
            plan = self._plan(collection)
        planned = list(self._stages(stages_of(collection), plan))
        lines += [*plan.lines(), *_lines_of(planned), *plan.together(planned)]
        found = {**plan.as_json(), "listings": list(map(stage_as_json, planned))}
        return lines, found, plan.parts(planned), plan.kept_fresh

    def _list(self, collection: Collection, lines: list[str]) -> Planned:
        config, now = self._config(), utc_now()
        wanted = search_arguments.wanted_values(collection, config)
        state = look_up_list(config.database_url, config.origin, collection, wanted, now)
        kept_fresh = self._kept_fresh(collection, of_list(wanted, state.batches), now)
        plan = ListPlan(collection, state, self._allowance(), now, kept_fresh)
        planned = list(self._stages(stages_of(collection)))
        found = {**plan.as_json(), "listings": list(map(stage_as_json, planned))}
        said = [*lines, *plan.lines(), *_lines_of(planned)]
        return said, found, [plan.forecast], kept_fresh

    def _allowance(self) -> Allowance:
        config = self._config()
        spent = read_spent(config.database_url, utc_now())
        return allowance_of(config, VIDEO_QUERY.pool, VIDEOS, spent)

    def _plan(self, collection: Collection) -> SearchPlan:
        config, now = self._config(), utc_now()
        wanted = search_arguments.wanted(collection, config)
        looked_up = look_up(config.database_url, config.origin, wanted)
        known = looked_up.known or Known()
        plan = make_plan(wanted, known, now)
        return SearchPlan(
            collection,
            wanted,
            plan,
            looked_up,
            self._allowance(),
            now.date(),
            WindowQueue(plan, wanted).next(),
            self._kept_fresh(collection, of_search(wanted, known), now),
        )

    def _kept_fresh(
        self, collection: Collection, subject: Subject | ListSubject, now: datetime
    ) -> RefreshingCost:
        """Look ahead at what it will cost to keep a collection fresh."""
        config, fresh = self._config(), collection.keep_fresh
        stored = look_up_stored(config.database_url, config.origin, collection) if fresh else None
        moving = replace(
            subject, start_moves=collection.begins_relative, end_moves=collection.ends_relative
        )
        ahead = look_ahead(moving, now, fresh, stored)
        return RefreshingCost(collection.refreshing, ahead, self._allowance().a_day)

    def _probe(self, plan: SearchPlan, given: Mapping[str, str], probe: str) -> Iterator[str]:
        """Ask for first pages, as a crawl does that ends then."""
        count = parse_whole_number(probe)
        if count is None:
            raise UsageError(f"--probe={probe}: not a whole number from 1 to 999,999,999")
        missing = len(plan.plan.standings.missing)
        if missing < count:
            days = number_of(missing, "missing days")
            yield f"Nothing was probed: there are {days}, fewer than {count:,}"
            return
        if not probes(plan.plan, plan.wanted, count):
            yield "Nothing was probed: searches have begun in all parts of the missing days"
            return
        self._name_database()
        assert self.crawler_process
        crawler = self.crawler_process.create_crawler("videos")
        crawler.signals.connect(self._refused, signal=crawl_refused)
        task: asyncio.Task[None]
        task = self.crawler_process.crawl(crawler, **given, probes=str(count))  # type: ignore[assignment]
        self.crawler_process.start()
        if not task.done():
            self.exitcode = EX_TEMPFAIL  # a second Ctrl-C
            return
        error = task.exception() or self._refusal
        if isinstance(error, CrawlerError):
            raise error
        self.exitcode = EX_SOFTWARE if error else extension(crawler, Outcome).exit_status
        sent = crawler.stats.get_value("tiktok/requests/sent_count", 0)
        pages = crawler.stats.get_value("tiktok/pages/stored_count", 0)
        probed = f"Probed: {number_of(sent, 'requests')}, {number_of(pages, 'first pages')}"
        yield f"{probed}; a crawl goes on from what is stored"
        if self.exitcode:
            # Probes do not wait for quota: a run without it has come to its end.
            found = ending(crawler.stats.get_value("finish_reason")) or DAY_IS_SPENT
            yield f"That is not all that was to be asked for: {found.why}"

    def _refused(self, error: CrawlerError) -> None:
        self._refusal = error

    def _listings(
        self, listing: Listing, given: dict[str, str]
    ) -> tuple[list[str], dict[str, Any]]:
        asked = listing_arguments.read(listing, given, today=utc_now().date())
        shared = shared_tag(asked.from_tag, queries_with(asked.from_tag, self._config()))
        planned = list(self._stages(asked.stages))
        notes = [*([shared] if shared else []), *asked.notes]
        return [*notes, *_lines_of(planned)], {"listings": list(map(stage_as_json, planned))}

    def _stages(
        self, stages: Iterable[Stage], search: SearchPlan | None = None
    ) -> Iterator[PlannedStage]:
        """Plan stages, one after another; a search finds more seeds."""
        config, now = self._config(), utc_now()
        spent = read_spent(config.database_url, now)
        records: dict[str, Coming] = {}
        for stage in stages:
            plan = look_up_stage(config.database_url, config.origin, stage, now)
            coming = records.get(stage.listing.name, NONE_COMING)
            if search and stage.listing.name not in records:
                videos = search.plan.standings.found.videos or 0
                coming = seeds_of_videos(stage, plan, search.forecast(), videos)
            found_by_it = seeds_of_records(stage, plan, coming)
            records |= dict.fromkeys(stage.listing.switches, found_by_it)
            cost = forecast_stage(stage, plan, coming)
            allowance = allowance_of(config, stage.pool, stage.listing.name, spent)
            yield PlannedStage(stage, plan, cost, allowance, now.date(), coming)

    def _config(self) -> Config:
        assert self.settings
        return Config.of(self.settings)


def _listing(args: list[str], given: Mapping[str, str]) -> Listing | None:
    """Return the listing that is to be planned; None if it is a search."""
    if args == ["videos"] or (given and not args):
        return None
    if len(args) != 1:
        raise UsageError(
            "name one query file or spider, such as: scrapy plan query.yaml, or: "
            "scrapy plan users -a usernames=somebody"
        )
    if args[0] not in listing_arguments.SPIDERS and not (
        Path(args[0]).suffix or Path(args[0]).exists() or has_magic(args[0]) or "," in args[0]
    ):
        hint = did_you_mean(nearest(args[0], listing_arguments.SPIDERS))
        raise UsageError(
            f"{quoted(args[0])} is neither a query file that is there nor a spider{hint}"
        )
    return listing_arguments.SPIDERS.get(args[0])


def _with_file(args: list[str], given: dict[str, str]) -> dict[str, str]:
    """Return the arguments with the query file that is named before them."""
    if not args or args == ["videos"]:
        return given
    if "query" in given:
        raise UsageError("name the query file once: scrapy plan query.yaml")
    return {"query": args[0], **given}


def _lines_of(stages: Iterable[PlannedStage]) -> list[str]:
    return list(chain.from_iterable(map(stage_lines, stages)))
