from __future__ import annotations

from datetime import date

import pytest

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.sandbox import Profile, load_profile, shipped_profiles
from tiktok_crawler.sandbox.faults.profile import (
    Category,
    ComplianceBehaviour,
    DataBehaviour,
    HiddenHours,
    KeywordForm,
    Latency,
    ListBehaviour,
    QuotaBehaviour,
    SearchBehaviour,
    TokenBehaviour,
    Turnover,
)
from tiktok_crawler.sandbox.faults.profile_file import parse_profile
from tiktok_crawler.sandbox.faults.schedule import FaultName, Requests, ScheduledFault

EVERY_KIND = """
description: one of everything
seed: 7
faults:
  - {fault: hang, every: 30, seconds: 1.5}
  - {fault: rate_limited, of: later_pages, requests: [5, 9], retry_after: 2}
  - {fault: data_with_500, of: playlists, every: 1}
searches:
  refuse_new_ids: 2
  expire_after_seconds: 600
  silent_days: [2024-01-05, 2024-02-29]
  silent_share: 0.1
  silent_tries: 1
  keyword_forms: [IN]
  refused_values: [ada, '71']
data:
  hidden: 0.35
  hidden_hours: {every: 24, hours: 6}
  empty_lists_missing: true
  weekly_rhythm: 0.3
  trend: 2.5
  turnover: {on: 2024-03-01, videos: 0.03, growth: 2}
lists: {comments: 250, comment_cap: 200, cap_refuses: true, private_likes: 0.5}
compliance: {processing_polls: 2, processing_seconds: 1.5, refused_categories: [comment]}
tokens: {lives_requests: 40, error_status: 401}
quota: {daily: 25, daily_follow: 50, day_seconds: 60}
latency: {seconds: 0.8, up_to: 3}
"""


def test_a_file_says_all_that_a_profile_can():
    assert parse_profile(EVERY_KIND, "x") == Profile(
        description="one of everything",
        seed=7,
        faults=(
            ScheduledFault(fault=FaultName.HANG, every=30, seconds=1.5),
            ScheduledFault(
                fault=FaultName.RATE_LIMITED,
                of=Requests.LATER_PAGES,
                requests=(5, 9),
                retry_after=2,
            ),
            ScheduledFault(fault=FaultName.DATA_WITH_500, of=Requests.PLAYLISTS, every=1),
        ),
        searches=SearchBehaviour(
            refuse_new_ids=2,
            expire_after_seconds=600,
            silent_days=(date(2024, 1, 5), date(2024, 2, 29)),
            silent_share=0.1,
            silent_tries=1,
            keyword_forms=(KeywordForm.IN,),
            refused_values=("ada", "71"),
        ),
        data=DataBehaviour(
            hidden=0.35,
            hidden_hours=HiddenHours(every=24, hours=6),
            empty_lists_missing=True,
            weekly_rhythm=0.3,
            trend=2.5,
            turnover=Turnover(on=date(2024, 3, 1), videos=0.03, growth=2),
        ),
        lists=ListBehaviour(comments=250, comment_cap=200, cap_refuses=True, private_likes=0.5),
        compliance=ComplianceBehaviour(
            processing_polls=2, processing_seconds=1.5, refused_categories=(Category.COMMENT,)
        ),
        tokens=TokenBehaviour(lives_requests=40, error_status=401),
        quota=QuotaBehaviour(daily=25, daily_follow=50, day_seconds=60),
        latency=Latency(seconds=0.8, up_to=3),
    )


@pytest.mark.parametrize("text", ["", "# nothing", "{}", "faults: []"])
def test_an_empty_profile_is_a_good_day(text):
    assert parse_profile(text, "x") == Profile()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: 1\nseed: 2", "2:1: seed: stands twice, the first time in line 1"),
        ("{a: 1, [b]: 2}", "1:8: a list or keys with values cannot be a key"),
        ("{", "is not valid YAML"),
        ("data: " + "[" * 5_000, "lists or keys inside one another"),
        ("data: " + "{a: " * 50, "lists or keys inside one another"),
        ("seed: !!python/object/apply:os.abort 7", "1:7: tags"),
    ],
)
def test_what_is_no_simple_yaml_is_told_with_its_place(text, message):
    with pytest.raises(ConfigurationError) as told:
        parse_profile(text, "mine.yaml")
    assert str(told.value).startswith("mine.yaml:")
    assert message in str(told.value)


def test_every_shipped_profile_can_be_loaded_and_says_what_it_is():
    assert {
        "none",
        "bad-day",
        "search-ids",
        "quota",
        "messy-data",
        "slow",
        "old-ids",
        "removals",
        "heavy-windows",
        "changing",
        "compliance-faulty",
        "compliance-slow",
        "a-month-later",
        "empty-groups",
        "keywords-as-in",
        "silent-days",
        "keywords-as-eq",
    } == set(shipped_profiles())
    profiles = [load_profile(name) for name in shipped_profiles()]
    assert all(profile.description for profile in profiles)
    assert len(set(profiles)) == len(profiles)


