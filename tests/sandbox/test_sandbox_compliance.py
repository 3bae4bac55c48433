"""Compliance checks over real sockets: what is refused, how far they are, what they list."""

from __future__ import annotations

import re
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from check_client import begin, check, create, download, file_of, listed, post, state, status
from sandbox_client import EVERYTHING, Clock
from sandbox_sockets import session
from scrapy.utils.defer import deferred_f_from_coro_f

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.research_api.endpoints import CHECK_FILE, CHECK_STATUS, CREATE_CHECK
from tiktok_crawler.sandbox import Profile, Sandbox
from tiktok_crawler.sandbox.compliance import check_files
from tiktok_crawler.sandbox.faults.profile import Category, ComplianceBehaviour, ListBehaviour
from tiktok_crawler.sandbox.faults.profile_file import parse_profile

if TYPE_CHECKING:
    from pathlib import Path

    from tiktok_crawler.sandbox.faults.schedule import ScheduledFault

FIRST, LAST = date(2024, 1, 1), date(2024, 1, 20)
UNKNOWN = 7_000_000_000_000_000_001


def sandbox(*faults: ScheduledFault, **options: Any) -> Sandbox:
    profile = {name: options.pop(name) for name in ("compliance", "lists") if name in options}
    options = {"videos_per_day": 50, "now": Clock(), "record": True, **options}
    return Sandbox(profile=Profile(faults=faults, **profile), **options)


def delivered(asked: Sandbox) -> list[int]:
    """The ids of videos that searches deliver."""
    return [video["id"] for video in asked.matches(EVERYTHING, FIRST, LAST)]


def hidden(asked: Sandbox) -> list[int]:
    """The ids of videos that are deleted or private."""
    videos = asked._world.videos_back(range(20))
    return [video.id for video in videos if video.hidden]


def files_in(folder: Path) -> int:
    return len(list(folder.iterdir()))


@deferred_f_from_coro_f
async def test_a_check_lists_the_videos_that_are_there_and_no_others():
    asked = sandbox()
    there, gone = delivered(asked)[:300], hidden(asked)
    async with session(asked) as client:
        assert gone
        assert await check(client, [UNKNOWN, *there, *gone, there[0]]) == there


@pytest.mark.parametrize("answered", [True, False])
@deferred_f_from_coro_f
async def test_a_check_lists_the_comments_and_replies_that_lists_have(answered):
    asked = sandbox(lists=ListBehaviour(comments=30, replies=5))
    video = next(asked.seeds("comments", at_least=20))
    comments = [comment["id"] for comment in asked.truth("comments", video)]
    if answered:
        replies = [asked.truth("replies", str(comment)) for comment in comments]
        comments = [reply["id"] for each in replies for reply in each]
        assert len(comments) > 60
    async with session(asked) as client:
        assert await check(client, [*comments, UNKNOWN], "comment") == comments
        assert await check(client, [int(video)], "comment") == []
        assert await check(client, comments, "video") == []


def test_comments_that_no_list_has_are_not_there():
    asked = sandbox(lists=ListBehaviour(comments=40, replies=5, deleted=0.5))
    from tiktok_crawler.sandbox.world.comment_ids import Remark  # noqa: PLC0415 - for their ids

    video = asked._world.corpus.find(int(next(asked.seeds("comments", at_least=10))))
    comments = [Remark(video, rank).id for rank in range(50)]
    told = [comment["id"] for comment in asked.truth("comments", str(video.id))]
    assert asked.still_there("comment", comments) == told
    replies = [Remark(video, 0, number).id for number in range(10)]
    answers = [reply["id"] for reply in asked.truth("replies", str(comments[0]))]
    assert asked.still_there("comment", replies) == answers


def test_comments_of_a_hidden_video_are_gone_with_it():
    asked = sandbox(lists=ListBehaviour(comments=10, deleted=0))
    from tiktok_crawler.sandbox.world.comment_ids import Remark  # noqa: PLC0415 - for their ids

    videos = (video for video in asked._world.videos_back(range(20)) if video.hidden)
    remarks = [Remark(video, 3).id for video in islice(videos, 5)]
    assert len(remarks) == 5
    assert asked.still_there("comment", remarks) == []


@deferred_f_from_coro_f
async def test_the_id_of_a_check_is_a_bare_number_of_twenty_digits():
    asked = sandbox()
    async with session(asked) as client:
        form = {"file_data": file_of([UNKNOWN]), "category": "video"}
        data = aiohttp.FormData()
        data.add_field("file_data", form["file_data"], filename="f")
        data.add_field("category", form["category"])
        async with client.post(CREATE_CHECK.path, data=data) as response:
            text = await response.text()
        found = re.search(r'"task_id":([0-9]{20})[,}]', text)
        assert found
        assert 10**19 <= int(found.group(1)) < 2**64
        assert '"http_status_code":200' in text
        assert '"message":"ok."' in text
        assert await state(client, int(found.group(1))) == "Completed"
        assert (await status(client, found.group(1)))[0] == 200


