"""Lets Arrow work without pandas, which it loads at its first array wherever it is installed.

That takes half a second and 45 MB. Who asks Arrow for a data frame later gets it all the same.
"""

from __future__ import annotations

import sys
from typing import Any

import pyarrow as pa

NOT_NEEDED = "pandas"


class _Hidden:
    """Finds no pandas, as where it is not installed."""

    def find_spec(self, name: str, *_: Any) -> None:
        if name == NOT_NEEDED:
            raise ModuleNotFoundError(name=name)


def leave_out_pandas() -> None:
    """Let Arrow look for pandas now, which it does once, and not find it."""
    hidden = _Hidden()
    sys.meta_path.insert(0, hidden)
    try:
        pa.array([])
    finally:
        sys.meta_path.remove(hidden)
