"""Stores pages with tiktok-research-api-helper's own `upsert_videos`, in its own environment.

Command: DATABASE_URL PAGES lean. Of its crawl, which it writes anew after each page, only the
first writing is done here, and not timed.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tiktok_research_api_helper.models import Crawl, get_engine_and_create_tables, upsert_videos
from turns import take_turns

if TYPE_CHECKING:
    from turns import Page, Write

TAGS = ["benchmark"]


def main() -> None:
    engine = get_engine_and_create_tables(sys.argv[1])

    def begin() -> Write:
        answer = {"cursor": 100, "has_more": True, "search_id": "7001"}
        crawl = Crawl.from_request(answer, "{}", TAGS)
        crawl.upload_self_to_db(engine)

        def write(records: Page) -> None:
            upsert_videos(records, crawl.id, engine, TAGS)

        return write

    take_turns(begin)


if __name__ == "__main__":
    main()