@deferred_f_from_coro_f
async def test_each_step_costs_one_request_of_research():
    asked = sandbox()
    async with session(asked) as client:
        await check(client, delivered(asked)[:3])
    assert asked.statistics()["quota_spent"] == {"research": 3}
    bodies = [request.body for request in asked.requests if request.path == CREATE_CHECK.path]
    assert [set(body) for body in bodies] == [{"file_data", "category"}]


@deferred_f_from_coro_f
async def test_a_check_needs_a_token():
    async with session(sandbox()) as client:
        del client.headers["Authorization"]
        for code, body in (
            await create(client, file_of([UNKNOWN])),
            await status(client, 10**19),
            await post(client, CHECK_FILE.path, json={"task_id": 10**19}),
        ):
            assert (code, body["error"]["code"]) == (401, "access_token_invalid")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\n\r\n", "empty"),
        (file_of(range(1, 10_002)), "more than 10000"),
        (b"id\n12\n", "no ids"),
        (b"12\n1.2e18\n", "no ids"),
        (b"12,13\n", "no ids"),
        (b"-12\n", "no ids"),
        (b"12345678910987654321\n", "no ids"),
        ("١٢\n".encode(), "no ids"),
        (b"\xff\xfe\n", "no ids"),
    ],
)
@deferred_f_from_coro_f
async def test_files_that_are_none_are_refused(content, words):
    async with session(sandbox()) as client:
        code, body = await create(client, content)
    assert (code, body["error"]["code"]) == (400, "invalid_file_upload")
    assert words in body["error"]["message"]
    assert set(body["error"]) == {"code", "message", "log_id"}


@pytest.mark.parametrize("category", ["user", "", "Video"])
@deferred_f_from_coro_f
async def test_other_categories_are_refused(category):
    async with session(sandbox()) as client:
        code, body = await create(client, file_of([UNKNOWN]), category)
    assert (code, body["error"]["code"]) == (400, "invalid_params")


PART = b'Content-Disposition: form-data; name="category"\r\n\r\nvideo\r\n'
FILE = (
    b'Content-Disposition: form-data; name="file_data"; filename="a b.txt"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n%s\r\n"
)


def by_hand(*parts: bytes) -> dict[str, Any]:
    """A form written by hand, as the options of a request."""
    body = b"".join(b"--xYz\r\n" + part for part in parts) + b"--xYz--\r\n"
    return {"data": body, "headers": {"Content-Type": "multipart/form-data; boundary=xYz"}}


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last", [b"", b"end"])
@deferred_f_from_coro_f
async def test_a_form_that_was_written_by_hand_is_understood(end, last):
    asked = sandbox()
    ids = delivered(asked)[:5]
    content = end.join(b"%d" % number for number in ids) + (end if last else b"")
    async with session(asked) as client:
        code, body = await post(client, CREATE_CHECK.path, **by_hand(FILE % content, PART))
        assert code == 200
        assert await listed(client, body["data"]["task_id"]) == ids


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (by_hand(PART), "invalid_file_upload"),
        (by_hand(FILE % b"12\n"), "invalid_params"),
        # A field is no file.
        (
            by_hand(PART, b'Content-Disposition: form-data; name="file_data"\r\n\r\n12\r\n'),
            "invalid_file_upload",
        ),
        ({"json": {"category": "video", "file_data": "12"}}, "invalid_params"),
        ({"data": {"category": "video", "file_data": "12"}}, "invalid_params"),
        ({"data": b"12\n", "headers": {"Content-Type": "text/plain"}}, "invalid_params"),
        # Without a boundary, as in the documentation's example
        ({**by_hand(PART), "headers": {"Content-Type": "application/json"}}, "invalid_params"),
        ({**by_hand(PART), "headers": {"Content-Type": "multipart/form-data"}}, "invalid_params"),
        (
            {"data": b"none", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
            "invalid_params",
        ),
        (
            {**by_hand(), "data": b"--xYz\r\n" + PART + b"--xYz\r\n" + FILE[:90]},
            "invalid_params",
        ),
        (
            by_hand(b"Content-Transfer-Encoding: none\r\n" + FILE % b"12", PART),
            "invalid_params",
        ),
        (
            by_hand(b"Content-Type: multipart/mixed; boundary=in\r\n\r\n--in--\r\n", PART),
            "invalid_file_upload",
        ),
    ],
)
@deferred_f_from_coro_f
async def test_what_is_no_form_with_a_file_is_refused(options, problem):
    async with session(sandbox()) as client:
        code, body = await post(client, CREATE_CHECK.path, **options)
    assert (code, body["error"]["code"]) == (400, problem)


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_the_largest_file_is_checked():
    asked = sandbox(videos_per_day=1_000)
    ids = delivered(asked)[:9_990]
    ids += range(UNKNOWN, UNKNOWN + 10_000 - len(ids))
    assert len(set(ids)) == 10_000
    async with session(asked) as client:
        assert await check(client, ids) == ids[:9_990]


