"""Where requests go and what they hold (api_facts.md 1, 3.1, 3.2 and 3.5)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from asked import QUERY, window_request

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.research_api.endpoints import DEFAULT_URL, TOKEN_PATH, VIDEO_QUERY, Pool

# The list of api_facts.md 3.1
DOCUMENTED_FIELDS = (
    "id, video_description, create_time, region_code, share_count, view_count, like_count, "
    "comment_count, music_id, hashtag_names, username, effect_ids, playlist_id, voice_to_text, "
    "is_stem_verified, favorites_count, video_duration, hashtag_info_list, sticker_info_list, "
    "effect_info_list, video_mention_list, video_label, video_tag"
)

FIRST = window_request()


def test_all_23_documented_fields_are_known():
    assert VIDEO_QUERY.fields == tuple(DOCUMENTED_FIELDS.split(", "))
    assert len(VIDEO_QUERY.fields) == 23


@pytest.mark.parametrize("base", [DEFAULT_URL, "https://open.tiktokapis.com/"])
def test_fields_are_asked_for_in_the_url(base):
    url = VIDEO_QUERY.url(base, ("id", "username"))

    assert url == "https://open.tiktokapis.com/v2/research/video/query/?fields=id,username"


def test_the_url_of_all_fields_names_each_once():
    url = urlsplit(VIDEO_QUERY.url(DEFAULT_URL, VIDEO_QUERY.fields))

    assert parse_qs(url.query) == {"fields": [",".join(VIDEO_QUERY.fields)]}


def test_tokens_are_got_beside_the_research_endpoints():
    assert TOKEN_PATH == "/v2/oauth/token/"


def test_a_search_draws_on_the_research_quota_with_pages_of_100():
    assert VIDEO_QUERY.pool is Pool.RESEARCH
    assert VIDEO_QUERY.max_count == 100
    assert VIDEO_QUERY.records_keys == ("videos",)


def test_a_first_page_is_asked_for_without_cursor_and_search_id():
    assert FIRST.body == {
        "query": QUERY.to_json(),
        "start_date": "20240101",
        "end_date": "20240131",
        "max_count": 100,
    }


def test_a_later_page_echoes_cursor_and_search_id_with_the_same_query_and_dates():
    later = window_request(cursor=100, search_id="7423432753447932974")

    assert later.body == FIRST.body | {
        "cursor": 100,
        "search_id": "7423432753447932974",
    }


def test_a_single_day_is_its_own_start_and_end():
    day = date(2024, 2, 29)
    body = window_request(DateRange(day, day)).body

    assert body["start_date"] == body["end_date"] == "20240229"


def test_a_search_that_starts_over_forgets_its_search_id():
    at = datetime(2024, 6, 1, tzinfo=UTC)
    lost = window_request(cursor=300, search_id="7", previous_page_at=at)

    assert lost.from_start().body == FIRST.body
