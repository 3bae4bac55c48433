"""docs/operations.md is complete: whatever a crawl can end with, count or warn of is explained."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest
from messages_from_code import PACKAGE, explained, is_explained, messages, trees

from tiktok_crawler import exceptions
from tiktok_crawler.crawling.closing import EXIT_STATUSES
from tiktok_crawler.research_api.verdicts import AnswerKind

DOCUMENT = (PACKAGE.parent / "docs" / "operations.md").read_text(encoding="utf-8")

PASSED_ON = {
    # The words come from somewhere else: a file's warnings, an exception, TikTok.
    ("spiders/videos.py", "%(warning)s"): "begins with the query file",
    ("spiders/task_runner.py", "%(reason)s"): "The API refuses the requests: ...",
    ("extensions/outcome.py", "%(error)s"): "the lock on ... is lost",
    ("spiders/check_runner.py", "%(held)s"): "That may be a fault of the API: ",
    ("pipelines/crawl_storage.py", "%(line)s"): "that cannot be read left out",
    ("pipelines/crawl_storage.py", "%(warning)s"): "lies on a network file system",
    ("pipelines/storage_reports.py", "%(refused)s"): "users: 12 users were not found",
    ("pipelines/storage.py", "%(exposed)s"): "others can get at what is collected",
    ("pipelines/storage.py", "%(error)s"): "the archive in ... cannot be written",
    ("crawling/storage_thread.py", "%(error)s"): "the archive in ... cannot be written",
    ("extensions/run_record.py", "%(error)s"): "the database ... is not where it was",
    ("middlewares/quota.py", "%(error)s"): "the lock on ... is lost",
    ("middlewares/token.py", "%(message)s"): "TikTok refuses a new token",
}


def section(title: str) -> str:
    return DOCUMENT.split(f"## {title}\n")[1].split("\n## ")[0]


def first_cells(title: str) -> list[str]:
    """What the rows of a section's table are about."""
    _header, *rows = re.findall(r"^\| (.*?) \|", section(title), flags=re.MULTILINE)
    return [row for row in rows if not row.startswith("-")]


def codes(title: str) -> list[str]:
    return [code for cell in first_cells(title) for code in re.findall(r"`([^`]+)`", cell)]


@cache
def statistics() -> set[str]:
    """Return the names of the statistics that the code counts, with `<>` for what is filled in."""
    names = {
        "".join(
            part.value if isinstance(part, ast.Constant) else "<>"
            for part in (node.values if isinstance(node, ast.JoinedStr) else [node])
        )
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        or (isinstance(node, ast.Constant) and isinstance(node.value, str))
    }
    return {name for name in names if re.fullmatch(r"tiktok/[a-z_<>]+/[a-z_<>]+", name)}


def is_counted_as(code: str, name: str) -> bool:
    """Whether a statistic of the document is one that the code counts under `name`."""
    return bool(re.fullmatch(name.replace("<>", "[a-z_<>]+"), code))


def test_messages_are_found():
    assert len(messages()) > 20
    assert len(statistics()) > 20


def test_every_warning_and_error_is_explained():
    of_others = {key for key in messages() if not is_explained(key[1], DOCUMENT)}
    assert of_others == set(PASSED_ON)
    assert not [each for each in PASSED_ON.values() if each not in section("Warnings and errors")]


def test_every_explained_message_exists():
    texts = [message for _, message in messages()]
    source = " ".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    flat = re.sub(r'"\s+f?"', "", source)
    for code in explained(DOCUMENT):
        fragments = [part.strip() for part in code.split("...") if part.strip()]
        assert any(all(part in text for part in fragments) for text in [*texts, flat]), code


def test_every_statistic_is_explained():
    explained = codes("Statistics")
    for name in statistics():
        assert any(is_counted_as(known, name) for known in explained), name


def test_every_explained_statistic_is_counted():
    counted = statistics()
    for known in (code for code in codes("Statistics") if code.startswith("tiktok/")):
        assert any(is_counted_as(known, name) for name in counted), known


def test_every_kind_of_answer_is_explained():
    assert set(AnswerKind) <= set(codes("Statistics")) | set(
        re.findall(r"`(\w+)`", section("Statistics"))
    )


def test_every_close_reason_is_explained():
    explained = codes("Close reasons")
    for reason in EXIT_STATUSES:
        assert reason in explained or f"{reason.split('_')[0]}_..." in explained, reason


@pytest.mark.parametrize("reason", codes("Close reasons"))
def test_every_explained_close_reason_exists(reason):
    assert any(known.startswith(reason.removesuffix("...")) for known in EXIT_STATUSES)


def test_the_statuses_of_the_close_reasons_are_right():
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", section("Close reasons"), flags=re.MULTILINE)
    assert rows
    for reason, status in rows:
        assert EXIT_STATUSES[reason] == int(status), reason


def test_every_exit_status_is_explained():
    errors = [value for value in vars(exceptions).values() if isinstance(value, type)]
    statuses = {getattr(error, "exit_status", 0) for error in errors} | {*EXIT_STATUSES.values()}
    assert {str(status) for status in statuses} == set(first_cells("What to do after a crawl"))


def export_errors() -> list[str]:
    """The messages with which exports end that broke, with `...` for what is filled in."""
    of_exports = [
        tree for module, tree in trees().items() if "export/" in module or "/export" in module
    ]
    return [
        "".join(part.value if isinstance(part, ast.Constant) else "..." for part in text.values)
        for tree in of_exports
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"ExportError", "self._refuse"}
        and isinstance(text := node.args[0], ast.JoinedStr)
    ]


def test_every_error_of_an_export_is_explained():
    rows = codes("After an export")
    patterns = [".*".join(map(re.escape, row.split("..."))) for row in rows if " " in row]

    assert len(export_errors()) == len(patterns)
    for error in export_errors():
        assert any(re.fullmatch(pattern, error) for pattern in patterns), error
