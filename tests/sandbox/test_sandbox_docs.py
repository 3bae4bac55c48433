from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from tiktok_crawler.sandbox import (
    CLIENT_KEY,
    CLIENT_SECRET,
    Profile,
    load_profile,
    shipped_profiles,
)
from tiktok_crawler.sandbox.faults.profile_file import parse_profile
from tiktok_crawler.sandbox.faults.schedule import FaultName, Requests, ScheduledFault

TEXT = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")


def sections() -> dict[str, object]:
    return {
        name: getattr(Profile(), name)
        for name in ("searches", "data", "lists", "compliance", "tokens", "quota", "latency")
    }


@pytest.mark.parametrize(
    "word", [*FaultName, *Requests, *shipped_profiles(), CLIENT_KEY, CLIENT_SECRET]
)
def test_every_fault_and_profile_is_documented(word):
    assert f"`{word}`" in TEXT


@pytest.mark.parametrize("key", [field.name for field in fields(ScheduledFault)])
def test_every_key_of_a_fault_is_documented(key):
    assert re.search(rf"`{key}[:`]", TEXT)


@pytest.mark.parametrize(
    ("section", "key"),
    [(section, field.name) for section, part in sections().items() for field in fields(part)],
)
def test_every_key_of_a_profile_is_documented_with_its_default(section, key):
    default = getattr(sections()[section], key)
    row = re.search(rf"^\|.*`(?:{section}\.)?{key}`.*$", TEXT, re.MULTILINE)
    assert row
    if isinstance(default, int | float) and key != "old_id_days":
        assert f"| {str(default).lower().removesuffix('.0')} |" in row.group()


def test_the_example_profile_can_be_loaded():
    example = re.search(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert example
    profile = parse_profile(example.group(1), "docs/sandbox.md")
    assert len(profile.faults) == 3
    assert profile.data.hidden == 0.33


@pytest.mark.slow
def test_the_example_in_python_runs():
    example = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert example
    names: dict[str, object] = {}
    exec(example.group(1), names)
    assert len(names["truth"]) > 1_000


def test_what_the_table_says_of_profiles_is_so():
    assert load_profile("bad-day").searches.fail_over_matches == 3_000
    assert load_profile("quota").quota.daily == 25
    assert load_profile("heavy-windows").searches.fail_over_matches == 2_000
