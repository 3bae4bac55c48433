"""Feeds that cannot be written are refused before the first request, and nothing is touched."""

from __future__ import annotations

import csv
import logging
from os import EX_SOFTWARE

import pytest
from crawling import exit_status
from ftp_servers import full_ftp_server
from listing_crawls import ListingDatabase
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import ScriptedApi, page, serving
from sqlalchemy import make_url

from tiktok_crawler.exceptions import ConfigurationError

HEADER = "id,video_description\r\n"
FIELDS = {"FEED_EXPORT_FIELDS": ["id", "video_description"]}


def feed(uri: str, **options: object) -> dict[str, object]:
    return {"FEEDS": {uri: options}}


async def refusal(folder, settings: dict[str, object]) -> str:
    """The words with which a crawl is refused, before anything has happened."""
    before = set(folder.path.rglob("*"))
    async with serving(ScriptedApi(page(1))) as api:
        with pytest.raises(ConfigurationError) as refused:
            await folder.crawl(api.url, settings)
        assert api.bodies == api.token_forms == []
    assert set(folder.path.rglob("*")) == before
    return str(refused.value)


def gives_up(*_):
    raise LookupError("no idea")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param(
            feed("foo://bucket/x.csv"), "nothing is known that stores at foo://", id="foo"
        ),
        pytest.param(feed("s3://k:s3cr3t@b/x.csv"), "pip install boto3", id="s3"),
        pytest.param(feed("gs://b/x.csv"), "pip install google-cloud-storage", id="gs"),
        pytest.param(feed("ftp:///x.csv"), "no address such as ftp://host", id="no host"),
        pytest.param(feed("ftp://h:many/x.csv"), "no address such as ftp://host", id="port"),
        pytest.param(feed("ftp://a:s3/cr3t@h/x.csv"), "write / as %2F", id="login"),
        pytest.param(
            feed("x.csv", format="cvs"), "no format 'cvs'; did you mean 'csv'?", id="format"
        ),
        pytest.param(feed("videos"), "it has no format. Formats: json", id="no format"),
        pytest.param({"FEEDS": {"x.csv": "csv"}}, "expected its options", id="no options"),
        pytest.param(feed("x.csv", overwrit=True), "did you mean 'overwrite'?", id="option"),
        pytest.param(feed("x.csv", overwrite="no"), "'no' is not True or False", id="switch"),
        pytest.param(feed("x.csv", indent="2"), "indent: '2' is not a whole number", id="indent"),
        pytest.param(feed("x.csv", fields="id"), "fields: 'id' is not a list", id="fields"),
        pytest.param(feed("x.csv", fields=["id", "vew_count"]), "'view_count'?", id="column"),
        pytest.param(feed("x.csv", fields={"name": "n"}), "no column 'name'", id="named column"),
        pytest.param(feed("x.csv", encoding="utf-9"), "unknown encoding: utf-9", id="encoding"),
        pytest.param(feed("x.csv", encoding="latin-1"), "lacks letters that occur", id="letters"),
        pytest.param(feed("x.json", encoding="ascii"), "lacks letters that occur", id="ascii"),
        pytest.param(feed("x.xml", item_export_kwargs={"depth": 1}), "depth", id="export argument"),
        pytest.param(feed("x.csv", postprocessing=["no.Such"]), "No module named", id="plugin"),
        pytest.param(feed("x.csv", item_filter="no.Such"), "No module named", id="filter"),
        pytest.param(
            feed("x.csv") | {"FEED_EXPORTERS": {"csv": "no.Such"}},
            "the settings of feeds (FEED...): ModuleNotFoundError: No module named 'no'",
            id="exporter",
        ),
        pytest.param(
            feed("x.tsv")
            | {"TIKTOK_CSV_GUARD": True}
            | {"FEED_EXPORTERS": {"tsv": "scrapy.exporters.CsvItemExporter"}},
            "TIKTOK_CSV_GUARD does not hold for scrapy.exporters.CsvItemExporter, which writes tsv",
            id="guard",
        ),
        pytest.param(feed("x.csv", uri_params=gives_up), "no idea", id="parameters"),
        pytest.param(feed("x.csv", batch_item_count=9), "such as x-%(batch_id)d.csv", id="batch"),
        pytest.param(feed("%(nme)s.csv"), "to put in place of %(nme)s", id="placeholder"),
        pytest.param(
            feed("x.csv") | {"FEED_EXPORT_BATCH_ITEM_COUNT": "many"},
            "FEED_EXPORT_BATCH_ITEM_COUNT=many is not a number",
            id="batches",
        ),
        pytest.param(feed("x.csv") | {"FEED_STORE_EMPTY": "x"}, "FEED_STORE_EMPTY=x", id="empty"),
        pytest.param(
            {"FEED_EXPORT_FIELDS": "id, username"} | feed("x.csv"), "'username'?", id="blank"
        ),
        pytest.param(
            {"FEED_TEMPDIR": "/no/such"} | feed("ftp://h/x.csv"), "/no/such", id="temporary files"
        ),
        pytest.param(feed("/dev/null/x.csv"), "x.csv cannot be written", id="no folder"),
        pytest.param(feed("/proc/x/y.csv"), "cannot be written", id="not writable"),
    ],
)
@deferred_f_from_coro_f
async def test_what_cannot_be_written_is_refused(folder, monkeypatch, settings, words):
    monkeypatch.chdir(folder.path)
    refused = await refusal(folder, settings)
    assert words in refused
    assert "s3cr3t" not in refused


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (".", "cannot be written: Is a directory"),
        ("crawl.db", "is the database"),
        ("crawl.db-wal", "is the database"),
        ("crawl.db-journal", "is the database"),
        ("secrets.yaml", "is the secrets file"),
        ("query.yaml", "is the query file"),
    ],
)
@deferred_f_from_coro_f
async def test_a_feed_replaces_no_file_of_another_kind(folder, name, words):
    path = folder.path / name
    assert words in await refusal(folder, feed(str(path), format="csv", overwrite=True))


