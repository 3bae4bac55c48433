from __future__ import annotations

from datetime import date, timedelta

import pytest
from list_client import ListClient, sandbox, some_seeds
from sandbox_client import EVERYTHING

from tiktok_crawler.sandbox import Profile, Sandbox
from tiktok_crawler.sandbox.faults.profile import DataBehaviour
from tiktok_crawler.sandbox.world.playlist_ids import PERIOD_DAYS, find_playlist

pytestmark = pytest.mark.slow

SHARED = sandbox()


def test_a_video_leads_to_a_playlist_that_has_it_and_others_of_its_account():
    day = date(2024, 1, 10)
    found = [video for video in SHARED.matches(EVERYTHING, day, day) if "playlist_id" in video]
    assert found
    sizes = []
    for video in found:
        [playlist] = SHARED.truth("playlists", str(video["playlist_id"]))
        assert playlist["playlist_id"] == video["playlist_id"]
        assert video["id"] in playlist["playlist_video_ids"]
        sizes.append(len(playlist["playlist_video_ids"]))
    assert max(sizes) > 1


def test_all_its_videos_are_of_one_account_and_of_28_days():
    seed = some_seeds(SHARED, "playlists", 1, at_least=10)[0]
    [playlist] = SHARED.truth("playlists", seed)
    start = date(1970, 1, 1) + timedelta(days=find_playlist(1, int(seed)).period * PERIOD_DAYS)
    matches = SHARED.matches(EVERYTHING, start, start + timedelta(days=PERIOD_DAYS - 1))
    own = [video for video in matches if video["id"] in set(playlist["playlist_video_ids"])]
    assert len(own) == len(playlist["playlist_video_ids"])
    assert len({video["username"] for video in own}) == 1
    assert 0 < sum("playlist_id" in video for video in own) < len(own)


def test_a_playlist_has_the_shape_of_the_api_and_pages_by_index():
    seed = some_seeds(SHARED, "playlists", 1, at_least=10)[0]
    pages = ListClient(SHARED).pages("playlists", seed, max_count=3)
    assert len(pages) > 3
    for page in pages:
        assert page.keys() | {"playlist_name"} == {
            "playlist_id",
            "playlist_item_total",
            "playlist_last_updated",
            "playlist_name",
            "playlist_video_ids",
            "cursor",
            "has_more",
        }
    assert [page["cursor"] for page in pages[:3]] == [3, 6, 9]
    assert pages[-1]["cursor"] == pages[-1]["playlist_item_total"]


def test_hidden_videos_count_and_do_not_come():
    asked = Sandbox(profile=Profile(data=DataBehaviour(hidden=0.4)), daily_quota=None)
    seed = some_seeds(asked, "playlists", 1, at_least=10)[0]
    [playlist] = asked.truth("playlists", seed)
    assert len(playlist["playlist_video_ids"]) < playlist["playlist_item_total"]


def test_ids_lead_to_one_playlist_each():
    seeds = some_seeds(SHARED, "playlists", 20)
    assert len(set(seeds)) == 20
    for seed in seeds:
        assert len(seed) == 19
        assert find_playlist(1, int(seed) + 1) is None
        assert find_playlist(2, int(seed)) is None
