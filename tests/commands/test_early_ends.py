"""Commands whose output nobody reads to its end."""

from __future__ import annotations

import subprocess

import pytest
from processes import SCRAPY, environment

QUERY = "start_date: 2024-01-01\nend_date: 2024-01-02\ninclude: {any_hashtags: [butter]}\n"


@pytest.mark.parametrize("command", [("plan", "query.yaml"), ("status",), ("status", "--json")])
def test_a_reader_that_has_seen_enough_may_go(tmp_path, command):
    (tmp_path / "query.yaml").write_text(QUERY)
    run = subprocess.Popen(
        [SCRAPY, *command, "-s", "TIKTOK_SANDBOX=True"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    run.stdout.close()
    assert run.stderr.read() == ""
    run.stderr.close()
    assert run.wait() == 0
