"""The data of an answer, read into a page of a search or a listing (api_facts.md 3 to 10, 13)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from asked import seed_request, window_request
from hypothesis import given
from hypothesis import strategies as st
from json_values import JSON

from tiktok_crawler.research_api import endpoints
from tiktok_crawler.research_api.endpoints import LISTINGS
from tiktok_crawler.research_api.pages import LARGEST_CURSOR, Page, read_page
from tiktok_crawler.research_api.paging import Paging, Place
from tiktok_crawler.research_api.verdicts import AnswerKind, Verdict

RECEIVED_AT = datetime(2024, 4, 5, 13, 25, 44, tzinfo=UTC)
SEARCH_ID = "7423432753447932974"
NOW = 1_706_457_540
FIRST = window_request(row_id=3)
THIRD = window_request(row_id=3, cursor=200, search_id=SEARCH_ID, received=190)
COMMENTS = seed_request(endpoints.COMMENTS, "7318480000000000001", 5)
FOLLOWERS = seed_request(endpoints.FOLLOWERS, "ada", 6)
LIKED = seed_request(endpoints.LIKED_VIDEOS, "ada", 7)
PLAYLIST = seed_request(endpoints.PLAYLISTS, "9", 8)
PRODUCTS = seed_request(endpoints.PRODUCTS, "9", 9)
PINNED = seed_request(endpoints.PINNED_VIDEOS, "ada", 10)
WITH_HAS_MORE = [FIRST, COMMENTS, FOLLOWERS, LIKED, PLAYLIST]


def at(request, **place):
    return replace(request, place=Place(**place))


def read(request, data, kind=AnswerKind.PAGE):
    verdict = Verdict(kind, 200, "ok", log_id="a log_id", data=data)
    return read_page(request, verdict, received_at=RECEIVED_AT)


@pytest.mark.parametrize(("request_", "key"), [(FIRST, "videos"), (COMMENTS, "comments")])
@pytest.mark.parametrize("search_id", [None, SEARCH_ID])
def test_a_page_holds_the_records_as_they_came(request_, key, search_id):
    records = [{"id": 7320768196569599275, "text": "a\u0000b"}, {"id": 8}, "nonsense"]
    rest = {"cursor": 100, "search_id": search_id, "has_more": True}

    assert read(request_, {key: records} | rest) == Page(
        request=request_,
        records=tuple(records),
        log_id="a log_id",
        received_at=RECEIVED_AT,
        **rest,
    )


@pytest.mark.parametrize(
    ("request_", "cursor"),
    [
        # Recorded: 27 videos at cursor 100 of 100, and a last page that ends at 145.
        (FIRST, 100),
        (FIRST, 145),
        (THIRD, 300),
        (COMMENTS, 96),
        (COMMENTS, 1050),
        (FOLLOWERS, NOW),
        (at(FOLLOWERS, cursor=NOW), NOW - 1),
        (LIKED, 1_706_457_371_000),
        (at(LIKED, cursor=7), 1_706_457_371_000),
        (PLAYLIST, 100),
    ],
)
def test_the_next_page_echoes_the_cursor_of_the_answer(request_, cursor):
    page = read(request_, {"cursor": cursor, "has_more": True})

    assert page.next_request.place.cursor == cursor
    assert page.advances


@pytest.mark.parametrize("cursor", [..., None, True, "next", -1, 2**63])
@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (FIRST, 100),
        (THIRD, 300),
        (COMMENTS, 100),
        (at(COMMENTS, cursor=200), 300),
        (at(COMMENTS, cursor=950), 1000),
    ],
)
def test_without_a_usable_cursor_an_index_goes_on_a_page_further(cursor, request_, expected):
    data = {"has_more": True} | ({} if cursor is ... else {"cursor": cursor})
    page = read(request_, data)

    assert page.next_request.place.cursor == expected
    assert page.advances


@pytest.mark.parametrize("request_", [FOLLOWERS, LIKED])
@pytest.mark.parametrize("cursor", [{}, {"cursor": None}, {"cursor": "soon"}])
def test_without_a_usable_cursor_a_time_is_not_made_up(request_, cursor):
    asked = at(request_, cursor=NOW)
    page = read(asked, cursor | {"has_more": True})

    assert page.cursor == NOW
    assert not page.advances


def test_a_cursor_that_is_a_number_in_text_is_a_number():
    assert read(FIRST, {"cursor": "145", "has_more": False}).cursor == 145


@pytest.mark.parametrize(("request_", "cursor"), [(FIRST, 0), (THIRD, 200), (THIRD, 100)])
def test_a_cursor_that_does_not_advance_is_told(request_, cursor):
    assert not read(request_, {"cursor": cursor, "has_more": True}).advances


@pytest.mark.parametrize(
    ("request_", "data", "search_id"),
    [
        (FIRST, {}, None),
        (FIRST, {"search_id": SEARCH_ID}, SEARCH_ID),
        (FIRST, {"search_id": int(SEARCH_ID)}, SEARCH_ID),
        *((THIRD, {"search_id": value}, SEARCH_ID) for value in (None, "", ["7"])),
        (THIRD, {}, SEARCH_ID),
    ],
)
def test_the_next_page_has_the_search_id_of_the_answer_or_else_that_of_the_search(
    request_, data, search_id
):
    page = read(request_, data | {"has_more": True})

    assert page.next_request.place.search_id == page.search_id == search_id


@pytest.mark.parametrize("request_", WITH_HAS_MORE)
@pytest.mark.parametrize("has_more", [True, False])
def test_only_an_explicit_end_ends_a_list(request_, has_more):
    page = read(request_, {"cursor": 100, "has_more": has_more})

    assert page.has_more is has_more
    assert (page.next_request is not None) is has_more


@pytest.mark.parametrize("videos", [None, [], {"id": 7}])
def test_a_page_without_a_list_of_records_is_an_empty_one_like_others(videos):
    data = {"cursor": 100, "has_more": True, "search_id": SEARCH_ID}

    assert read(FIRST, data | {"videos": videos}) == read(FIRST, data)
    assert read(FIRST, data).records == ()
    assert not read(FIRST, data).suspicious


@pytest.mark.parametrize("request_", WITH_HAS_MORE)
def test_an_answer_that_never_says_whether_there_is_more_ends_no_list_with_records(request_):
    keys = request_.endpoint.records_keys or ("playlist_video_ids",)
    data = {keys[0]: [{"id": 7}], "cursor": 100}
    page = read(request_, data, AnswerKind.MALFORMED)

    assert page == read(request_, data)
    assert page.has_more
    assert len(page.records) == 1
    assert not page.suspicious


@pytest.mark.parametrize("request_", [*WITH_HAS_MORE, THIRD, PRODUCTS, PINNED])
@pytest.mark.parametrize("data", [None, {}, {"videos": []}])
def test_a_malformed_answer_without_records_is_a_suspicious_end(request_, data):
    assert read(request_, data, AnswerKind.MALFORMED) == Page(
        request=request_,
        records=(),
        cursor=request_.place.cursor,
        search_id=request_.place.search_id,
        has_more=False,
        log_id="a log_id",
        received_at=RECEIVED_AT,
        suspicious=True,
    )


@pytest.mark.parametrize("pages", [0, 1, 8])
def test_pages_of_products_are_counted_until_one_comes_empty(pages):
    asked = at(PRODUCTS, cursor=pages)

    full = read(asked, {"product_data": [{"product_id": 1}]})
    empty = read(asked, {"product_data": []})

    assert full.next_request.place.cursor == pages + 1
    assert empty.next_request is None
    assert not empty.suspicious


def test_no_count_of_pages_is_larger_than_a_database_holds():
    page = read(at(PRODUCTS, cursor=2**63 - 1), {"product_data": [{"product_id": 1}]})
    assert page.cursor == 2**63 - 1
    assert not page.advances


@pytest.mark.parametrize("data", [{}, {"pinned_videos_list": [{"id": 1}], "has_more": True}])
def test_what_comes_in_one_answer_has_no_next_page(data):
    assert read(PINNED, data).next_request is None


@pytest.mark.parametrize("key", ["reposted_videos", "user_reposted_videos"])
def test_reposted_videos_are_read_under_either_key(key):
    reposted = seed_request(endpoints.REPOSTED_VIDEOS, "ada", 5)

    page = read(reposted, {key: [{"id": 7}], "cursor": 7, "has_more": True})

    assert page.records == ({"id": 7},)
    assert page.next_request.place.cursor == 7


def test_a_refusal_that_says_that_nothing_is_there_is_the_end_of_the_list():
    asked = at(COMMENTS, cursor=1000, received=960)
    verdict = Verdict(
        AnswerKind.SEARCH_REFUSED, 400, "invalid_params", "Invalid count or cursor", "7"
    )

    page = read_page(asked, verdict, received_at=RECEIVED_AT)

    assert page.next_request is None
    assert (page.records, page.received, page.log_id) == ((), 960, "7")
    assert not page.suspicious


CURSORS = st.integers(0, LARGEST_CURSOR)
LISTED = st.lists(JSON | st.dictionaries(st.sampled_from(["id", "username"]), JSON), max_size=5)
REQUESTS = st.sampled_from([FIRST, THIRD]) | st.builds(
    seed_request,
    st.sampled_from(list(LISTINGS.values())),
    st.just("7"),
    st.just(1),
    cursor=CURSORS,
    received=st.integers(0, 10**6),
    limit=st.none() | st.integers(1, 10**6),
)


@st.composite
def pages(draw):
    """A page from an answer that is as odd as can be."""
    request = draw(REQUESTS)
    keys = request.endpoint.records_keys or (*request.endpoint.object_keys,)
    data = draw(
        st.none()
        | st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(keys, LISTED | JSON)
            | {"cursor": CURSORS | JSON, "has_more": st.booleans() | JSON, "search_id": JSON},
        )
    )
    return read(request, data, draw(st.sampled_from([AnswerKind.PAGE, AnswerKind.MALFORMED])))


@given(pages())
def test_whatever_comes_it_is_a_page(page):
    assert 0 <= page.cursor <= LARGEST_CURSOR
    assert page.search_id is None or isinstance(page.search_id, str)
    assert isinstance(page.records, tuple)
    assert page.received == page.request.place.received + len(page.records)
    assert isinstance(page.record_ids, frozenset)
    assert isinstance(page.advances, bool)


@given(pages())
def test_a_listing_never_goes_back(page):
    after = page.next_request
    if after is None:
        return
    before = page.request.place.cursor
    assert after.place.received >= page.request.place.received
    match page.request.endpoint.paging:
        case Paging.INDEX | Paging.NUMBERED:
            assert after.place.cursor >= before
        case Paging.FALLING:
            assert before == 0 or 0 < after.place.cursor <= before
        case Paging.OPAQUE:
            assert before == 0 or after.place.cursor > 0


@given(pages())
def test_a_next_request_is_of_the_same_list(page):
    after = page.next_request
    if after is not None:
        assert after.from_start() == page.request.from_start()
