"""The sentence that says what a plan costs."""

from __future__ import annotations

from datetime import date

import pytest
from crawling import project_settings

from tiktok_crawler.config import Config
from tiktok_crawler.planning.forecast import Forecast
from tiktok_crawler.planning.quota import Allowance, QuotaAccount
from tiktok_crawler.reports.forecast_report import allowance_of, cost
from tiktok_crawler.research_api.endpoints import Pool
from tiktok_crawler.storage.ledger.quota import Spent

TODAY = date(2024, 5, 1)
WHOLE = Allowance(1000, 1000)


@pytest.mark.parametrize(
    ("forecast", "allowance", "words"),
    [
        (
            Forecast(260, 340, 450),
            WHOLE,
            "About 340 requests, 260 to 450: a third of a day's quota; done today",
        ),
        (Forecast(3, 3, 3), WHOLE, "3 requests: a small part of a day's quota; done today"),
        (Forecast(1, 1, 1), WHOLE, "1 request: a small part of a day's quota; done today"),
        (
            Forecast(260, 340, 450),
            Allowance(1000, 300),
            (
                "About 340 requests, 260 to 450: a third of a day's quota; done today at the "
                "earliest, tomorrow at the latest"
            ),
        ),
        (
            Forecast(2500, 3400, 3900),
            Allowance(1000, 0),
            (
                "About 3,400 requests, 2,500 to 3,900: 3.4 days' quota; done on 2024-05-04 at the "
                "earliest, on 2024-05-05 at the latest"
            ),
        ),
        (
            Forecast(900, 1000, 1000),
            WHOLE,
            "About 1,000 requests, 900 to 1,000: all of a day's quota; done today",
        ),
        (
            Forecast(10, None, 84),
            WHOLE,
            "10 to 84 requests: at most a tenth of a day's quota; done today",
        ),
        (
            Forecast(1, None, None),
            WHOLE,
            "At least 1 request: a small part of a day's quota or more",
        ),
        (
            Forecast(10, None, None),
            WHOLE,
            "At least 10 requests: a hundredth of a day's quota or more",
        ),
        (
            Forecast(10, 35, None),
            WHOLE,
            "About 35 requests, at least 10: a twentieth of a day's quota",
        ),
    ],
)
def test_a_sentence_says_how_many_requests_and_when_it_is_done(forecast, allowance, words):
    assert cost(forecast, allowance, TODAY) == words


@pytest.mark.parametrize(
    ("settings", "spent", "allowance"),
    [
        ({}, [], WHOLE),
        ({}, [Spent("a", Pool.RESEARCH, 300), Spent("b", Pool.RESEARCH, 400)], (1000, 600)),
        ({}, [Spent("a", Pool.RESEARCH, 10, is_used_up=True)], (1000, 0)),
        ({}, [Spent("a", Pool.FOLLOW, 700)], WHOLE),
        ({"TIKTOK_DAILY_BUDGET": 500}, [Spent("a", Pool.RESEARCH, 600)], (500, 0)),
        (
            {"TIKTOK_SHARES": "videos=0.3"},
            [Spent("a", Pool.RESEARCH, 500, parts={"videos": 100, "users": 400})],
            (300, 200),
        ),
    ],
)
def test_what_may_be_sent_is_what_settings_leave_and_nobody_has_spent(settings, spent, allowance):
    config = Config.of(project_settings(**settings), {})
    expected = allowance if isinstance(allowance, Allowance) else Allowance(*allowance)
    assert allowance_of(config, Pool.RESEARCH, "videos", spent) == expected


def test_what_has_no_share_is_never_done():
    nothing = Allowance.of(QuotaAccount("", Pool.RESEARCH, share=0.0), 0, 0)
    assert cost(Forecast(5, 5, 5), nothing, TODAY).endswith(
        "never done: nothing may be sent (TIKTOK_SHARES)"
    )
