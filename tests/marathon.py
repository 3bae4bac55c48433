"""What a test does a few times in the ordinary run, more in the slow one, most in the marathon."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterable

for name, examples in {"ordinary": 20, "marathon": 100}.items():
    # A busy machine makes slow examples of any.
    settings.register_profile(
        name,
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


def is_run(config: pytest.Config) -> bool:
    """Say whether this is the marathon."""
    return bool(config.option.markexpr == "marathon")


def on_both(values: Iterable[Any], *, postgresql: int = 1) -> list[Any]:
    """Each value on SQLite and the first so many on PostgreSQL, the others for the marathon."""
    parts = [_parts(value) for value in values]
    pairs = [(kind, *each) for kind in ("sqlite", "postgresql") for each in parts]
    return first(len(parts) + postgresql, pairs)


def times(number: int) -> int:
    """Say how many examples are so many times those of other tests."""
    return number * settings.default.max_examples


def first(ordinary: int, values: Iterable[Any], *, slow: int = 0) -> list[Any]:
    """The values as parameters; behind the first so many some are slow, others for the marathon."""
    remaining = iter(values)
    chosen = list(islice(remaining, ordinary))
    slow_ones = [in_slow(*_parts(value)) for value in islice(remaining, slow)]
    return chosen + slow_ones + [in_marathon(*_parts(value)) for value in remaining]


def in_slow(*values: Any) -> Any:
    """Parameters of a slow test."""
    return pytest.param(*values, marks=pytest.mark.slow)


def in_marathon(*values: Any) -> Any:
    """Parameters that the ordinary run leaves out."""
    return pytest.param(*values, marks=pytest.mark.marathon)


def _parts(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
