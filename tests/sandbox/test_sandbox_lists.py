"""What all endpoints that list something have in common."""

from __future__ import annotations

import json

import pytest
from list_client import NUMBERED, SINGLE, ListClient, listed, sandbox, some_seeds
from sandbox_client import Clock

from tiktok_crawler.research_api.endpoints import LISTINGS, SeedKey
from tiktok_crawler.sandbox.faults.schedule import Requests
from tiktok_crawler.sandbox.protocol.calls import Call
from tiktok_crawler.sandbox.protocol.errors import SandboxProblem

NAMES = sorted(LISTINGS)
WITH_FIELDS = sorted(name for name, kind in LISTINGS.items() if kind.endpoint.fields)
WITH_PAGES = sorted(set(NAMES) - {*SINGLE})
COUNT_KEYS = {"shops": "limit"} | dict.fromkeys(NUMBERED, "page_size")
DEFAULTS = dict.fromkeys(("comments", "replies", *COUNT_KEYS), 10)
EXTRAS = {
    "comments": {"display_name"},
    "replies": {"display_name"},
    "users": {"username"},
    "shops": {"shop_performance_value"},
    "products": {"product_rating", "shop_name"},
    "reviews": {"display_name"},
}
SHARED = sandbox()


def first_seed(listing: str, at_least: int = 1) -> str:
    return some_seeds(SHARED, listing, 1, at_least=at_least)[0]


def unique(records: list) -> list:
    """In their order, each once."""
    return list({json.dumps(record, sort_keys=True): record for record in records}.values())


def test_every_listing_has_a_name_that_a_schedule_counts():
    assert set(NAMES) < set(Requests)


@pytest.mark.slow
@pytest.mark.parametrize("listing", NAMES)
def test_the_pages_of_a_list_are_the_truth(listing):
    asking = ListClient(SHARED)
    for seed in some_seeds(SHARED, listing, 4):
        truth = SHARED.truth(listing, seed)
        if listing == "playlists":
            truth = truth[0]["playlist_video_ids"]
        assert unique(asking.records(listing, seed)) == truth


@pytest.mark.parametrize("listing", NAMES)
def test_the_same_request_has_the_same_answer_on_every_sandbox(listing):
    seed = first_seed(listing)
    answers = [
        ListClient(asked).data(listing, seed) for asked in (SHARED, SHARED, sandbox(Clock()))
    ]
    assert json.dumps(answers[0]) == json.dumps(answers[1]) == json.dumps(answers[2])


@pytest.mark.parametrize("listing", ["users", "followers", "shops", "products"])
def test_another_seed_gives_other_lists(listing):
    other = type(SHARED)(seed=2, daily_quota=None)
    assert some_seeds(other, listing, 9, at_least=1) != some_seeds(SHARED, listing, 9, at_least=1)


@pytest.mark.parametrize("listing", WITH_FIELDS)
def test_only_the_fields_asked_for_come_and_those_that_nobody_can_ask_for(listing):
    field = LISTINGS[listing].endpoint.fields[0]
    for seed in some_seeds(SHARED, listing, 4, at_least=1):
        for record in listed(ListClient(SHARED).data(listing, seed, fields=f" {field} ,{field}")):
            assert record.keys() <= {field} | EXTRAS.get(listing, set())


@pytest.mark.parametrize("listing", sorted(EXTRAS))
def test_fields_that_come_unasked_may_be_asked_for(listing):
    seed = first_seed(listing)
    fields = ",".join(EXTRAS[listing])
    assert ListClient(SHARED).ask(listing, seed, fields=fields)[0] == 200


@pytest.mark.parametrize("listing", WITH_FIELDS)
@pytest.mark.parametrize(
    ("fields", "message"),
    [("", "fields is required"), ("likes", "Invalid fields: likes")],
)
def test_fields_are_required_and_unknown_ones_refused(listing, fields, message):
    problem = ListClient(SHARED).problem(listing, first_seed(listing), fields=fields)
    assert problem == (400, "invalid_params", message)


@pytest.mark.parametrize("listing", sorted(set(NAMES) - set(WITH_FIELDS)))
def test_fields_mean_nothing_where_there_are_none(listing):
    asking, seed = ListClient(SHARED), first_seed(listing)
    assert asking.data(listing, seed, fields="likes") == asking.data(listing, seed)


@pytest.mark.parametrize("listing", NAMES)
@pytest.mark.parametrize("seed", [..., None, True, 1.5, [], {}, ""])
def test_a_seed_of_the_wrong_kind_is_refused(listing, seed):
    assert ListClient(SHARED).problem(listing, seed)[:2] == (400, "invalid_params")


