from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from sandbox_client import EVERYTHING, Clock, client, condition, first_week, query

from tiktok_crawler.sandbox import Sandbox, load_profile
from tiktok_crawler.sandbox.faults.profile import (
    DataBehaviour,
    HiddenHours,
    KeywordForm,
    SearchBehaviour,
)

RARE = query("hashtag_name", "butter")
NOTHING = query("username", "nobody.at.all")
ALL_DELIVERED = DataBehaviour(hidden=0)


def ids(pages: list[dict]) -> list[int]:
    return [video["id"] for page in pages for video in page["videos"]]


def test_pages_bring_all_matches_once_in_falling_order():
    asking = client()
    pages = asking.pages()
    records = [video for page in pages for video in page["videos"]]
    assert records == asking.sandbox.matches(EVERYTHING, *first_week())
    assert ids(pages) == sorted(set(ids(pages)), reverse=True)


def test_the_cursor_counts_matches_and_hidden_ones_make_pages_short():
    asking = client(data=DataBehaviour(hidden=0.35))
    pages = asking.pages()
    assert [page["cursor"] for page in pages] == [100, 200, 300, 350]
    assert [page["has_more"] for page in pages] == [True, True, True, False]
    assert asking.sandbox.match_count(EVERYTHING, *first_week()) == 350
    assert 180 < len(ids(pages)) < 270


def test_a_search_that_ends_with_a_full_page_ends():
    pages = client(videos_per_day=100).pages(end_date="20240102")
    assert [(page["cursor"], page["has_more"]) for page in pages] == [(100, True), (200, False)]


def test_after_the_last_page_there_is_nothing():
    asking = client()
    last = asking.pages()[-1]
    again = asking.page(cursor=last["cursor"], search_id=last["search_id"])
    assert (again["videos"], again["cursor"], again["has_more"]) == ([], 350, False)


def test_both_ends_of_the_dates_are_inclusive():
    days = {
        datetime.fromtimestamp(video["create_time"], UTC).date()
        for page in client().pages(start_date="20240229", end_date="20240301")
        for video in page["videos"]
    }
    assert days == {date(2024, 2, 29), date(2024, 3, 1)}


SILENT = (date(2024, 1, 2), date(2024, 1, 7))


def days_of(pages: list[dict]) -> set[int]:
    records = (video for page in pages for video in page["videos"])
    return {datetime.fromtimestamp(video["create_time"], UTC).day for video in records}


def test_silent_days_have_no_videos_and_no_matches():
    asking = client(searches=SearchBehaviour(silent_days=SILENT))
    for _ in range(2):
        pages = asking.pages()
        assert days_of(pages) == {1, 3, 4, 5, 6}
        assert pages[-1]["cursor"] == 250
    assert asking.page(start_date="20240107") == {"videos": [], "cursor": 0, "has_more": False}
    assert asking.sandbox.match_count(EVERYTHING, *first_week()) == 350


def test_a_silent_day_answers_when_its_query_has_searched_it_so_often():
    asking = client(searches=SearchBehaviour(silent_days=SILENT, silent_tries=2))
    found = [days_of(asking.pages(start_date=f"2024010{first}")) for first in (1, 7, 1)]
    assert found == [{1, 3, 4, 5, 6}, set(), {1, 3, 4, 5, 6, 7}]
    assert days_of(asking.pages()) == set(range(1, 8))
    assert days_of(asking.pages(query=query("comment_count", 0, operation="GTE"))) == {
        1,
        3,
        4,
        5,
        6,
    }


def test_a_search_leaves_out_the_same_days_on_all_pages():
    asking = client(searches=SearchBehaviour(silent_days=SILENT, silent_tries=1))
    first = asking.page()
    onward = asking.page(cursor=100, search_id=first["search_id"])
    asking.page(start_date="20240102")
    later = asking.page(cursor=200, search_id=first["search_id"])
    assert days_of([first, onward, later]) == {1, 3, 4, 5, 6}


