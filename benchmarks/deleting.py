"""`scrapy delete` of some videos of many, with all that hangs on them: time and peak memory.

Videos are named, or were collected long ago. Every database has a comment a video besides.
Targets, of 100,000 videos of 5,000,000: within 120 s and 300 MB.
"""

from __future__ import annotations

import tempfile
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from array import array
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from exporting import fill
from measured import SCRAPY, machine, print_table, run
from sqlalchemy import func, select, text, update
from writers import SYSTEMS

from tiktok_crawler.batches import batched
from tiktok_crawler.clock import utc_now
from tiktok_crawler.storage.engine.database import create_engine_for, database_url
from tiktok_crawler.storage.models.records import Comment, Video

if TYPE_CHECKING:
    from argparse import Namespace

LONGEST_SECONDS, MOST_MB = 120, 300
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

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
    parser.add_argument("--by", choices=("ids", "age"), default="ids", help="how they are chosen")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--folder", type=Path, help="for the databases, 1.5 GB a million videos")
    return parser.parse_args()


def measure(system: str, options: Namespace) -> list[list[str]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.folder)))
        url = stack.enter_context(SYSTEMS[system](folder))()
        fill(url, folder, options.videos)
        count = choose(url, folder / "ids.txt", options)
        settings = ["-s", "TIKTOK_SANDBOX=True", "-s", f"TIKTOK_DATABASE_URL={url}"]
        chosen = ["--video-ids", "@ids.txt"] if options.by == "ids" else ["--older-than", "2 years"]
        command = [SCRAPY, "delete", *chosen, "--yes", *settings]
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


def choose(url: str, file: Path, options: Namespace) -> int:
    """Write a comment for each video, and the ids of some videos, of all times, into a file.

    By age, these were collected long ago, with their comments, and all others just now.
    """
    engine = create_engine_for(database_url(url))
    with engine.begin() as connection:
        connection.execute(text(COMMENTS))
        count = connection.execute(select(func.count()).select_from(Video)).scalar_one()
        # One by one: what this process takes at most would count as the command's.
        ids = connection.scalars(
            select(Video.id).order_by(Video.id).execution_options(yield_per=10_000)
        )
        every = count // options.deleted
        chosen = array("q", islice(islice(ids, 0, None, every), options.deleted))
        if options.by == "age":
            for record in (Video, Comment):
                connection.execute(update(record).values(crawled_at=utc_now()))
                for part in batched(chosen, 10_000):
                    old = update(record).where(record.id.in_(part))
                    connection.execute(old.values(crawled_at=LONG_AGO))
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
