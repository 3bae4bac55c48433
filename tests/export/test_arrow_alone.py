"""An export does without pandas, which Arrow loads wherever it is installed."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

SCRIPT = """
import sys
import pyarrow as pa
from tiktok_crawler.export.arrow_alone import leave_out_pandas

leave_out_pandas()
table = pa.table({"id": pa.array([1, None])})
assert "pandas" not in sys.modules
assert list(table.to_pandas()["id"].dropna()) == [1]
"""


def test_pandas_is_not_loaded_before_somebody_wants_a_frame():
    subprocess.run([sys.executable, "-c", SCRIPT], check=True)