def test_a_share_of_all_days_is_silent_for_every_query_and_machine():
    behaviour = SearchBehaviour(silent_share=0.2)
    january = {"start_date": "20240101", "end_date": "20240131"}
    one, other = (
        days_of(client(videos_per_day=3, searches=behaviour, data=ALL_DELIVERED).pages(**january))
        for _ in range(2)
    )
    assert one == other
    assert 18 <= len(one) <= 30


@pytest.mark.parametrize("works", list(KeywordForm))
def test_keywords_find_something_in_one_form_alone(works):
    asking = client(searches=SearchBehaviour(keyword_forms=(works,)))
    for form in KeywordForm:
        page = asking.page(query=query("keyword", "butter", operation=form))
        assert bool(page["videos"]) is (form is works)
        if form is not works:
            assert page == {"videos": [], "cursor": 0, "has_more": False}


def test_a_keyword_in_the_wrong_form_excludes_nothing_and_other_conditions_work():
    asking = client(searches=SearchBehaviour(keyword_forms=(KeywordForm.IN,)))
    silent = condition("keyword", "butter", operation="EQ")
    everything = asking.sandbox.match_count(EVERYTHING, *first_week())
    assert asking.sandbox.match_count({"not": [silent]}, *first_week()) == everything
    either = {"or": [silent, condition("hashtag_name", "butter")]}
    assert asking.sandbox.match_count(either, *first_week()) == asking.sandbox.match_count(
        RARE, *first_week()
    )


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("username", "`username: ada` is invalid: cannot find the user"),
        ("hashtag_name", "`hashtag_name: ada` is invalid"),
    ],
)
def test_one_refused_value_fails_those_that_are_searched_with_it(field, message):
    asking = client(searches=SearchBehaviour(refused_values=("ada",)))
    either = {"or": [condition(field, "bob"), condition(field, "ada", "cem", operation="IN")]}
    for wanted in (query(field, "ada", "bob", operation="IN"), either):
        assert asking.problem(query=wanted) == (400, "invalid_params", message)
    assert asking.page(query=query(field, "bob"))
    assert asking.page(query={"not": [condition(field, "ada")]})


def test_one_value_leaves_searches_without_data():
    asking = client(searches=SearchBehaviour(dataless_values=("ada",)))
    status, body = asking.search(query=query("username", "ada", "bob", operation="IN"))
    assert (status, body["error"]["code"]) == (200, "ok")
    assert "data" not in body


def test_a_search_without_matches_has_no_search_id():
    assert client().page(query=NOTHING) == {"videos": [], "cursor": 0, "has_more": False}


def test_an_empty_list_can_be_missing():
    page = client(data=DataBehaviour(empty_lists_missing=True)).page(query=NOTHING)
    assert page == {"cursor": 0, "has_more": False}


def test_pages_without_any_video_can_stand_in_the_middle():
    asking = client(
        videos_per_day=300,
        data=DataBehaviour(hidden_hours=HiddenHours(every=48, hours=24)),
    )
    sizes = [len(page["videos"]) for page in asking.pages()]
    assert 0 in sizes[1:-1]
    assert sum(sizes) == len(asking.sandbox.matches(EVERYTHING, *first_week()))


def test_a_search_id_has_19_digits_and_stays_the_same():
    search_ids = {page["search_id"] for page in client().pages()}
    assert len(search_ids) == 1
    assert re.fullmatch("[0-9]{19}", search_ids.pop())


def test_a_search_id_is_known_to_a_sandbox_that_was_started_anew():
    first = client().page()
    later = client().page(cursor=first["cursor"], search_id=first["search_id"])
    assert later["cursor"] == 200


