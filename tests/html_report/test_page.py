"""The report as HTML: what it says, and that texts of others do nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from datasets import DAYS, covered, facts, query
from invented_report import (
    DAY,
    RIGHT_TO_LEFT,
    SCRIPT,
    SPRING,
    STEERING,
    each_kind_of_day,
    full_facts,
    overview,
    report,
)
from namings import naming
from tallies import tally

from tiktok_crawler.html_report import page as pages
from tiktok_crawler.html_report.calendars import Mark, calendar, mark_of
from tiktok_crawler.planning.window_days import DayCount
from tiktok_crawler.research_api.endpoints import PLAYLISTS
from tiktok_crawler.storage.overview import Overview

EMPTY = Overview({}, 0, {}, (), (), (), 0, (), {})
VOID = {"meta", "img", "br", "link", "input"}


class Read(HTMLParser):
    """What a page has: elements with their attributes, texts, and tables as lists of rows."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self.tables, self._open = [], [], {}, []
        self._rows = self._caption = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self._rows, self._caption = [], ""
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th") and self._rows:
            self._rows[-1].append("")

    def handle_endtag(self, tag):
        assert self._open.pop() == tag, (tag, self.getpos())
        if tag == "table":
            self.tables.setdefault(self._caption.strip(), self._rows)
            self._rows = None

    def handle_data(self, data):
        self.texts.append(data)
        if self._rows is not None:
            if "caption" in self._open:
                self._caption += data
            elif ("td" in self._open or "th" in self._open) and self._rows and self._rows[-1]:
                self._rows[-1][-1] += data

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def full():
    return Read(report())


def test_texts_of_others_are_inert_and_shown_as_they_are(full):
    assert not full.of("script")
    assert not full.of("img")
    assert not [name for _, each in full.elements for name in each if name.startswith("on")]
    hashtags = [row[0] for row in full.tables["Most frequent hashtags"]]
    assert f"#{SCRIPT}" in hashtags
    assert f"#{RIGHT_TO_LEFT}" in hashtags
    kinds = [row[0] for row in full.tables["What went wrong in runs"]]
    assert SCRIPT in kinds


def test_characters_that_steer_are_made_visible():
    text = report()

    assert "a�[31mb�c" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert STEERING not in text