@pytest.mark.parametrize(
    "listing", [name for name in NAMES if LISTINGS[name].seed_key.endswith("_id")]
)
@pytest.mark.parametrize("seed", [0, 7, -1, 2**63, 10**30, "9" * 5_000, "abc", "\u0665"])
def test_ids_of_nothing_are_refused(listing, seed):
    key = LISTINGS[listing].seed_key
    status, code, message = ListClient(SHARED).problem(listing, seed)
    assert (status, code) == (400, "invalid_params")
    assert message.startswith(f"Invalid {key}")


@pytest.mark.parametrize(
    "listing", [name for name in NAMES if LISTINGS[name].seed_key.endswith("_id")]
)
def test_ids_are_numbers_or_text(listing):
    asking, seed = ListClient(SHARED), first_seed(listing)
    assert asking.data(listing, int(seed)) == asking.data(listing, seed)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"7"])
@pytest.mark.parametrize("listing", NAMES)
def test_a_body_that_is_no_object_is_refused(listing, body):
    asking = ListClient(SHARED)
    call = Call(LISTINGS[listing].endpoint.path, "id", f"Bearer {asking.tokens.token}", body)
    assert SHARED.answer(call).status == 400


@pytest.mark.parametrize("listing", sorted(set(NAMES) - {"users", "pinned_videos"}))
def test_a_page_has_as_many_entries_as_the_default_and_no_more_than_the_most(listing):
    asking, seed = ListClient(SHARED), first_seed(listing)
    key, most = COUNT_KEYS.get(listing, "max_count"), LISTINGS[listing].endpoint.max_count
    default = DEFAULTS.get(listing, 20)
    assert asking.data(listing, seed) == asking.data(listing, seed, **{key: default})
    assert asking.data(listing, seed, **{key: most}) == asking.data(
        listing, seed, **{key: str(most)}
    )
    for wrong in (0, most + 1, "many", True, []):
        assert asking.problem(listing, seed, **{key: wrong})[2] == "Invalid count or cursor"


@pytest.mark.parametrize("listing", WITH_PAGES)
def test_a_cursor_is_a_number_and_null_is_the_first_page(listing):
    asking, seed = ListClient(SHARED), first_seed(listing)
    key = "page_start" if listing in NUMBERED else "cursor"
    assert asking.data(listing, seed, **{key: None}) == asking.data(listing, seed)
    for wrong in (-1, "next", False):
        assert asking.problem(listing, seed, **{key: wrong})[2] == "Invalid count or cursor"


@pytest.mark.parametrize("listing", WITH_PAGES)
def test_far_behind_the_end_there_is_nothing(listing):
    asking, seed = ListClient(SHARED), first_seed(listing)
    falls = LISTINGS[listing].endpoint.paging in ("falling", "opaque")
    key = "page_start" if listing in NUMBERED else "cursor"
    data = asking.data(listing, seed, **{key: 1 if falls else 10**12})
    assert not listed(data)
    assert not data.get("has_more")


def test_the_message_of_success_is_that_of_the_endpoint():
    messages = {
        name: ListClient(SHARED).ask(name, first_seed(name))[1].get("error", {}).get("message")
        for name in NAMES
    }
    assert messages == {
        **dict.fromkeys(NAMES, "ok"),
        **dict.fromkeys(("comments", "users"), ""),
        **dict.fromkeys(("shops", "products", "reviews"), None),
    }


def test_key_order_changes_from_object_to_object():
    records = SHARED.truth("followers", first_seed("followers", at_least=100))
    assert len({tuple(record) for record in records}) > 1


@pytest.mark.parametrize("listing", NAMES)
def test_seeds_are_those_with_enough_records(listing):
    for seed in some_seeds(SHARED, listing, 3, at_least=1):
        assert SHARED.truth(listing, seed)
    if listing not in ("users", "playlists", "pinned_videos", "shops"):
        assert len(SHARED.truth(listing, first_seed(listing, at_least=12))) >= 12


@pytest.mark.parametrize("number", [0, 1, 35, 123])
@pytest.mark.parametrize("listing", ["comments", "followers", "following", "products", "reviews"])
def test_the_number_of_records_can_be_chosen(listing, number):
    asked = sandbox(**{"deleted": 0, "products": 2, listing: number})
    for seed in some_seeds(asked, listing, 5):
        records = {json.dumps(record, sort_keys=True) for record in asked.truth(listing, seed)}
        assert len(records) == number
        assert seed not in {record.get("username") for record in asked.truth(listing, seed)}


@pytest.mark.parametrize("words", ["cannot find the user", "cannot return", "is private"])
@pytest.mark.parametrize(
    "listing", [name for name in NAMES if LISTINGS[name].seed_key is SeedKey.USERNAME]
)
def test_users_can_be_unknown_or_withheld(listing, words):
    seed = some_seeds(SHARED, listing, 1, refusal=words)[0]
    problem = SHARED.truth(listing, seed)
    assert isinstance(problem, SandboxProblem)
    assert ListClient(SHARED).problem(listing, seed) == (400, "invalid_params", problem.message)
    assert words in problem.message
