"""Every benchmark, one after the other, as tables in Markdown: what docs/performance.md holds."""

from __future__ import annotations

import argparse
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

FOLDER = Path(__file__).parent
COMMANDS = (
    ["startup.py"],
    ["memory.py"],
    ["follower_memory.py"],
    ["requests_spent.py"],
    ["several_queries.py"],
    ["value_batches.py"],
    ["storing.py", "--prefill=5000000"],
    ["where_time_goes.py"],
    ["crawling.py"],
    ["nodes.py"],
    ["sandbox.py"],
    ["large_database.py"],
    ["existence.py"],
    ["exporting.py"],
    ["deleting.py"],
    ["reporting.py"],
    ["suspicion.py"],
    ["forecast.py"],
    ["refreshing.py"],
)


def main() -> int:
    """Run all of them, also after one that failed; the worst exit status."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    statuses = [run(*command) for command in COMMANDS]
    return max(map(abs, statuses))


def run(script: str, *options: str) -> int:
    command = " ".join([f"benchmarks/{script}", *options])
    print(f"\n### `{command}`, {datetime.now(UTC):%Y-%m-%d}\n", flush=True)
    return subprocess.run([sys.executable, FOLDER / script, *options], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
