"""Start-up of `scrapy crawl videos` with nothing to do over a bare crawl. Target: at most 1.7."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from statistics import median

from measured import SCRAPY, machine, print_table, run

ROUNDS = 7

BARE_SPIDER = """
import scrapy

class BareSpider(scrapy.Spider):
    name = "bare"

    async def start(self):
        return
        yield
"""

QUERY = """
start_date: 2024-01-01
end_date: 2024-01-02
include: {any_hashtags: [butter]}
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bare.py").write_text(BARE_SPIDER)
        (folder / "query.yaml").write_text(QUERY)
        bare = [SCRAPY, "runspider", "bare.py"]
        crawl = [SCRAPY, "crawl", "videos", "-a", "query=query.yaml", "-s", "TIKTOK_SANDBOX=True"]
        run(crawl, folder)  # collects; from now on there is nothing to do
        run(bare, folder, environment=os.environ)
        rounds = [
            (run(bare, folder, environment=os.environ).seconds, run(crawl, folder).seconds)
            for _ in range(ROUNDS)
        ]
    bare_seconds, crawl_seconds = (median(column) for column in zip(*rounds, strict=True))
    print(f"{machine()}; {ROUNDS} rounds, medians\n")
    print_table(
        ["start-up", "time"],
        ["bare Scrapy crawl", f"{bare_seconds:.2f} s"],
        ["crawl with nothing to do", f"{crawl_seconds:.2f} s"],
        ["ratio", f"{median(ours / theirs for theirs, ours in rounds):.2f}"],
    )


if __name__ == "__main__":
    main()
