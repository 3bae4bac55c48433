from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from list_client import ListClient, sandbox, some_seeds
from sandbox_client import Clock, query

from tiktok_crawler.sandbox.faults.profile import DataBehaviour
from tiktok_crawler.sandbox.world.comment_ids import Remark, find_comment
from tiktok_crawler.sandbox.world.corpus import Corpus

if TYPE_CHECKING:
    from tiktok_crawler.sandbox import Sandbox

SHARED = sandbox()
FIELDS = {"id", "video_id", "text", "parent_comment_id", "create_time", "reply_count"}


def popular(asked: Sandbox = SHARED, at_least: int = 500) -> str:
    return some_seeds(asked, "comments", 1, at_least=at_least)[0]


def test_comments_have_the_shape_of_the_api():
    video = popular()
    comments = SHARED.truth("comments", video)
    assert all(
        FIELDS <= each.keys() <= FIELDS | {"like_count", "display_name"} for each in comments
    )
    for each in comments:
        assert each["parent_comment_id"] == each["video_id"] == int(video)
        assert len(str(each["id"])) == 19
        assert each["id"] >> 32 == each["create_time"] >= int(video) >> 32
    assert len({each["id"] for each in comments}) == len(comments)


def test_some_texts_are_empty_some_masked_and_some_keys_missing():
    comments = SHARED.truth("comments", popular())
    texts = [each["text"] for each in comments]
    assert "" in texts
    assert any("**" in text for text in texts)
    assert 0 < sum("like_count" not in each for each in comments) < len(comments) / 10
    assert 0 < sum("display_name" not in each for each in comments) < len(comments) / 5


def test_the_most_liked_come_first():
    likes = [
        each["like_count"] for each in SHARED.truth("comments", popular()) if "like_count" in each
    ]
    assert likes == sorted(likes, reverse=True)
    assert likes[0] > likes[-1]


def test_less_is_listed_than_the_video_counts():
    day = date(2024, 1, 3)
    counted = listed = 0
    for video in SHARED.matches(query("region_code", "FR"), day, day):
        if video["comment_count"] < 2_000:
            comments = SHARED.truth("comments", str(video["id"]))
            listed += len(comments) + sum(each["reply_count"] for each in comments)
            counted += video["comment_count"]
            assert len(comments) < max(1, video["comment_count"])
            assert comments or video["comment_count"] < 10
    assert 0.5 < listed / counted < 1


def test_deleted_comments_make_pages_short():
    pages = ListClient(SHARED).pages("comments", popular(), max_count=100)
    lengths = [len(page["comments"]) for page in pages[:-1]]
    assert 80 < min(lengths) < max(lengths) <= 100
    assert [page["cursor"] for page in pages[:-1]] == [100 * n for n in range(1, len(pages))]


def test_the_listing_ends_at_the_cap():
    pages = ListClient(SHARED).pages("comments", popular(at_least=900), max_count=100)
    assert (pages[-1]["cursor"], pages[-1]["has_more"]) == (1_000, False)


def test_the_cap_can_refuse_what_lies_behind():
    asked = sandbox(cap_refuses=True)
    asking, video = ListClient(asked), popular(asked, at_least=900)
    page = asking.data("comments", video, max_count=100, cursor=900)
    assert (page["cursor"], page["has_more"]) == (1_000, True)
    beyond = asking.problem("comments", video, max_count=100, cursor=1_000)
    assert beyond == (400, "invalid_params", "Invalid count or cursor")
    pages = [asking.data("comments", video, max_count=100, cursor=n) for n in range(0, 1_000, 100)]
    assert [each for page in pages for each in page["comments"]] == asked.truth("comments", video)


def test_more_than_the_cap_can_be_listed():
    asked = sandbox(comment_cap=100_000, comments=1_500, deleted=0)
    video = popular(asked)
    assert len(ListClient(asked).records("comments", video, max_count=100)) == 1_500


def test_replies_carry_the_comment_and_the_video():
    comment = some_seeds(SHARED, "replies", 1, at_least=11)[0]
    replies = SHARED.truth("replies", comment)
    parent = find_comment(
        Corpus(seed=1, videos_per_day=500, behaviour=DataBehaviour()), int(comment)
    )
    assert {each["parent_comment_id"] for each in replies} == {int(comment)}
    assert {each["video_id"] for each in replies} == {parent.video.id}
    assert {each["reply_count"] for each in replies} == {0}
    assert all(each["create_time"] > int(comment) >> 32 for each in replies)


def test_the_number_of_replies_is_that_of_the_comment():
    asked = sandbox(comments=5, replies=30, deleted=0)
    ids = set()
    for comment in asked.truth("comments", popular(asked, at_least=5)):
        replies = asked.truth("replies", str(comment["id"]))
        assert comment["reply_count"] == len(replies) == 30
        ids |= {comment["id"], *(reply["id"] for reply in replies)}
    assert len(ids) == 5 * 31


def test_without_comments_there_is_an_empty_list():
    asked = sandbox(comments=0)
    page = ListClient(asked).data("comments", some_seeds(asked, "comments", 1)[0])
    assert page == {"comments": [], "cursor": 0, "has_more": False}


def test_a_video_that_searches_do_not_deliver_has_no_comments():
    corpus = Corpus(seed=1, videos_per_day=500, behaviour=DataBehaviour())
    hidden = next(video for video in corpus.videos_of_day(date(2024, 1, 1)) if video.hidden)
    assert ListClient(SHARED).problem("comments", hidden.id)[0] == 400
    assert ListClient(SHARED).problem("replies", Remark(hidden, 0).id)[0] == 400


@pytest.mark.parametrize("both", [{"video_id": 7}, {"video_id": "7"}])
def test_a_video_and_a_comment_together_are_refused(both):
    problem = ListClient(SHARED).problem("replies", 7, **both)
    assert problem == (400, "invalid_params", "Exactly one video_id or comment_id is required")


def test_replies_have_no_replies():
    comment = some_seeds(SHARED, "replies", 1, at_least=1)[0]
    reply = SHARED.truth("replies", comment)[0]["id"]
    assert ListClient(SHARED).problem("replies", reply)[0] == 400


def test_comments_of_the_future_are_not_listed_yet():
    clock = Clock()
    asked = sandbox(clock, comments=200, deleted=0)
    video = some_seeds(asked, "comments", 1)[0]
    clock.move(days=-(clock().date() - date(2024, 2, 3)).days)
    early = asked.truth("comments", video)
    assert 0 < len(early) < 200
    assert all(each["create_time"] <= clock().timestamp() for each in early)


def test_every_comment_id_leads_back_to_its_comment():
    corpus = Corpus(seed=3, videos_per_day=40, behaviour=DataBehaviour(old_ids=0.5))
    for video in corpus.videos_of_day(date(2024, 2, 29)):
        assert corpus.find(video.id) is video
        for rank in (0, 1, 77, 9_999):
            assert find_comment(corpus, Remark(video, rank).id) == Remark(video, rank)
            assert find_comment(corpus, Remark(video, rank).id + 1) is None
