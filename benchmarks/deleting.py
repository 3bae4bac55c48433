"""`scrapy delete` of some videos of many, with all that hangs on them: time and peak memory.

Every database has a comment a video besides. Targets, of 100,000 videos of 5,000,000: within 120 s
and 300 MB.
"""

from __future__ import annotations

import tempfile
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from exporting import fill
from measured import SCRAPY, machine, print_table, run
from sqlalchemy import func, select, text
from writers import SYSTEMS

from tiktok_crawler.storage.engine.database import create_engine_for, database_url
from tiktok_crawler.storage.models.records import Video

if TYPE_CHECKING:
    from argparse import Namespace

LONGEST_SECONDS, MOST_MB = 120, 300

COMMENTS = """
    INSERT INTO comment (id, video_id, text, like_count, crawled_at, crawl_id)
    SELECT id, id, 'a comment of the usual length', 1, crawled_at, (SELECT min(id) FROM crawl)
    FROM video
"""


def main() -> None:
    options = parse_options()
    rows = [row for system in options.systems for row in measure(system, options)]
    print(f"{machine()}; {options.deleted:,} of {options.videos:,} videos\n")
    print_table(["what", "time", "of the CPU", "peak memory", "target", "met"], *rows)


def parse_options() -> Namespace:
    parser = ArgumentParser(description=__doc__, formatter_class=ArgumentDefaultsHelpFormatter)
    parser.add_argument("--videos", type=int, default=1_000_000, help="in the database")
    parser.add_argument("--deleted", type=int, default=100_000, help="so many of them")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--folder", type=Path, help="for the databases, 1.5 GB a million videos")
    return parser.parse_args()


def measure(system: str, options: Namespace) -> list[list[str]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.folder)))
        url = stack.enter_context(SYSTEMS[system](folder))()
        fill(url, folder, options.videos)
        count = choose(url, folder / "ids.txt", options.deleted)
        settings = ["-s", "TIKTOK_SANDBOX=True", "-s", f"TIKTOK_DATABASE_URL={url}"]
        command = [SCRAPY, "delete", "--video-ids", "@ids.txt", "--yes", *settings]
        done = run(command, folder)
        left = videos_of(url)
        if left != count - options.deleted:
            raise SystemExit(f"{left:,} videos are left")
        is_met = done.seconds <= LONGEST_SECONDS and done.peak_mb <= MOST_MB
        return [
            [
                system,
                f"{done.seconds:.1f} s",
                f"{done.cpu_seconds:.1f} s",
                f"{done.peak_mb:.0f} MB",
                f"at most {LONGEST_SECONDS} s, {MOST_MB} MB",
                "yes" if is_met else "NO",
            ]
        ]


def choose(url: str, file: Path, number: int) -> int:
    """Write a comment for each video, and the ids of some videos, of all times, into a file."""
    engine = create_engine_for(database_url(url))
    with engine.begin() as connection:
        connection.execute(text(COMMENTS))
        count = connection.execute(select(func.count()).select_from(Video)).scalar_one()
        # One by one: what this process takes at most would count as the command's.
        ids = connection.scalars(
            select(Video.id).order_by(Video.id).execution_options(yield_per=10_000)
        )
        chosen = list(islice(islice(ids, 0, None, count // number), number))
    engine.dispose()
    file.write_text("\n".join(map(str, chosen)))
    return int(count)


def videos_of(url: str) -> int:
    engine = create_engine_for(database_url(url))
    with engine.connect() as connection:
        count = connection.scalar(select(func.count()).select_from(Video)) or 0
    engine.dispose()
    return count


if __name__ == "__main__":
    main()
