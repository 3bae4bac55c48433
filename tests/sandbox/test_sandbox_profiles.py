"""What a patient client gets from the sandbox under every profile that comes with it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import pytest
from marathon import first
from sandbox_client import Client, Clock, query, search_body

from tiktok_crawler.date_range import DateRange, contiguous
from tiktok_crawler.planning.expectation import hard_to_believe
from tiktok_crawler.sandbox import Sandbox, load_profile, shipped_profiles

pytestmark = pytest.mark.slow

QUERY = query("hashtag_name", "butter", "cheese")

HARDEST = ["bad-day", "heavy-windows"]
OTHERS = sorted({*shipped_profiles()} - {*HARDEST, "silent-days"})


class Lost(Exception):  # noqa: N818 - what happens to a search, not an error of the test
    """The search has to be begun again."""


class PatientClient(Client):
    """Tries again until it has a page or the search is lost; time is the clock's own."""

    def patient_page(self, clock: Clock, **changes: Any) -> dict[str, Any]:
        for _ in range(8):
            page = self._page(**changes)
            if page:
                return page
            clock.move(seconds=20)
        raise Lost

    def _page(self, **changes: Any) -> dict[str, Any] | None:
        answer = self.post(search_body(query=QUERY, **changes))
        try:
            body = json.loads(answer.body)
        except ValueError:
            return None
        if answer.status == 401:
            self.renew_token()
        data = body.get("data", {})
        complete = {"cursor", "has_more"} <= data.keys() and data["cursor"] != changes.get("cursor")
        return data if answer.status == 200 and complete else None

    def renew_token(self) -> None:
        for _ in range(3):
            token = json.loads(self.get_token().body).get("access_token")
            if token:
                self.token = token
                return


def collect(client: PatientClient, clock: Clock, start: int, end: int) -> list[dict[str, Any]]:
    """All records of these days of January, in halves if they cannot be had as a whole."""
    days = {"start_date": f"202401{start:02}", "end_date": f"202401{end:02}"}
    for _ in range(3):
        try:
            return search(client, clock, days)
        except Lost:
            continue
    middle = (start + end) // 2
    return collect(client, clock, start, middle) + collect(client, clock, middle + 1, end)


def search(client: PatientClient, clock: Clock, days: dict[str, str]) -> list[dict[str, Any]]:
    page = client.patient_page(clock, **days)
    records = page.get("videos", [])
    while page["has_more"]:
        onward = {"cursor": page["cursor"], "search_id": page["search_id"]}
        page = client.patient_page(clock, **days, **onward)
        records += page.get("videos", [])
    return records


def created_on(record: dict[str, Any]) -> date:
    return datetime.fromtimestamp(record["create_time"], UTC).date()


def test_of_silent_days_the_second_search_gets_everything():
    clock = Clock()
    sandbox = Sandbox(profile=load_profile("silent-days"), now=clock, daily_quota=None)
    truth = sandbox.matches(QUERY, date(2024, 1, 1), date(2024, 1, 31))
    first, second = (collect(PatientClient(sandbox), clock, 1, 31) for _ in range(2))
    silent = {created_on(record) for record in truth} - {created_on(record) for record in first}
    assert 1 <= len(silent) <= 8
    assert first == [record for record in truth if created_on(record) not in silent]
    assert second == truth


def test_the_silent_days_of_the_profile_are_those_that_are_hard_to_believe():
    sandbox = Sandbox(
        videos_per_day=60, profile=load_profile("silent-days"), now=Clock(), daily_quota=None
    )
    months = [("20240101", "20240131"), ("20240201", "20240229"), ("20240301", "20240331")]
    asked = [Client(sandbox).pages(start_date=start, end_date=end) for start, end in months]
    found = Counter(
        created_on(record) for pages in asked for page in pages for record in page["videos"]
    )
    days = DateRange(date(2024, 1, 1), date(2024, 3, 31))
    silent = [day for day in days if not found[day]]
    assert len(silent) > 3
    assert hard_to_believe({day: found[day] for day in days}) == contiguous(silent)


@pytest.mark.parametrize("name", first(len(HARDEST), HARDEST + OTHERS))
def test_patience_gets_everything(name):
    clock = Clock()
    sandbox = Sandbox(profile=load_profile(name), now=clock, daily_quota=None)
    got = collect(PatientClient(sandbox), clock, 1, 31)
    truth = sandbox.matches(QUERY, date(2024, 1, 1), date(2024, 1, 31))
    assert len(truth) > 1_000
    assert {json.dumps(record) for record in got} == {json.dumps(record) for record in truth}