@pytest.mark.slow
def test_nothing_is_fetched(full):
    links = [each[name] for _, each in full.elements for name in ("src", "href") if name in each]
    assert links
    assert all(link.startswith("#") for link in links)
    targets = {each["id"] for _, each in full.elements if "id" in each}
    assert {link[1:] for link in links} <= targets
    (policy,) = (each for each in full.of("meta") if each.get("http-equiv"))
    assert policy["content"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert not re.findall(
        r"url\(|@import|https?://(?!www\.w3\.org/|open\.tiktokapis\.com)", report()
    )


def test_every_picture_has_its_table(full):
    figures = len(full.of("figure"))
    assert figures == 5
    assert len(full.of("figcaption")) == figures
    assert len(full.of("svg")) == 2 * figures
    published = full.tables["Videos by day of publication (UTC)"]
    assert published[1:] == [[f"{day}", f"{count}"] for day, count in overview().days.items()]
    requests = full.tables["Requests by day (UTC)"]
    assert requests[1:3] == [["2024-06-01", "100"], ["2024-06-02", "140"]]
    faults = full.tables["What went wrong in runs, by day of their beginning (UTC)"]
    assert faults[1:] == [["2024-06-01", "2"], ["2024-06-02", "1"]]
    withheld = full.tables["Share of matches that the API withheld, by day of publication (UTC)"]
    assert withheld[1] == ["2024-03-01", "44", "40", "4", "9.1 %"]
    growth = full.tables[
        "Counters as a multiple of the first reading of the same videos, by days after it"
    ]
    assert growth[0] == ["days after", "readings", "views", "likes", "comments", "shares"]
    assert growth[-1] == ["10", "50", "2.11", "1.83", "1.50", "none"]


def test_tables_say_what_their_cells_are(full):
    for tag, attributes in full.elements:
        if tag == "th" and "scope" not in attributes:
            # Only the calendar, which is a picture: its days are in a table, too.
            assert attributes == {}
    assert "" in full.tables
    assert len(full.tables) > 10


def test_headings_are_in_order_and_the_language_is_told(full):
    levels = [int(tag[1]) for tag, _ in full.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert full.of("html") == [{"lang": "en"}]
    ids = [each["id"] for _, each in full.elements if "id" in each]
    assert len(ids) == len(set(ids))


def test_each_kind_of_day_has_its_letter_and_is_told_on_hover(full):
    days = each_kind_of_day().status.days
    kinds = [mark for mark in Mark if mark is not Mark.SAMPLED]
    marks = {mark: [day for day in SPRING if mark_of(day, days) is mark] for mark in kinds}
    assert all(marks.values()), {mark.word: len(found) for mark, found in marks.items()}
    cells = {
        each["title"][:10]: (each["class"], each["title"])
        for each in full.of("td")
        if "title" in each
    }
    assert len(cells) == len(SPRING)
    for mark, found in marks.items():
        for day in found:
            style, title = cells[f"{day}"]
            assert style == mark.style
            assert title.startswith(f"{day}: {mark.word}")
    assert cells["2024-03-02"][1] == "2024-03-02: covered, 40 videos, 5 withheld"
    assert dict(calendar(days).counts) == {mark: len(found) for mark, found in marks.items()}
    assert len({mark.letter for mark in Mark}) == len(Mark)


def test_days_and_months_are_listed_with_their_numbers(full):
    by_day = full.tables["Day by day"]
    assert len(by_day) == len(SPRING) + 1
    assert by_day[2] == ["2024-03-02", "covered", "40", "5", "2024-06-01 12:00 UTC"]
    assert ["2024-05-01", "gap", "not counted", "not counted", "never"] in by_day
    months = full.tables["Month by month"]
    assert months[1] == ["2024-03", "31", "31", "1,240", "154", "11.0 %"]


def test_an_incomplete_collection_says_so_and_a_complete_one_too(full):
    assert "Incomplete. Of what was asked for, this is missing or not final:" in full.text
    whole = Read(report(facts(query(covered())), EMPTY))
    assert "Complete. Nothing that was asked for is missing." in whole.text
    assert "Incomplete" not in whole.text


@pytest.mark.slow
def test_a_sandbox_says_that_its_data_are_invented():
    found = full_facts()
    invented = replace(found, status=replace(found.status, origin="sandbox"))

    assert "Invented data." in Read(report(invented)).text
    assert "Invented data." not in Read(report(found)).text


def test_of_nothing_there_is_a_page_without_pictures():
    empty = Read(report(facts(), EMPTY))

    assert empty.of("figure") == []
    assert "No request is written down." in empty.text
    assert "Nothing was searched or listed yet." in empty.text


@pytest.mark.slow
def test_accounts_can_have_other_names():
    told = Read(report(naming=naming(lambda name: f"account-{len(name)}")))

    assert "somebody" not in told.text
    assert [row[0] for row in told.tables["Accounts with most videos"]][1:] == [
        "@account-8",
        "@account-12",
    ]
    assert "by @account-8" in told.text
    assert "Accounts have pseudonyms in place of their names." in told.text


@pytest.mark.slow
def test_what_was_collected_long_ago_is_due_for_a_refresh(full):
    due = full.tables["Last searched or listed more than 15 days ago"]
    assert due[1:] == [
        ["days of query 1", "37", "2", "2024-04-15"],
        ["days of videos from FR, for each of 3 usernames", "5", "3", "2024-05-02"],
        ["comments of videos", "3", "2", "2024-04-22"],
    ]
    later = Read(report(refresh_after=50 * DAY))
    fresh = later.tables["Last searched or listed more than 50 days ago"]
    assert [row[2] for row in fresh[1:3]] == ["0", "0"]


def test_a_list_alone_is_due_for_a_refresh_too():
    told = Read(report(full_facts(queries=(), listings=()), EMPTY))

    assert "Nothing was searched or listed yet." not in told.text
    assert len(told.tables["Last searched or listed more than 15 days ago"]) == 2


@pytest.mark.slow
def test_long_times_are_told_by_month_and_many_days_without_a_calendar(monkeypatch):
    days = {SPRING.start + n * DAY: 2 for n in range(2000)}
    told = Read(report(added_up=overview(days=days)))
    assert told.tables["Videos by month of publication (UTC)"][1] == ["2024-03", "62"]

    monkeypatch.setattr(pages, "MOST_CALENDAR_DAYS", len(DAYS))
    counts = {day: DayCount(videos=9, withheld=1) for day in DAYS}
    two = Read(report(facts(query(covered(counts=counts)), query(covered())), EMPTY))
    calendars = [each for each in two.of("table") if each.get("class") == "calendar"]
    assert len(calendars) == 1
    assert len([text for text in two.texts if text == "Month by month"]) == 4


def test_methods_and_citation_are_part_of_it(full):
    assert "Data were collected from the TikTok Research API" in full.text
    assert "The tiktok_crawler authors. tiktok_crawler, version 1.2.3." in full.text


@pytest.mark.slow
def test_lists_that_were_cut_say_so_at_the_top():
    (listing,) = full_facts().listings
    known = {"counted": 3, "counted_stored": 250, "total": 9000}
    come_to = tally({"complete": 1, "cut": 2}, seeds=3, stored=250, **known)
    cut = replace(listing, status=replace(listing.status, tally=come_to))
    told = " ".join(Read(report(full_facts(listings=(cut,)))).texts)

    assert "of about 9,000; 5 videos asked about; 2 cut at your maximum (max_per_video)" in told


def test_videos_of_playlists_are_told_at_the_top_as_those_that_are_there():
    (listing,) = full_facts().listings
    known = {"counted": 5, "counted_stored": 21, "total": 24}
    come_to = tally({"complete": 5}, seeds=5, stored=21, **known)
    status = replace(listing.status, listing=PLAYLISTS, tally=come_to, records=5)
    told = Read(report(full_facts(listings=(replace(listing, status=status),))))

    assert "21 of about 24; 5 playlists asked about" in told.text


def test_lists_count_in_the_numbers_at_the_top(full):
    assert "Days covered 52.1 % 96 of 184 days wanted" in full.text
    assert "Withheld by the API 11.7 % 226 of 1,931 matches" in full.text
    alone = Read(report(full_facts(queries=())))
    assert "Days covered 66.3 % 61 of 92 days wanted" in alone.text
    assert "Withheld by the API 13.8 % 55 of 400 matches" in alone.text


def test_lists_are_told_with_what_their_values_lack(full):
    _, (words, wanted, *numbers, lacked, videos) = full.tables[
        "Lists: what is asked for each of some values"
    ]
    assert words == "videos from FR, for each of 3 usernames"
    assert (wanted, lacked) == ("2024-03-01..2024-05-31", "2024-05-01..2024-05-31")
    assert (*numbers, videos) == ("1", "1 of 2", "345")
