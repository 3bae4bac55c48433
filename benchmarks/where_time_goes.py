"""Where the time of storing pages goes: what runs is looked at a thousand times a second."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from measured import machine, print_table
from pages import write_pages
from writers import SYSTEMS

import tiktok_crawler
from tiktok_crawler.storage.engine.database import create_engine_for, database_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

WARM_UP, PAGES = 20, 200
INTERVAL_SECONDS = 0.001
DRIVER = {"do_execute", "do_executemany", "do_commit", "do_begin", "_begin"}
"""Functions that do nothing but call the database's driver."""

LEAST_SHARE = 0.01
PACKAGE = f"{Path(tiktok_crawler.__file__).parent}/"


def main() -> None:
    print(f"{machine()}; {PAGES} pages of 100 videos\n")
    shares = {system: measure(system) for system in SYSTEMS}
    places = Counter[str]()
    for each in shares.values():
        places.update(each)
    rows = (
        [place, *(f"{shares[system].get(place, 0):.0%}" for system in SYSTEMS)]
        for place, share in places.most_common()
        if share >= LEAST_SHARE
    )
    print_table(["where", *SYSTEMS], *rows)


def measure(system: str) -> dict[str, float]:
    """The share of each place in the time that pages take."""
    from write_ours import new_crawl, prepared_store  # noqa: PLC0415 - found where `writers` made it be looked for

    with tempfile.TemporaryDirectory() as name, SYSTEMS[system](Path(name)) as new_url:
        pages = Path(name, "pages.jsonl")
        write_pages(pages, (WARM_UP + PAGES) * 100)
        engine = create_engine_for(database_url(new_url()))
        write = new_crawl(engine, prepared_store(engine))
        stored = [json.loads(line) for line in pages.read_text().splitlines()]
        for page in stored[:WARM_UP]:
            write(page)
        with sampled() as places:
            for page in stored[WARM_UP:]:
                write(page)
        engine.dispose()
    return {place: count / places.total() for place, count in places.items()}


@contextmanager
def sampled() -> Iterator[Counter[str]]:
    """Count where this thread is, again and again, until the block ends."""
    places, done = Counter[str](), threading.Event()
    thread_id = threading.get_ident()

    def sample() -> None:
        while not done.is_set():
            places[place(sys._current_frames()[thread_id])] += 1  # noqa: SLF001 - meant for this
            time.sleep(INTERVAL_SECONDS)

    # A thread that computes is interrupted this often, not every 5 ms.
    sys.setswitchinterval(INTERVAL_SECONDS / 2)
    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield places
    finally:
        done.set()
        sampler.join()


def place(frame: FrameType | None) -> str:
    """The part that a stack is in: of the standard library, the one that called it."""
    while frame:
        path, function = frame.f_code.co_filename, frame.f_code.co_name
        if function in DRIVER:
            return "the database and its driver"
        if "sqlalchemy" in path:
            return "SQLAlchemy"
        if PACKAGE in path:
            return f"`{path.partition(PACKAGE)[2]}`"
        frame = frame.f_back
    return "the benchmark"


if __name__ == "__main__":
    main()
