from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import make_url

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parents[1]

SERVING = """
import time
from postgres_server import running_server
with running_server() as url:
    print(url, flush=True)
    time.sleep(60)
"""


def test_the_server_does_not_outlive_a_test_run_that_is_killed():
    tests = subprocess.Popen(
        [sys.executable, "-c", SERVING],
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        stdout=subprocess.PIPE,
        text=True,
    )
    folder = Path(make_url(tests.stdout.readline().strip()).query["host"])
    server = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(tests.pid, signal.SIGKILL)
    tests.communicate()

    deadline = time.monotonic() + 10
    while Path(f"/proc/{server}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{server}").exists()
    assert not (folder / "data" / "postmaster.pid").exists()
    shutil.rmtree(folder)
