"""Each exception from ruff's rules on security is one rule's, and has its reason."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXCEPTION = re.compile(r"# noqa: [A-Z0-9, ]*\bS\d+\S*(.*)")


def test_each_exception_from_the_rules_on_security_has_a_reason():
    paths = [
        path
        for name in ("tiktok_crawler", "tests", "benchmarks", ".ci", "alembic")
        for path in (ROOT / name).rglob("*.py")
        if not any(part.startswith(".") for part in path.relative_to(ROOT / name).parts)
    ]
    found = [
        (path.name, reason) for path in paths for reason in EXCEPTION.findall(path.read_text())
    ]
    assert len(found) > 10
    assert [name for name, reason in found if not re.match(r" - \w+", reason)] == []


def test_the_rules_on_security_are_left_out_one_by_one_with_a_reason():
    (settings,) = re.findall(
        r"^\[tool\.ruff\.lint\]\n(.*?)^\[tool\.ruff\.lint\.flake8",
        (ROOT / "pyproject.toml").read_text(),
        re.MULTILINE | re.DOTALL,
    )
    rules = re.findall(r'"(S\d*)"[^#\n]*(.*)', settings)
    assert len(rules) > 10
    assert [rule for rule, reason in rules if rule == "S" or not reason] == []