def test_none_is_the_default():
    loaded = load_profile("none")
    assert loaded == Profile(description=loaded.description)


def test_a_profile_of_the_users_own(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(EVERY_KIND, encoding="utf-8")
    assert load_profile(str(file)) == parse_profile(EVERY_KIND, "x")


def test_a_missing_profile_is_told_with_those_that_exist(tmp_path):
    with pytest.raises(ConfigurationError) as told:
        load_profile(str(tmp_path / "bad-dya.yaml"))
    assert "bad-dya.yaml" in str(told.value)
    assert "No such file" in str(told.value)
    assert ", ".join(shipped_profiles()) in str(told.value)


@pytest.mark.parametrize("name", ["..", "\0"])
def test_what_cannot_be_a_file_is_told(name):
    with pytest.raises(ConfigurationError, match="sandbox profile"):
        load_profile(name)


def test_binary_data_is_told(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="not UTF-8 text"):
        load_profile(str(file))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dat: {}", "dat: 'dat' is unknown; did you mean data? Possible: description, seed,"),
        ("data: {hiden: 1}", "data.hiden: 'hiden' is unknown; did you mean hidden?"),
        ("data: {zzz: 1}", "data.zzz: 'zzz' is unknown; Possible: appear_within_hours,"),
        ("data: {hidden: 3}", "data: hidden must be between 0 and 1, not 3.0"),
        ("data: {old_ids: nan}", "data: old_ids must be between 0 and 1, not nan"),
        ("data: {old_id_days: 31}", "data: old_id_days must be 1 to 30, not 31"),
        ("data: {hidden: many}", "data.hidden must be a number, not 'many'"),
        ("data: {hidden: [1]}", "data.hidden takes a single value"),
        ("data: {hidden: }", "data.hidden must be a number, not ''"),
        ("data: {hidden_hours: 6}", "data.hidden_hours must hold keys and values"),
        ("data: {hidden_hours: {every: 6}}", "data.hidden_hours: hours is missing"),
        ("data: {hidden_hours: {every: 6, hours: 7}}", "7 of every 6 hours is impossible"),
        ("data: {empty_lists_missing: yes}", "'yes' is unknown; Possible: true, false"),
        ("searches: {silent_days: [5]}", "silent_days[1] must be a day such as 2024-01-31, not"),
        ("searches: {silent_days: [2024-02-30]}", "must be a day such as 2024-01-31, not '2024-02"),
        ("searches: {silent_share: 2}", "searches: silent_share must be between 0 and 1, not 2.0"),
        ("searches: {silent_tries: -1}", "searches: silent_tries must be at least 0, not -1"),
        ("data: {weekly_rhythm: 1.1}", "data: weekly_rhythm must be between 0 and 1, not 1.1"),
        ("data: {trend: 0.5}", "data: trend must be 1 to 10, not 0.5"),
        ("searches: {keyword_forms: IN}", "searches.keyword_forms takes a list"),
        ("searches: {keyword_forms: [in]}", "keyword_forms[1]: 'in' is unknown; Possible: EQ, IN"),
        ("searches: {lost_at_page: 1.5}", "must be a whole number, not '1.5'"),
        ("lists: {comment: 3}", "lists.comment: 'comment' is unknown; did you mean comments?"),
        ("lists: {deleted: 2}", "lists: deleted must be between 0 and 1, not 2.0"),
        ("lists: {followers: -1}", "lists: followers must be at least 0, not -1"),
        ("faults: [{fault: hang, of: user, every: 3}]", "'user' is unknown; did you mean users?"),
        (
            "faults: [{fault: search_lost, of: users, every: 3}]",
            "faults[1]: search_lost cannot happen to users: they have no search",
        ),
        ("quota: {day_seconds: 0}", "quota: day_seconds must be at least 1, not 0"),
        ("faults: hang", "faults takes a list"),
        ("faults: [hang]", "faults[1] must hold keys and values"),
        ("faults: [{every: 3}]", "faults[1]: fault is missing"),
        ("faults: [{fault: hang}]", "faults[1]: give exactly one of request, requests, every"),
        ("faults: [{fault: hang, request: 1, every: 2}]", "give exactly one of request"),
        ("faults: [{fault: hang, every: 0}]", "every must be at least 1, not 0"),
        ("faults: [{fault: hang, rate: 1.5}]", "rate must be between 0 and 1, not 1.5"),
        ("faults: [{fault: hnag, every: 3}]", "faults[1].fault: 'hnag' is unknown; did you mean"),
        ("faults: [{fault: hang, requests: [1]}]", "faults[1].requests takes a list of 2 values"),
        ("- none", "the file must hold keys and values"),
    ],
)
def test_mistakes_are_told_with_their_place(text, message):
    with pytest.raises(ConfigurationError) as told:
        parse_profile(text, "mine.yaml")
    assert str(told.value).startswith("sandbox profile 'mine.yaml': ")
    assert message in str(told.value)
