"""The query of a search request: groups, conditions, what is refused of them (api_facts.md 3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from tiktok_crawler.sandbox.protocol.errors import invalid_params
from tiktok_crawler.sandbox.search.regions import REGION_CODES

if TYPE_CHECKING:
    from collections.abc import Callable

GROUPS = frozenset({"and", "or", "not"})
VIDEO_LENGTHS = ("SHORT", "MID", "LONG", "EXTRA_LONG")
INT64_DIGITS = 19
COMPARISONS = frozenset({"GT", "GTE", "LT", "LTE"})
COMPARABLE = frozenset({"create_date", "view_count", "comment_count"})


@dataclass(frozen=True, slots=True)
class SandboxCondition:
    """`field_name` of a video stands in the relation `operation` to `field_values`."""

    operation: str
    field_name: str
    field_values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SandboxQuery:
    """The groups `and`, `or` and `not`: all hold, at least one holds, none holds."""

    all_of: tuple[SandboxCondition, ...]
    any_of: tuple[SandboxCondition, ...]
    none_of: tuple[SandboxCondition, ...]


def parse_query(value: object) -> SandboxQuery:
    """Read the `query` of a request; a group that is empty is none (api_facts.md 3.3).

    Raises:
        ApiError: the API would refuse it.
    """
    if not isinstance(value, dict) or not any(value.values()) or value.keys() - GROUPS:
        raise invalid_params("Invalid query: it takes at least one of the lists and, or, not")
    return SandboxQuery(_group(value, "and"), _group(value, "or"), _group(value, "not"))


def has_empty_group(value: object) -> bool:
    """Tell whether one of the groups is there and has no condition."""
    return isinstance(value, dict) and any(value.get(name) == [] for name in GROUPS)


def parse_date(value: object) -> date:
    """Read a day written as YYYYMMDD; raises ValueError for anything else."""
    if not isinstance(value, str) or not _is_number(value) or len(value) != len("YYYYMMDD"):
        raise ValueError(f"not a date: {value!r}")
    return datetime.strptime(value, "%Y%m%d").replace(tzinfo=UTC).date()


def _group(query: dict[str, object], name: str) -> tuple[SandboxCondition, ...]:
    conditions = query.get(name)
    if conditions is None:
        return ()
    if not isinstance(conditions, list):
        raise invalid_params(f"Invalid query: {name} is not a list of conditions")
    return tuple(_condition(each) for each in conditions)


def _condition(value: object) -> SandboxCondition:
    if not isinstance(value, dict):
        raise invalid_params("Invalid query: a condition is not an object")
    condition = SandboxCondition(
        str(value.get("operation")), str(value.get("field_name")), _values(value)
    )
    _check_operation(condition)
    accepts = FIELDS[condition.field_name]
    for each in condition.field_values:
        if not accepts(each):
            raise invalid_params(f"Invalid field_values for {condition.field_name}: {each}")
    return condition


def _values(condition: dict[str, object]) -> tuple[str, ...]:
    """The values as text: numbers are taken as well (api_facts.md 1.14)."""
    values = condition.get("field_values")
    if not isinstance(values, list) or not values:
        raise invalid_params("Invalid query: field_values is not a list of values")
    for each in values:
        if isinstance(each, bool) or not isinstance(each, str | int):
            raise invalid_params(f"Invalid field_values: {each!r}")
    return tuple(str(each) for each in values)


def _check_operation(condition: SandboxCondition) -> None:
    if condition.field_name not in FIELDS:
        raise invalid_params(f"Invalid field_name: {condition.field_name}")
    if condition.operation not in {"EQ", "IN", *COMPARISONS}:
        raise invalid_params(f"Invalid operation: {condition.operation}")
    if condition.operation in COMPARISONS and condition.field_name not in COMPARABLE:
        raise invalid_params(f"Invalid operation for {condition.field_name}: {condition.operation}")
    if condition.operation != "IN" and len(condition.field_values) > 1:
        raise invalid_params(f"invalid query parameters: {condition.operation} takes one value")


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= INT64_DIGITS


def _is_date(value: str) -> bool:
    try:
        parse_date(value)
    except ValueError:
        return False
    return True


def _is_text(value: str) -> bool:
    return bool(value.strip())


FIELDS: dict[str, Callable[[str], bool]] = {
    "create_date": _is_date,
    "username": _is_text,
    "region_code": REGION_CODES.__contains__,
    "video_id": _is_number,
    "hashtag_name": lambda name: _is_text(name) and "#" not in name,
    "keyword": _is_text,
    "music_id": _is_number,
    "effect_id": _is_text,
    "video_length": VIDEO_LENGTHS.__contains__,
    "view_count": _is_number,
    "comment_count": _is_number,
}
"""The fields that a condition can be about, and what each of their values must be like."""
