"""What can happen to compliance checks: to a request, to a whole check, to its file."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from check_client import (
    begin,
    create,
    download,
    file_of,
    listed,
    post,
    state,
    status,
)
from sandbox_client import EVERYTHING, Clock
from sandbox_sockets import session
from scrapy.utils.defer import deferred_f_from_coro_f

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.research_api.endpoints import CHECK_STATUS, CREATE_CHECK
from tiktok_crawler.sandbox import Profile, Sandbox, load_profile
from tiktok_crawler.sandbox.compliance.lists_of_ids import file_of as file_with
from tiktok_crawler.sandbox.faults.profile_file import parse_profile
from tiktok_crawler.sandbox.faults.schedule import OF_FILES, FaultName, Requests, ScheduledFault

IDS = range(7_000_000_000_000_000_000, 7_000_000_000_000_000_010)
LINES = [b"%d" % number for number in IDS]


def fault(name: str, of: str, **options: Any) -> ScheduledFault:
    options = options or {"every": 1}
    return ScheduledFault(fault=FaultName(name), of=Requests(of), **options)


def bent(name: str, share: float = 0.5) -> bytes:
    return file_with(IDS, fault(name, "check_downloads", every=1, share=share))


def sandbox(*faults: ScheduledFault) -> Sandbox:
    return Sandbox(videos_per_day=50, profile=Profile(faults=faults), now=Clock())


def delivered(asked: Sandbox) -> list[int]:
    return [video["id"] for video in asked.matches(EVERYTHING, date(2024, 1, 1), date(2024, 1, 5))]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("empty_file", b""),
        ("truncated_file", b"\n".join(LINES[:5]) + b"\n"),
        ("cut_line", b"\n".join(LINES[:5]) + b"\n700000000000"),
        ("crlf", b"\r\n".join(LINES) + b"\r\n"),
        ("header_line", b"\n".join([b"id", *LINES]) + b"\n"),
        ("internal_error", b"\n".join(LINES) + b"\n"),
    ],
)
def test_a_file_is_bent(name, expected):
    assert bent(name) == expected


def test_how_much_of_a_file_is_cut_off_can_be_chosen():
    assert bent("truncated_file", 0.9) == b"\n".join(LINES[:9]) + b"\n"
    assert bent("truncated_file", 0) == b""
    assert bent("cut_line", 1) == file_with(IDS, None)


def test_a_file_can_be_in_another_order():
    lines = bent("shuffled").splitlines()
    assert lines != LINES
    assert sorted(lines) == LINES


@pytest.mark.parametrize(("share", "number"), [(0, 1), (0.5, 5), (1, 10)])
def test_a_file_can_have_ids_that_nobody_asked_about(share, number):
    ids = [int(line) for line in bent("unknown_ids", share).splitlines()]
    assert ids[:10] == list(IDS)
    added = set(ids) - set(IDS)
    assert len(added) == number
    assert all(len(str(each)) == 19 for each in added)


@pytest.mark.parametrize("name", sorted(OF_FILES))
def test_faults_of_files_happen_to_downloads_alone(name):
    for of in set(Requests) - {Requests.CHECK_DOWNLOADS}:
        with pytest.raises(ValueError, match=f"{name} can"):
            fault(name, of)


@pytest.mark.parametrize("text", ["{fault: check_failed, every: 1}", "{fault: crlf, every: 1}"])
def test_a_profile_must_say_which_request_of_a_check_is_meant(text):
    with pytest.raises(ConfigurationError, match=r"can happen to check_\w+ only, not to searches"):
        parse_profile(f"faults: [{text}]", "mine")


def test_a_share_is_one():
    with pytest.raises(ValueError, match="share must be between 0 and 1"):
        fault("truncated_file", "check_downloads", every=1, share=1.5)


@deferred_f_from_coro_f
async def test_a_download_is_bent_when_its_turn_comes():
    asked = sandbox(fault("truncated_file", "check_downloads", request=2))
    ids = delivered(asked)
    async with session(asked) as client:
        task_id = await begin(client, ids)
        assert await listed(client, task_id) == ids
        assert await listed(client, task_id) == ids[: len(ids) // 2]
        assert await listed(client, task_id) == ids


@deferred_f_from_coro_f
async def test_a_check_can_fail_and_stays_failed():
    asked = sandbox(fault("check_failed", "check_creations", request=1))
    async with session(asked) as client:
        failed, done = await begin(client, IDS), await begin(client, IDS)
        assert [await state(client, failed) for _ in range(2)] == ["Failed"] * 2
        assert await state(client, done) == "Completed"
        assert (await download(client, failed))[0] == 400


@deferred_f_from_coro_f
async def test_a_check_can_go_on_for_ever():
    asked = sandbox(fault("check_endless", "check_creations"))
    async with session(asked) as client:
        task_id = await begin(client, IDS)
        assert [await state(client, task_id) for _ in range(20)] == ["Processing"] * 20
        assert (await download(client, task_id))[0] == 400


@pytest.mark.parametrize("of", ["check_creations", "check_statuses", "check_downloads"])
@pytest.mark.parametrize(("name", "code"), [("internal_error", 500), ("error_in_200", 200)])
@deferred_f_from_coro_f
async def test_each_step_can_be_answered_with_an_error(of, name, code):
    asked = sandbox(fault(name, of, request=2))
    async with session(asked) as client:
        task_id = await begin(client, IDS)
        await state(client, task_id)
        await listed(client, task_id)
        answers = {
            "check_creations": await create(client, file_of(IDS)),
            "check_statuses": await status(client, task_id),
            "check_downloads": await download(client, task_id),
        }
    struck, body = answers[of]
    found = body if isinstance(body, dict) else json.loads(body)
    assert (struck, found["error"]["code"]) == (code, "internal_error")
    assert {answer[0] for step, answer in answers.items() if step != of} == {200}


@deferred_f_from_coro_f
async def test_faults_of_all_research_and_of_all_checks_strike_checks():
    asked = sandbox(
        fault("forbidden", "research", request=2), fault("rate_limited", "checks", request=3)
    )
    async with session(asked) as client:
        codes = [(await create(client, file_of(IDS)))[0] for _ in range(4)]
    assert codes == [200, 403, 429, 200]


@deferred_f_from_coro_f
async def test_answers_about_checks_are_bent_as_others_are():
    asked = sandbox(fault("no_data", "check_creations"), fault("null_data", "check_statuses"))
    async with session(asked) as client:
        code, body = await create(client, file_of(IDS))
        assert (code, "data" in body) == (200, False)
        code, body = await post(client, CREATE_CHECK.path, json={})
        assert code == 400
        code, body = await post(client, CHECK_STATUS.path, json={"task_id": 1})
        assert code == 400


@deferred_f_from_coro_f
async def test_the_slow_profile_is_slow():
    asked = Sandbox(profile=load_profile("compliance-slow"))
    async with session(asked) as client:
        task_id = await begin(client, IDS)
        states = [await state(client, task_id) for _ in range(3)]
    assert states == ["Processing", "Processing", "Completed"]


def test_the_faulty_profile_has_every_fault_of_checks():
    faults = {each.fault for each in load_profile("compliance-faulty").faults}
    assert faults >= OF_FILES | {FaultName.CHECK_FAILED, FaultName.CHECK_ENDLESS}
