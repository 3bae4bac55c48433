"""Nights on each of the sandbox's profiles: what it hides is told, and nothing else is."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from os import EX_OK

import pytest
from marathon import first, in_marathon
from scrapy.utils.defer import deferred_f_from_coro_f
from trials import QUERY, Trial, TrialFolder, WatchedSandbox, counted_days, days_of

from tiktok_crawler.clock import utc_now
from tiktok_crawler.date_range import DateRange
from tiktok_crawler.sandbox.faults.profile import Latency
from tiktok_crawler.sandbox.faults.profile_file import load_profile, shipped_profiles

pytestmark = pytest.mark.slow

DAYS = DateRange(date(2024, 1, 1), date(2024, 2, 29))
VIDEOS_PER_DAY = 40
NIGHTS = 6
KEYWORDS = {
    f"keywords-as-{form.lower()}": {
        "and": [{"operation": form, "field_name": "keyword", "field_values": ["butter"]}]
    }
    for form in ("EQ", "IN")
}
"""A query in the form in which it finds anything."""

PROFILES = [name for name in shipped_profiles() if not name.startswith(("compliance", "removals"))]
"""Those that are about more than what is still there."""

TRIED = [
    *(("sqlite", "messy-data"), ("postgresql", "messy-data"), ("sqlite", "silent-days")),
    *(("sqlite", name) for name in ("bad-day", "old-ids", "quota", "keywords-as-eq")),
]
ALL = [(kind, name) for kind in ("sqlite", "postgresql") for name in PROFILES]
NIGHTS_ON = TRIED + [in_marathon(*each) for each in ALL if each not in TRIED]

TELLS = {
    "keywords-as-eq": {"keywords"},
    "messy-data": {"suspicious", "undated", "refused", "repeated"},
    "old-ids": set(),
    "silent-days": set(),
}
"""What the status tells in the end, beside what came; of other profiles nothing."""


def profile_of(name):
    """A profile without what only takes time."""
    profile = load_profile(name)
    faults = tuple(fault for fault in profile.faults if fault.fault != "hang")
    quota = replace(profile.quota, per_second=None)
    return replace(profile, latency=Latency(), faults=faults, quota=quota)


def odd(status):
    """The keys of a status that tell of something that is not as it should be."""
    keys = ("gaps", "not_final", "suspicious", "open", "parked", "uncounted", "unseen", "empty")
    found = {key for key in (*keys, "undated", "refused", "repeated") if status[key]}
    keywords = status["keywords"]
    return found | ({"keywords"} if keywords and keywords["in_vain"] else set())


class Night:
    """A folder with a query of two months, and what the sandbox has of it."""

    def __init__(self, path, database_url, name):
        self.nights = 0
        self.query = KEYWORDS.get(name, QUERY)
        self.folder = TrialFolder(path, database_url)
        self.folder.query_file.write_text(
            f"start_date: {DAYS.start}\nend_date: {DAYS.end}\nquery: {json.dumps(self.query)}\n"
        )
        profile = profile_of(name)
        self.trial = Trial(profile)
        self.sandbox = self.sandbox_with(profile)

    def sandbox_with(self, profile):
        """One whose quota of a minute is whole again each night."""
        return WatchedSandbox(
            profile,
            videos_per_day=VIDEOS_PER_DAY,
            now=lambda: utc_now() + self.nights * timedelta(minutes=1),
        )

    async def crawl(self):
        """Crawl as every night, until there is nothing more to do; the statuses in between."""
        statuses = []
        for _ in range(NIGHTS):
            run = await self.folder.run(self.sandbox, self.trial)
            statuses.append(self.folder.status())
            if run.exit_status == EX_OK and not run.exchanges:
                return statuses
            self.folder.let_time_pass()
            self.nights += 1
        raise AssertionError("it never ends")

    @property
    def delivered(self):
        """The records that the sandbox has for searches of each day."""
        return {day: self.sandbox.matches(self.query, day, day) for day in DAYS}

    def counted(self):
        """How many videos each day has by the last search of it."""
        return {day: count["videos"] for day, count in counted_days(self.folder)[0].items()}


@pytest.mark.parametrize(("prepared_url", "name"), NIGHTS_ON, indirect=["prepared_url"])
@deferred_f_from_coro_f
async def test_what_a_profile_hides_is_told_and_nothing_else(name, tmp_path, prepared_url):
    night = Night(tmp_path, prepared_url, name)
    first, *_, last = await night.crawl()

    records = [record for day in night.delivered.values() for record in day]
    usable = Counter("id" in record for record in records)
    assert last["coverage_percent"] == 100
    assert last["delivered"] == usable[True] == last["videos"]
    if not last["repeated"]:
        assert last["refused"] == usable[False]
    assert last["undated"] == sum(r.get("create_time") is None for r in records if "id" in r)
    matches = night.sandbox.match_count(night.query, DAYS.start, DAYS.end)
    if not last["repeated"]:
        assert last["withheld"] == matches - len(records)
    assert odd(last) == TELLS.get(name, set())
    assert last["is_complete"] == ("suspicious" not in odd(last))
    if not last["undated"]:
        assert night.counted() == {day: len(found) for day, found in night.delivered.items()}
    assert bool(first["suspicious"]) == (name in {"silent-days", "messy-data"})


@pytest.mark.parametrize("prepared_url", first(1, ["sqlite", "postgresql"]), indirect=True)
@deferred_f_from_coro_f
async def test_days_that_stay_silent_stay_told_and_cost_nothing_more(tmp_path, prepared_url):
    night = Night(tmp_path, prepared_url, "silent-days")
    searches = replace(night.trial.profile.searches, silent_tries=None)
    night.trial = Trial(replace(night.trial.profile, searches=searches))
    night.sandbox = night.sandbox_with(night.trial.profile)

    *_, last = await night.crawl()

    silent = {day for day, videos in night.counted().items() if not videos}
    assert len(silent) > 2
    assert days_of(last["suspicious"]) == silent
    assert last["coverage_percent"] == 100
    assert not last["is_complete"]
