"""Faults, quotas, tokens and blemishes of what lists something, and a real socket."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

import pytest
from list_client import ListClient, listed, some_seeds
from sandbox_client import Client, Clock
from sandboxes import served_by_thread

from tiktok_crawler.research_api.endpoints import LISTINGS
from tiktok_crawler.research_api.paging import Paging
from tiktok_crawler.sandbox import Profile, Sandbox, load_profile
from tiktok_crawler.sandbox.faults.profile import DataBehaviour, ListBehaviour, QuotaBehaviour
from tiktok_crawler.sandbox.faults.schedule import FaultName, Requests, ScheduledFault

if TYPE_CHECKING:
    from collections.abc import Iterable

NAMES = sorted(LISTINGS)
PAGED = sorted(
    name
    for name, kind in LISTINGS.items()
    if kind.endpoint.paging not in (Paging.SINGLE, Paging.NUMBERED)
)
FOLLOW = ("followers", "following")
PLAIN = Sandbox(now=Clock())


@cache
def seed_of(listing: str) -> str:
    return some_seeds(PLAIN, listing, 1, at_least=1)[0]


def client(*faults: ScheduledFault, daily_quota: int | None = None, **parts: object) -> ListClient:
    profile = Profile(faults=faults, **parts)
    return ListClient(Sandbox(profile=profile, daily_quota=daily_quota, now=Clock()))


def statuses(asking: ListClient, *names: str) -> list[int]:
    return [asking.post(name, seed_of(name)).status for name in names]


def strike(name: FaultName, of: str) -> ScheduledFault:
    return ScheduledFault(fault=name, of=Requests(of), every=1)


def one_after_another(of: str, names: Iterable[FaultName]) -> list[ScheduledFault]:
    """The faults, each of one request, in their order: a sandbox takes longer than a request."""
    requests = enumerate(names, 1)
    return [ScheduledFault(fault=name, of=Requests(of), request=n) for n, name in requests]


@pytest.mark.slow
@pytest.mark.parametrize("listing", NAMES)
def test_a_fault_strikes_the_requests_that_it_names(listing):
    asking = client(ScheduledFault(fault=FaultName.INTERNAL_ERROR, of=Requests(listing), request=2))
    others = [name for name in NAMES if name != listing]
    assert statuses(asking, listing, *others, listing, listing) == [200] * 12 + [500, 200]


def test_research_are_all_requests_and_lists_those_that_are_no_searches():
    faults = (
        ScheduledFault(fault=FaultName.FORBIDDEN, of=Requests.RESEARCH, request=4),
        ScheduledFault(fault=FaultName.INTERNAL_ERROR, of=Requests.LISTS, request=2),
        ScheduledFault(fault=FaultName.GATEWAY_TIMEOUT, request=2),
    )
    asking = client(*faults)
    videos = Client(asking.sandbox)
    assert videos.search()[0] == 200
    assert statuses(asking, "users", "comments") == [200, 500]
    assert videos.search()[0] == 403
    assert videos.post({}).status == 400


def test_wrong_requests_count_as_well():
    asking = client(ScheduledFault(fault=FaultName.FORBIDDEN, of=Requests.COMMENTS, request=2))
    assert asking.post("comments", ...).status == 400
    assert statuses(asking, "comments") == [403]


STAND_IN = {
    FaultName.INTERNAL_ERROR: 500,
    FaultName.ERROR_IN_200: 200,
    FaultName.GATEWAY_TIMEOUT: 504,
    FaultName.HTML_PAGE: 200,
    FaultName.EMPTY_BODY: 200,
    FaultName.CONNECTION_RESET: 0,
    FaultName.SCOPE_NOT_AUTHORIZED: 401,
    FaultName.RATE_LIMITED: 429,
    FaultName.DAILY_QUOTA: 429,
}


@pytest.mark.parametrize("listing", NAMES)
def test_faults_stand_in_for_answers(listing):
    asking = client(*one_after_another(listing, STAND_IN))
    for fault, status in STAND_IN.items():
        answer = asking.post(listing, seed_of(listing))
        assert answer.status == status, fault
        assert b'"code":"ok"' not in answer.body, fault


@pytest.mark.parametrize("listing", NAMES)
def test_all_data_can_come_with_status_500(listing):
    asking = client(strike(FaultName.DATA_WITH_500, listing))
    status, body = asking.ask(listing, seed_of(listing))
    assert (status, body["error"]) == (500, {})
    assert body["data"] == ListClient(PLAIN).data(listing, seed_of(listing))


@pytest.mark.parametrize("listing", NAMES)
def test_data_can_be_missing(listing):
    asking = client(*one_after_another(listing, [FaultName.NO_DATA, FaultName.NULL_DATA]))
    for _ in range(2):
        _, body = asking.ask(listing, seed_of(listing))
        assert body.get("data") is None


@pytest.mark.parametrize("listing", NAMES)
def test_half_an_answer_is_no_json(listing):
    answer = client(strike(FaultName.TRUNCATED_JSON, listing)).post(listing, seed_of(listing))
    with pytest.raises(ValueError, match="line 1"):
        json.loads(answer.body)


WRONG = {
    FaultName.NO_HAS_MORE: ("has_more", ...),
    FaultName.NULL_HAS_MORE: ("has_more", None),
    FaultName.NO_CURSOR: ("cursor", ...),
    FaultName.REPEATED_CURSOR: ("cursor", 0),
}


@pytest.mark.parametrize("listing", PAGED)
def test_what_says_how_to_go_on_can_be_wrong(listing):
    asking = client(*one_after_another(listing, WRONG))
    for fault, (key, value) in WRONG.items():
        assert asking.data(listing, seed_of(listing)).get(key, ...) == value, fault


@pytest.mark.parametrize("kind", ["users", "comments", "lists"])
def test_a_search_cannot_be_lost_where_there_is_none(kind):
    with pytest.raises(ValueError, match=f"search_lost cannot happen to {kind}"):
        strike(FaultName.SEARCH_LOST, kind)


@pytest.mark.parametrize("listing", NAMES)
def test_every_endpoint_checks_the_token(listing):
    asking = client()
    asking.tokens.token = "clt.0.0.0"
    assert asking.problem(listing, seed_of(listing))[:2] == (401, "access_token_invalid")


def test_each_pool_has_a_quota_of_its_own():
    asking = client(daily_quota=2, quota=QuotaBehaviour(daily_follow=3))
    assert statuses(asking, *FOLLOW, *FOLLOW) == [200, 200, 200, 429]
    assert statuses(asking, "users", "comments", "shops") == [200, 200, 429]
    assert Client(asking.sandbox).search()[0] == 429
    spent = asking.sandbox.statistics()["quota_spent"]
    assert spent == {"research": 2, "follow": 3}


@pytest.mark.parametrize("listing", NAMES)
def test_a_request_draws_on_the_pool_of_its_endpoint(listing):
    asking = client()
    asking.post(listing, seed_of(listing))
    pool = "follow" if listing in FOLLOW else "research"
    assert asking.sandbox.statistics()["quota_spent"] == {pool: 1}


def test_each_pool_has_a_rate_of_its_own():
    asking = client(quota=QuotaBehaviour(per_second=1))
    assert statuses(asking, "users", "followers", "users", "following") == [200, 200, 429, 429]


VIDEOS = {"liked_videos", "pinned_videos", "reposted_videos"}
BLEMISHED = {
    "nul_characters": set(NAMES),
    "lone_surrogates": set(NAMES),
    "ids_as_strings": set(NAMES) - {"users", *FOLLOW, "reviews"},
    "unknown_fields": set(NAMES),
    "nulls": set(NAMES),
    "without_create_time": {"comments", "replies", "reviews", *VIDEOS},
    "without_id": {"comments", "replies", *VIDEOS},
}
FEW = ListBehaviour(followers=60, following=60, comments=60, private_likes=0)


@pytest.mark.parametrize("blemish", sorted(BLEMISHED))
@pytest.mark.parametrize("listing", NAMES)
def test_records_of_every_kind_can_be_blemished(listing, blemish):
    behaviour = DataBehaviour(lower_case_regions=0, **{blemish: 1.0})
    blemished = client(data=behaviour, lists=FEW).sandbox
    truth = unblemished_truth(listing).items()
    differ = any(plain != blemished.truth(listing, seed) for seed, plain in truth)
    assert differ == (listing in BLEMISHED[blemish])


@cache
def unblemished_truth(listing: str) -> dict[str, object]:
    """What some seeds list."""
    plain = client(data=DataBehaviour(lower_case_regions=0), lists=FEW).sandbox
    seeds = some_seeds(plain, listing, 10, at_least=1)
    return {seed: plain.truth(listing, seed) for seed in seeds}


@pytest.mark.parametrize("listing", NAMES)
def test_messy_answers_are_still_json_and_the_truth(listing):
    asking = ListClient(Sandbox(profile=load_profile("messy-data"), daily_quota=None, now=Clock()))
    for seed in some_seeds(asking.sandbox, listing, 3):
        seen = {json.dumps(record, sort_keys=True) for record in asking.records(listing, seed)}
        truth = asking.sandbox.truth(listing, seed)
        if listing == "playlists":
            truth = truth[0]["playlist_video_ids"]
        assert seen == {json.dumps(record, sort_keys=True) for record in truth}


def test_empty_lists_can_be_missing():
    asking = client(
        data=DataBehaviour(empty_lists_missing=True),
        lists=ListBehaviour(comments=0, products=0, reposted_videos=0),
    )
    for listing, data in (
        ("comments", {"cursor": 0, "has_more": False}),
        ("products", {}),
        ("reposted_videos", {"cursor": 0, "has_more": False}),
    ):
        assert asking.data(listing, some_seeds(asking.sandbox, listing, 1)[0]) == data


def test_on_a_bad_day_lists_fail_as_often_as_searches():
    asked = Sandbox(profile=load_profile("bad-day"), daily_quota=None, now=Clock())
    assert Client(asked).get_token().status == 500
    asking = ListClient(asked)
    failed = [answer != 200 for answer in statuses(asking, *["users"] * 300)]
    assert 0.15 < sum(failed) / 300 < 0.3


@pytest.mark.parametrize("listing", NAMES)
def test_lists_are_served_on_a_socket(listing):
    asked = Sandbox(now=Clock(), record=True)
    kind, token = LISTINGS[listing], ListClient(asked).tokens.token
    with served_by_thread(asked) as url:
        request = Request(  # noqa: S310 - the sandbox's own
            kind.endpoint.url(url, kind.endpoint.fields),
            json.dumps({str(kind.seed_key): seed_of(listing)}).encode(),
            {"Authorization": f"Bearer {token}"},
        )
        with urlopen(request, timeout=10) as response:  # noqa: S310 - likewise
            body = json.load(response)
    assert listed(body["data"]) == listed(ListClient(PLAIN).data(listing, seed_of(listing)))
    assert asked.requests[-1].path == kind.endpoint.path