@deferred_f_from_coro_f
async def test_a_feed_replaces_no_list_that_the_query_names(folder):
    path = folder.path / "tags.csv"
    path.write_text("hashtag\nbutter\n")
    query = (
        "start_date: 2024-01-01\nend_date: 2024-01-01\ninclude: {any_hashtags: {file: tags.csv}}"
    )
    folder.query_file.write_text(query)
    refused = await refusal(folder, feed(str(path), overwrite=True))
    assert "is a list that is read" in refused


@deferred_f_from_coro_f
async def test_a_feed_replaces_no_list_of_seeds(tmp_path):
    path = tmp_path / "names.csv"
    path.write_text("username\nann\n")
    database = ListingDatabase(f"sqlite:///{tmp_path}/crawl.db", "http://127.0.0.1:1")
    with pytest.raises(ConfigurationError, match="is a list that is read"):
        await database.crawl("users", feed(str(path), overwrite=True), usernames=f"@{path}")


@deferred_f_from_coro_f
async def test_a_feed_can_be_in_the_home_folder(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.path))
    async with serving(ScriptedApi(page(1))) as api:
        await folder.crawl(api.url, feed("~/new/x.csv"))
    assert (folder.path / "new" / "x.csv").exists()


@deferred_f_from_coro_f
async def test_two_feeds_do_not_share_a_file(folder):
    uris = folder.path / "x.csv", f"file://{folder.path}/x.csv"
    feeds = {"FEEDS": {uri: {"format": "csv"} for uri in uris}}
    assert "is another feed" in await refusal(folder, feeds)


@pytest.mark.parametrize(("name", "way"), [("x.json", "-o x.jsonl"), ("x.xml", "-o x.jsonl")])
@deferred_f_from_coro_f
async def test_a_feed_that_cannot_be_added_to_is_left_alone(folder, name, way):
    path = folder.path / name
    path.write_text("[]")
    refused = await refusal(folder, feed(str(path)))
    assert way in refused
    assert f"-O {name}" in refused
    assert path.read_text() == "[]"


@deferred_f_from_coro_f
async def test_csv_with_other_columns_is_not_added_to(folder):
    path = folder.path / "x.csv"
    path.write_text("id,other\n1,2\n")
    assert "its columns are not those" in await refusal(folder, feed(str(path)) | FIELDS)


@deferred_f_from_coro_f
async def test_compressed_csv_is_not_added_to(folder):
    path = folder.path / "x.csv"
    path.write_bytes(b"\x1f\x8b")
    gzip = ["scrapy.extensions.postprocessing.GzipPlugin"]
    assert "cannot be added to" in await refusal(folder, feed(str(path), postprocessing=gzip))


@deferred_f_from_coro_f
async def test_listings_have_columns_of_their_own(tmp_path, sqlite_url):
    database = ListingDatabase(sqlite_url, "http://127.0.0.1:1")
    settings = feed(str(tmp_path / "x.csv"), fields=["display_name", "view_count"])
    with pytest.raises(ConfigurationError, match="no column 'view_count'"):
        await database.crawl("users", settings, usernames="ann")


@deferred_f_from_coro_f
async def test_a_server_that_lets_nobody_in_is_told_before(folder):
    assert "Connection refused" in await refusal(folder, feed("ftp://127.0.0.1:1/x.csv"))
    with full_ftp_server() as host:
        refused = await refusal(folder, feed(f"ftp://ann:wr0ng@{host}/x.csv"))
    assert refused == f"feed ftp://{host}/x.csv: error_perm: 530 Login incorrect: ***"


