from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import pairwise

import pytest
from sandbox_client import EVERYTHING

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.sandbox import Sandbox
from tiktok_crawler.sandbox.faults.profile import DataBehaviour, HiddenHours
from tiktok_crawler.sandbox.world.corpus import INT32_MAX, Corpus
from tiktok_crawler.sandbox.world.vocabulary import ADJECTIVES, COUNTRIES, HASHTAGS, NOUNS

DAY = date(2024, 2, 29)


def corpus(*, seed: int = 1, videos_per_day: int = 2_000, **behaviour: float) -> Corpus:
    return Corpus(seed=seed, videos_per_day=videos_per_day, behaviour=DataBehaviour(**behaviour))


def test_the_same_seed_gives_the_same_videos_in_whatever_order_days_are_asked_for():
    one, other = corpus(), corpus()
    later_first = other.videos_of_day(DAY + timedelta(days=1))
    assert one.videos_of_day(DAY) == other.videos_of_day(DAY)
    assert one.videos_of_day(DAY + timedelta(days=1)) == later_first


def test_another_seed_gives_other_videos():
    ids = {video.id for video in corpus(seed=1).videos_of_day(DAY)}
    assert ids.isdisjoint(video.id for video in corpus(seed=2).videos_of_day(DAY))


def test_a_day_has_its_number_of_videos_all_created_on_it():
    videos = corpus().videos_of_day(DAY)
    assert len(videos) == 2_000
    assert {datetime.fromtimestamp(video.create_time, UTC).date() for video in videos} == {DAY}


def test_hashtags_and_regions_are_those_of_the_vocabulary():
    videos = corpus().videos_of_day(DAY)
    rare = {f"{adjective}{noun}" for adjective in ADJECTIVES for noun in NOUNS}
    used = Counter(name for video in videos for name in video.hashtag_names)
    assert used.keys() <= {*HASHTAGS, *rare}
    assert used["fyp"] > used["viral"] > used["garden"]
    assert {video.account.region_code for video in videos} <= {code for code, _, _ in COUNTRIES}


def test_without_a_profile_the_videos_are_those_of_all_versions():
    records = Sandbox(videos_per_day=200).matches(EVERYTHING, date(2024, 2, 28), date(2024, 3, 1))
    digest = sha256(json.dumps(records).encode()).hexdigest()
    assert (len(records), digest[:16]) == (553, "bc099011b77d62a4")


def test_a_weekly_rhythm_is_highest_on_wednesdays_and_lowest_on_weekends():
    rhythmic = corpus(videos_per_day=100, weekly_rhythm=0.3)
    monday = date(2024, 2, 26)
    numbers = [len(rhythmic.videos_of_day(monday + timedelta(days=n))) for n in range(7)]
    assert numbers == [93, 119, 130, 119, 93, 73, 73]


@pytest.mark.slow
def test_a_trend_rises_for_90_days_and_falls_for_90():
    season = corpus(videos_per_day=100, trend=4)
    numbers = [len(season.videos_of_day(DAY + timedelta(days=n))) for n in range(361)]
    assert (min(numbers), max(numbers)) == (50, 200)
    assert numbers[:181] == numbers[180:]
    lowest, highest = numbers.index(50), numbers.index(200)
    assert abs(highest - lowest) == 90
    assert all(abs(one - other) <= 4 for one, other in pairwise(numbers))


def test_ids_fall_and_are_made_20_to_40_seconds_before_the_video():
    videos = corpus().videos_of_day(DAY)
    ids = [video.id for video in videos]
    assert ids == sorted(ids, reverse=True)
    assert {video.create_time - (video.id >> 32) for video in videos} == set(range(20, 41))
    assert all(2**62 < number < 2**63 for number in ids)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.0, 1.0])
def test_ids_are_unique_over_months(share):
    many = corpus(videos_per_day=300, old_ids=share)
    ids = [video.id for n in range(100) for video in many.videos_of_day(DAY + timedelta(days=n))]
    assert len(set(ids)) == 30_000


def test_old_ids_are_made_days_before_the_video():
    videos = corpus(old_ids=0.3, old_id_days=5).videos_of_day(DAY)
    ages = [video.create_time - (video.id >> 32) for video in videos]
    old = [age for age in ages if age > 40]
    assert 500 < len(old) < 700
    assert max(ages) <= 5 * 86_400 + 40


def test_nothing_was_posted_before_there_was_anything_to_post_to():
    assert corpus().videos_of_day(date(2016, 8, 31)) == ()
    assert len(corpus().videos_of_day(date(2016, 9, 1))) == 2_000


def test_hashtags_are_skewed_and_some_are_rare():
    counts = Counter(name for video in corpus().videos_of_day(DAY) for name in video.hashtag_names)
    assert counts["fyp"] > 200
    assert {"butter", "cheese"} <= {name for name, _ in counts.most_common(12)}
    assert sum(count == 1 for count in counts.values()) > 50


def test_captions_are_in_many_scripts():
    text = " ".join(video.video_description for video in corpus().videos_of_day(DAY))
    assert all(word in text for word in ("butter", "été", "חמאה", "خبز", "チーズ", "😀"))
    assert any(not video.video_description for video in corpus().videos_of_day(DAY))


def test_hashtags_are_lower_case_as_conditions_compare_them():
    names = {name for video in corpus().videos_of_day(DAY) for name in video.hashtag_names}
    assert names == {name.lower() for name in names}


def test_some_counters_are_beyond_32_bits():
    views = [
        video.view_count
        for n in range(5)
        for video in corpus().videos_of_day(DAY + timedelta(days=n))
    ]
    assert any(count > INT32_MAX for count in views)
    assert all(count >= 0 for count in views)


def test_hidden_videos_are_a_share_of_all():
    hidden = sum(video.hidden for video in corpus(hidden=0.35).videos_of_day(DAY))
    assert 600 < hidden < 800


def test_hidden_hours_hide_whole_stretches():
    stretches = HiddenHours(every=24, hours=6)
    videos = corpus(hidden=0, hidden_hours=stretches).videos_of_day(DAY)
    for video in videos:
        assert video.hidden == (datetime.fromtimestamp(video.create_time, UTC).hour < 6)


def test_hiding_changes_nothing_else():
    plain, hiding = corpus().videos_of_day(DAY), corpus(hidden=0.5).videos_of_day(DAY)
    assert [video[:-1] for video in plain] == [video[:-1] for video in hiding]


def test_videos_appear_within_48_hours():
    waits = [video.appears_at - video.create_time for video in corpus().videos_of_day(DAY)]
    assert min(waits) < 3_600
    assert 47 * 3_600 < max(waits) <= 48 * 3_600


def test_the_lag_can_be_switched_off():
    videos = corpus(appear_within_hours=0).videos_of_day(DAY)
    assert all(video.appears_at == video.create_time for video in videos)


@pytest.mark.parametrize("number", [0, -1, 2**20 + 1])
def test_impossible_numbers_of_videos_are_refused(number):
    with pytest.raises(ConfigurationError, match=f"1 to 1048576 videos a day, not {number}"):
        corpus(videos_per_day=number)
