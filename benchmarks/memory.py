"""Peak memory of a crawl of 100,000 videos against one of 1,000. Target: at most 60 MiB more."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from pathlib import Path

from measured import EVERYTHING, crawl_command, machine, print_table, run, served_sandbox

VIDEOS_PER_DAY = 3700


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with served_sandbox(folder, f"--videos-per-day={VIDEOS_PER_DAY}") as url:
            small = crawl(folder, url, "2024-01-01", max_requests=11)
            large = crawl(folder, url, "2024-01-31")
    print(machine(), end="\n\n")
    print_table(
        ["crawl", "peak memory"],
        *([f"{videos:,} videos", f"{peak:.0f} MiB"] for videos, peak in (small, large)),
        ["difference", f"{large[1] - small[1]:.0f} MiB"],
    )


def crawl(
    folder: Path, url: str, end_date: str, *, max_requests: int | None = None
) -> tuple[int, float]:
    """Number of videos collected, and peak memory in MiB."""
    query, database = folder / f"{end_date}.yaml", folder / f"{end_date}.db"
    dates = {"start_date": "2024-01-01", "end_date": end_date}
    query.write_text(json.dumps(dates | {"query": EVERYTHING}))
    command = crawl_command(query, database, url)
    if max_requests:
        command += ["-a", f"max_requests={max_requests}"]
    peak = run(command, folder, statuses=(0, 75)).peak_mib
    with sqlite3.connect(database) as connection:
        (videos,) = connection.execute("SELECT count(*) FROM video").fetchone()
    connection.close()
    return videos, peak


if __name__ == "__main__":
    main()
