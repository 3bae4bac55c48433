"""docs/research_api.md works as it stands there, on a sandbox."""

from __future__ import annotations

import re
from datetime import date
from doctest import DocTestParser, DocTestRunner
from pathlib import Path

import pytest
from sandboxes import recording_sandbox

from tiktok_crawler import research_api

TEXT = (Path(__file__).parents[2] / "docs" / "research_api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(python|pycon)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def tried():
    """What the document's code leaves behind, what went wrong in it, and the sandbox it asked."""
    names, complaints = {}, []
    with recording_sandbox() as (sandbox, url), pytest.MonkeyPatch.context() as patch:
        patch.setenv("no_proxy", "127.0.0.1")
        for language, code in BLOCKS:
            if language == "python":
                exec(code.replace("http://127.0.0.1:8890", url), names)
            else:
                test = DocTestParser().get_doctest(code, names, "research_api.md", None, None)
                DocTestRunner().run(test, out=complaints.append, clear_globs=False)
                names |= test.globs
    return names, complaints, sandbox


def test_its_code_shows_what_it_says(tried):
    _, complaints, _ = tried
    assert "".join(complaints) == ""
    assert len(BLOCKS) == TEXT.count("```py")


def test_its_loop_finds_every_video_with_a_request_a_page(tried):
    names, _, sandbox = tried
    truth = sandbox.matches(names["query"].to_json(), date(2024, 1, 1), date(2024, 1, 7))
    assert {video["id"] for video in names["found"]} == {video["id"] for video in truth}
    assert len(truth) > 100


def test_it_lists_all_comments_of_a_video(tried):
    names, _, sandbox = tried
    truth = sandbox.truth("comments", names["video_id"])
    assert [comment["id"] for comment in names["comments"]] == [one["id"] for one in truth]
    assert truth


@pytest.mark.parametrize("kind", list(research_api.AnswerKind))
def test_it_says_what_every_kind_of_answer_means(kind):
    assert f"\n| `{kind}` |" in TEXT
