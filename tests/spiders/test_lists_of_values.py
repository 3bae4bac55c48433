"""Lists under `each`: what is asked for, of which values together, and what becomes of bad ones."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import partial
from os import EX_CONFIG, EX_OK, EX_TEMPFAIL

import pytest
from archived import assert_replayed
from crawling import CrawlFolder, exit_status, stat
from sandboxes import recording_sandbox, searches
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import Answer, ScriptedApi, error, page, serving

from tiktok_crawler.arguments.search_arguments import wanted_values
from tiktok_crawler.config import Config
from tiktok_crawler.crawling.components import item_pipeline
from tiktok_crawler.date_range import DateRange
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.pipelines.storage import StoragePipeline
from tiktok_crawler.planning.checks import RemovalReason
from tiktok_crawler.planning.nights_ahead import Ahead
from tiktok_crawler.planning.quota import Allowance
from tiktok_crawler.query_file.collection import read_collection
from tiktok_crawler.query_file.known_query import query_ids
from tiktok_crawler.query_file.refreshing import Refreshing
from tiktok_crawler.reports import status_report
from tiktok_crawler.reports.dataset_tables import minute
from tiktok_crawler.reports.list_plan import ListPlan
from tiktok_crawler.reports.list_report import refused_lines
from tiktok_crawler.reports.provenance_report import lacking, methods_text, provenance_text
from tiktok_crawler.reports.refreshing_report import RefreshingCost
from tiktok_crawler.reports.summary import Summary
from tiktok_crawler.sandbox import CLIENT_KEY, CLIENT_SECRET
from tiktok_crawler.sandbox.faults.profile import Profile, SearchBehaviour
from tiktok_crawler.storage.deletion.deletion import Cause, delete_users, say_nothing
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.engine.transactions import reading
from tiktok_crawler.storage.ledger.provenance import read_provenance
from tiktok_crawler.storage.ledger.queries import stored_queries
from tiktok_crawler.storage.ledger.status import QueryFile, read_status
from tiktok_crawler.storage.ledger.value_batches import RefusedValue, queries_of
from tiktok_crawler.storage.value_lists import look_up_list

DAYS = DateRange(date(2024, 1, 1), date(2024, 3, 31))
WINDOWS = 3
NOW = datetime(2024, 6, 1, tzinfo=UTC)
SETTINGS = {"TIKTOK_RETRY_TIMES": 1, "TIKTOK_PROBE_INTERVAL": 0.01}


def names(count):
    return [f"u{number:02}" for number in range(count)]


class Lists(CrawlFolder):
    """A folder with a query file that has a list of accounts."""

    def want(self, values, *lines, key="usernames", dates=DAYS):
        days = [f"start_date: {dates.start}", f"end_date: {dates.end}"] if dates else []
        listed = f"each: {{{key}: [{', '.join(map(str, values))}]}}"
        self.query_file.write_text("\n".join([*days, listed, *lines]))

    async def run(self, api, settings=None, **arguments):
        return await self.crawl(api.url, SETTINGS | (settings or {}), **arguments)

    def refused(self):
        return self.rows(
            "SELECT value, error FROM value_batch WHERE refused_at IS NOT NULL AND query_id IN "
            "(SELECT query_id FROM value_batch GROUP BY query_id HAVING count(*) = 1) "
            "ORDER BY value"
        )


class Accounts(ScriptedApi):
    """Answers searches for accounts, each with a video in every window; for `bad` ones not."""

    def __init__(self, bad=(), answer=None):
        super().__init__(self.give)
        self.bad = set(bad)
        self.bad_answer = answer or cannot_find
        self.failed = 0
        self.paid = Counter()

    def give(self, body):
        values, days = values_of(body), days_of(body)
        if spoiled := sorted(self.bad.intersection(values)):
            self.failed += 1
            return self.bad_answer(spoiled[0])
        self.paid.update((value, day) for value in values for day in days)
        return page(*(id_of(value, days) for value in values))

    @property
    def asked(self):
        return [(values_of(body), len(days_of(body))) for body in self.bodies]


def cannot_find(value):
    return error(400, "invalid_params", f"`username: {value}` is invalid: cannot find the user")


def without_data(_value):
    return Answer(body={"error": {"code": "ok", "message": "", "log_id": "L"}})


def values_of(body):
    return body["query"]["and"][-1]["field_values"]


def days_of(body):
    return DateRange(date.fromisoformat(body["start_date"]), date.fromisoformat(body["end_date"]))


def id_of(value, days):
    midnight = datetime(days.end.year, days.end.month, days.end.day, tzinfo=UTC)
    return (int(midnight.timestamp()) << 32) + sum(map(ord, value))


def once(values, days=DAYS):
    return dict.fromkeys(((value, day) for value in values for day in days), 1)


def state(crawler):
    (end,) = item_pipeline(crawler, StoragePipeline).search_ends()
    return end.result


@pytest.fixture
def folder(tmp_path):
    return Lists(tmp_path)


@pytest.fixture
def folder_on_either(folder, unused_url):
    folder.database_url = unused_url
    return folder


@deferred_f_from_coro_f
async def test_values_are_searched_together_and_each_day_of_each_once(folder):
    folder.want(names(25), "regions: [FR]")
    async with serving(Accounts()) as api:
        crawler = await folder.run(api)
        again = await folder.run(api)
    assert (exit_status(crawler), exit_status(again)) == (EX_OK, EX_OK)
    assert api.paid == once(names(25))
    assert len(api.bodies) == 3 * WINDOWS
    assert {len(values) for values, _ in api.asked} == {10, 5}
    assert all(body["query"]["and"][0]["field_values"] == ["FR"] for body in api.bodies)
    assert state(again).is_complete
    assert state(again).totals.requests == 3 * WINDOWS


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_one_that_is_added_costs_its_days_and_one_that_is_removed_nothing(folder_on_either):
    folder = folder_on_either
    folder.want(names(10))
    async with serving(Accounts()) as api:
        await folder.run(api)
        folder.want([*names(13)[1:], "another"])
        await folder.run(api)
        assert api.asked[WINDOWS:] == [(["another", "u10", "u11", "u12"], 31)] * 2 + [
            (["another", "u10", "u11", "u12"], 29)
        ]
        folder.want(names(13), dates=DateRange(DAYS.start, date(2024, 4, 1)))
        await folder.run(api)
    assert api.asked[2 * WINDOWS :] == [(names(10), 1), (["u10", "u11", "u12"], 1)]
    assert set(api.paid.values()) == {1}


@pytest.mark.slow
@deferred_f_from_coro_f
@pytest.mark.parametrize("place", [0, 4, 9])
async def test_one_bad_account_among_ten_is_found_and_named(folder, place):
    bad = names(10)[place]
    folder.want(names(20))
    async with serving(Accounts(bad=[bad])) as api:
        crawler = await folder.run(api)
        asked = len(api.bodies)
        assert api.failed <= 5
        assert api.paid == once(set(names(20)) - {bad})
        again = await folder.run(api)
    assert exit_status(crawler) == EX_OK
    assert stat(crawler, "values/refused_count") == 1
    words = f"HTTP 400: invalid_params `username: {bad}` is invalid: cannot find the user"
    assert folder.refused() == [(bad, words)]
    (value,) = state(crawler).refused
    assert (value.value, value.reason, value.log_id) == (bad, words, "20240102LOG")
    # It is tried again, once.
    assert api.asked[asked:] == [([bad], 31)]
    assert exit_status(again) == EX_OK
    assert state(again).refused[0].retry_at - datetime.now(UTC) > timedelta(minutes=50)


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_a_bad_account_that_works_again_is_collected_like_the_others(folder):
    folder.want(names(10))
    async with serving(Accounts(bad=["u03"])) as api:
        await folder.run(api)
        api.bad.clear()
        crawler = await folder.run(api)
        assert exit_status(crawler) == EX_TEMPFAIL
        assert folder.refused() == []
        crawler = await folder.run(api)
    assert exit_status(crawler) == EX_OK
    assert api.paid == once(names(10))


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_accounts_that_leave_answers_without_data_are_found(folder_on_either, caplog):
    folder = folder_on_either
    folder.want(names(20))
    async with serving(Accounts(bad=["u15"], answer=without_data)) as api:
        crawler = await folder.run(api)
    assert exit_status(crawler) == EX_OK
    assert api.paid == once(set(names(20)) - {"u15"})
    assert folder.refused() == [("u15", "the API sent no data at all")]
    assert "taken as empty" not in caplog.text


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_an_account_that_only_fails_is_found_when_others_work(folder):
    folder.want(names(12), dates=DateRange(DAYS.start, DAYS.start + timedelta(days=6)))
    busy = error(500, "internal_error", "busy")
    async with serving(Accounts(bad=["u01"], answer=lambda _: busy)) as api:
        crawler = await folder.run(api, {"CONCURRENT_REQUESTS": 1})
    assert exit_status(crawler) == EX_OK
    assert [value for value, _ in folder.refused()] == ["u01"]
    assert set(api.paid.values()) == {1}


@deferred_f_from_coro_f
async def test_a_query_that_is_refused_whatever_the_account_is_stopped_soon(folder, caplog):
    folder.want(names(100))
    refused = error(400, "invalid_params", "no such region")
    async with serving(Accounts(bad=names(100), answer=lambda _: refused)) as api:
        crawler = await folder.run(api)
    assert exit_status(crawler) == EX_CONFIG
    assert len(api.bodies) <= 10
    assert "The API refuses the query: HTTP 400: invalid_params no such region" in caplog.text


@deferred_f_from_coro_f
async def test_who_is_in_between_and_refuses_all_is_no_reason_to_blame_accounts(folder, caplog):
    folder.want(names(60))
    denied = Answer(403, b"<html>Access Denied</html>")
    async with serving(Accounts()) as api:
        api.answers = [api.give] * WINDOWS + [denied]
        crawler = await folder.run(api, {"CONCURRENT_REQUESTS": 1})
        assert len(api.bodies) == WINDOWS + 3
    assert exit_status(crawler) == EX_CONFIG
    assert folder.refused() == []
    assert "The API refuses the query: HTTP 403: not JSON: Access Denied" in caplog.text


@deferred_f_from_coro_f
async def test_a_refusal_behind_the_first_page_blames_no_account(folder):
    folder.want(names(10), dates=DateRange(DAYS.start, DAYS.start))
    refused = error(400, "invalid_params", "no")
    script = (page(1, cursor=100, has_more=True), refused, page(2))
    async with serving(ScriptedApi(*script)) as api:
        crawler = await folder.run(api)
        again = await folder.run(api, {"TIKTOK_PARKED_SHARE": 1})
    assert (exit_status(crawler), exit_status(again)) == (EX_TEMPFAIL, EX_OK)
    assert [body.get("cursor", 0) for body in api.bodies] == [0, 100, 100]
    assert folder.refused() == []


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_a_run_that_ends_early_is_gone_on_with(folder):
    folder.want(names(30))
    async with serving(Accounts(bad=["u12"])) as api:
        for _ in range(12):
            crawler = await folder.run(api, max_requests="2")
            if exit_status(crawler) == EX_OK and not state(crawler).plan.left:
                break
    assert api.paid == once(set(names(30)) - {"u12"})


@deferred_f_from_coro_f
async def test_begun_searches_of_a_list_that_has_changed_are_finished_as_they_are(folder):
    folder.want(names(3), dates=DateRange(DAYS.start, DAYS.start + timedelta(days=3)))
    async with serving(ScriptedApi(page(1, has_more=True), page(2, cursor=200))) as api:
        await folder.run(api, max_requests="1")
        folder.want(names(2), dates=DateRange(DAYS.start, DAYS.start + timedelta(days=3)))
        crawler = await folder.run(api)
    assert exit_status(crawler) == EX_OK
    assert [(values_of(body), body.get("cursor", 0)) for body in api.bodies] == [
        (names(3), 0),
        (names(3), 100),
    ]


@deferred_f_from_coro_f
async def test_ids_are_searched_by_their_time_and_remembered(folder_on_either):
    folder = folder_on_either
    known, missing = (id_of("a", DateRange(day, day)) for day in (date(2024, 1, 5), DAYS.end))
    folder.want([known, missing], key="video_ids", dates=None)

    def give(body):
        return page(*({known} & set(map(int, values_of(body)))))

    async with serving(ScriptedApi(give)) as api:
        crawler = await folder.run(api)
    assert exit_status(crawler) == EX_OK
    assert [(values_of(body), days_of(body)) for body in api.bodies] == [
        ([str(known)], DateRange(date(2024, 1, 5), date(2024, 1, 5))),
        ([str(missing)], DateRange(DAYS.end, DAYS.end)),
    ]
    found = "SELECT last_returned_at IS NULL, first_missed_at IS NULL FROM value_batch ORDER BY 1"
    assert folder.rows(found) == [(0, 1), (1, 0)]
    assert state(crawler).missed == 1


@deferred_f_from_coro_f
async def test_two_files_with_lists_share_a_run_and_what_they_have_in_common(folder):
    queries = folder.path / "queries"
    queries.mkdir()
    for name, values in (("one", names(12)), ("two", names(14)[2:])):
        folder.want(values, f"tags: [{name}]")
        folder.query_file.rename(queries / f"{name}.yaml")
    async with serving(Accounts()) as api:
        crawler = await folder.run(api, query=str(queries))
        again = await folder.run(api, query=str(queries))
    assert exit_status(again) == EX_OK
    assert len({end.name for end in item_pipeline(crawler, StoragePipeline).search_ends()}) == 2
    assert {value for value, _ in api.paid} == set(names(14))


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_an_archive_of_a_list_gives_the_same_tables(folder_on_either):
    folder = folder_on_either
    folder.want(names(15), "also_collect: [users]")
    async with serving(Accounts(bad=["u02"])) as api:
        for _ in range(2):
            await folder.run(api, {"TIKTOK_ARCHIVE": str(folder.path / "archive")})
    assert_replayed(folder)


@deferred_f_from_coro_f
async def test_tags_are_given_to_what_is_stored_without_a_request(folder):
    folder.want(names(12), "tags: [one]")
    async with serving(Accounts()) as api:
        await folder.run(api)
        asked = len(api.bodies)
        folder.want(names(11), "tags: [two]")
        crawler = await folder.run(api)
        again = await folder.run(api)
    assert (exit_status(crawler), exit_status(again)) == (EX_OK, EX_OK)
    assert len(api.bodies) == asked
    count = "SELECT count(*) FROM videos_to_query_tags JOIN query_tag ON id = query_tag_id "
    tagged = [folder.rows(f"{count} WHERE name = '{name}'") for name in ("one", "two")]
    assert tagged[0] == tagged[1] == folder.rows("SELECT count(*) FROM video")
    assert state(again).plan.batches == ()


@deferred_f_from_coro_f
async def test_an_export_takes_the_queries_of_all_batches(folder):
    folder.want(names(12))
    async with serving(Accounts()) as api:
        await folder.run(api)
    with database.opened_to_read(folder.database_url) as engine, reading(engine) as connection:
        batches = partial(queries_of, connection, statements_for(engine.dialect))
        known = stored_queries(connection)
        assert query_ids(folder.query_file, known, batches, "--query ") == [1, 2]
        folder.want(names(14)[11:])
        assert query_ids(folder.query_file, known, batches, "--query ") == [2]
        folder.want(["nobody"])
        with pytest.raises(UsageError, match="nothing was collected with it yet"):
            query_ids(folder.query_file, known, batches, "--query ")


@deferred_f_from_coro_f
async def test_a_list_with_all_the_videos_it_wants_is_done_in_later_runs_too(folder):
    """Its later batches count with those that earlier runs have completed."""
    folder.want(names(40), "max_videos: 35")
    async with serving(Accounts()) as api:
        first = await folder.run(api, {"CONCURRENT_REQUESTS": 1})
        count = len(api.bodies)
        second = await folder.run(api, {"CONCURRENT_REQUESTS": 1})
    assert [exit_status(crawler) for crawler in (first, second)] == [EX_OK, EX_OK]
    [(videos,)] = folder.rows("SELECT count(*) FROM video")
    assert 35 <= videos <= 45
    assert len(api.bodies) == count


@deferred_f_from_coro_f
async def test_videos_that_another_query_has_brought_count_among_those_a_list_wants(folder):
    async with serving(Accounts()) as api:
        folder.want(names(40), "regions: [FR]")
        await folder.run(api)
        [(of_others,)] = folder.rows("SELECT max(query_id) FROM value_batch")
        folder.want(names(40), "max_videos: 15")
        await folder.run(api, {"CONCURRENT_REQUESTS": 1})
    [(videos,)] = folder.rows(
        "SELECT count(DISTINCT video_id) FROM videos_to_crawls JOIN crawl ON crawl.id = crawl_id "
        f"WHERE query_id > {of_others}"
    )
    assert 15 <= videos <= 25


@deferred_f_from_coro_f
async def test_a_list_is_not_probed(folder):
    folder.want(names(2))
    async with serving(Accounts()) as api:
        with pytest.raises(UsageError, match="planned without probes"):
            await folder.run(api, probes="2")


@deferred_f_from_coro_f
async def test_who_was_refused_together_with_a_deleted_person_is_asked_for(folder):
    folder.want(["u00", "u01"], dates=DateRange(DAYS.start, DAYS.start))
    async with serving(Accounts(bad=["u00"])) as api:
        await folder.run(api)
        assert [values_of(body) for body in api.bodies] == [["u00", "u01"], ["u00"], ["u01"]]
        engine = database.create_engine_for(database.database_url(folder.database_url))
        delete_users(engine, ["u00"], Cause(RemovalReason.ASKED), NOW, say_nothing)
        engine.dispose()
        api.bodies.clear()
        folder.want(["u01"])
        crawler = await folder.run(api)
    assert exit_status(crawler) == EX_OK
    assert [values_of(body) for body in api.bodies] == [["u01"]] * WINDOWS
    assert folder.refused() == []


@deferred_f_from_coro_f
@pytest.mark.parametrize("key", ["refused_values", "dataless_values"])
async def test_a_list_is_rehearsed_on_the_sandbox(folder, key):
    known = [f"somebody{number}" for number in range(7)]
    profile = Profile(searches=SearchBehaviour(**{key: ("somebody3",)}))
    folder.want(known, dates=DateRange(DAYS.start, DAYS.start))
    folder.secrets_file.write_text(f"client_key: {CLIENT_KEY}\nclient_secret: {CLIENT_SECRET}\n")
    with recording_sandbox(videos_per_day=40, profile=profile) as (sandbox, url):
        crawler = await folder.crawl(url, SETTINGS)
        asked = [values_of(body) for body in searches(sandbox)]
    assert exit_status(crawler) == EX_OK
    assert [value for value, _ in folder.refused()] == ["somebody3"]
    assert asked[0] == known
    assert ["somebody3"] in asked


@deferred_f_from_coro_f
async def test_a_list_is_one_entry_of_status_plan_summary_and_methods(folder):
    folder.want(names(14), "tags: [a]", "regions: [FR]")
    async with serving(Accounts(bad=["u07"])) as api:
        crawler = await folder.run(api)
        folder.want([*names(14), "new"], "regions: [FR]")
    config = Config.of(folder.settings(api.url))
    now = datetime.now(UTC)
    status = read_status(folder.database_url, config.terms, now)
    words = "`username: u07` is invalid: cannot find the user (log_id 20240102LOG); tried again"
    assert status_report.text(status, None).partition("\nList ")[2].splitlines() == [
        "of 14 usernames",
        "  Videos from FR, for each of 14 usernames",
        "  tags       a",
        "  wanted     2024-01-01..2024-03-31 (91 days)",
        "  covered    91 days for all values but 1 that the API refuses",
        f"  refused    'u07': HTTP 400: invalid_params {words} by the next run",
        f"  videos     {status.lists[0].totals.videos:,}",
        f"  requests   {len(api.bodies)} so far",
    ]
    assert status_report._together(status).next_windows == 1, "u07 is tried again"
    (found,) = status_report.as_json(status, None)["lists"]
    assert (found["each"], found["values"], found["refused_values"]) == ("username", 14, 1)
    assert found["refused"][0]["value"] == "u07"

    summary = Summary(tuple(item_pipeline(crawler, StoragePipeline).search_ends()), (), {}, "x")
    text = summary.text(command="again", now=now)
    assert "values     14 usernames" in text
    assert "days       2024-01-01..2024-03-31: 91 of 91 days for all values but 1 that" in text
    assert "refused    'u07': HTTP 400" in text

    collection = read_collection(folder.query_file, today=now.date())
    wanted = wanted_values(collection, config)
    looked_up = look_up_list(folder.database_url, config.origin, collection, wanted, now)
    never = RefreshingCost(Refreshing(), Ahead(), 1000)
    plan = ListPlan(collection, looked_up, Allowance(1000, 1000), now, never)
    lines = "\n".join(plan.lines())
    assert lines.startswith("Videos from FR, for each of 15 usernames\nAt least 4 requests")
    assert "15 usernames: 13 have all days\nLacking:       1 lack" in lines
    assert "New searches:  1 search, for 1 username: at least 3 requests" in lines
    assert plan.as_json()["values"] == {"wanted": 15, "lacking": 2, "refused": 1}

    with database.opened_to_read(folder.database_url) as engine, reading(engine) as connection:
        facts = read_provenance(connection, config.terms, now)
    methods, provenance = methods_text(facts), provenance_text(facts)
    assert "A list asked for videos from FR, for each of 14 usernames, published on" in methods
    assert "The API refused searches for 1 of the values, even alone." in methods
    whole = (
        "For all values but 1 that the API refuses a search was paged to its end for 91 of 91 days."
    )
    assert whole in methods
    missing = "List of 14 usernames: the API refuses searches for 1 of them."
    assert f"The collection is incomplete as of {minute(facts.status.at)}. {missing}" in methods
    assert f"- {missing}" in provenance
    assert "- values that the API refuses: 1\n- values besides that lack days: 0" in provenance
    assert "u07" not in methods + provenance
    assert "## List of 14 usernames" in provenance


@deferred_f_from_coro_f
async def test_searches_for_some_values_that_are_hard_to_believe_are_told(folder):
    folder.want(names(12))
    async with serving(ScriptedApi(page())) as api:
        await folder.run(api)
    (query_id,) = folder.rows("SELECT query_id FROM value_batch WHERE value = 'u11'")[0]
    folder.rows(
        f"UPDATE crawl_window SET suspicious = 1 WHERE query_id = {query_id} "
        "AND start_date <= '2024-02-01' AND end_date >= '2024-02-01'"
    )
    config, now = Config.of(folder.settings(api.url)), datetime.now(UTC)
    with database.opened_to_read(folder.database_url) as engine, reading(engine) as connection:
        facts = read_provenance(connection, config.terms, now)
    (days,) = facts.status.lists[0].suspicious
    assert date(2024, 2, 1) in days
    assert lacking(facts) == [
        f"List of 12 usernames: suspiciously few videos came of {days} for some of them."
    ]
    text = status_report.text(facts.status, None)
    assert f"  suspicious {days}: suspiciously few videos for some values" in text
    (found,) = status_report.as_json(facts.status, None)["lists"]
    assert found["suspicious"] == [{"start": str(days.start), "end": str(days.end)}]


@deferred_f_from_coro_f
async def test_a_status_of_files_tells_of_their_values_alone(folder):
    folder.want(names(12))
    async with serving(Accounts()) as api:
        await folder.run(api)
    config, now = Config.of(folder.settings(api.url)), datetime.now(UTC)
    folder.want([*names(5), "new"], dates=DateRange(DAYS.start, date(2024, 4, 1)))
    collection = read_collection(folder.query_file, today=now.date())
    values = collection.each.values
    files = QueryFile("some.yaml", collection.fingerprint, collection.dates, values)
    other = QueryFile("other.yaml", "f", collection.dates)
    status = read_status(folder.database_url, config.terms, now, (files, other))
    (found,) = status.lists
    assert (len(found.each.values), found.lacking) == (6, 6)
    assert found.missing == (DateRange(DAYS.start, date(2024, 4, 1)),)
    text = status_report.text(status, None)
    assert "List of 6 usernames (some.yaml)" in text
    assert "Not begun: other.yaml" in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kept", "age", "late"),
    [
        ("15 days", 40, 0),
        ("15 days with counters", 14, 0),
        ("15 days with counters", 16, 3),
        ("never", 40, 0),
    ],
)
@deferred_f_from_coro_f
async def test_a_status_says_how_fresh_a_list_is_kept_as_its_last_run_had_it(
    folder, kept, age, late
):
    folder.want(names(3), "keep_fresh: 1 day")
    async with serving(Accounts()) as api:
        await folder.run(api)
        folder.want(names(3), f"keep_fresh: {kept}")
        asked = len(api.bodies)
        await folder.run(api)
        assert len(api.bodies) == asked, "nothing was due"
    config, later = Config.of(folder.settings(api.url)), datetime.now(UTC) + timedelta(days=age)
    status = read_status(folder.database_url, config.terms, later)

    text, (found,) = status_report.text(status, None), status_report.as_json(status, None)["lists"]
    overdue = "; days of 3 usernames are overdue" if late else ""
    if kept == "never":
        assert "kept fresh" not in text
        assert found["refreshing"] is None
    else:
        assert f"  kept fresh keep_fresh: {kept}{overdue}\n" in text
        assert found["refreshing"] == {"keep_fresh": kept}
    assert found["overdue_values"] == late


def test_of_many_bad_values_ten_are_named():
    bad = [RefusedValue(name, "no", "L", NOW, None) for name in names(13)]
    lines = [text for _, text in refused_lines(bad, len(bad), NOW)]
    assert len(lines) == 11
    assert lines[-1] == "and 3 more"
