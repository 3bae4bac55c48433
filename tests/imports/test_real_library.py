"""A database that tiktok-library's own program has written is imported, value by value."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from imported import import_into, names_of
from sqlalchemy import create_engine
from trials import QUERY, expected_row, videos_in

from tiktok_crawler.sandbox import Sandbox

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

WRITES = """
import json, sys
from tiktok_research_api_helper.models import Crawl, get_engine_and_create_tables, upsert_videos

engine, records = get_engine_and_create_tables(sys.argv[1]), json.load(open(sys.argv[2]))
answer = {"cursor": 100, "has_more": False, "search_id": "7001"}
crawl = Crawl.from_request(answer, "{}", ["old study"])
crawl.upload_self_to_db(engine)
upsert_videos(records, crawl.id, engine, ["old study"])
"""


@pytest.mark.marathon
def test_what_tiktok_library_has_written_is_imported(tmp_path, prepared_url):
    import peer  # noqa: PLC0415 - of the benchmarks, which install it
    from turns import FIELDS  # noqa: PLC0415

    found = Sandbox(videos_per_day=30).matches(QUERY, date(2024, 1, 1), date(2024, 1, 5))
    records = [{key: each[key] for key in FIELDS if key in each} for each in found]
    file = tmp_path / "records.json"
    file.write_text(json.dumps(records))
    library = f"sqlite:///{tmp_path / 'library.db'}"
    subprocess.run([peer.python(), "-c", WRITES, library, file], check=True)

    import_into(prepared_url, library, collected_at=None)

    engine = create_engine(prepared_url)
    with engine.connect() as connection:
        imported = videos_in(connection)
    engine.dispose()
    assert imported == dict(map(expected_row, records))
    tags = names_of(prepared_url, "videos_to_query_tags", "query_tag", "name")
    assert tags == {key: {"old study"} for key in imported}
