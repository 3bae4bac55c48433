"""Queries that no video can answer, because their conditions exclude one another."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING

from tiktok_crawler.research_api.query import Condition, Field, Operation, Query

if TYPE_CHECKING:
    from collections.abc import Iterable

_LARGEST = 10**20
_OPPOSITE: dict[str, Operation] = {
    Operation.GT: Operation.LTE,
    Operation.GTE: Operation.LT,
    Operation.LT: Operation.GTE,
    Operation.LTE: Operation.GT,
}


def contradictory_fields(query: Query) -> list[Field]:
    """The fields of a valid query for which no value satisfies every condition.

    Only what is certain counts: a field's conditions in `and` and `not`, and a group `or` all of
    whose values `not` excludes.
    """
    fields = [field for field in Field if not _is_possible(field, query)]
    excluded = _excluded_values(query.not_)
    if query.or_ and all(_is_excluded(condition, excluded) for condition in query.or_):
        fields.append(Field(query.or_[0].field_name))
    return fields


def _is_possible(field: Field, query: Query) -> bool:
    required = [condition for condition in query.and_ if condition.field_name == field]
    excluding = [condition for condition in query.not_ if condition.field_name == field]
    if field.is_ordered:
        return _leaves_number(field, required, excluding)
    choices = [set(condition.field_values) for condition in required]
    if choices and field.is_single:
        choices = [set.intersection(*choices)]
    excluded = _excluded_values(excluding)[field]
    return not any(choice <= excluded for choice in choices)


def _is_excluded(condition: Condition, excluded: dict[str, set[str]]) -> bool:
    return _names_values(condition) and excluded[condition.field_name] >= {*condition.field_values}


def _excluded_values(conditions: Iterable[Condition]) -> dict[str, set[str]]:
    excluded = defaultdict[str, set[str]](set)
    for condition in filter(_names_values, conditions):
        excluded[condition.field_name].update(condition.field_values)
    return excluded


def _names_values(condition: Condition) -> bool:
    return condition.operation not in _OPPOSITE


def _leaves_number(
    field: Field, required: Iterable[Condition], excluding: Iterable[Condition]
) -> bool:
    """Tell whether a number is left; counts and days are whole numbers from 0 on."""
    opposites = [_opposite(condition) for condition in excluding if not _names_values(condition)]
    required = [*required, *opposites]
    limits = [_limits(field, condition) for condition in required if not _names_values(condition)]
    low = max((low for low, _ in limits), default=0)
    high = min((high for _, high in limits), default=_LARGEST)
    excluded = {_number(field, value) for value in _excluded_values(excluding)[field]}
    choices = [_numbers(field, condition) for condition in required if _names_values(condition)]
    if choices:
        return any(low <= number <= high for number in set.intersection(*choices) - excluded)
    return high - low + 1 > sum(low <= number <= high for number in excluded)


def _opposite(condition: Condition) -> Condition:
    operation = _OPPOSITE[condition.operation]
    return Condition(condition.field_name, operation, condition.field_values)


def _limits(field: Field, condition: Condition) -> tuple[int, int]:
    """The least and the greatest number that a comparison allows."""
    (number,) = _numbers(field, condition)
    match condition.operation:
        case Operation.GT:
            return number + 1, _LARGEST
        case Operation.GTE:
            return number, _LARGEST
        case Operation.LT:
            return 0, number - 1
    return 0, number


def _numbers(field: Field, condition: Condition) -> set[int]:
    return {_number(field, value) for value in condition.field_values}


def _number(field: Field, value: str) -> int:
    return date.fromisoformat(value).toordinal() if field == Field.CREATE_DATE else int(value)
