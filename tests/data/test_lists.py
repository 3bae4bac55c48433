"""The videos of a list under `each` are those that any of its queries has found."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

import pytest
from exports import exported
from sqlalchemy import insert

from tiktok_crawler import data
from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.query_file.collection import read_collection
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.statements import statements_for
from tiktok_crawler.storage.ledger.queries import register_collection
from tiktok_crawler.storage.ledger.value_batches import register_batch
from tiktok_crawler.storage.models.ledger import VIDEOS_TO_CRAWLS, Crawl, CrawlWindow
from tiktok_crawler.storage.models.records import Video

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)
BATCHES = (["ada", "bob"], ["cem"], ["zoe"])
LIST = "start_date: 2024-01-01\nend_date: 2024-01-02\neach: {{usernames: [{}]}}\n"


def written(folder, names):
    (folder / "list.yaml").write_text(LIST.format(names))
    return folder / "list.yaml"


def store(connection, number, query_id):
    at = {"created_at": NOON, "updated_at": NOON, "begun_at": NOON}
    day = NOON.date()
    window = {"query_id": query_id, "start_date": day, "end_date": day, "state": "complete"}
    of_api = {"cursor": 0, "next_cursor": 1, "has_more": False, "max_count": 100}
    page = {"crawl_window_id": number, "query_id": query_id, "record_count": 1}
    connection.execute(insert(CrawlWindow).values(id=number, fields=["id"], **window, **at))
    connection.execute(insert(Crawl).values(id=number, received_at=NOON, **page, **of_api))
    connection.execute(insert(Video).values(id=number, crawled_at=NOON))
    connection.execute(insert(VIDEOS_TO_CRAWLS).values(video_id=number, crawl_id=number))


@pytest.fixture(scope="module")
def file(sqlite_template, tmp_path_factory):
    """A database in which each batch has found the video of its number."""
    folder = tmp_path_factory.mktemp("lists")
    shutil.copy(sqlite_template, folder / "lists.db")
    engine = database.create_engine_for(database.database_url(f"sqlite:///{folder / 'lists.db'}"))
    statements = statements_for(engine.dialect)
    collection = read_collection(written(folder, "ada, bob, cem, zoe"), today=NOON.date())
    with engine.begin() as connection:
        for number, values in enumerate(BATCHES, start=1):
            one = collection.for_values(values)
            query_id = register_collection(connection, statements, one, NOON)
            register_batch(connection, statements, query_id, one.batch)
            store(connection, number, query_id)
    engine.dispose()
    return folder / "lists.db"


@pytest.fixture(scope="module", params=["database", "export"])
def dataset(request, file):
    if request.param == "export":
        file = exported(f"sqlite:///{file}", file.parent / "out")
    with data.open(file) as opened:
        yield opened


@pytest.mark.parametrize(
    ("names", "found"), [("ada, cem, eve", [1, 2]), ("bob", [1]), ("zoe, cem", [2, 3])]
)
def test_videos_of_a_list_are_those_of_all_its_batches(dataset, tmp_path, names, found):
    videos = dataset.videos(query=written(tmp_path, names))
    assert sorted(videos.to_arrow().column("id").to_pylist()) == found


def test_a_list_of_which_nothing_was_collected_is_named(dataset, tmp_path):
    with pytest.raises(UsageError, match="nothing was collected with it yet; the queries"):
        dataset.videos(query=written(tmp_path, "eve"))
    (tmp_path / "list.yaml").write_text(LIST.format("ada") + "regions: [US]\n")
    with pytest.raises(UsageError, match="nothing was collected with it yet; the queries"):
        dataset.videos(query=tmp_path / "list.yaml")