@pytest.mark.parametrize(
    "change",
    [
        {"query": RARE},
        {"start_date": "20240102"},
        {"end_date": "20240108"},
        {"max_count": 50},
        {"fields": "id,username"},
    ],
)
def test_a_search_id_is_good_for_its_own_request_only(change):
    asking = client()
    first = asking.page()
    search_id = first["search_id"]
    assert asking.problem(**change, cursor=100, search_id=search_id) == (
        400,
        "invalid_params",
        f"Search Id {search_id} is invalid or expired",
    )


@pytest.mark.parametrize("search_id", ["7378809778820092971", "12", "abc", "9" * 19, "\u0667" * 19])
def test_an_invented_search_id_is_refused(search_id):
    status, code, message = client().problem(cursor=100, search_id=search_id)
    assert (status, code) == (400, "invalid_params")
    assert message == f"Search Id {search_id} is invalid or expired"


def test_the_order_of_keys_and_of_fields_does_not_matter():
    asking = client()
    first = asking.page(fields="id,username")
    turned = {"and": [dict(reversed(EVERYTHING["and"][0].items()))]}
    later = asking.page(
        fields="username, id", query=turned, cursor="100", search_id=first["search_id"]
    )
    assert later["cursor"] == 200


@pytest.mark.parametrize("cursor", [1, 99, 250, 351, 400, -100, 10**30])
def test_a_cursor_that_no_page_ended_with_is_refused(cursor):
    asking = client()
    search_id = asking.page()["search_id"]
    assert asking.problem(cursor=cursor, search_id=search_id) == (
        400,
        "invalid_params",
        "Invalid count or cursor",
    )


def test_a_cursor_without_a_search_id_is_refused():
    assert client().problem(cursor=100)[2] == "Invalid count or cursor"


def test_a_page_can_be_asked_for_again():
    asking = client()
    first = asking.page()
    again = [asking.page(cursor=100, search_id=first["search_id"]) for _ in range(2)]
    assert again[0] == again[1]


def test_page_1_of_a_known_search_can_be_asked_for_by_its_id():
    asking = client()
    first = asking.page()
    assert asking.page(cursor=0, search_id=first["search_id"]) == first


def test_random_mode_brings_one_page_of_the_matches():
    asking = client()
    truth = {video["id"] for video in asking.sandbox.matches(EVERYTHING, *first_week())}
    pages = [asking.page(is_random=True, max_count=50) for _ in range(2)]
    for page in pages:
        assert not page["has_more"]
        assert 30 < len(page["videos"]) <= 50
        assert set(ids([page])) < truth
    assert ids(pages[:1]) != sorted(ids(pages[:1]), reverse=True)
    assert ids(pages[:1]) != ids(pages[1:])


def test_random_mode_with_few_matches_brings_them_all():
    asking = client(videos_per_day=5)
    assert len(asking.page(is_random=True)["videos"]) == len(asking.pages()[0]["videos"])


def test_videos_of_the_last_two_days_appear_little_by_little():
    clock = Clock(datetime(2024, 5, 31, tzinfo=UTC))
    asking = client(videos_per_day=200, now=clock)
    counts = []
    for _ in range(5):
        counts.append(asking.sandbox.match_count(EVERYTHING, date(2024, 5, 31), date(2024, 5, 31)))
        clock.move(hours=18)
    assert counts[0] == 0
    assert counts == sorted(counts)
    assert 0 < counts[1] < counts[2] < counts[4] == 200


def test_nothing_is_found_before_it_is_created():
    asking = client(data=DataBehaviour(appear_within_hours=0))
    videos = asking.sandbox.matches(EVERYTHING, date(2024, 5, 30), date(2024, 6, 3))
    noon = datetime(2024, 6, 1, 12, tzinfo=UTC).timestamp()
    assert max(video["create_time"] for video in videos) <= noon
    assert asking.page(start_date="20250101", end_date="20250102")["videos"] == []