async def crawled(folder, uri: str, settings: dict[str, object], *runs: list[int]) -> None:
    """Crawls of a day each, which collect these videos."""
    feeds = {"FEEDS": {uri: settings["feed"]}}
    async with serving(ScriptedApi(*(page(*ids) for ids in runs))) as api:
        for day in range(1, len(runs) + 1):
            days = dict.fromkeys(("start_date", "end_date"), f"2024-01-{day:02}")
            assert exit_status(await folder.crawl(api.url, settings | feeds, **days)) == 0


@pytest.mark.parametrize(
    ("before", "lines"),
    [
        ("", ["id,video_description", "7,"]),
        (f"{HEADER}1,a\r\n", ["id,video_description", "1,a", "7,"]),
        (f"{HEADER}1,a", ["id,video_description", "1,a", "7,"]),
        (f'{HEADER}1,"half a te', ["id,video_description", '1,"half a te"', "7,"]),
    ],
)
@deferred_f_from_coro_f
async def test_csv_is_added_to_in_whole_lines_without_a_second_header(folder, before, lines):
    path = folder.path / "x.csv"
    path.write_text(before, newline="")
    await crawled(folder, str(path), FIELDS | {"feed": {"format": "csv"}}, [7])
    assert path.read_text().splitlines() == lines


@deferred_f_from_coro_f
async def test_each_batch_is_added_to_without_a_second_header(folder):
    uri = str(folder.path / "%(batch_id)d.csv")
    options = FIELDS | {"feed": {"format": "csv", "batch_item_count": 1}}
    await crawled(folder, uri, options, [3, 4], [5, 6])
    for batch, ids in ((1, ["3", "5"]), (2, ["4", "6"])):
        rows = list(csv.reader((folder.path / f"{batch}.csv").read_text().splitlines()))
        assert [row[0] for row in rows] == ["id", *ids]


@deferred_f_from_coro_f
async def test_no_batch_goes_through_a_link_that_leads_nowhere(folder, caplog):
    (folder.path / "2.csv").symlink_to(folder.path / "nowhere")
    options = FIELDS | {"FEEDS": {str(folder.path / "%(batch_id)d.csv"): {
        "format": "csv", "batch_item_count": 1}}}  # fmt: skip
    async with serving(ScriptedApi(page(3, 4))) as api:
        crawler = await folder.crawl(api.url, options)
    assert exit_status(crawler) == EX_SOFTWARE
    assert not (folder.path / "nowhere").exists()
    assert "nowhere', which is not there. Mend that, and write it" in caplog.text


@deferred_f_from_coro_f
async def test_json_lines_begin_on_a_line_of_their_own(folder):
    path = folder.path / "x.jsonl"
    path.write_text('{"id": 1, "vide')
    await crawled(folder, str(path), FIELDS | {"feed": {"format": "jsonlines"}}, [7])
    assert path.read_text().splitlines() == ['{"id": 1, "vide', '{"id": 7}']


@pytest.mark.slow
@pytest.mark.parametrize(("before", "warns"), [([3, 4, 5], True), ([3], False)])
@deferred_f_from_coro_f
async def test_that_a_feed_becomes_shorter_is_told(folder, caplog, before, warns):
    path = folder.path / "x.csv"
    replaced = FIELDS | {"feed": {"format": "csv", "overwrite": True}}
    await crawled(folder, str(path), replaced, before, [7])
    assert (f"{path} was longer before this run replaced it" in caplog.text) is warns
    assert path.read_text().splitlines()[1:] == ["7,"]


@pytest.mark.parametrize("existed", [True, False])
@deferred_f_from_coro_f
async def test_a_run_that_collects_nothing_says_where_all_is(folder, caplog, existed):
    path = folder.path / "x.csv"
    if existed:
        path.write_text("all of yesterday")
    caplog.set_level(logging.WARNING)
    async with serving(ScriptedApi(page(1))) as api:
        await folder.crawl(api.url)
        await folder.crawl(api.url, feed(str(path), overwrite=True))
    stays = "stays as it is" if existed else "was not written"
    assert f"{path} {stays}: this run collected nothing new" in caplog.text
    assert f"table video of the SQLite database {make_url(folder.database_url).database}" in (
        caplog.text
    )
    assert path.exists() is existed
    assert not existed or path.read_text() == "all of yesterday"


@deferred_f_from_coro_f
async def test_the_log_has_no_password_of_a_feed(folder, caplog):
    caplog.set_level(logging.DEBUG)
    with full_ftp_server() as host:
        settings = {"AWS_SECRET_ACCESS_KEY": "s3cr3t"} | feed(f"ftp://ann:s3cr3t@{host}/x.csv")
        async with serving(ScriptedApi(page(1))) as api:
            await folder.crawl(api.url, settings)
    assert f"Error storing csv feed (1 items) in: ftp://{host}/x.csv" in caplog.text
    assert "s3cr3t" not in caplog.text
