"""A report of many videos needs little memory."""

from __future__ import annotations

import pytest
from large_database import command
from measured import run
from reporting import MOST_MB, database_of

pytestmark = pytest.mark.marathon

VIDEOS = 20_000


def test_the_report_of_many_videos_has_their_number(tmp_path):
    path = database_of(tmp_path, VIDEOS)
    done = run(command("report", "-o", "report.html", data=path), tmp_path)

    assert "<b>20,000</b>" in (tmp_path / "report.html").read_text()
    assert done.peak_mb < MOST_MB
