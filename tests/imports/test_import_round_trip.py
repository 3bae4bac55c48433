"""What our own feeds say comes into an empty database as it was in the first one."""

from __future__ import annotations

import shutil
from itertools import count

import pytest
from asked import seed_request, window_request
from hypothesis import given, settings
from hypothesis import strategies as st
from imported import COLLECTED, import_into, names_of, table
from json_values import JSON
from listed_pages import store_list
from marathon import times
from scrapy.exporters import JsonLinesItemExporter
from stored_pages import Search

from tiktok_crawler.exporters import CsvRecordExporter
from tiktok_crawler.items import feed_items
from tiktok_crawler.research_api.endpoints import COMMENTS, USERS
from tiktok_crawler.research_api.pages import Page

pytestmark = pytest.mark.slow

IDS = st.integers(1, 2**63 - 1)
COUNTS = st.integers(-(2**63) + 1, 2**63 - 1)
TIMES = st.integers(1, 2**32 - 1)
WORDS = st.text(min_size=1, max_size=20)
DOCUMENTS = st.lists(st.dictionaries(WORDS, WORDS | COUNTS, max_size=3), max_size=3)
WITHOUT_FLOATS = st.none() | st.booleans() | st.integers() | st.lists(st.text(), max_size=2)

VIDEO_FIELDS = {
    "create_time": TIMES, "username": WORDS, "region_code": WORDS, "video_description": WORDS,
    "music_id": IDS, "like_count": COUNTS, "view_count": COUNTS, "voice_to_text": WORDS,
    "is_stem_verified": st.booleans(), "hashtag_names": st.lists(WORDS, max_size=3),
    "effect_ids": st.lists(WORDS, max_size=2), "video_mention_list": st.lists(WORDS, max_size=2),
    "hashtag_info_list": DOCUMENTS, "video_tag": st.dictionaries(WORDS, WORDS, max_size=2),
    "novel": JSON.filter(lambda value: value is not None),
}  # fmt: skip
MISFITS = {
    "like_count": COUNTS | WITHOUT_FLOATS, "video_description": WORDS | st.just("") | JSON,
    "hashtag_names": st.lists(WORDS | WITHOUT_FLOATS, max_size=3) | JSON, "video_label": JSON,
}  # fmt: skip
VIDEOS = st.fixed_dictionaries({"id": IDS}, optional=VIDEO_FIELDS)
ODD_VIDEOS = st.fixed_dictionaries({"id": IDS}, optional=VIDEO_FIELDS | MISFITS)
COMMENT_RECORDS = st.fixed_dictionaries(
    {"id": IDS, "text": WORDS},
    optional={"video_id": IDS, "parent_comment_id": IDS, "like_count": COUNTS,
              "reply_count": COUNTS, "create_time": TIMES, "display_name": WORDS},
)  # fmt: skip
PROFILES = st.fixed_dictionaries(
    {"follower_count": COUNTS},
    optional={"display_name": WORDS, "bio_description": WORDS, "is_verified": st.booleans(),
              "avatar_url": WORDS, "bio_url": WORDS, "likes_count": COUNTS},
)  # fmt: skip
FIRST = {"id": 1, "view_count": 1, "username": "ann"}
"""By which the file is known for one of videos, whatever the others lack."""

EXPORTERS = {"jsonl": JsonLinesItemExporter, "csv": CsvRecordExporter}
ENDINGS = st.sampled_from([*EXPORTERS])


@pytest.fixture(scope="module")
def place(sqlite_template, tmp_path_factory):
    return Place(sqlite_template, tmp_path_factory.mktemp("feeds"))


class Place:
    """A folder for feeds, and for databases that have their tables."""

    def __init__(self, template, folder):
        self.template, self.folder, self.numbers = template, folder, count()

    def new_url(self):
        path = self.folder / f"{next(self.numbers)}.db"
        shutil.copy(self.template, path)
        return f"sqlite:///{path}"

    def feed(self, request, records, ending):
        """Write the records as a crawl writes its feed."""
        answer = Page(
            request, tuple(records), 0, None, has_more=False, log_id=None, received_at=COLLECTED
        )
        path = self.folder / f"feed.{ending}"
        with path.open("wb") as file:
            exporter = EXPORTERS[ending](file)
            exporter.start_exporting()
            for item in feed_items(answer):
                exporter.export_item(item)
            exporter.finish_exporting()
        return path


def known(url, name):
    """The rows of a table but for which page brought them."""
    return [{key: v for key, v in row.items() if key != "crawl_id"} for row in table(url, name)]


def of_videos(url):
    statistics = [
        {key: value for key, value in row.items() if key != "crawl_id"}
        for row in table(url, "video_statistics")
    ]
    return (
        known(url, "video"),
        names_of(url, "videos_to_hashtags", "hashtag", "name"),
        names_of(url, "videos_to_effect_ids", "effect", "effect_id"),
        statistics,
    )


def check_videos(place, records, ending):
    first, second = place.new_url(), place.new_url()
    with Search(first, now=COLLECTED) as run:
        run.store(run.book(run.first(), COLLECTED), *records, received_at=COLLECTED)
    file = place.feed(window_request(), records, ending)

    import_into(second, file)

    assert of_videos(second) == of_videos(first)


@settings(deadline=None, max_examples=times(1) // 2)
@given(records=st.lists(ODD_VIDEOS, max_size=12))
def test_a_feed_of_videos_as_json_lines(place, records):
    check_videos(place, [FIRST, *records], "jsonl")


@settings(deadline=None, max_examples=times(1) // 2)
@given(records=st.lists(VIDEOS, max_size=12))
def test_a_feed_of_videos_as_csv(place, records):
    check_videos(place, [FIRST, *records], "csv")


@settings(deadline=None, max_examples=times(1) // 2)
@given(
    records=st.lists(COMMENT_RECORDS, min_size=1, max_size=8), ending=st.sampled_from([*EXPORTERS])
)
def test_a_feed_of_comments(place, records, ending):
    records = [{"video_id": 7} | record for record in records]
    first, second = place.new_url(), place.new_url()
    store_list(first, COMMENTS, "7", *records, now=COLLECTED)
    file = place.feed(seed_request(COMMENTS, "7"), records, ending)

    (stored_at,) = {row["crawled_at"] for row in table(first, "comment")}
    import_into(second, file, collected_at=stored_at)

    assert known(second, "comment") == known(first, "comment")


@settings(deadline=None, max_examples=times(1) // 2)
@given(record=PROFILES, ending=ENDINGS)
def test_a_feed_of_profiles(place, record, ending):
    first, second = place.new_url(), place.new_url()
    store_list(first, USERS, "ann", record, now=COLLECTED)
    file = place.feed(seed_request(USERS, "ann"), [record], ending)

    (stored_at,) = {row["last_seen_at"] for row in table(first, "user_info")}
    import_into(second, file, collected_at=stored_at)

    assert known(second, "user_info") == known(first, "user_info")