@pytest.mark.parametrize(
    "task_id", [12345678910, 10**19, 10**30, -1, 1.5, None, True, "", "one", "9" * 21, [1]]
)
@pytest.mark.parametrize("path", [CHECK_STATUS.path, CHECK_FILE.path])
@deferred_f_from_coro_f
async def test_other_ids_of_checks_are_unknown(path, task_id):
    async with session(sandbox()) as client:
        code, body = await post(client, path, json={"task_id": task_id})
    assert (code, body["error"]["code"]) == (400, "invalid_params")
    assert "task_id" in body["error"]["message"]


@deferred_f_from_coro_f
async def test_a_check_can_take_its_time():
    clock = Clock()
    slow = ComplianceBehaviour(processing_polls=2, processing_seconds=60)
    asked = sandbox(compliance=slow, now=clock)
    ids = delivered(asked)[:3]
    async with session(asked) as client:
        task_id = await begin(client, ids)
        states = [await state(client, task_id) for _ in range(3)]
        assert states == ["Processing"] * 3
        code, body = await download(client, task_id)
        assert (code, b"invalid_params" in body) == (400, True)
        clock.move(seconds=60)
        assert await state(client, task_id) == "Completed"
        assert await listed(client, task_id) == ids


@deferred_f_from_coro_f
async def test_a_category_can_be_refused():
    refused = ComplianceBehaviour(refused_categories=(Category.COMMENT,))
    asked = sandbox(compliance=refused)
    async with session(asked) as client:
        code, body = await create(client, file_of([UNKNOWN]), "comment")
        assert (code, body["error"]["code"]) == (400, "invalid_params")
        assert await check(client, [UNKNOWN]) == []


@deferred_f_from_coro_f
async def test_a_check_is_known_to_the_next_sandbox(tmp_path: Path):
    clock = Clock()
    options = {
        "compliance": ComplianceBehaviour(processing_polls=1),
        "checks_folder": tmp_path / "of" / "checks",
        "now": clock,
    }
    asked = sandbox(**options)
    ids = delivered(asked)[:3]
    async with session(asked) as client:
        task_id = await begin(client, [UNKNOWN, *ids])
        assert await state(client, task_id) == "Processing"
    clock.move(days=1)
    async with session(sandbox(**options)) as client:
        assert await state(client, task_id) == "Completed"
        assert await listed(client, task_id) == ids
        assert (await status(client, task_id + 1))[0] == 400
    async with session(sandbox(compliance=options["compliance"], now=clock)) as client:
        assert (await status(client, task_id))[0] == 400


@deferred_f_from_coro_f
async def test_sandboxes_that_share_a_folder_give_each_check_an_id_of_its_own(tmp_path: Path):
    begun = set()
    for _ in range(3):
        async with session(sandbox(checks_folder=tmp_path)) as client:
            begun.add(await begin(client, [UNKNOWN]))
    assert len(begun) == 3


@pytest.mark.parametrize("text", ["processing_polls: -1", "processing_seconds: -0.5"])
def test_time_that_runs_backwards_is_refused(text):
    with pytest.raises(ConfigurationError, match=r"compliance: processing_.* at least 0"):
        parse_profile(f"compliance: {{{text}}}", "mine")


@pytest.mark.parametrize("in_files", [True, False])
@deferred_f_from_coro_f
async def test_the_oldest_checks_are_forgotten(tmp_path: Path, in_files, monkeypatch):
    monkeypatch.setattr(check_files, "MOST_CHECKS", 3)
    async with session(sandbox(checks_folder=tmp_path if in_files else None)) as client:
        begun = [await begin(client, [UNKNOWN]) for _ in range(5)]
        assert len(set(begun)) == 5
        answers = [(await status(client, task_id))[0] for task_id in begun]
    assert answers == [400, 400, 200, 200, 200]
    assert files_in(tmp_path) == (3 if in_files else 0)
