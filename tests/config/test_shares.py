"""Shares of a day's budget."""

from __future__ import annotations

import pytest
from crawling import project_settings as settings

from tiktok_crawler.config import Config
from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.research_api.endpoints import Pool


@pytest.mark.parametrize(
    ("written", "shares"),
    [
        (None, {}),
        ("", {}),
        ({}, {}),
        ("videos=0.7", {"videos": 0.7}),
        ("videos=0.7,comments=0.3", {"videos": 0.7, "comments": 0.3}),
        (" videos = 0.7 , comments = .3 ", {"videos": 0.7, "comments": 0.3}),
        ("users=0,replies=1", {"users": 0.0, "replies": 1.0}),
        ({"videos": "0.7", "liked_videos": 1}, {"videos": 0.7, "liked_videos": 1.0}),
    ],
)
def test_shares_are_text_or_a_mapping(written, shares):
    assert Config.of(settings(TIKTOK_SHARES=written)).shares == shares


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("video=0.7", "nothing is collected by the name 'video'; did you mean 'videos'?"),
        ("hashtags=0.7", "nothing is collected by the name 'hashtags'. Allowed are: videos, "),
        ({"video": 0.7}, "did you mean 'videos'?"),
        ({1: 0.7}, "nothing is collected by the name '1'"),
        ("videos=0.7,", "nothing is collected by the name ''"),
        ("videos", "videos= is no share from 0 to 1"),
        ("videos=", "videos= is no share from 0 to 1"),
        ("videos=70%", "videos=70% is no share from 0 to 1"),
        ("videos=1.01", "videos=1.01 is no share from 0 to 1"),
        ("videos=-0.1", "videos=-0.1 is no share from 0 to 1"),
        ("videos=nan", "videos=nan is no share from 0 to 1"),
        ("videos=inf", "videos=inf is no share from 0 to 1"),
        ({"videos": None}, "videos=None is no share from 0 to 1"),
        ({"videos": True}, "videos=True is no share from 0 to 1"),
        ("videos=0.7,videos=0.3", "videos stands there twice"),
        (["videos=0.7"], "write it as videos=0.7,comments=0.2"),
        (0.7, "write it as videos=0.7,comments=0.2"),
    ],
)
def test_what_is_no_share_is_refused_with_what_is_allowed(written, words):
    with pytest.raises(ConfigurationError) as raised:
        Config.of(settings(TIKTOK_SHARES=written))

    message = str(raised.value)
    assert message.startswith("TIKTOK_SHARES")
    assert words in message


@pytest.mark.parametrize(("part", "share"), [("videos", 0.7), ("replies", 0.0), ("users", None)])
def test_requests_are_booked_on_what_they_are_for(part, share):
    chosen = settings(TIKTOK_SANDBOX=True, TIKTOK_SHARES="videos=0.7,replies=0")

    account = Config.of(chosen, {}).quota_account(Pool.FOLLOW, part)

    assert (account.pool, account.part, account.share) == (Pool.FOLLOW, part, share)
