"""Peak memory of a crawl of 100,000 videos against one of 1,000. Target: at most 60 MiB more."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import tempfile
from pathlib import Path

from measured import ENVIRONMENT, SCRAPY, machine, run

VIDEOS_PER_DAY = 3700

QUERY = """
start_date: 2024-01-01
end_date: {end_date}
query:
  and: [{{operation: GTE, field_name: view_count, field_values: ["0"]}}]
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sandbox = subprocess.Popen(
            [
                SCRAPY,
                "sandbox",
                "--port=0",
                "--daily-quota=0",
                f"--videos-per-day={VIDEOS_PER_DAY}",
            ],
            cwd=folder,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert sandbox.stdout
            url = sandbox.stdout.readline().split(" answers at ")[1].split()[0]
            small = crawl(folder, url, "2024-01-01", max_requests=11)
            large = crawl(folder, url, "2024-01-31")
        finally:
            sandbox.send_signal(signal.SIGINT)
            sandbox.wait()
    print(machine())
    for videos, peak in (small, large):
        print(f"| {videos:,} videos | {peak:.0f} MiB |")
    print(f"| difference | {large[1] - small[1]:.0f} MiB |")


def crawl(
    folder: Path, url: str, end_date: str, *, max_requests: int | None = None
) -> tuple[int, float]:
    """Number of videos collected, and peak memory in MiB."""
    query, database = folder / f"{end_date}.yaml", folder / f"{end_date}.db"
    query.write_text(QUERY.format(end_date=end_date))
    command = [SCRAPY, "crawl", "videos", "-a", f"query={query}", "-s", "TIKTOK_SANDBOX=True"]
    command += [
        "-s",
        f"TIKTOK_SANDBOX_URL={url}",
        "-s",
        f"TIKTOK_DATABASE_URL=sqlite:///{database}",
    ]
    if max_requests:
        command += ["-a", f"max_requests={max_requests}"]
    peak = run(command, folder, statuses=(0, 75)).peak_mib
    with sqlite3.connect(database) as connection:
        (videos,) = connection.execute("SELECT count(*) FROM video").fetchone()
    connection.close()
    return videos, peak


if __name__ == "__main__":
    main()
