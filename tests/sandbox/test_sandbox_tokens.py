from __future__ import annotations

import json

import pytest
from sandbox_client import Client, Clock

from tiktok_crawler.research_api.endpoints import TOKEN_PATH, VIDEO_QUERY
from tiktok_crawler.sandbox import Profile, Sandbox
from tiktok_crawler.sandbox.faults.profile import TokenBehaviour
from tiktok_crawler.sandbox.protocol.calls import Call

INVALID = (
    401,
    "access_token_invalid",
    "The access token is invalid or not found in the request.",
)

GRANT_TYPE = "Grant type is not supported by the server."


def client(clock: Clock | None = None, **behaviour: object) -> Client:
    profile = Profile(tokens=TokenBehaviour(**behaviour))
    return Client(Sandbox(videos_per_day=5, now=clock or Clock(), profile=profile))


def test_the_credentials_get_a_token():
    answer = client().get_token()
    token = json.loads(answer.body)
    assert answer.status == 200
    assert token.keys() == {"access_token", "expires_in", "token_type"}
    assert token["access_token"].startswith("clt.")
    assert (token["expires_in"], token["token_type"]) == (7200, "Bearer")


@pytest.mark.parametrize(
    ("changes", "error", "description"),
    [
        ({"client_secret": ""}, "invalid_request", "Client secret is missed in request."),
        ({"client_key": ""}, "invalid_request", "Client key is missed in request."),
        ({"client_key": "other"}, "invalid_client", "Client key or secret is incorrect."),
        ({"client_secret": "other"}, "invalid_client", "Client key or secret is incorrect."),
        ({"grant_type": "password"}, "unsupported_grant_type", GRANT_TYPE),
        ({"grant_type": ""}, "unsupported_grant_type", GRANT_TYPE),
    ],
)
@pytest.mark.parametrize("status", [200, 401])
def test_errors_are_flat_and_may_have_status_200(changes, error, description, status):
    answer = client(error_status=status).get_token(**changes)
    body = json.loads(answer.body)
    assert answer.status == status
    assert body.keys() == {"error", "error_description", "log_id"}
    assert body["error"] == error
    assert body["error_description"] == description


@pytest.mark.parametrize("body", [b"", b"\xff", b'{"client_key": "sandbox-client-key"}'])
def test_what_is_no_form_is_refused(body):
    answer = client().sandbox.answer(Call(TOKEN_PATH, None, None, body))
    assert json.loads(answer.body)["error"] == "invalid_request"


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer clt.",
        "Bearer clt.1.2.3",
        "Bearer clt.x",
        "Basic {}",
        "{}",
    ],
)
def test_requests_without_a_good_token_are_refused(authorization):
    asking = client()
    asking.renew_token()
    header = authorization and authorization.format(asking.token)
    answer = asking.sandbox.answer(Call(VIDEO_QUERY.path, "id", header, b"{}"))
    error = json.loads(answer.body)["error"]
    assert (answer.status, error["code"], error["message"]) == INVALID


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_written_in_any_case(scheme):
    asking = client()
    asking.renew_token()
    call = Call(VIDEO_QUERY.path, "id", f"{scheme} {asking.token}", b"{}")
    assert asking.sandbox.answer(call).status == 400


def test_a_changed_token_is_refused():
    asking = client()
    asking.renew_token()
    asking.token = asking.token.replace("clt.1", "clt.2")
    assert asking.problem() == INVALID


def test_a_token_lives_two_hours():
    clock = Clock()
    asking = client(clock)
    assert asking.search()[0] == 200
    clock.move(seconds=7_199)
    assert asking.search()[0] == 200
    clock.move(seconds=1)
    assert asking.problem() == INVALID
    asking.renew_token()
    assert asking.search()[0] == 200


def test_a_new_token_leaves_older_ones_good():
    asking, other = client(), client()
    other.sandbox = asking.sandbox
    other.renew_token()
    asking.renew_token()
    assert asking.token != other.token
    assert {asking.search()[0], other.search()[0]} == {200}


def test_a_token_is_good_for_a_sandbox_that_was_started_anew():
    before, after = client(), client()
    before.renew_token()
    after.token = before.token
    assert after.search()[0] == 200


def test_a_token_can_die_before_it_says():
    clock = Clock()
    asking = client(clock, lives_seconds=60)
    assert json.loads(asking.get_token().body)["expires_in"] == 7200
    assert asking.search()[0] == 200
    clock.move(seconds=60)
    assert asking.problem() == INVALID


def test_a_token_can_be_used_up():
    asking = client(lives_requests=2)
    assert [asking.search()[0] for _ in range(3)] == [200, 200, 401]
    asking.renew_token()
    assert asking.search()[0] == 200
