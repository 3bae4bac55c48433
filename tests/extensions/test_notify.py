"""After a run is told what needs a person: once when it begins, once when it is over."""

from __future__ import annotations

import json
import signal
from contextlib import contextmanager
from os import EX_CONFIG, EX_NOPERM, EX_OK

import pytest
from crawling import exit_status
from fresh_nights import FIRST_NIGHT, FreshFolder
from marathon import in_marathon
from processes import scrapy, started
from receivers import PASSWORD, http_receiver, mail_server
from scrapy.utils.defer import deferred_f_from_coro_f
from trials import QUERY

from tiktok_crawler.date_range import DAY
from tiktok_crawler.sandbox.faults.profile import SearchBehaviour
from tiktok_crawler.sandbox.faults.schedule import FaultName, Requests, ScheduledFault

PERSON = "ann_of_butter"
NOBODY = {"operation": "EQ", "field_name": "username", "field_values": [PERSON]}
NO_SCOPE = ScheduledFault(fault=FaultName.SCOPE_NOT_AUTHORIZED, of=Requests.SEARCHES, every=1)
NO_TRIES = {"TIKTOK_RETRY_TIMES": 0, "TIKTOK_PROBE_TIMES": 1, "TIKTOK_PROBE_INTERVAL": 0.01}


@contextmanager
def receivers():
    with mail_server() as mailbox, http_receiver() as posts:
        yield mailbox, posts


@pytest.mark.slow
@pytest.mark.parametrize("prepared_url", ["sqlite", in_marathon("postgresql")], indirect=True)
@deferred_f_from_coro_f
async def test_a_month_of_nights_has_one_digest_for_each_change_and_none_for_none(
    tmp_path,
    prepared_url,
    clock,
    caplog,
):
    (tmp_path / "scrapy.cfg").touch()
    folder = FreshFolder(
        tmp_path, prepared_url, clock, tags=["dairy"], keep_fresh="15 days with counters"
    )
    text = folder.query_file.read_text()
    folder.query_file.write_text(
        text.replace(json.dumps(QUERY), json.dumps(QUERY | {"not": [NOBODY]}))
    )
    mails, others, statuses = {}, {}, {}
    with receivers() as (mailbox, posts):
        settings = {"TIKTOK_NOTIFY": [mailbox.address, posts.address]} | NO_TRIES
        for night in range(30):
            folder.behave(**TROUBLES.get(night, {}))
            posts.status = 500 if night == 7 else 200
            statuses[night] = exit_status(await folder.crawl_at(night, settings))
            for inbox, received in ((mails, mailbox.mails), (others, posts.posts)):
                if received:
                    inbox[night] = received.copy()
                received.clear()

    told, over = [night for night in mails if night in range(17, 19)], statuses_end(statuses, 75)
    assert told, "when the day has been parked for a week"
    assert list(mails) == [4, 7, *told, over]
    assert list(others) == [4, 8, *told, over], "what failed is told by the next run, and once"
    for inbox in (mails, others):
        (no_scope,), (well,), (parked,), (again,) = inbox.values()
        assert no_scope[0].endswith(": 1 thing needs a person")
        assert no_scope[1].startswith("New:\n- TikTok refused the credentials of the crawl of vid")
        assert well[0].endswith(": all is well again")
        assert well[1].startswith("Over (as it was told):\n- TikTok refused the credentials")
        assert parked[1].startswith("New:\n- query 1 (tags dairy): 1 day could not be collected")
        assert again[1].startswith("Over (as it was told):\n- query 1 (tags dairy): 1 day")
    assert {statuses[night] for night in (4, 5, 6)} == {EX_NOPERM}, "being told changes no status"
    assert "could not be sent to address 2 of TIKTOK_NOTIFY (json); the next run" in caplog.text
    written = [caplog.text, *map(str, (mails, others, folder.read("SELECT * FROM notice")))]
    assert not [text for text in written if PASSWORD in text]
    assert not [text for text in written[1:] if PERSON in text]


LACKS_SCOPE = {"faults": (NO_SCOPE,)}
FAILS_ON_A_DAY = {"searches": SearchBehaviour(fail_on_days=(FIRST_NIGHT + 9 * DAY,))}
TROUBLES = dict.fromkeys((4, 5, 6), LACKS_SCOPE) | dict.fromkeys(range(10, 25), FAILS_ON_A_DAY)
"""By night: the project lacks a scope; the API fails on a day for two weeks."""


def statuses_end(statuses, status):
    """The night after the last one that ended so."""
    return max(night for night, found in statuses.items() if found == status) + 1


EMPTY = """
start_date: 2024-01-01
end_date: 2024-01-02
tags: [dairy]
include: {any_hashtags: [nobodywritesthis]}
"""
CRAWL = ("crawl", "videos", "-a", "query=query.yaml", "-s", "TIKTOK_SANDBOX=True")


def test_a_receiver_that_hangs_keeps_no_ctrl_c_waiting_and_is_told_by_the_next_run(tmp_path):
    (tmp_path / "query.yaml").write_text(EMPTY)
    with http_receiver() as posts:
        posts.status = None
        with started(tmp_path, *CRAWL, TIKTOK_NOTIFY=posts.address) as process:
            assert posts.asked.wait(60)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(60)
        assert process.returncode == EX_OK, output
        assert "could not be told in time; the next run tells it" in output
        assert PASSWORD not in output
        posts.status = 200
        posts.done.set()
        for _ in range(2):
            run = scrapy(tmp_path, *CRAWL, "-L", "DEBUG", TIKTOK_NOTIFY=posts.address)
            assert run.returncode == EX_OK
            assert PASSWORD not in run.stderr
    [(title, text)] = posts.posts
    assert title == f"{tmp_path.name} (sandbox): 1 thing needs a person"
    assert text.startswith("New:\n- query 1 (tags dairy) has brought no video, though most of its")
    assert "nobodywritesthis" not in text


@deferred_f_from_coro_f
async def test_what_keeps_it_from_being_told_is_a_warning_and_changes_no_status(
    tmp_path, prepared_sqlite_url, clock, caplog
):
    folder = FreshFolder(tmp_path, prepared_sqlite_url, clock)
    folder.rows("DROP TABLE notice")
    with http_receiver() as posts:
        crawler = await folder.crawl_at(0, {"TIKTOK_NOTIFY": posts.address})
    assert (exit_status(crawler), posts.posts) == (EX_OK, [])
    assert "could not be told: OperationalError; the next run tells it" in caplog.text


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("nonsense://me:pw-of-me@example.org", "address 1 of 1 is none that apprise can send to"),
        ("json://example.org,nonsense://pw-of-me", "address 2 of 2 is none that apprise can send"),
    ],
)
def test_an_address_that_nothing_sends_to_is_refused_before_anything_is_opened(
    tmp_path, address, words
):
    (tmp_path / "query.yaml").write_text(EMPTY)
    run = scrapy(tmp_path, *CRAWL, TIKTOK_NOTIFY=address)
    assert (run.returncode, words in run.stderr) == (EX_CONFIG, True), run.stderr
    assert PASSWORD not in run.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["query.yaml"]
