"""What `scrapy plan` says of a stage of listings."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from asked import seed_request

from tiktok_crawler.date_range import DateRange
from tiktok_crawler.planning.quota import DAILY_QUOTAS, Allowance
from tiktok_crawler.planning.seeds import (
    FirstSeeds,
    GivenSeeds,
    ProductsOfShops,
    RelatedUsers,
    RepliedComments,
    SeedsOfQuery,
    SeedsOfTag,
    ShopsByName,
    Stage,
    StagePlan,
)
from tiktok_crawler.planning.stage_forecast import NONE_COMING, Coming, forecast_stage
from tiktok_crawler.reports.stage_report import (
    PlannedStage,
    stage_as_json,
    stage_beginning,
    stage_lines,
)
from tiktok_crawler.research_api import endpoints
from tiktok_crawler.research_api.endpoints import LISTINGS, Listing
from tiktok_crawler.storage.stage_session import LOOKED_UP

DAYS = DateRange(date(2024, 1, 1), date(2024, 1, 31))


def plan_of(listing: Listing, due: int, **others: object) -> StagePlan:
    """A plan that asks for seeds 1, 2 and so on, of which it has the first requests."""
    numbers = range(min(due, LOOKED_UP))
    first = tuple(seed_request(listing, str(number + 1), number) for number in numbers)
    return StagePlan(due, first_requests=first, **others)


def planned(stage: Stage, plan: StagePlan, coming: Coming = NONE_COMING) -> PlannedStage:
    a_day = DAILY_QUOTAS[stage.pool]
    forecast = forecast_stage(stage, plan, coming)
    return PlannedStage(stage, plan, forecast, Allowance(a_day, a_day), date(2024, 5, 1), coming)


def report(plan: StagePlan, listing: Listing = endpoints.USERS) -> str:
    return "\n".join(stage_lines(planned(Stage(listing, GivenSeeds(("1",))), plan)))


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=list(LISTINGS))
def test_programs_get_the_first_request_as_it_would_be_sent(listing):
    plan = plan_of(listing, 1)

    found = stage_as_json(planned(Stage(listing, GivenSeeds(("1",))), plan))

    assert found["listing"] == listing.name
    assert found["request"]["url"].startswith(listing.endpoint.path)
    assert found["request"]["body"] == plan.first_requests[0].body
    assert found["forecast"]["least"] == found["due"] == 1


@pytest.mark.parametrize(
    ("listing", "due", "words"),
    [
        (endpoints.USERS, 1_000, ""),
        (endpoints.USERS, 1_741, "; at least 1,741 requests, the quota of 2 days (max_seeds "),
        (endpoints.FOLLOWERS, 1_741, ""),
        (
            endpoints.FOLLOWERS,
            45_000,
            "; at least 45,000 requests, the quota of 3 days (",
        ),
    ],
)
def test_what_takes_more_than_a_day_is_told_at_its_beginning(listing, due, words):
    plan = plan_of(listing, due)

    beginning = stage_beginning(Stage(listing, GivenSeeds(("1",))), plan)

    known = f"asking about {due:,} of {due:,} users; 0 are complete, 0 refused"
    assert beginning.startswith(f"{listing.words}: {known}{words}")
    assert ("quota" in beginning) == bool(words)


def test_seeds_are_counted_by_what_is_known_of_them():
    text = report(
        plan_of(endpoints.LIKED_VIDEOS, 2, complete=1200, refused=30, waiting=4),
        endpoints.LIKED_VIDEOS,
    )

    assert "Liked videos:" in text
    assert "1,236 users known now; 1,200 complete, 30 refused, 4 postponed, not due yet" in text
    assert "To ask for:    2 (1, 2)" in text


def test_where_no_seeds_are_known_it_says_where_they_were_looked_for():
    stage = Stage(endpoints.FOLLOWING, RelatedUsers(SeedsOfTag("tae", 5), endpoints.FOLLOWING))

    (line,) = stage_lines(planned(stage, StagePlan()))

    assert line == (
        "Following:     the database has none yet in stored following of users: "
        "stored videos with the tag 'tae' and at least 5 comments"
    )


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (GivenSeeds(("1", "2")), "2 that are named"),
        (SeedsOfTag("tea"), "stored videos with the tag 'tea'"),
        (SeedsOfQuery("f", DAYS), "stored videos of the query, 2024-01-01..2024-01-31"),
        (FirstSeeds(SeedsOfTag("tea"), 9), "stored videos with the tag 'tea'"),
        (
            RepliedComments(GivenSeeds(("1",))),
            "stored comments with replies, of videos: 1 that are named",
        ),
        (
            ProductsOfShops(ShopsByName(("Tea", "Co"))),
            "stored products of shops: stored shops by the name of 'Tea' or 'Co'",
        ),
    ],
)
def test_a_source_of_seeds_says_where_they_are_looked_for(source, words):
    assert str(source) == words


def test_of_many_seeds_the_first_are_named():
    text = report(plan_of(endpoints.USERS, LOOKED_UP + 1500))

    assert "To ask for:    1,520 (1, 2, 3" in text
    assert "20 and 1,500 more)" in text


def test_the_next_try_of_what_was_given_up_has_a_time():
    plan = StagePlan(waiting=4, next_retry_at=datetime(2024, 2, 3, 4, 5, tzinfo=UTC))

    assert "Postponed:     tried again by runs from 2024-02-03 04:05 UTC on" in report(plan)


def test_a_plan_that_asks_for_nothing_costs_nothing():
    text = report(StagePlan(complete=3))

    assert text.splitlines()[0] == "Users:         no requests: nothing is due"
    assert "quota" not in text


@pytest.mark.parametrize(
    ("listing", "plan", "words"),
    [
        (endpoints.COMMENTS, {"most_requests": 1234}, "2 to 1,234 requests: at most "),
        (endpoints.COMMENTS, {"most_requests": 2}, "2 requests: a small part of a day's quota; "),
        (
            endpoints.COMMENTS,
            {"most_requests": 15, "is_counted": True},
            "About 15 requests, 2 to 15: a fiftieth of a day's quota; done today",
        ),
        (
            endpoints.COMMENTS,
            {"most_requests": 20, "usual_requests": 4.5},
            "About 9 requests, 2 to 20: ",
        ),
        (
            endpoints.FOLLOWING,
            {},
            (
                "At least 2 requests: a small part of a day's quota or more; how many at most is "
                "not known: max_per_user=1,000 would make it at most 20"
            ),
        ),
        (
            endpoints.FOLLOWING,
            {"usual_requests": 30},
            "About 60 requests, at least 2: a small part of a day's quota; how many at most ",
        ),
        (
            endpoints.PLAYLISTS,
            {},
            "At least 2 requests: a small part of a day's quota or more; how ",
        ),
    ],
)
def test_a_stage_costs_what_the_database_knows_of_its_seeds(listing, plan, words):
    text = report(plan_of(listing, 2, **plan), listing)

    assert (
        text.splitlines()[0]
        .removeprefix(f"{listing.words.capitalize()}:")
        .lstrip()
        .startswith(words)
    )


@pytest.mark.parametrize(
    ("listing", "seeds", "words"),
    [
        (endpoints.USERS, 500, "500 requests: half of a day's quota; done today"),
        (endpoints.FOLLOWERS, 500, "500 requests: a fiftieth of a day's quota; done today"),
        (endpoints.USERS, 1_234_000, "1,234,000 requests: 1,234 days' quota; done on 2027-09-16"),
    ],
)
def test_the_cost_is_in_days_of_the_quota_that_is_drawn_on(listing, seeds, words):
    assert words in report(plan_of(listing, seeds, most_requests=seeds), listing)


def test_seeds_that_are_still_to_come_are_counted_in():
    stage = Stage(endpoints.REPLIES, RepliedComments(SeedsOfTag("tea")), limit=200)

    lines = list(stage_lines(planned(stage, StagePlan(most_requests=0), Coming(1000, None))))

    assert lines == [
        (
            "Replies:       0 to 2,000 requests: at most 2 days' quota; done today at the "
            "earliest, tomorrow at the latest"
        ),
        "               of these, some are for comments that are still to come",
    ]


def test_names_of_seeds_steer_no_terminal():
    first = seed_request(endpoints.USERS, "ann\x1b[2J\nbob")
    stage = Stage(endpoints.USERS, SeedsOfTag("tea"))

    lines = list(stage_lines(planned(stage, StagePlan(1, first_requests=(first,)))))

    assert "To ask for:    1 (ann�[2J�bob)" in lines
    assert str(first) == "users of username ann�[2J�bob"


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (StagePlan(), "users: nothing to ask for: the database has none in stored videos with "),
        (StagePlan(0, 2, 1), "users: nothing to ask for: of 3 users 2 are complete, 1 refused"),
        (
            plan_of(endpoints.USERS, 1, complete=2),
            "users: asking about 1 of 3 users; 2 are complete, 0 refused",
        ),
        (
            plan_of(
                endpoints.USERS,
                1,
                waiting=2,
                next_retry_at=datetime(2024, 1, 2, 3, 4, tzinfo=UTC),
            ),
            "0 refused, 2 postponed, not due before 2024-01-02 03:04 UTC",
        ),
    ],
)
def test_a_run_says_what_it_is_about_to_ask_for(plan, words):
    assert words in stage_beginning(Stage(endpoints.USERS, SeedsOfTag("tea")), plan)