def test_a_search_does_not_change_while_it_is_paged():
    clock = Clock(datetime(2024, 1, 7, 12, tzinfo=UTC))
    asking = client(videos_per_day=100, now=clock)
    count = asking.sandbox.match_count(EVERYTHING, *first_week())
    first = asking.page()
    clock.move(days=1)
    asking.renew_token()
    last = first
    while last["has_more"]:
        last = asking.page(cursor=last["cursor"], search_id=first["search_id"])
    assert last["cursor"] == count
    assert asking.page()["search_id"] != first["search_id"]
    assert asking.sandbox.match_count(EVERYTHING, *first_week()) > count


def test_a_settled_search_has_the_same_id_whenever_it_is_made():
    clock = Clock()
    asking = client(now=clock)
    first = asking.page()["search_id"]
    clock.move(days=400)
    asking.renew_token()
    assert asking.page()["search_id"] == first


def test_any_days_can_be_asked_for():
    assert client().page(start_date="00010101", end_date="00010131")["videos"] == []
    assert client().page(start_date="99991230", end_date="99991231")["videos"] == []


def test_records_of_the_page_before_can_stand_again():
    asking = client(searches=SearchBehaviour(repeated_records=3))
    pages = asking.pages()
    for before, page in pairwise(pages):
        assert page["videos"][:3] == before["videos"][-3:]
        assert len(page["videos"]) <= 100
    plain = client().pages()
    assert set(ids(pages)) == set(ids(plain))
    assert len(ids(pages)) == len(ids(plain)) + 9


def test_records_are_repeated_only_as_far_as_the_page_has_room():
    asking = client(searches=SearchBehaviour(repeated_records=3), data=DataBehaviour(hidden=0))
    assert [len(page["videos"]) for page in asking.pages()] == [100, 100, 100, 53]


def test_a_search_can_go_on_without_end():
    asking = client(searches=SearchBehaviour(endless=True))
    page = asking.page()
    for cursor in (200, 300, 400, 500, 600):
        page = asking.page(cursor=page["cursor"], search_id=page["search_id"])
        assert (page["cursor"], page["has_more"]) == (cursor, True)
    assert page["videos"] == []
    assert not asking.page(query=NOTHING)["has_more"]


@pytest.mark.parametrize(
    ("limits", "works"),
    [
        ({"fail_over_days": 7}, True),
        ({"fail_over_days": 6}, False),
        ({"fail_over_matches": 350}, True),
        ({"fail_over_matches": 349}, False),
        ({"fail_on_days": (date(2023, 12, 31), date(2024, 1, 8))}, True),
        ({"fail_on_days": (date(2024, 1, 7),)}, False),
    ],
)
def test_large_searches_and_those_of_some_days_can_always_fail(limits, works):
    asking = client(searches=SearchBehaviour(**limits))
    outcomes = {asking.search()[0] for _ in range(3)}
    assert outcomes == ({200} if works else {500})


@pytest.mark.parametrize(("profile", "status"), [("none", 200), ("empty-groups", 500)])
def test_empty_groups_fail_if_the_profile_says_so(profile, status):
    asking = client(searches=load_profile(profile).searches)
    assert asking.search(query=EVERYTHING | {"or": [], "not": []})[0] == status
    assert asking.search()[0] == 200


def test_the_truth_can_be_asked_for_longer_ranges():
    asking = client(videos_per_day=3)
    start = date(2023, 1, 1)
    assert asking.sandbox.match_count(EVERYTHING, start, start + timedelta(days=364)) == 1_095


@pytest.mark.slow
@pytest.mark.parametrize("regions", [["US", "FR"], ["US", "GB", "FR", "DE"]])
def test_everyday_hashtags_are_found_by_the_thousand(regions):
    wanted = {
        "and": [
            condition("hashtag_name", "butter", "cheese"),
            condition("region_code", *regions),
        ]
    }
    found = Sandbox(now=Clock()).matches(wanted, date(2024, 1, 1), date(2024, 3, 31))
    assert 2_000 < len(found) < 6_000
