"""The data of an answer, read into a page of a listing (api_facts.md 4 to 10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from asked import seed_request
from hypothesis import given
from hypothesis import strategies as st

from tiktok_crawler.research_api import endpoints
from tiktok_crawler.research_api.endpoints import LISTINGS
from tiktok_crawler.research_api.pages import LARGEST_CURSOR, Page, read_page
from tiktok_crawler.research_api.paging import Paging, Place
from tiktok_crawler.research_api.verdicts import AnswerKind, Verdict

RECEIVED_AT = datetime(2024, 4, 5, 13, 25, 44, tzinfo=UTC)
NOW = 1_706_457_540
COMMENTS = seed_request(endpoints.COMMENTS, "7318480000000000001", 5)
FOLLOWERS = seed_request(endpoints.FOLLOWERS, "ada", 6)
LIKED = seed_request(endpoints.LIKED_VIDEOS, "ada", 7)
PLAYLIST = seed_request(endpoints.PLAYLISTS, "9", 8)
PRODUCTS = seed_request(endpoints.PRODUCTS, "9", 9)
PINNED = seed_request(endpoints.PINNED_VIDEOS, "ada", 10)


def at(request, **place):
    return replace(request, place=Place(**place))


def read(request, data, kind=AnswerKind.PAGE):
    verdict = Verdict(kind, 200, "ok", log_id="a log_id", data=data)
    return read_page(request, verdict, received_at=RECEIVED_AT)


def test_a_page_holds_the_records_as_they_came():
    records = [{"id": 7, "text": "a\u0000b"}, {"id": 8}, "nonsense"]

    page = read(COMMENTS, {"comments": records, "cursor": 100, "has_more": True})

    assert page == Page(
        request=COMMENTS,
        records=tuple(records),
        cursor=100,
        search_id=None,
        has_more=True,
        log_id="a log_id",
        received_at=RECEIVED_AT,
    )


@pytest.mark.parametrize(
    ("request_", "cursor"),
    [
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


@pytest.mark.parametrize("cursor", [{}, {"cursor": None}, {"cursor": -1}, {"cursor": "next"}])
@pytest.mark.parametrize(("asked", "expected"), [(0, 100), (200, 300), (950, 1000)])
def test_without_a_usable_cursor_an_index_goes_on_a_page_further(cursor, asked, expected):
    page = read(at(COMMENTS, cursor=asked), cursor | {"has_more": True})

    assert page.next_request.place.cursor == expected


@pytest.mark.parametrize("request_", [FOLLOWERS, LIKED])
@pytest.mark.parametrize("cursor", [{}, {"cursor": None}, {"cursor": "soon"}])
def test_without_a_usable_cursor_a_time_is_not_made_up(request_, cursor):
    asked = at(request_, cursor=NOW)
    page = read(asked, cursor | {"has_more": True})

    assert page.cursor == NOW
    assert not page.advances


@pytest.mark.parametrize("request_", [COMMENTS, FOLLOWERS, LIKED, PLAYLIST])
def test_only_an_explicit_end_ends_a_list(request_):
    empty = {"cursor": 100}

    assert read(request_, empty | {"has_more": True}).next_request is not None
    assert read(request_, empty | {"has_more": False}).next_request is None


@pytest.mark.parametrize("request_", [COMMENTS, FOLLOWERS, LIKED, PLAYLIST])
def test_an_answer_that_never_says_whether_there_is_more_ends_no_list_with_records(request_):
    keys = request_.endpoint.records_keys or ("playlist_video_ids",)
    page = read(request_, {keys[0]: [{"id": 7}], "cursor": 100}, AnswerKind.MALFORMED)

    assert page.has_more
    assert len(page.records) == 1
    assert not page.suspicious


@pytest.mark.parametrize("request_", [COMMENTS, FOLLOWERS, LIKED, PLAYLIST, PRODUCTS, PINNED])
@pytest.mark.parametrize("data", [None, {}])
def test_a_malformed_answer_without_records_is_a_suspicious_end(request_, data):
    page = read(request_, data, AnswerKind.MALFORMED)

    assert page.suspicious
    assert page.next_request is None
    assert page.records == ()


@pytest.mark.parametrize("pages", [0, 1, 8])
def test_pages_of_products_are_counted_until_one_comes_empty(pages):
    asked = at(PRODUCTS, cursor=pages)

    full = read(asked, {"product_data": [{"product_id": 1}]})
    empty = read(asked, {"product_data": []})

    assert full.next_request.place.cursor == pages + 1
    assert empty.next_request is None
    assert not empty.suspicious


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


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
)
CURSORS = st.integers(0, LARGEST_CURSOR)
LISTED = st.lists(JSON | st.dictionaries(st.sampled_from(["id", "username"]), JSON), max_size=5)
REQUESTS = st.builds(
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
            | {"cursor": CURSORS | JSON, "has_more": st.booleans() | JSON},
        )
    )
    return read(request, data, draw(st.sampled_from([AnswerKind.PAGE, AnswerKind.MALFORMED])))


@given(pages())
def test_whatever_comes_it_is_a_page(page):
    assert 0 <= page.cursor <= LARGEST_CURSOR
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
